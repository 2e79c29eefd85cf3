//! Decides on changes of configs: the new values, and whether they are allowed. The checks and messages are those of
//! Apache Kafka's controller.
//!
//! Pure: the values that a change builds on are arguments. Owns no field of a request; `handlers/config_resource.rs`
//! finds the resource that a request means.

use std::collections::HashSet;

use kafka_protocol::ResponseError;

use super::controller::Refused;
use crate::broker::config::config_table::{self, Scope};
use crate::broker::config::effective_config::{BrokerValues, Configs};
use crate::broker::config::{client_metrics_config, group_config, listener_changes};
use crate::java::hash_order::hash_order;
use crate::topic_config::{self, Kind};

/// The operations of IncrementalAlterConfigs.
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
    /// The loggers of this broker; there are none.
    BrokerLoggers,
    /// A client metrics subscription, whether it exists or not.
    ClientMetrics(String),
    /// A group, whether it exists or not.
    Group(String),
}

impl Resource {
    /// The resource name of a broker: the id, or "" for the defaults.
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
            Resource::Broker(_) | Resource::BrokerDefaults => {
                config_table::find(name).map(|setting| setting.kind)
            }
            // Kafka does not append to these, lists or not.
            Resource::BrokerLoggers | Resource::ClientMetrics(_) => None,
        }
    }

    fn is_of_brokers(&self) -> bool {
        matches!(self, Resource::Broker(_) | Resource::BrokerDefaults)
    }
}

/// One change of IncrementalAlterConfigs.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct Change<'a> {
    pub(in crate::broker) name: &'a str,
    pub(in crate::broker) operation: i8,
    pub(in crate::broker) value: Option<&'a str>,
}

/// The new value of a config, `None` if it is removed. `current` is the value in force, to which APPEND and SUBTRACT
/// apply.
pub(in crate::broker) fn changed_value(
    resource: &Resource,
    change: Change<'_>,
    current: impl FnOnce() -> String,
) -> Result<Option<String>, Refused> {
    let Change { name, operation, .. } = change;
    if *resource == Resource::BrokerLoggers {
        return Err(no_such_logger(change));
    }
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
        let message = if resource.is_of_brokers() {
            let word = word.to_lowercase();
            format!("Config value {word} is not allowed for config key: {name}")
        } else {
            format!("Can't {word} to key {name} because its type is not LIST.")
        };
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

fn no_such_logger(change: Change<'_>) -> Refused {
    let word = match change.operation {
        APPEND => "APPEND",
        SUBTRACT => "SUBTRACT",
        _ => {
            let message = format!("Logger {} does not exist!", change.name);
            return (ResponseError::InvalidConfig, message);
        }
    };
    let message = format!("{word} operation is not allowed for the BROKER_LOGGER resource");
    (ResponseError::InvalidRequest, message)
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty())
}

/// Whether a resource may have these configs. `broker` has the values in force before the change, `before` the
/// resource's own configs before it.
pub(in crate::broker) fn check(
    resource: &Resource,
    configs: &Configs,
    before: &Configs,
    broker: BrokerValues<'_>,
) -> Result<(), Refused> {
    let invalid = |message| (ResponseError::InvalidConfig, message);
    match resource {
        Resource::Group(_) => group_config::validate(configs, broker).map_err(invalid),
        Resource::Topic(_) => check_topic_configs(configs).map_err(invalid),
        Resource::ClientMetrics(name) => client_metrics_config::validate(name, configs),
        Resource::BrokerLoggers => Ok(()),
        Resource::Broker(_) | Resource::BrokerDefaults => {
            check_broker_configs(resource, configs, broker)
                .map_err(|message| (ResponseError::InvalidRequest, message))?;
            check_min_insync_replicas(resource, configs, before).map_err(invalid)
        }
    }
}

/// Whether a topic may have these configs; the error is Kafka's message.
pub(super) fn check_topic_configs(configs: &Configs) -> Result<(), String> {
    let all: Vec<(&str, &str)> = pairs(configs).collect();
    topic_config::validate(&all)?;
    let tiered = configs.get("remote.storage.enable");
    if tiered.is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
        let message = "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote \
                       log storage.";
        return Err(message.to_owned());
    }
    Ok(())
}

