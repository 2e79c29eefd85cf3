//! Which value of a config is in force, and its source.
//!
//! From the strongest: the topic's own value, the broker's dynamic value, the cluster's dynamic default, the value at
//! the broker's start, the built-in default.

use std::collections::BTreeMap;

use super::broker_config::BrokerConfig;
use super::config_table;
use crate::topic_config::TopicConfig;

/// Configs by name, as they were set.
pub type Configs = BTreeMap<String, String>;

/// The source of a value; the numbers are the protocol's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    DynamicTopic = 1,
    DynamicBroker = 2,
    DynamicDefaultBroker = 3,
    StaticBroker = 4,
    Default = 5,
    DynamicClientMetrics = 7,
    DynamicGroup = 8,
}

/// One value and its source; `name` is the broker's setting unless the value is the topic's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub name: String,
    pub value: String,
    pub source: Source,
}

/// The broker's values, for every lookup.
#[derive(Clone, Copy, Debug)]
pub struct BrokerValues<'a> {
    pub config: &'a BrokerConfig,
    /// Dynamic values of this broker.
    pub node: Option<&'a Configs>,
    /// Dynamic defaults of the cluster.
    pub cluster: Option<&'a Configs>,
}

impl<'a> BrokerValues<'a> {
    /// Every value of a broker setting, the strongest first: for each source the one under the setting's own name,
    /// and then those of its synonyms. As in Kafka, synonyms before the first value under the own name are left out.
    pub fn origins(&self, name: &str) -> Vec<Origin> {
        let names = config_table::synonyms(name);
        let mut origins = Vec::new();
        let sources = [
            Source::DynamicBroker,
            Source::DynamicDefaultBroker,
            Source::StaticBroker,
            Source::Default,
        ];
        for source in sources {
            let values = names
                .iter()
                .filter_map(|name| Some((name, self.value_from(source, name)?)));
            origins.extend(values.map(|(name, value)| Origin {
                name: (*name).to_owned(),
                value: value.to_owned(),
                source,
            }));
        }
        let own = origins.iter().position(|origin| origin.name == name);
        origins.split_off(own.unwrap_or(origins.len()))
    }

    /// The value of one source under exactly this name.
    fn value_from(self, source: Source, name: &str) -> Option<&'a str> {
        match source {
            Source::DynamicBroker => self.node?.get(name).map(String::as_str),
            Source::DynamicDefaultBroker => self.cluster?.get(name).map(String::as_str),
            Source::StaticBroker => self.config.given(name),
            _ => config_table::exactly(name)?.default,
        }
    }

    /// The value in force of a broker setting, as text.
    pub fn value(self, name: &str) -> Option<&'a str> {
        let dynamic = self.value_from(Source::DynamicBroker, name);
        let dynamic = dynamic.or_else(|| self.value_from(Source::DynamicDefaultBroker, name));
        dynamic.or_else(|| self.config.value(name))
    }

    /// The same as a number; 0 if it is none.
    pub fn number(self, name: &str) -> i64 {
        let number = self.value(name).and_then(|value| value.trim().parse().ok());
        number.unwrap_or(0)
    }

    /// Whether a switch is on.
    pub fn flag(self, name: &str) -> bool {
        self.value(name)
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// Every value of a topic's config, the strongest first. The list may be empty: then [`Self::topic_value`] has a
    /// default that belongs to no single setting.
    pub fn topic_origins(&self, config: &TopicConfig, topic: &Configs) -> Vec<Origin> {
        let own = topic.get(config.name).map(|value| Origin {
            name: config.name.to_owned(),
            value: value.clone(),
            source: Source::DynamicTopic,
        });
        let broker = config.broker_setting.map(|name| self.origins(name));
        own.into_iter().chain(broker.into_iter().flatten()).collect()
    }

    /// The value in force of a topic's config, and its source.
    pub fn topic_value(&self, config: &TopicConfig, topic: &Configs) -> (String, Source) {
        if let Some(strongest) = self.topic_origins(config, topic).into_iter().next() {
            // For a broker any negative number means "unlimited", for a topic only -1.
            let is_never = config.name == "retention.ms" && strongest.value.trim().starts_with('-');
            let value = if is_never {
                "-1".to_owned()
            } else {
                strongest.value
            };
            return (value, strongest.source);
        }
        let longer_units = match config.name {
            "retention.ms" => self.milliseconds(&[
                ("log.retention.minutes", 60_000),
                ("log.retention.hours", 3_600_000),
            ]),
            "segment.ms" => self.milliseconds(&[("log.roll.hours", 3_600_000)]),
            "segment.jitter.ms" => self.milliseconds(&[("log.roll.jitter.hours", 3_600_000)]),
            "flush.ms" => self
                .config
                .given("log.flush.scheduler.interval.ms")
                .map(str::to_owned),
            _ => None,
        };
        (
            longer_units.unwrap_or_else(|| config.default.to_owned()),
            Source::Default,
        )
    }

    /// The first of these that was given at the start, in milliseconds.
    fn milliseconds(&self, units: &[(&str, i64)]) -> Option<String> {
        units.iter().find_map(|(name, factor)| {
            let number: i64 = self.config.given(name)?.trim().parse().ok()?;
            Some(
                if number < 0 {
                    -1
                } else {
                    number.saturating_mul(*factor)
                }
                .to_string(),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic_config;
    use std::path::PathBuf;

    fn configs(configs: &[(&str, &str)]) -> Configs {
        let owned = configs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        owned.collect()
    }

    fn value(given: &[(&str, &str)], topic: &[(&str, &str)], name: &str) -> (String, Source) {
        let config = BrokerConfig::new(PathBuf::new(), configs(given)).unwrap();
        let cluster = configs(&[("min.insync.replicas", "1")]);
        let values = BrokerValues {
            config: &config,
            node: None,
            cluster: Some(&cluster),
        };
        values.topic_value(topic_config::find(name).unwrap(), &configs(topic))
    }

    #[test]
    fn the_strongest_origin_holds() {
        assert_eq!(
            value(&[("log.segment.bytes", "2000000")], &[], "segment.bytes"),
            ("2000000".to_owned(), Source::StaticBroker)
        );
        assert_eq!(
            value(
                &[("log.segment.bytes", "2000000")],
                &[("segment.bytes", "3000000")],
                "segment.bytes"
            ),
            ("3000000".to_owned(), Source::DynamicTopic)
        );
        assert_eq!(
            value(&[], &[], "min.insync.replicas").1,
            Source::DynamicDefaultBroker
        );
        assert_eq!(
            value(&[], &[], "segment.bytes"),
            ("1073741824".to_owned(), Source::Default)
        );
    }

    #[test]
    fn hours_and_minutes_count_where_milliseconds_are_not_given() {
        assert_eq!(
            value(&[("log.retention.hours", "1")], &[], "retention.ms").0,
            "3600000"
        );
        let both = [("log.retention.hours", "1"), ("log.retention.minutes", "2")];
        assert_eq!(value(&both, &[], "retention.ms").0, "120000");
        let all = [("log.retention.ms", "5"), ("log.retention.minutes", "2")];
        assert_eq!(
            value(&all, &[], "retention.ms"),
            ("5".to_owned(), Source::StaticBroker)
        );
    }
}
