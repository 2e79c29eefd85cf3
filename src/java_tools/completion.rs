//! Completions on a line in the spelling of one of Apache Kafka's tools.
//!
//! Owns the kinds of values of the tools' options; the candidates belong to `completion/`.

use super::multicall::JavaTool;
use super::option_table::{Argument, OptionSpec, Tool};
use super::{TOOLS, cluster, features, metadata_quorum, storage, transactions};
use crate::completion::{Candidate, Line, Offer, Paths, Wanted, offer_of};

/// The completions of the word being typed; `words` are those after the tool's name.
pub fn offer(tool: JavaTool, words: &[String], line: &Line) -> Offer {
    if line.is_redirected {
        return Offer::of_paths(Paths::Files, "");
    }
    // Scripts without an option table take the name of a properties file.
    let Some(tool) = TOOLS.iter().find(|known| known.name == tool.name()) else {
        return Offer::of_paths(Paths::Files, "");
    };
    let typed = line.typed.as_str();
    if let Some((flag, value)) = typed.split_once('=').filter(|_| typed.starts_with("--")) {
        let values = option_of(tool, flag).map(|spec| offer_of(wanted(tool, spec), value, line));
        return values.unwrap_or_default().behind(&format!("{flag}="));
    }
    if words.last().is_some_and(|word| word == "--add-config")
        && let Some((before, last)) = typed.rsplit_once(',').filter(|_| !typed.contains('['))
    {
        return offer_of(Wanted::ConfigSettings, last, line).behind(&format!("{before},"));
    }
    let before = words.last().and_then(|word| option_of(tool, word));
    if let Some(spec) = before.filter(|spec| spec.argument != Argument::None && !typed.starts_with("--")) {
        return offer_of(wanted(tool, spec), typed, line);
    }
    if typed.is_empty() || typed.starts_with('-') {
        return options(tool, words, typed);
    }
    let is_first = words
        .iter()
        .all(|word| word.starts_with('-') || !commands(tool).any(|command| command == word));
    let words = commands(tool).filter(|command| is_first && command.starts_with(typed));
    Offer::of(words.map(Candidate::new))
}

/// The subcommands of a tool, where it has any.
fn commands(tool: &Tool) -> impl Iterator<Item = &'static str> {
    let programs = [
        ("kafka-cluster", &cluster::PROGRAM),
        ("kafka-features", &features::PROGRAM),
        ("kafka-metadata-quorum", &metadata_quorum::PROGRAM),
        ("kafka-storage", &storage::PROGRAM),
        ("kafka-transactions", &transactions::PROGRAM),
    ];
    let program = programs.into_iter().find(|(name, _)| *name == tool.name);
    let commands = program.map_or(&[][..], |(_, program)| program.commands);
    commands.iter().map(|command| command.name)
}

fn option_of(tool: &Tool, word: &str) -> Option<&'static OptionSpec> {
    let name = word.strip_prefix("--")?;
    tool.options.iter().find(|spec| spec.name == name)
}

/// The options that are not on the line yet; repeatable ones are always offered.
fn options(tool: &Tool, words: &[String], typed: &str) -> Offer {
    let is_given = |spec: &OptionSpec| {
        words
            .iter()
            .any(|word| word.strip_prefix("--") == Some(spec.name))
    };
    let left = tool
        .options
        .iter()
        .filter(|spec| spec.is_shown() && (spec.repeats || !is_given(spec)));
    let first =
        commands(tool).filter(|command| typed.is_empty() && !words.iter().any(|word| word == command));
    let options =
        left.map(|spec| Candidate::with_help(format!("--{}", spec.name), first_sentence(spec.help)));
    let options = options.filter(|option| option.value.starts_with(typed));
    Offer::of(first.map(Candidate::new).chain(options))
}

fn first_sentence(help: &str) -> &str {
    help.split_once(". ")
        .map_or(help, |(first, _)| first)
        .trim_end_matches('.')
}