fn pairs(configs: &Configs) -> impl Iterator<Item = (&str, &str)> {
    configs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
}

/// Allows only settings that can change while a broker runs. Unknown names are accepted, as in Kafka.
fn check_broker_configs(
    resource: &Resource,
    configs: &Configs,
    broker: BrokerValues<'_>,
) -> Result<(), String> {
    let has_scope =
        |name: &str, scope| config_table::exactly(name).is_some_and(|setting| setting.scope == scope);
    refuse_any(configs, "Cannot update these configs dynamically", |name| {
        has_scope(name, Scope::ReadOnly)
    })?;
    let words =
        "These security configs can be dynamically updated only per-listener using the listener prefix";
    refuse_any(configs, words, |name| {
        listener_changes::SECRETS_OF_LISTENERS.contains(&name)
    })?;
    for (name, value) in pairs(configs) {
        if let Some(setting) = config_table::exactly(name) {
            setting.check(value)?;
        }
    }
    if *resource == Resource::BrokerDefaults {
        let words = "Cannot update these configs at default cluster level, broker id must be specified";
        refuse_any(configs, words, |name| has_scope(name, Scope::Broker))?;
    } else {
        listener_changes::check(configs, broker)?;
    }
    check_together(configs, broker)
}

/// Refuses the configs for which `is_refused` holds, in the order of Java's set.
fn refuse_any(configs: &Configs, words: &str, is_refused: impl Fn(&str) -> bool) -> Result<(), String> {
    let names = configs.keys().map(String::as_str).filter(|name| is_refused(name));
    let names = hash_order(names.collect(), |name| *name);
    if names.is_empty() {
        return Ok(());
    }
    Err(format!("{words}: [{}]", names.join(", ")))
}

/// The sizes of thread pools, which Kafka changes at most by a factor of two at a time.
const THREADS: [&str; 5] = [
    "background.threads",
    "num.io.threads",
    "num.network.threads",
    "num.recovery.threads.per.data.dir",
    "num.replica.fetchers",
];

/// Conditions on several values together.
fn check_together(configs: &Configs, broker: BrokerValues<'_>) -> Result<(), String> {
    let number = |name: &str| {
        let given = configs.get(name).and_then(|value| value.trim().parse().ok());
        given.unwrap_or_else(|| broker.number(name))
    };
    let (buffer, cleaners) = (
        number("log.cleaner.dedupe.buffer.size"),
        number("log.cleaner.threads"),
    );
    if cleaners == 0 {
        // Kafka divides the buffer by the number of threads.
        return Err("/ by zero".to_owned());
    }
    if buffer < cleaners.saturating_mul(1 << 20) {
        let words =
            "requirement failed: log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.";
        return Err(words.to_owned());
    }
    for name in THREADS {
        let (new, current) = (number(name), broker.number(name));
        let words = if new < current / 2 {
            "should be at least half the current value"
        } else if new > current * 2 {
            "should not be greater than double the current value"
        } else {
            continue;
        };
        return Err(format!(
            "Invalid value org.apache.kafka.common.config.ConfigException: Dynamic thread count update validation \
             failed for {name}={new}, value {words} {current} for configuration Invalid dynamic configuration"
        ));
    }
    let other_dirs: Vec<&str> = configs.get("cordoned.log.dirs").map_or(Vec::new(), |dirs| {
        let is_own = |dir: &&str| broker.config.log_dirs().any(|own| own.as_os_str() == *dir);
        words(dirs).filter(|dir| !is_own(dir)).collect()
    });
    if !other_dirs.is_empty() {
        return Err(format!(
            "requirement failed: All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing \
             entries : {}",
            other_dirs.join(", ")
        ));
    }
    match configs.get("max.connections.per.ip.overrides") {
        Some(overrides) => check_overrides(overrides),
        None => Ok(()),
    }
}

