//! Which kind of value each argument takes, for completion.
//!
//! The placeholder of a value in the help (`GROUP` in `--group <GROUP>`) says what it is, so that most arguments are
//! completed without further code; an argument can also say it explicitly (`add = super::candidates::topics()`).

use clap::Arg;
use clap::builder::ArgExt;

use crate::completion::Wanted;

impl ArgExt for Wanted {}

/// The kind of a value, by its placeholder in the help.
struct Row {
    value: &'static str,
    /// The long flag or the command of the value; empty for any.
    of: &'static str,
    wanted: Wanted,
}

const fn row(value: &'static str, wanted: Wanted) -> Row {
    Row {
        value,
        of: "",
        wanted,
    }
}

const fn row_of(of: &'static str, value: &'static str, wanted: Wanted) -> Row {
    Row { value, of, wanted }
}

/// The first matching row counts.
const ROWS: &[Row] = &[
    row("TOPIC", Wanted::Topics),
    row("TOPIC[:P,P…]", Wanted::TopicPartitions),
    row("GROUP", Wanted::Groups),
    row("USER", Wanted::Users),
    row("PRINCIPAL", Wanted::Principals),
    row("OPERATION", Wanted::Operations),
    row("QUOTA", Wanted::Quotas),
    row("QUOTA=VALUE", Wanted::QuotaSettings),
    row("CONFIG", Wanted::ConfigNames),
    row("CONFIG=VALUE", Wanted::ConfigSettings),
    row("HOST:PORT", Wanted::Servers),
    row_of("profile", "NAME", Wanted::Profiles),
    row_of("to-profile", "NAME", Wanted::Profiles),
    row_of("key-from", "FIELD", FIELDS),
    row_of("groups", "PATTERN", Wanted::Groups),
    row_of("explain", "KEY", Wanted::ClientSettingNames),
    row_of("header", "NAME=VALUE", Wanted::HeaderSettings),
    row("NAME[=VALUE]", Wanted::Headers),
    row_of("transactional-id", "ID", Wanted::TransactionalIds),
    row("ID,…", Wanted::Brokers),
    row("LIST", Wanted::Partitions),
    row_of("partition", "NUMBER", Wanted::Partitions),
    row_of("timeout", "TIME", Wanted::Words(&["5s", "30s", "1m"])),
    row("TIME", TIMES),
    row("OFFSET", OFFSETS),
    row_of(
        "delete",
        "PLACE",
        Wanted::Explained(&[("end", "nothing stays"), ("-24h", "what is younger stays")]),
    ),
    row("PLACE", PLACES),
    row("RATE", Wanted::Words(&["10MB/s", "50MB/s", "100MB/s"])),
    row("value|key", Wanted::Words(&["value", "key"])),
    row("CHARACTER", Wanted::Words(&["tab", "semicolon", "pipe", "space"])),
    row("ADDR", Wanted::Words(&["127.0.0.1:9092", "127.0.0.1:0"])),
    row_of("fail", "RULE", FAILURES),
    row_of(
        "delay",
        "RULE",
        Wanted::Explained(&[("*:200ms", "every request"), ("Fetch:1s", "requests of one API")]),
    ),
    row("RULE", ENDS),
    row("RELEASE", Wanted::Words(&["4.0", "3.9", "2.8", "1.0", "0.11"])),
    row("FILE", Wanted::Files),
    row("FILES", Wanted::Files),
    row("FILE|DIR", Wanted::Files),
    row("LOGDIR", Wanted::Files),
    row("OUT", Wanted::Files),
    row("PLAN", Wanted::Files),
    row("CMD", Wanted::Files),
    row("DIR", Wanted::Directories),
];

const TIMES: Wanted = Wanted::Explained(&[
    ("now", "this moment"),
    ("10m", "ten minutes ago"),
    ("1h", "an hour ago"),
    ("24h", "a day ago"),
]);

const FIELDS: Wanted = Wanted::Explained(&[
    (".", "a path into the value's JSON, such as .user.id"),
    ("headers.", "a header"),
]);

const FAILURES: Wanted = Wanted::Explained(&[
    ("Produce:NOT_LEADER_OR_FOLLOWER:3", "three writes"),
    ("Fetch:NOT_LEADER_OR_FOLLOWER:10%", "one of ten fetches"),
    (
        "FindCoordinator:COORDINATOR_NOT_AVAILABLE:2",
        "groups and transactions",
    ),
]);

const ENDS: Wanted = Wanted::Explained(&[
    ("Produce:handled:1", "an acknowledgement that is lost"),
    ("Fetch:10%", "one of ten fetches"),
    ("*:client=", "all requests of a client"),
]);

