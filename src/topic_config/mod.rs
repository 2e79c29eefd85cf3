//! The configs of topics: names, types, defaults, rules, and Kafka's messages about invalid values.
//!
//! Owns the one table that clients check against before they send a request, and from which the mini broker answers.
//! Names, defaults and rules are Apache Kafka 4.3.1's (<https://kafka.apache.org/documentation/#topicconfigs>);
//! the explanations are our own.

mod table;
mod value;

pub use table::TOPIC_CONFIGS;
pub use value::{java_double, java_double_text};

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    /// 32 bits, signed.
    Int,
    /// 64 bits, signed.
    Long,
    Double,
    String,
    /// Words separated by commas.
    List,
    /// 16 bits, signed.
    Short,
    /// The name of a Java class.
    Class,
    /// A value that is never shown.
    Password,
}

impl Kind {
    /// The type's number in DescribeConfigs responses.
    pub fn protocol_code(self) -> i8 {
        match self {
            Kind::Boolean => 1,
            Kind::String => 2,
            Kind::Int => 3,
            Kind::Long => 5,
            Kind::Double => 6,
            Kind::List => 7,
            Kind::Short => 4,
            Kind::Class => 8,
            Kind::Password => 9,
        }
    }

    fn java_name(self) -> &'static str {
        match self {
            Kind::Boolean => "BOOLEAN",
            Kind::String => "STRING",
            Kind::Int => "INT",
            Kind::Long => "LONG",
            Kind::Double => "DOUBLE",
            Kind::List => "LIST",
            Kind::Short => "SHORT",
            Kind::Class => "CLASS",
            Kind::Password => "PASSWORD",
        }
    }
}

/// The rule for a value of the right type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    Anything,
    AtLeast(i64),
    Between(i64, i64),
    /// Between the first two, or equal to the third.
    BetweenOr(i64, i64, i64),
    /// One of these words; for a list, each word.
    OneOf(&'static [&'static str]),
    /// `*`, or `partition:broker` pairs.
    ThrottledReplicas,
}

/// One topic config.
#[derive(Clone, Copy, Debug)]
pub struct TopicConfig {
    pub name: &'static str,
    pub kind: Kind,
    pub default: &'static str,
    pub rule: Rule,
    /// The broker setting with the default for topics without a value of their own.
    pub broker_setting: Option<&'static str>,
    /// What it controls, on one line.
    pub help: &'static str,
}

/// The config with this name.
pub fn find(name: &str) -> Option<&'static TopicConfig> {
    TOPIC_CONFIGS.iter().find(|config| config.name == name)
}

/// Whether a topic accepts a config with this name; Kafka accepts one that it neither lists nor documents.
pub fn is_known(name: &str) -> bool {
    find(name).is_some() || name == table::INTERNAL_SEGMENT_BYTES.name
}

/// Checks the configs of one topic as Kafka does: first every name, then every value in the table's order, then rules
/// about two values. The error is Kafka's own message.
pub fn validate(configs: &[(&str, &str)]) -> Result<(), String> {
    for (name, _) in configs {
        if !is_known(name) {
            return Err(format!("Unknown topic config name: {name}"));
        }
    }
    let internal = std::iter::once(&table::INTERNAL_SEGMENT_BYTES);
    for config in TOPIC_CONFIGS.iter().chain(internal) {
        if let Some(value) = last(configs, config.name) {
            config.check(value)?;
        }
    }
    let lag = |name: &str, default: i64| {
        let value = last(configs, name).and_then(|value| value.trim().parse().ok());
        value.unwrap_or(default)
    };
    let (least, most) = (
        lag("min.compaction.lag.ms", 0),
        lag("max.compaction.lag.ms", i64::MAX),
    );
    if least > most {
        return Err(format!(
            "conflict topic config setting min.compaction.lag.ms ({least}) > max.compaction.lag.ms ({most})"
        ));
    }
    Ok(())
}

