//! Decides what the configs of a topic or a broker become, and whether they may: the checks that Apache Kafka's
//! controller makes, in its words.
//!
//! Pure: the values that a change builds on are arguments. Owns no field of a request; `handlers/config_resource.rs`
//! finds out which broker a request means.

use std::collections::HashSet;

use kafka_protocol::ResponseError;

use super::controller::Refused;
use crate::broker::config::config_table::{self, Scope};
use crate::broker::config::effective_config::Configs;
use crate::broker::config::{BrokerConfig, group_config};
use crate::topic_config::{self, Kind, TOPIC_CONFIGS};

/// The operations of IncrementalAlterConfigs, by their codes.
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

/// What configs belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) enum Resource {
    Topic(String),
    /// One broker, by its id.
    Broker(i32),
    /// The defaults for every broker of the cluster.
    BrokerDefaults,
    /// A group, whether there is one of this name or not.
    Group(String),
}

impl Resource {
    /// The name of this resource among brokers: the id, or "" for the defaults.
    pub(in crate::broker) fn broker_name(&self) -> String {
        match self {
            Resource::Broker(id) => id.to_string(),
            _ => String::new(),
        }
    }

    /// The type of a config's value, if the name is known.
    fn kind_of(&self, name: &str) -> Option<Kind> {
        match self {
            Resource::Topic(_) => topic_config::find(name).map(|config| config.kind),
            Resource::Group(_) => group_config::find(name).map(|config| config.kind),
            _ => config_table::find(name).map(|setting| setting.kind),
        }
    }
}

/// One change of IncrementalAlterConfigs.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct Change<'a> {
    pub(in crate::broker) name: &'a str,
    pub(in crate::broker) operation: i8,
    pub(in crate::broker) value: Option<&'a str>,
}

/// What a config becomes, `None` if it is removed. `current` is the value in force, to which APPEND and SUBTRACT
/// apply.
pub(in crate::broker) fn changed_value(
    resource: &Resource,
    change: Change<'_>,
    current: impl FnOnce() -> String,
) -> Result<Option<String>, Refused> {
    let Change { name, operation, .. } = change;
    if operation == DELETE {
        return Ok(None);
    }
    let Some(value) = change.value else {
        let message = format!("Null value not supported for : {name}");
        return Err((ResponseError::InvalidRequest, message));
    };
    let word = match operation {
        SET => return Ok(Some(value.to_owned())),
        APPEND => "APPEND",
        SUBTRACT => "SUBTRACT",
        _ => {
            let message = format!("Unknown operation type {operation}");
            return Err((ResponseError::InvalidRequest, message));
        }
    };
    if resource.kind_of(name) != Some(Kind::List) {
        let message = format!("Can't {word} to key {name} because its type is not LIST.");
        return Err((ResponseError::InvalidConfig, message));
    }
    let current = current();
    let mut list: Vec<&str> = words(&current).collect();
    for word in words(value) {
        if operation == SUBTRACT {
            list.retain(|other| *other != word);
        } else if !list.contains(&word) {
            list.push(word);
        }
    }
    Ok(Some(list.join(",")))
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty())
}

/// Whether a resource may have these configs; `broker` is what the broker was started with.
pub(in crate::broker) fn check(
    resource: &Resource,
    configs: &Configs,
    broker: &BrokerConfig,
) -> Result<(), Refused> {
    match resource {
        Resource::Group(_) => {
            group_config::validate(configs, broker).map_err(|message| (ResponseError::InvalidConfig, message))
        }
        Resource::Topic(_) => {
            let pairs: Vec<(&str, &str)> = pairs(configs).collect();
            topic_config::validate(&pairs).map_err(|message| (ResponseError::InvalidConfig, message))
        }
        _ => check_broker_configs(resource, configs)
            .map_err(|message| (ResponseError::InvalidRequest, message)),
    }
}

fn pairs(configs: &Configs) -> impl Iterator<Item = (&str, &str)> {
    configs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
}

/// Only what can change while a broker runs. Unknown names are let through, as Kafka does.
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
    if *resource == Resource::BrokerDefaults
        && let Some(names) = with_scope(Scope::Broker)
    {
        return Err(format!(
            "Cannot update these configs at default cluster level, broker id must be specified: [{names}]"
        ));
    }
    for (name, value) in pairs(configs) {
        // A default of a topic config obeys the rule of that config.
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

/// Whether a key is there more than once.
pub(in crate::broker) fn is_any_twice<'a>(mut keys: impl Iterator<Item = &'a str>) -> bool {
    let mut seen = HashSet::new();
    !keys.all(|key| seen.insert(key))
}

/// The answer for each of the resources that a request names more than once.
pub(in crate::broker) fn duplicate_resource() -> Refused {
    let message = "Each resource must appear at most once.";
    (ResponseError::InvalidRequest, message.to_owned())
}

/// The answer for a resource with a key more than once.
pub(in crate::broker) fn duplicate_keys() -> Refused {
    let message = "Error due to duplicate config keys";
    (ResponseError::InvalidRequest, message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(name: &str, operation: i8, value: Option<&str>) -> Result<Option<String>, Refused> {
        let change = Change {
            name,
            operation,
            value,
        };
        let topic = Resource::Topic("t".to_owned());
        changed_value(&topic, change, || "delete".to_owned())
    }

    #[test]
    fn lists_grow_and_shrink_by_what_is_in_force() {
        let list = |operation, value| changed("cleanup.policy", operation, Some(value)).unwrap();
        assert_eq!(list(APPEND, "compact, delete").as_deref(), Some("delete,compact"));
        assert_eq!(list(SUBTRACT, "delete").as_deref(), Some(""));
        assert_eq!(list(SET, "compact").as_deref(), Some("compact"));
        assert_eq!(changed("cleanup.policy", DELETE, None), Ok(None));
    }

    #[test]
    fn only_lists_can_be_appended_to_and_null_is_for_delete_alone() {
        let refused = changed("retention.ms", APPEND, Some("1")).unwrap_err();
        assert_eq!(refused.0, ResponseError::InvalidConfig);
        let refused = changed("cleanup.policy", SET, None).unwrap_err();
        assert_eq!(refused.0, ResponseError::InvalidRequest);
        assert!(changed("cleanup.policy", 9, Some("x")).is_err());
    }

    #[test]
    fn the_defaults_of_brokers_are_not_the_place_for_what_one_broker_has() {
        let listeners = Configs::from([("listeners".to_owned(), "PLAINTEXT://:1".to_owned())]);
        let broker = BrokerConfig::new(std::path::PathBuf::new(), []).unwrap();
        assert!(check(&Resource::BrokerDefaults, &listeners, &broker).is_err());
        assert!(check(&Resource::Broker(1), &listeners, &broker).is_ok());
    }
}
