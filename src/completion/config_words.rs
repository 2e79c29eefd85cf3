//! Names and values of configs, of whatever kind the line is about.

use super::cluster_names::Kind;
use super::known;
use super::line::Line;
use super::offer::Candidate;
use crate::topic_config::{self, Kind as ValueKind, Rule, TOPIC_CONFIGS};

/// What has the configs that a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Topic,
    Broker,
    Group,
    User,
    ClientMetrics,
    /// What nothing can be said about, such as client ids.
    Unknown,
}

/// The words that tell an owner's kind, in either face.
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
    /// The kind that is on the line; a topic where nothing else is.
    pub(super) fn on(line: &Line) -> Self {
        // Words behind `topics` are names, whatever they are.
        if line.words.get(1).is_some_and(|noun| noun == "topics") {
            return Self::Topic;
        }
        let named = SIGNS.iter().find(|(words, _)| line.has_any(words));
        named.map_or(Self::Topic, |(_, owner)| *owner)
    }
}

/// What a config can be set to.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) words: Vec<String>,
    /// Several can be given, with commas between them.
    pub(super) is_list: bool,
}

/// The configs of the kind that is on the line.
pub(super) fn names(line: &Line) -> Vec<Candidate> {
    match Owner::on(line) {
        Owner::Topic => TOPIC_CONFIGS
            .iter()
            .map(|config| {
                Candidate::with_help(
                    config.name,
                    format!("{}; default {}", config.help, config.default),
                )
            })
            .collect(),
        Owner::User | Owner::Unknown => QUOTAS.iter().map(|name| Candidate::new(*name)).collect(),
        owner => asked(owner, line)
            .map(|known| Candidate::with_help(known.name, known.note))
            .collect(),
    }
}

/// The values of a config that can be counted.
pub(super) fn values(name: &str, line: &Line) -> Values {
    let boolean = || Values {
        words: vec!["false".to_owned(), "true".to_owned()],
        is_list: false,
    };
    let owner = Owner::on(line);
    if !matches!(owner, Owner::Topic | Owner::Broker) {
        return Values::default();
    }
    match topic_config::find(name) {
        Some(config) => match (config.kind, config.rule) {
            (ValueKind::Boolean, _) => boolean(),
            (kind, Rule::OneOf(words)) => Values {
                words: words.iter().map(ToString::to_string).collect(),
                is_list: kind == ValueKind::List,
            },
            _ => Values::default(),
        },
        None if owner == Owner::Broker
            && asked(owner, line).any(|known| known.name == name && known.count == BOOLEAN) =>
        {
            boolean()
        }
        None => Values::default(),
    }
}

/// The type of a config that is true or false, in the protocol's numbers.
const BOOLEAN: u32 = 1;

/// The quotas that users, clients and addresses can have.
pub(super) const QUOTAS: &[&str] = &[
    "producer_byte_rate",
    "consumer_byte_rate",
    "request_percentage",
    "controller_mutation_rate",
    "connection_creation_rate",
];

fn asked(owner: Owner, line: &Line) -> impl Iterator<Item = known::Known> {
    let kind = match owner {
        Owner::Broker => Kind::BrokerConfigs,
        Owner::Group => Kind::GroupConfigs,
        _ => return Vec::new().into_iter(),
    };
    known::names(&kind, line).into_iter()
}
