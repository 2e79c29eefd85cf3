//! IncrementalAlterConfigs, versions 0–1: single configs of topics and brokers set, deleted, added to, taken from.
//!
//! - A resource or a config that stands twice in a request is refused.
//! - APPEND and SUBTRACT are for lists, and work on the value in force.
//!
//! <https://kafka.apache.org/protocol#The_Messages_IncrementalAlterConfigs>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};

use super::alter_configs::{current, store};
use super::config_resource::{self, Resource};
use super::text;
use crate::broker::Broker;
use crate::broker::call::RequestContext;
use crate::broker::cluster::controller::Refused;
use crate::broker::config::config_table;
use crate::topic_config::{self, Kind};

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

pub fn handle(
    broker: &Arc<Broker>,
    _: &RequestContext,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let resources = request.resources.iter();
    let twice = config_resource::named_twice(
        resources.map(|wanted| (wanted.resource_type, wanted.resource_name.as_str())),
    );
    let responses = request.resources.iter().map(|wanted| {
        let name = wanted.resource_name.clone();
        let outcome = if twice.contains(&(wanted.resource_type, name.as_str())) {
            Err(config_resource::duplicate_resource())
        } else if config_resource::is_any_twice(wanted.configs.iter().map(|config| config.name.as_str())) {
            Err(config_resource::duplicate_keys())
        } else {
            alter(broker, wanted, request.validate_only)
        };
        let response = AlterConfigsResourceResponse::default()
            .with_resource_type(wanted.resource_type)
            .with_resource_name(name);
        match outcome {
            Ok(()) => response.with_error_message(None),
            Err((error, message)) => response
                .with_error_code(error.code())
                .with_error_message(Some(text(message))),
        }
    });
    IncrementalAlterConfigsResponse::default().with_responses(responses.collect())
}

fn alter(broker: &Broker, wanted: &AlterConfigsResource, validate_only: bool) -> Result<(), Refused> {
    let resource = config_resource::find(broker, wanted.resource_type, &wanted.resource_name)?;
    let mut configs = current(broker, &resource);
    for change in &wanted.configs {
        let name = change.name.as_str();
        match new_value(broker, &resource, change, configs.get(name).cloned())? {
            Some(value) => configs.insert(name.to_owned(), value),
            None => configs.remove(name),
        };
    }
    store(broker, &resource, configs, validate_only)
}

/// What a config becomes; nothing if it goes.
fn new_value(
    broker: &Broker,
    resource: &Resource,
    change: &AlterableConfig,
    own: Option<String>,
) -> Result<Option<String>, Refused> {
    let name = change.name.as_str();
    let operation = change.config_operation;
    if operation == DELETE {
        return Ok(None);
    }
    let Some(value) = change.value.as_ref().map(ToString::to_string) else {
        let message = format!("Null value not supported for : {name}");
        return Err((ResponseError::InvalidRequest, message));
    };
    let word = match operation {
        SET => return Ok(Some(value)),
        APPEND => "APPEND",
        SUBTRACT => "SUBTRACT",
        _ => {
            let message = format!("Unknown operation type {operation}");
            return Err((ResponseError::InvalidRequest, message));
        }
    };
    if kind(resource, name) != Some(Kind::List) {
        let message = format!("Can't {word} to key {name} because its type is not LIST.");
        return Err((ResponseError::InvalidConfig, message));
    }
    let mut list = words(&own.unwrap_or_else(|| in_force(broker, resource, name)));
    for word in words(&value) {
        if operation == SUBTRACT {
            list.retain(|other| *other != word);
        } else if !list.contains(&word) {
            list.push(word);
        }
    }
    Ok(Some(list.join(",")))
}

fn kind(resource: &Resource, name: &str) -> Option<Kind> {
    match resource {
        Resource::Topic(_) => topic_config::find(name).map(|config| config.kind),
        _ => config_table::find(name).map(|setting| setting.kind),
    }
}

fn in_force(broker: &Broker, resource: &Resource, name: &str) -> String {
    broker.metadata.with_broker_values(|values| {
        let value = match resource {
            Resource::Topic(_) => topic_config::find(name)
                .map(|config| values.topic_value(config, &current(broker, resource)).0),
            _ => values.origins(name).into_iter().next().map(|origin| origin.value),
        };
        value.unwrap_or_default()
    })
}

fn words(list: &str) -> Vec<String> {
    let words = list.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}