/// Checks entries `host:count`, separated by commas.
fn check_overrides(overrides: &str) -> Result<(), String> {
    let name = "max.connections.per.ip.overrides";
    for word in words(overrides) {
        let (_, count) = config_table::pair(name, word)?;
        if count.parse::<i32>().is_err() {
            return Err(format!("For input string: \"{count}\""));
        }
    }
    Ok(())
}

/// With eligible leader replicas (KIP-966) `min.insync.replicas` is set for the whole cluster, and must stay set.
fn check_min_insync_replicas(resource: &Resource, configs: &Configs, before: &Configs) -> Result<(), String> {
    let name = "min.insync.replicas";
    if configs.get(name) == before.get(name) {
        return Ok(());
    }
    if matches!(resource, Resource::Broker(_)) {
        return Err(format!(
            "Broker-level {name} cannot be altered while ELR is enabled."
        ));
    }
    if configs.contains_key(name) {
        return Ok(());
    }
    Err(format!(
        "Cluster-level {name} cannot be removed while ELR is enabled."
    ))
}

/// Whether any key occurs more than once.
pub(in crate::broker) fn is_any_twice<'a>(mut keys: impl Iterator<Item = &'a str>) -> bool {
    let mut seen = HashSet::new();
    !keys.all(|key| seen.insert(key))
}

/// The error for a resource that a request names more than once.
pub(in crate::broker) fn duplicate_resource() -> Refused {
    let message = "Each resource must appear at most once.";
    (ResponseError::InvalidRequest, message.to_owned())
}

/// The error for a resource with a key that occurs more than once.
pub(in crate::broker) fn duplicate_keys() -> Refused {
    let message = "Error due to duplicate config keys";
    (ResponseError::InvalidRequest, message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::config::BrokerConfig;

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
        assert!(checked(&Resource::BrokerDefaults, &listeners).is_err());
        assert!(checked(&Resource::Broker(1), &listeners).is_ok());
    }

    fn checked(resource: &Resource, configs: &Configs) -> Result<(), Refused> {
        let config = BrokerConfig::new(std::path::PathBuf::new(), []).unwrap();
        let broker = BrokerValues {
            config: &config,
            node: None,
            cluster: None,
        };
        check(resource, configs, &Configs::new(), broker)
    }

    /// The messages are those of Apache Kafka 4.3.1.
    #[test]
    fn refusals_of_broker_configs_are_those_of_apache_kafka() {
        let refused = |resource, pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            checked(&resource, &pairs.collect()).map_err(|(_, message)| message)
        };
        let own = |pairs| refused(Resource::Broker(1), pairs).unwrap_err();
        assert_eq!(
            own(&[("log.dirs", "z"), ("num.partitions", "2")]),
            "Cannot update these configs dynamically: [num.partitions, log.dirs]"
        );
        assert_eq!(
            own(&[("ssl.keystore.type", "PEM")]),
            "These security configs can be dynamically updated only per-listener using the listener prefix: \
             [ssl.keystore.type]"
        );
        assert_eq!(
            own(&[("num.io.threads", "100")]),
            "Invalid value org.apache.kafka.common.config.ConfigException: Dynamic thread count update validation \
             failed for num.io.threads=100, value should not be greater than double the current value 8 for \
             configuration Invalid dynamic configuration"
        );
        assert_eq!(
            own(&[("max.connections.per.ip.overrides", "127.0.0.1")]),
            "Error parsing configuration property 'max.connections.per.ip.overrides': begin 0, end -1, length 9"
        );
        assert_eq!(
            own(&[("min.insync.replicas", "1")]),
            "Broker-level min.insync.replicas cannot be altered while ELR is enabled."
        );
        // Retention of a broker has no lower limit in Kafka, unlike retention of a topic.
        assert_eq!(
            refused(Resource::BrokerDefaults, &[("log.retention.ms", "-5")]),
            Ok(())
        );
        assert_eq!(refused(Resource::Broker(1), &[("no.such", "1")]), Ok(()));
        let listener = [("listener.name.plaintext.ssl.keystore.location", "/x")];
        assert_eq!(refused(Resource::Broker(1), &listener), Ok(()));
    }
}