const OFFSETS: Wanted = Wanted::Explained(&[
    ("earliest", "the first record there is"),
    ("latest", "what comes from now on"),
    ("-10", "the last ten of each partition"),
    ("+10", "behind the first ten of each partition"),
    ("@1h", "what came in the last hour"),
]);

const PLACES: Wanted = Wanted::Explained(&[
    ("earliest", "the first record there is"),
    ("latest", "the end"),
    ("-1h", "the first record of the last hour"),
    ("+1", "one record further"),
    ("-10", "ten records back"),
    ("group:", "where this group is"),
    ("file:", "what an undo file says"),
]);

/// Names of topics.
pub fn topics() -> Wanted {
    Wanted::Topics
}

/// Names of topics in the cluster of `--to`.
pub fn topics_there() -> Wanted {
    Wanted::TopicsThere
}

/// Names of profiles.
pub fn profiles() -> Wanted {
    Wanted::Profiles
}

/// The topics of `kafkit help`.
pub fn help_topics() -> Wanted {
    Wanted::Words(&["offsets", "templates", "where", "exit-codes", "settings", "files"])
}

/// Names of groups.
pub fn groups() -> Wanted {
    Wanted::Groups
}

/// Names of users with SCRAM passwords.
pub fn users() -> Wanted {
    Wanted::Users
}

/// Topics, brokers, groups or client metrics, by the kind that is on the line.
pub fn owners_of_configs() -> Wanted {
    Wanted::ConfigOwners
}

/// Transactional ids.
pub fn transactional_ids() -> Wanted {
    Wanted::TransactionalIds
}

/// Ids of brokers.
pub fn brokers() -> Wanted {
    Wanted::Brokers
}

/// Names of client settings, with an equals sign and their values.
pub fn client_settings() -> Wanted {
    Wanted::ClientSettings
}

/// Names of configs, with an equals sign and their values.
pub fn topic_config_settings() -> Wanted {
    Wanted::ConfigSettings
}

/// Names of configs with their descriptions.
pub fn topic_config_names() -> Wanted {
    Wanted::ConfigNames
}

/// A name that is new.
pub fn new_name() -> Wanted {
    Wanted::Free
}

/// The kind of an argument's value; `None` where it is not known.
pub(super) fn wanted(argument: &Arg, command: &str) -> Option<Wanted> {
    let value = argument.get_value_names().and_then(|names| names.first());
    let value = value.map_or_else(|| argument.get_id().as_str().to_uppercase(), ToString::to_string);
    let has_choices = !argument.get_possible_values().is_empty();
    let takes_values = argument.get_action().takes_values();
    if !takes_values || has_choices {
        return None;
    }
    match argument.get::<Wanted>() {
        // The broker's -X takes broker settings.
        Some(Wanted::ClientSettings) if command == "broker" => Some(Wanted::BrokerSettings),
        Some(Wanted::Topics) if value == "TOPIC[:P,P…]" => Some(Wanted::TopicPartitions),
        Some(said) => Some(*said),
        None => {
            let fits = |row: &&Row| {
                let belongs = argument.get_long() == Some(row.of) || command == row.of;
                row.value == value && (row.of.is_empty() || belongs)
            };
            ROWS.iter().find(fits).map(|row| row.wanted)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Placeholders of values without candidates.
    const FREE: &[&str] = &[
        "ADDRESS",
        "A..B",
        "BYTES",
        "COMMAND",
        "CONDITION",
        "COUNT",
        "FORMAT",
        "ID",
        "ID:ID,…",
        "KEY",
        "N",
        "NAME",
        "NODE",
        "NUMBER",
        "RACK",
        "REGEX",
        "SECONDS",
        "TEMPLATE",
        "TEXT",
    ];

    fn unknown_values(command: &clap::Command, unknown: &mut Vec<String>) {
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let names = argument.get_value_names().unwrap_or_default();
            let is_free = names.first().is_some_and(|name| FREE.contains(&name.as_str()));
            let is_switch = !argument.get_action().takes_values();
            if !is_switch
                && !is_free
                && argument.get_possible_values().is_empty()
                && wanted(argument, command.get_name()).is_none()
            {
                unknown.push(format!("{}: {argument}", command.get_name()));
            }
        }
        for inner in command.get_subcommands() {
            unknown_values(inner, unknown);
        }
    }

    #[test]
    fn every_value_is_completed_or_known_to_be_free() {
        let mut unknown = Vec::new();
        unknown_values(&crate::cli::nouns::command_tree(), &mut unknown);
        assert!(unknown.is_empty(), "add a row for: {unknown:#?}");
    }
}
