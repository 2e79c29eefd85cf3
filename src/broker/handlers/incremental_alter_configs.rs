//! IncrementalAlterConfigs, versions 0–1: sets, deletes, appends to or subtracts from single configs of topics,
//! brokers and groups.
//!
//! - A resource or a config that occurs twice in a request is refused.
//! - APPEND and SUBTRACT are for lists, and change the value in force.
//!
//! <https://kafka.apache.org/protocol#The_Messages_IncrementalAlterConfigs>

use std::sync::Arc;

use kafka_protocol::messages::incremental_alter_configs_request::AlterConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};

use super::alter_configs::{current, store};
use super::config_resource;
use super::text;
use crate::broker::call::RequestContext;
use crate::broker::cluster::config_changes::{self, Change, Resource};
use crate::broker::cluster::controller::Refused;
use crate::broker::node::Node;
use crate::topic_config;

pub fn handle(
    node: &Arc<Node>,
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
            Err(config_changes::duplicate_resource())
        } else if config_changes::is_any_twice(wanted.configs.iter().map(|config| config.name.as_str())) {
            Err(config_changes::duplicate_keys())
        } else {
            alter(node, wanted, request.validate_only)
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

fn alter(node: &Node, wanted: &AlterConfigsResource, validate_only: bool) -> Result<(), Refused> {
    let resource = config_resource::find(node, wanted.resource_type, &wanted.resource_name)?;
    let mut configs = current(node, &resource);
    for change in &wanted.configs {
        let name = change.name.as_str();
        let own = configs.get(name).cloned();
        let current = || own.unwrap_or_else(|| in_force(node, &resource, name));
        let change = Change {
            name,
            operation: change.config_operation,
            value: change.value.as_deref(),
        };
        match config_changes::changed_value(&resource, change, current)? {
            Some(value) => configs.insert(name.to_owned(), value),
            None => configs.remove(name),
        };
    }
    store(node, &resource, configs, validate_only)
}

fn in_force(node: &Node, resource: &Resource, name: &str) -> String {
    let image = node.cluster.image();
    let values = node.broker_values(&image);
    let value = match resource {
        Resource::Topic(_) => {
            topic_config::find(name).map(|config| values.topic_value(config, &current(node, resource)).0)
        }
        Resource::Broker(_) | Resource::BrokerDefaults => {
            values.origins(name).into_iter().next().map(|origin| origin.value)
        }
        _ => None,
    };
    value.unwrap_or_default()
}
