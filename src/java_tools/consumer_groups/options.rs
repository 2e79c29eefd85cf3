//! The options of `kafka-consumer-groups`.

use super::super::option_table::{OptionSpec, flag, optional, value};

pub(super) const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        "HOST:PORT,…",
        "Brokers to ask first. Required, but for --validate-regex.",
    ),
    value(
        "command-config",
        "FILE",
        "Client settings, as a Java properties file.",
    ),
    flag("list", "Prints the names of groups, one a line."),
    flag(
        "describe",
        "Prints where groups are in their partitions, or with --members and --state who and what they are.",
    ),
    flag(
        "delete",
        "Deletes groups that have no members, with all their offsets. It does not ask.",
    ),
    flag(
        "reset-offsets",
        "Changes the offsets of groups that have no members; shows the new offsets only, unless --execute is given.",
    ),
    flag(
        "delete-offsets",
        "Deletes the offsets of a group in the topics given. It does not ask.",
    ),
    value(
        "validate-regex",
        "REGEX",
        "Says whether a regular expression can be subscribed to with the consumer protocol.",
    ),
    value("group", "GROUP", "A group. May be repeated.").repeats(),
    flag("all-groups", "All groups of consumers."),
    value(
        "topic",
        "TOPIC[:P,P]",
        "With --reset-offsets and --delete-offsets: a topic, or some of its partitions. May be repeated.",
    )
    .repeats(),
    flag(
        "all-topics",
        "With --reset-offsets: all partitions in which the group has an offset.",
    ),
    value(
        "timeout",
        "MS",
        "How long one question may take in milliseconds (default: 5000).",
    ),
    flag(
        "dry-run",
        "With --reset-offsets: shows the new offsets and changes nothing. The default.",
    ),
    flag("execute", "With --reset-offsets: commits the new offsets."),
    flag(
        "export",
        "With --reset-offsets: prints the new offsets as comma separated values.",
    ),
    value(
        "to-offset",
        "OFFSET",
        "Resets to this offset; outside of a partition, to its first offset or its end.",
    ),
    value(
        "from-file",
        "FILE",
        "Resets to the offsets of a file that --export wrote.",
    ),
    value(
        "to-datetime",
        "TIME",
        "Resets to the first record at or after a time, 2026-01-31T12:00:00.000 with a zone or in UTC.",
    ),
    value(
        "by-duration",
        "DURATION",
        "Resets to the first record that is no older than this, as PnDTnHnMnS.",
    ),
    flag("to-earliest", "Resets to the first offset."),
    flag("to-latest", "Resets to the end."),
    flag(
        "to-current",
        "Resets to the present offset, and to the end where there is none.",
    ),
    value(
        "shift-by",
        "COUNT",
        "Resets to the present offset and so many more; fewer where the count is negative.",
    ),
    flag("members", "With --describe: the members of a group."),
    flag(
        "verbose",
        "With --describe: epochs too, and of members their partitions.",
    ),
    flag(
        "offsets",
        "With --describe: the offsets of a group in its partitions. The default.",
    ),
    optional(
        "state",
        "STATE,…",
        "With --describe: the state of a group. With --list: states too, or only groups in these.",
    ),
    optional(
        "type",
        "TYPE,…",
        "With --list: types too, or only groups of these: classic, consumer.",
    ),
    flag("help", "Prints this text."),
    flag(
        "version",
        "Prints the version of Apache Kafka whose behaviour is kept.",
    ),
];

/// Options that are valid only together with others, and those others.
pub(super) const ONLY_BESIDE: &[(&str, &[&str])] = &[
    ("members", &["describe"]),
    ("offsets", &["describe"]),
    ("state", &["describe", "list"]),
    ("type", &["list"]),
    ("verbose", &["describe"]),
];
