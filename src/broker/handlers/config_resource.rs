//! What configs belong to: the resource types of the config APIs, and looking up a resource.

use std::collections::HashSet;

use kafka_protocol::ResponseError;

use crate::broker::cluster::config_changes::Resource;
use crate::broker::cluster::controller::Refused;
use crate::broker::node::Node;
use crate::broker::topic_name;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

/// Whether there are resources of this type.
pub(super) fn is_known(kind: i8) -> bool {
    matches!(kind, TOPIC | BROKER | BROKER_LOGGER | CLIENT_METRICS | GROUP)
}

/// The resource of a type and name, or Kafka's error for it.
pub(super) fn find(node: &Node, kind: i8, name: &str) -> Result<Resource, Refused> {
    match kind {
        TOPIC => topic(node, name),
        BROKER => broker(node, name),
        BROKER_LOGGER if name.is_empty() => {
            let message = format!("Broker id must be an integer, but it is: {name}");
            Err((ResponseError::InvalidRequest, message))
        }
        BROKER_LOGGER => broker(node, name).map(|_| Resource::BrokerLoggers),
        CLIENT_METRICS => Ok(Resource::ClientMetrics(name.to_owned())),
        GROUP if name.is_empty() => {
            let message = "Default group resources are not allowed.";
            Err((ResponseError::InvalidRequest, message.to_owned()))
        }
        GROUP => Ok(Resource::Group(name.to_owned())),
        _ => {
            let message = "Unsupported resource type: UNKNOWN".to_owned();
            Err((ResponseError::InvalidRequest, message))
        }
    }
}

fn topic(node: &Node, name: &str) -> Result<Resource, Refused> {
    if name.is_empty() {
        let message = "Default topic resources are not allowed.";
        return Err((ResponseError::InvalidRequest, message.to_owned()));
    }
    topic_name::validate(name).map_err(|message| (ResponseError::InvalidTopicException, message))?;
    if !node.has_topic(name) {
        let message = format!("The topic '{name}' does not exist.");
        return Err((ResponseError::UnknownTopicOrPartition, message));
    }
    Ok(Resource::Topic(name.to_owned()))
}

fn broker(node: &Node, name: &str) -> Result<Resource, Refused> {
    if name.is_empty() {
        return Ok(Resource::BrokerDefaults);
    }
    let own = node.id;
    match name.parse::<i32>() {
        Ok(id) if id == own => Ok(Resource::Broker(id)),
        Ok(id) => {
            let message = format!("Unexpected broker id, expected {own} or empty string, but received {id}");
            Err((ResponseError::InvalidRequest, message))
        }
        Err(_) => {
            let message = format!("Broker id must be an integer, but it is: {name}");
            Err((ResponseError::InvalidRequest, message))
        }
    }
}

/// The same for a description, which Kafka refuses with another message.
pub(super) fn find_described(node: &Node, kind: i8, name: &str) -> Result<Resource, Refused> {
    let (error, message) = match (kind, name) {
        (TOPIC, "") => (
            ResponseError::InvalidTopicException,
            "Topic name is invalid: the empty string is not allowed",
        ),
        (GROUP, "") => (ResponseError::InvalidRequest, "Group name must not be empty"),
        (CLIENT_METRICS, "") => (
            ResponseError::InvalidRequest,
            "Client metrics subscription name must not be empty",
        ),
        _ => return find(node, kind, name),
    };
    Err((error, message.to_owned()))
}

/// The resources, by type and name, that a request names more than once.
pub(super) fn named_twice<'a>(resources: impl Iterator<Item = (i8, &'a str)>) -> HashSet<(i8, &'a str)> {
    let mut seen = HashSet::new();
    resources.filter(|resource| !seen.insert(*resource)).collect()
}
