//! AlterConfigs, versions 0–2: all configs of a topic or broker replaced; what is not named goes.
//!
//! Owns also what both ways of altering end with: the checks, and keeping the result.
//!
//! <https://kafka.apache.org/protocol#The_Messages_AlterConfigs>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_configs_request::AlterConfigsResource;
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};

use super::config_resource::{self, Resource};
use super::text;
use crate::broker::Broker;
use crate::broker::call::RequestContext;
use crate::broker::cluster::controller::Refused;
use crate::broker::config::config_table::{self, Scope};
use crate::broker::config::effective_config::Configs;
use crate::topic_config::{self, TOPIC_CONFIGS};

pub fn handle(
    broker: &Arc<Broker>,
    _: &RequestContext,
    request: AlterConfigsRequest,
) -> AlterConfigsResponse {
    let resources = request.resources.iter();
    let twice = config_resource::named_twice(
        resources.map(|wanted| (wanted.resource_type, wanted.resource_name.as_str())),
    );
    let responses = request.resources.iter().map(|wanted| {
        let response = AlterConfigsResourceResponse::default()
            .with_resource_type(wanted.resource_type)
            .with_resource_name(wanted.resource_name.clone());
        // Kafka never answers when a resource is named twice; whoever asks waits no longer for this answer.
        let outcome = if twice.contains(&(wanted.resource_type, wanted.resource_name.as_str())) {
            Err(config_resource::duplicate_resource())
        } else if config_resource::is_any_twice(wanted.configs.iter().map(|config| config.name.as_str())) {
            Err(config_resource::duplicate_keys())
        } else {
            replace(broker, wanted, request.validate_only)
        };
        match outcome {
            Ok(()) => response.with_error_message(None),
            Err((error, message)) => response
                .with_error_code(error.code())
                .with_error_message(Some(text(message))),
        }
    });
    AlterConfigsResponse::default().with_responses(responses.collect())
}

fn replace(broker: &Broker, wanted: &AlterConfigsResource, validate_only: bool) -> Result<(), Refused> {
    let resource = config_resource::find(broker, wanted.resource_type, &wanted.resource_name)?;
    let mut configs = Configs::new();
    for config in &wanted.configs {
        let Some(value) = &config.value else {
            let message = format!("Null value not supported for : {}", config.name.as_str());
            return Err((ResponseError::InvalidRequest, message));
        };
        configs.insert(config.name.to_string(), value.to_string());
    }
    store(broker, &resource, configs, validate_only)
}

/// The configs a resource was given.
pub(super) fn current(broker: &Broker, resource: &Resource) -> Configs {
    match resource {
        Resource::Topic(name) => {
            let topic = broker.metadata.topic(name);
            topic.map(|topic| topic.configs.clone()).unwrap_or_default()
        }
        _ => broker.metadata.broker_configs(&resource.broker_key(broker)),
    }
}

/// Checks a resource's new configs, and keeps them unless they were only to be checked.
pub(super) fn store(
    broker: &Broker,
    resource: &Resource,
    configs: Configs,
    validate_only: bool,
) -> Result<(), Refused> {
    match resource {
        Resource::Topic(_) => {
            let pairs: Vec<(&str, &str)> = pairs(&configs).collect();
            topic_config::validate(&pairs).map_err(|message| (ResponseError::InvalidConfig, message))?;
        }
        _ => check_broker_configs(resource, &configs)
            .map_err(|message| (ResponseError::InvalidRequest, message))?,
    }
    if validate_only {
        return Ok(());
    }
    let stored = match resource {
        Resource::Topic(name) => broker
            .metadata
            .set_topic_configs(name, configs)
            .inspect(|()| broker.note_compaction(name)),
        _ => broker
            .metadata
            .set_broker_configs(&resource.broker_key(broker), configs),
    };
    stored.map_err(|error| (ResponseError::KafkaStorageError, error.message()))
}

fn pairs(configs: &Configs) -> impl Iterator<Item = (&str, &str)> {
    configs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
}

/// Only what can change while a broker runs; names that nobody knows are let through, as Kafka does.
fn check_broker_configs(resource: &Resource, configs: &Configs) -> Result<(), String> {
    let with_scope = |scope: Scope| {
        let names = configs
            .keys()
            .filter(|name| config_table::find(name).is_some_and(|setting| setting.scope == scope));
        let names: Vec<&str> = names.map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    if let Some(names) = with_scope(Scope::ReadOnly) {
        return Err(format!("Cannot update these configs dynamically: [{names}]"));
    }
    if *resource == Resource::Cluster
        && let Some(names) = with_scope(Scope::Broker)
    {
        return Err(format!(
            "Cannot update these configs at default cluster level, broker id must be specified: [{names}]"
        ));
    }
    for (name, value) in pairs(configs) {
        // Values keep to the rule of the topic config they are the default of.
        let rule = TOPIC_CONFIGS
            .iter()
            .find(|config| config.broker_setting == Some(name));
        if let Some(config) = rule {
            config.check(value).map_err(|message| {
                message.replacen(
                    &format!("configuration {}", config.name),
                    &format!("configuration {name}"),
                    1,
                )
            })?;
        } else if let Some(setting) = config_table::find(name) {
            setting.check(value)?;
        }
    }
    Ok(())
}
