//! The configs of a group (KIP-848, KIP-932): names, types, the broker's settings for their defaults and bounds, and
//! Kafka's messages for invalid values.
//!
//! Names and rules are Apache Kafka 4.3.1's (<https://kafka.apache.org/documentation/#groupconfigs>). Configs of
//! streams groups can be set and have no effect.

use super::broker_config::BrokerConfig;
use super::effective_config::{BrokerValues, Configs, Origin, Source};
use crate::java::time::duration_millis;
use crate::topic_config::Kind::{self, Boolean, Int, String as Text};

/// One config of a group.
#[derive(Clone, Copy, Debug)]
pub struct GroupConfigKey {
    pub name: &'static str,
    pub kind: Kind,
    /// The name of the broker's setting with its default.
    pub default_name: &'static str,
    default: &'static str,
    /// The smallest and the largest number. The broker's settings may narrow them: `group.consumer.min.…`.
    bounds: (i64, i64),
    /// The values that a text may have.
    words: &'static [&'static str],
    /// What it controls, on one line.
    pub help: &'static str,
}

const fn number(
    name: &'static str,
    default_name: &'static str,
    default: &'static str,
    bounds: (i64, i64),
    help: &'static str,
) -> GroupConfigKey {
    GroupConfigKey {
        name,
        kind: Int,
        default_name,
        default,
        bounds,
        words: &[],
        help,
    }
}

const fn word(
    name: &'static str,
    default: &'static str,
    words: &'static [&'static str],
    help: &'static str,
) -> GroupConfigKey {
    GroupConfigKey {
        name,
        kind: Text,
        default_name: name,
        default,
        bounds: (0, 0),
        words,
        help,
    }
}

const AUTO_OFFSET_RESET: &str = "share.auto.offset.reset";

/// Whether this is a valid `share.auto.offset.reset`.
fn is_reset(value: &str) -> bool {
    matches!(value, "earliest" | "latest") || reset_duration_ms(value).is_some()
}

/// The age in ms of the first record to read, from `by_duration:PT1H`; `None` for another form or a negative
/// duration.
pub(in crate::broker) fn reset_duration_ms(value: &str) -> Option<i64> {
    let millis = duration_millis(value.strip_prefix("by_duration:")?).ok()?;
    (millis >= 0).then_some(millis)
}

/// Every config of a group, by name.
#[rustfmt::skip]
pub const GROUP_CONFIGS: &[GroupConfigKey] = &[
    number("consumer.assignment.interval.ms", "group.consumer.assignment.interval.ms", "1000", (0, 15_000), "the least time between two runs of the assignor"),
    number("consumer.heartbeat.interval.ms", "group.consumer.heartbeat.interval.ms", "5000", (5_000, 15_000), "how often members of the consumer protocol send heartbeats"),
    number("consumer.session.timeout.ms", "group.consumer.session.timeout.ms", "45000", (45_000, 60_000), "how long a member of the consumer protocol may be silent"),
    number("share.assignment.interval.ms", "group.share.assignment.interval.ms", "1000", (0, 15_000), "the least time between two runs of the assignor of a share group"),
    word(AUTO_OFFSET_RESET, "latest", &[], "where a share group begins: earliest, latest, or by_duration:PT1H"),
    number("share.delivery.count.limit", "group.share.delivery.count.limit", "5", (2, 10), "how often a record is delivered at most"),
    number("share.heartbeat.interval.ms", "group.share.heartbeat.interval.ms", "5000", (5_000, 15_000), "how often members of a share group send heartbeats"),
    word("share.isolation.level", "read_uncommitted", &["read_committed", "read_uncommitted"], "which records a share group reads of transactions"),
    number("share.partition.max.record.locks", "group.share.partition.max.record.locks", "2000", (100, 4_000), "how many records of a partition may be under way"),
    number("share.record.lock.duration.ms", "group.share.record.lock.duration.ms", "30000", (15_000, 60_000), "how long a record is held for the member that got it"),
    GroupConfigKey { kind: Boolean, ..word("share.renew.acknowledge.enable", "true", &[], "whether a member may hold a record for longer") },
    number("share.session.timeout.ms", "group.share.session.timeout.ms", "45000", (45_000, 60_000), "how long a member of a share group may be silent"),
    number("streams.assignment.interval.ms", "group.streams.assignment.interval.ms", "1000", (0, 15_000), "the least time between two runs of the assignor of a streams group"),
    number("streams.heartbeat.interval.ms", "group.streams.heartbeat.interval.ms", "5000", (5_000, 15_000), "how often members of a streams group send heartbeats"),
    number("streams.initial.rebalance.delay.ms", "group.streams.initial.rebalance.delay.ms", "3000", (0, i32::MAX as i64), "how long a new streams group waits for more members"),
    number("streams.num.standby.replicas", "group.streams.num.standby.replicas", "0", (0, 2), "how many standby tasks each task of a streams group has"),
    number("streams.session.timeout.ms", "group.streams.session.timeout.ms", "45000", (45_000, 60_000), "how long a member of a streams group may be silent"),
];

/// The config of this name.
pub fn find(name: &str) -> Option<&'static GroupConfigKey> {
    GROUP_CONFIGS.iter().find(|config| config.name == name)
}

impl GroupConfigKey {
    /// Every value of the config, the strongest first: the group's own, those of the broker's setting, the default.
    pub fn origins(&self, own: &Configs, broker: BrokerValues<'_>) -> Vec<Origin> {
        let origin = |name: &str, value: &str, source| Origin {
            name: name.to_owned(),
            value: value.to_owned(),
            source,
        };
        let dynamic = own
            .get(self.name)
            .map(|value| origin(self.name, value, Source::DynamicGroup));
        let mut origins: Vec<Origin> = dynamic.into_iter().collect();
        origins.extend(broker.origins(self.default_name));
        if !origins.iter().any(|origin| origin.source == Source::Default) {
            origins.push(origin(self.default_name, self.default, Source::Default));
        }
        origins
    }

