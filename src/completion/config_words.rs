//! Names and values of configs, for the kind of resource that is on the line.

use super::cluster_names::Kind;
use super::known;
use super::line::Line;
use super::offer::Candidate;
use crate::broker::config::config_table::{self as config, BROKER_SETTINGS};
use crate::topic_config::{self, Kind as ValueKind, Rule, TOPIC_CONFIGS};

/// The kind of resource whose configs the line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Topic,
    Broker,
    Group,
    User,
    ClientMetrics,
    /// A kind without known configs, such as client ids.
    Unknown,
}

/// The words for each kind, in either face.
const SIGNS: &[(&[&str], Owner)] = &[
    (
        &[
            "broker",
            "brokers",
            "all-brokers",
            "--broker",
            "--broker-defaults",
        ],
        Owner::Broker,
    ),
    (&["broker-loggers", "--broker-logger"], Owner::Broker),
    (&["group", "groups", "--group"], Owner::Group),
    (&["client-metrics", "--client-metrics"], Owner::ClientMetrics),
    (&["user", "users", "--user", "--user-defaults"], Owner::User),
    (
        &["client", "clients", "--client", "ip", "ips", "--ip"],
        Owner::Unknown,
    ),
];

impl Owner {
    /// The kind that is on the line; a topic where there is none.
    pub(super) fn on(line: &Line) -> Self {
        // Words after `topics` are names, not kinds.
        if line.words.get(1).is_some_and(|noun| noun == "topics") {
            return Self::Topic;
        }
        let named = SIGNS.iter().find(|(words, _)| line.has_any(words));
        named.map_or(Self::Topic, |(_, owner)| *owner)
    }
}

/// The possible values of a config.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) words: Vec<String>,
    /// Whether several can be given, separated by commas.
    pub(super) is_list: bool,
}

/// The configs of the kind on the line.
pub(super) fn names(line: &Line) -> Vec<Candidate> {
    match Owner::on(line) {
        Owner::Topic => {
            let all = TOPIC_CONFIGS.iter();
            all.map(|config| explained(config.name, config.help, Some(config.default)))
                .collect()
        }
        Owner::User | Owner::Unknown => QUOTAS.iter().map(|name| Candidate::new(*name)).collect(),
        Owner::Broker => {
            let asked = known::names(&Kind::BrokerConfigs, line);
            if asked.is_empty() {
                return broker_settings();
            }
            asked.into_iter().map(|known| of_broker(&known.name)).collect()
        }
        Owner::Group => {
            let asked = known::names(&Kind::GroupConfigs, line).into_iter();
            asked.map(|known| Candidate::new(known.name)).collect()
        }
        Owner::ClientMetrics => Vec::new(),
    }
}

/// The settings of the mini broker, which are Apache Kafka's.
pub(super) fn broker_settings() -> Vec<Candidate> {
    let listed = BROKER_SETTINGS.iter().filter(|setting| setting.is_listed);
    listed
        .map(|setting| explained(setting.name, setting.help, setting.default))
        .collect()
}

fn of_broker(name: &str) -> Candidate {
    match config::exactly(name) {
        Some(setting) => explained(name, setting.help, setting.default),
        None => Candidate::new(name),
    }
}

fn explained(name: &str, help: &str, default: Option<&str>) -> Candidate {
    match default {
        Some(default) if !default.is_empty() => {
            Candidate::with_help(name, format!("{help}; default {default}"))
        }
        _ => Candidate::with_help(name, help),
    }
}

/// The values of a config with a finite set of values, for the kind on the line.
pub(super) fn values(name: &str, line: &Line) -> Values {
    match Owner::on(line) {
        Owner::Topic => topic_config::find(name)
            .map_or_else(Values::default, |config| Values::of(config.kind, config.rule)),
        Owner::Broker => {
            let is_boolean = || {
                let asked = known::names(&Kind::BrokerConfigs, line);
                asked
                    .iter()
                    .any(|known| known.name == name && known.count == BOOLEAN)
            };
            match config::exactly(name) {
                Some(_) => broker_setting_values(name),
                None if is_boolean() => Values::of(ValueKind::Boolean, Rule::Anything),
                None => Values::default(),
            }
        }
        _ => Values::default(),
    }
}

/// The values of a broker setting.
pub(super) fn broker_setting_values(name: &str) -> Values {
    config::exactly(name).map_or_else(Values::default, |setting| Values::of(setting.kind, setting.rule))
}

impl Values {
    fn of(kind: ValueKind, rule: Rule) -> Self {
        let words: &[&str] = match (kind, rule) {
            (ValueKind::Boolean, _) => &["false", "true"],
            (_, Rule::OneOf(words)) => words,
            _ => &[],
        };
        Self {
            words: words.iter().map(ToString::to_string).collect(),
            is_list: kind == ValueKind::List,
        }
    }
}

/// The type BOOLEAN, by its number in DescribeConfigs.
const BOOLEAN: u32 = 1;

/// The quotas of users, clients and addresses.
pub(super) const QUOTAS: &[&str] = &[
    "producer_byte_rate",
    "consumer_byte_rate",
    "request_percentage",
    "controller_mutation_rate",
    "connection_creation_rate",
];
