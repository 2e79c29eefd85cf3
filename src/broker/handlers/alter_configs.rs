//! AlterConfigs, versions 0–2: replaces all configs of a topic or broker; those not named are removed.
//!
//! Also stores the result of both APIs that alter configs; the checks are in `cluster/config_changes.rs`.
//!
//! <https://kafka.apache.org/protocol#The_Messages_AlterConfigs>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_configs_request::AlterConfigsResource;
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};

use super::config_resource;
use super::text;
use crate::broker::call::RequestContext;
use crate::broker::cluster::config_changes::{self, Resource};
use crate::broker::cluster::controller::Refused;
use crate::broker::config::effective_config::Configs;
use crate::broker::node::Node;

pub fn handle(node: &Arc<Node>, _: &RequestContext, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let resources = request.resources.iter();
    let twice = config_resource::named_twice(
        resources.map(|wanted| (wanted.resource_type, wanted.resource_name.as_str())),
    );
    let responses = request.resources.iter().map(|wanted| {
        let response = AlterConfigsResourceResponse::default()
            .with_resource_type(wanted.resource_type)
            .with_resource_name(wanted.resource_name.clone());
        // Kafka never answers a request that names a resource twice; here the client gets an error at once.
        let outcome = if twice.contains(&(wanted.resource_type, wanted.resource_name.as_str())) {
            Err(config_changes::duplicate_resource())
        } else if config_changes::is_any_twice(wanted.configs.iter().map(|config| config.name.as_str())) {
            Err(config_changes::duplicate_keys())
        } else {
            replace(node, wanted, request.validate_only)
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

fn replace(node: &Node, wanted: &AlterConfigsResource, validate_only: bool) -> Result<(), Refused> {
    if !config_resource::is_known(wanted.resource_type) {
        let message = format!("Unknown resource type {}", wanted.resource_type);
        return Err((ResponseError::InvalidRequest, message));
    }
    let resource = config_resource::find(node, wanted.resource_type, &wanted.resource_name)?;
    let mut configs = Configs::new();
    for config in &wanted.configs {
        let Some(value) = &config.value else {
            let message = format!("Null value not supported for : {}", config.name.as_str());
            return Err((ResponseError::InvalidRequest, message));
        };
        configs.insert(config.name.to_string(), value.to_string());
    }
    store(node, &resource, configs, validate_only)
}

/// The configs that are set on a resource.
pub(super) fn current(node: &Node, resource: &Resource) -> Configs {
    let image = node.cluster.image();
    let configs = match resource {
        Resource::Topic(name) => image.topic(name).map(|topic| &topic.configs),
        Resource::Group(group) => image.group_configs(group),
        Resource::ClientMetrics(name) => image.all_client_metrics_configs().get(name),
        Resource::BrokerLoggers => None,
        Resource::Broker(_) | Resource::BrokerDefaults => image.broker_configs(&resource.broker_name()),
    };
    configs.cloned().unwrap_or_default()
}

/// Checks the new configs of a resource, and stores them unless `validate_only` is set.
pub(super) fn store(
    node: &Node,
    resource: &Resource,
    configs: Configs,
    validate_only: bool,
) -> Result<(), Refused> {
    let image = node.cluster.image();
    let broker = node.broker_values(&image);
    config_changes::check(resource, &configs, &current(node, resource), broker)?;
    drop(image);
    if validate_only {
        return Ok(());
    }
    let stored = match resource {
        Resource::Topic(name) => node.replicas.set_topic_configs(name, &configs),
        Resource::Group(group) => node.replicas.set_group_configs(group, &configs),
        Resource::ClientMetrics(name) => node.replicas.set_client_metrics_configs(name, &configs),
        Resource::BrokerLoggers => Ok(()),
        Resource::Broker(_) | Resource::BrokerDefaults => node
            .replicas
            .set_broker_configs(&resource.broker_name(), &configs),
    };
    stored.map_err(|error| (ResponseError::KafkaStorageError, error.message()))
}