    /// The smallest number, whatever the broker's bounds are.
    fn least(&self) -> i64 {
        match self.name {
            "share.delivery.count.limit" => 2,
            "share.partition.max.record.locks" => 100,
            "share.record.lock.duration.ms" => 1000,
            _ => self.bounds.0.min(1),
        }
    }

    fn check_kind(&self, value: &str) -> Result<(), String> {
        let trimmed = value.trim();
        let least = self.least();
        let problem = match self.kind {
            Int if trimmed
                .parse::<i32>()
                .is_ok_and(|number| i64::from(number) < least) =>
            {
                format!("Value must be at least {least}")
            }
            Int if trimmed.parse::<i32>().is_err() => "Not a number of type INT".to_owned(),
            Boolean if !["true", "false"].contains(&trimmed.to_ascii_lowercase().as_str()) => {
                "Expected value to be either true or false".to_owned()
            }
            Text if !self.words.is_empty() && !self.words.contains(&trimmed) => {
                format!("String must be one of: {}", self.words.join(", "))
            }
            Text if self.name == AUTO_OFFSET_RESET && !is_reset(trimmed) => format!(
                "Invalid value `{trimmed}` for configuration {AUTO_OFFSET_RESET}. The value must be either 'earliest', \
                 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."
            ),
            _ => return Ok(()),
        };
        Err(format!(
            "Invalid value {value} for configuration {}: {problem}",
            self.name
        ))
    }

    /// `group.consumer.min.session.timeout.ms` for `min` of `consumer.session.timeout.ms`.
    fn bound_name(&self, bound: &str) -> String {
        let name = self
            .default_name
            .strip_prefix("group.")
            .unwrap_or(self.default_name);
        let (group_type, rest) = name.split_once('.').unwrap_or((name, ""));
        let rest = rest.strip_prefix("num.").unwrap_or(rest);
        format!("group.{group_type}.{bound}.{rest}")
    }

    fn check_bounds(&self, value: &str, broker: &BrokerConfig) -> Result<(), String> {
        let Ok(number) = value.trim().parse::<i64>() else {
            return Ok(());
        };
        if self.kind != Int {
            return Ok(());
        }
        let bound = |name: &str, default: i64| {
            let given = broker.value(name).and_then(|value| value.trim().parse().ok());
            given.unwrap_or(default)
        };
        let (least, most) = (self.bound_name("min"), self.bound_name("max"));
        if number < bound(&least, self.bounds.0) {
            return Err(format!("{} must be greater than or equal to {least}", self.name));
        }
        if number > bound(&most, self.bounds.1) {
            return Err(format!("{} must be less than or equal to {most}", self.name));
        }
        Ok(())
    }
}

/// Whether a group may have these configs; the error is Kafka's message.
pub fn validate(configs: &Configs, broker: BrokerValues<'_>) -> Result<(), String> {
    for name in configs.keys() {
        if find(name).is_none() {
            return Err(format!("Unknown group config name: {name}"));
        }
    }
    let given = || {
        GROUP_CONFIGS
            .iter()
            .filter_map(|config| Some((config, configs.get(config.name)?)))
    };
    for (config, value) in given() {
        config.check_kind(value)?;
    }
    for (config, value) in given() {
        config.check_bounds(value, broker.config)?;
    }
    for group_type in ["consumer", "share", "streams"] {
        let session = format!("{group_type}.session.timeout.ms");
        let heartbeat = format!("{group_type}.heartbeat.interval.ms");
        let in_force = |name: &str| {
            let strongest = find(name)?.origins(configs, broker).into_iter().next()?;
            strongest.value.trim().parse::<i64>().ok()
        };
        if in_force(&session) <= in_force(&heartbeat) {
            return Err(format!("{session} must be greater than {heartbeat}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn validated(pairs: &[(&str, &str)]) -> Result<(), String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let broker = BrokerConfig::new(PathBuf::new(), []).unwrap();
        let values = BrokerValues {
            config: &broker,
            node: None,
            cluster: None,
        };
        validate(&pairs.iter().map(owned).collect(), values)
    }

    /// The messages are those of Apache Kafka 4.3.1.
    #[test]
    fn refusals_are_those_of_apache_kafka() {
        let refused = |name, value| validated(&[(name, value)]).unwrap_err();
        assert_eq!(refused("nonsense", "1"), "Unknown group config name: nonsense");
        assert_eq!(
            refused("consumer.session.timeout.ms", "abc"),
            "Invalid value abc for configuration consumer.session.timeout.ms: Not a number of type INT"
        );
        assert_eq!(
            refused("consumer.session.timeout.ms", "10"),
            "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms"
        );
        for (name, least) in [
            ("share.delivery.count.limit", 2),
            ("share.partition.max.record.locks", 100),
            ("share.record.lock.duration.ms", 1000),
        ] {
            let words = format!("Invalid value 1 for configuration {name}: Value must be at least {least}");
            assert_eq!(refused(name, "1"), words);
        }
        assert_eq!(validated(&[("consumer.session.timeout.ms", "50000")]), Ok(()));
        assert_eq!(validated(&[("share.auto.offset.reset", "earliest")]), Ok(()));
    }

    #[test]
    fn the_table_is_sorted_and_its_defaults_are_the_brokers() {
        assert!(GROUP_CONFIGS.is_sorted_by(|a, b| a.name < b.name));
        for config in GROUP_CONFIGS {
            if let Some(setting) = super::super::config_table::find(config.default_name) {
                assert_eq!(setting.default, Some(config.default), "{}", config.name);
            }
        }
    }
}