/// The kind of an option's value: by the option's name, or else by the name of its value.
fn wanted(tool: &Tool, spec: &OptionSpec) -> Wanted {
    match (tool.name, spec.name) {
        ("kafka-consumer-groups" | "kafka-share-groups", "topic")
        | ("kafka-get-offsets", "topic-partitions") => Wanted::TopicPartitions,
        ("kafka-get-offsets", "time") => Wanted::Explained(TIMES),
        ("kafka-topics", "config") | (_, "add-config") => Wanted::ConfigSettings,
        (_, "delete-config") => Wanted::ConfigNames,
        ("kafka-client-metrics", "name") | (_, "client-metrics") => Wanted::ClientMetrics,
        ("kafka-console-consumer", "formatter") => Wanted::Words(FORMATTERS),
        ("kafka-console-consumer", "property" | "formatter-property") => Wanted::Words(FORMATTER_PROPERTIES),
        ("kafka-console-producer", "property" | "reader-property") => Wanted::Words(READER_PROPERTIES),
        ("kafka-console-producer", "line-reader") => {
            Wanted::Words(&["org.apache.kafka.tools.LineMessageReader"])
        }
        ("kafka-configs", "entity-type") => Wanted::Words(ENTITY_TYPES),
        ("kafka-configs", "entity-name") => Wanted::ConfigOwners,
        ("kafka-acls", "operation") => Wanted::Words(OPERATIONS),
        ("kafka-leader-election", "election-type") => Wanted::Words(&["PREFERRED", "UNCLEAN"]),
        (_, "resource-pattern-type") => Wanted::Words(&["LITERAL", "PREFIXED", "MATCH", "ANY"]),
        (_, "allow-principal" | "deny-principal" | "principal" | "owner-principal" | "renewer-principal") => {
            Wanted::Principals
        }
        (_, "user" | "user-principal") => Wanted::Users,
        (_, "transactional-id" | "transactionalId") => Wanted::TransactionalIds,
        (_, "broker" | "broker-id" | "broker-logger" | "broker-list" | "id") if !is_address(spec) => {
            Wanted::Brokers
        }
        (_, "partition" | "partitions") if tool.name != "kafka-topics" => Wanted::Partitions,
        (_, "topic" | "include") => Wanted::Topics,
        (_, "group" | "group-id") => Wanted::Groups,
        (_, "offset") => Wanted::Words(&["earliest", "latest"]),
        (_, "isolation-level") => Wanted::Words(&["read_uncommitted", "read_committed"]),
        (_, "compression-codec") => Wanted::Words(&["none", "gzip", "snappy", "lz4", "zstd"]),
        (_, "request-required-acks" | "acks") => Wanted::Words(&["all", "-1", "1", "0"]),
        (_, "group-protocol") => Wanted::Words(&["classic", "consumer"]),
        (_, "reset-policy") => Wanted::Words(&["earliest", "latest", "none"]),
        (_, "command-property" | "producer-property" | "consumer-property" | "producer-props") => {
            Wanted::ClientSettings
        }
        (_, "state") => Wanted::Lists(&[
            "Stable",
            "Empty",
            "PreparingRebalance",
            "CompletingRebalance",
            "Dead",
        ]),
        (_, "type") => Wanted::Lists(&["classic", "consumer"]),
        _ => by_value(spec),
    }
}

fn by_value(spec: &OptionSpec) -> Wanted {
    match spec.argument {
        Argument::Required(word) | Argument::Optional(word) | Argument::OptionalNumber(word) => match word {
            "FILE" | "FILES" | "FILE,…" | "PATH" => Wanted::Files,
            "TOPIC" => Wanted::Topics,
            "GROUP" => Wanted::Groups,
            _ if is_address(spec) => Wanted::Servers,
            _ if spec.name.ends_with(".config") || spec.name.ends_with("-file") => Wanted::Files,
            _ => Wanted::Free,
        },
        Argument::None => Wanted::Free,
    }
}

fn is_address(spec: &OptionSpec) -> bool {
    matches!(spec.argument, Argument::Required(word) | Argument::Optional(word) if word.to_lowercase().starts_with("host:port"))
        || matches!(spec.name, "bootstrap-server" | "bootstrap-controller")
}

const TIMES: &[(&str, &str)] = &[
    ("-1", "latest"),
    ("-2", "earliest"),
    ("-3", "of the largest timestamp"),
    ("-4", "earliest on the broker's own disk"),
    ("-5", "latest in tiered storage"),
];

const FORMATTERS: &[&str] = &[
    "org.apache.kafka.tools.consumer.DefaultMessageFormatter",
    "org.apache.kafka.tools.consumer.LoggingMessageFormatter",
    "org.apache.kafka.tools.consumer.NoOpMessageFormatter",
    "org.apache.kafka.tools.consumer.OffsetsMessageFormatter",
    "org.apache.kafka.tools.consumer.GroupMetadataMessageFormatter",
    "org.apache.kafka.tools.consumer.TransactionLogMessageFormatter",
];

const FORMATTER_PROPERTIES: &[&str] = &[
    "print.timestamp=true",
    "print.key=true",
    "print.value=false",
    "print.partition=true",
    "print.offset=true",
    "print.headers=true",
    "print.epoch=true",
    "print.delivery=true",
    "key.separator=",
    "line.separator=",
    "headers.separator=",
    "null.literal=",
    "key.deserializer=",
    "value.deserializer=",
    "header.deserializer=",
];

const READER_PROPERTIES: &[&str] = &[
    "parse.key=true",
    "parse.headers=true",
    "ignore.error=true",
    "key.separator=",
    "headers.delimiter=",
    "headers.separator=",
    "headers.key.separator=",
    "null.marker=",
];

const ENTITY_TYPES: &[&str] = &[
    "topics",
    "brokers",
    "broker-loggers",
    "users",
    "clients",
    "ips",
    "client-metrics",
    "groups",
];

const OPERATIONS: &[&str] = &[
    "All",
    "Read",
    "Write",
    "Create",
    "Delete",
    "Alter",
    "Describe",
    "ClusterAction",
    "DescribeConfigs",
    "AlterConfigs",
    "IdempotentWrite",
    "CreateTokens",
    "DescribeTokens",
    "TwoPhaseCommit",
];