/// Of two values for one name the later counts.
fn last<'a>(configs: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    let mut given = configs.iter().rev().filter(|(given, _)| *given == name);
    given.next().map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(configs: &[(&str, &str)]) -> String {
        validate(configs).unwrap_err()
    }

    #[test]
    fn every_default_keeps_its_own_rule() {
        for config in TOPIC_CONFIGS {
            assert_eq!(config.check(config.default), Ok(()), "{}", config.name);
        }
    }

    /// The messages of `LogConfig.validate` of Apache Kafka 4.3.1.
    #[test]
    fn refusals_are_in_kafkas_words() {
        for (name, value, words) in [
            (
                "segment.bytes",
                "1",
                "Invalid value 1 for configuration segment.bytes: Value must be at least 1048576",
            ),
            (
                "retention.ms",
                "soon",
                "Invalid value soon for configuration retention.ms: Not a number of type LONG",
            ),
            (
                "retention.ms",
                "",
                "Invalid value  for configuration retention.ms: Not a number of type LONG",
            ),
            (
                "segment.bytes",
                "99999999999",
                "Invalid value 99999999999 for configuration segment.bytes: Not a number of type INT",
            ),
            (
                "cleanup.policy",
                "delete,erase",
                "Invalid value erase for configuration cleanup.policy: String must be one of: compact, delete",
            ),
            (
                "cleanup.policy",
                "delete,",
                "Configuration 'cleanup.policy' values must not be empty.",
            ),
            (
                "compression.type",
                "Gzip",
                "Invalid value Gzip for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer",
            ),
            (
                "compression.gzip.level",
                "10",
                "Invalid value 10 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1",
            ),
            (
                "compression.lz4.level",
                "18",
                "Invalid value 18 for configuration compression.lz4.level: Value must be no more than 17",
            ),
            (
                "min.cleanable.dirty.ratio",
                "10",
                "Invalid value 10.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
            ),
            (
                "min.cleanable.dirty.ratio",
                "-0.00001",
                "Invalid value -1.0E-5 for configuration min.cleanable.dirty.ratio: Value must be at least 0",
            ),
            (
                "min.cleanable.dirty.ratio",
                "99999999999",
                "Invalid value 9.9999999999E10 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
            ),
            (
                "preallocate",
                "yes",
                "Invalid value yes for configuration preallocate: Expected value to be either true or false",
            ),
            (
                "leader.replication.throttled.replicas",
                "1:1,x",
                "Invalid value [1:1, x] for configuration leader.replication.throttled.replicas: leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
            ),
            ("Retention.ms", "5", "Unknown topic config name: Retention.ms"),
        ] {
            assert_eq!(complaint(&[(name, value)]), words);
        }
    }

    #[test]
    fn what_kafka_accepts_is_accepted() {
        for (name, value) in [
            ("segment.bytes", " 2000000 "),
            ("retention.ms", "-1"),
            ("retention.bytes", "-3"),
            ("cleanup.policy", "delete , compact"),
            ("cleanup.policy", ""),
            ("cleanup.policy", "delete,delete,compact"),
            ("leader.replication.throttled.replicas", "1:1,"),
            ("leader.replication.throttled.replicas", "*"),
            ("min.cleanable.dirty.ratio", "0.5f"),
            ("min.cleanable.dirty.ratio", ".5"),
            ("min.cleanable.dirty.ratio", "NaN"),
            ("preallocate", " True "),
            ("internal.segment.bytes", "-1"),
            ("compression.type", " gzip "),
        ] {
            assert_eq!(validate(&[(name, value)]), Ok(()), "{name}={value}");
        }
    }

    #[test]
    fn names_come_before_values_and_values_in_the_tables_order() {
        assert_eq!(
            complaint(&[("retention.ms", "x"), ("nonsense", "1")]),
            "Unknown topic config name: nonsense"
        );
        assert_eq!(
            complaint(&[("max.message.bytes", "x"), ("segment.bytes", "y")]),
            "Invalid value y for configuration segment.bytes: Not a number of type INT"
        );
        assert_eq!(
            complaint(&[("min.compaction.lag.ms", "5"), ("max.compaction.lag.ms", "4")]),
            "conflict topic config setting min.compaction.lag.ms (5) > max.compaction.lag.ms (4)"
        );
    }
}
