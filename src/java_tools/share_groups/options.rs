//! The options of `kafka-share-groups`.

use super::super::option_table::{OptionSpec, flag, optional, value};

pub(super) const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        "HOST:PORT,…",
        "Brokers to ask first. Required.",
    ),
    value(
        "command-config",
        "FILE",
        "Client settings, as a Java properties file.",
    ),
    flag("list", "Prints the names of share groups, one a line."),
    flag(
        "describe",
        "Prints where share groups are in their partitions, or with --members and --state who and what they are.",
    ),
    flag(
        "delete",
        "Deletes share groups that have no members. It does not ask.",
    ),
    flag(
        "reset-offsets",
        "Moves a share group that has no members; wants --dry-run or --execute.",
    ),
    flag(
        "delete-offsets",
        "Deletes where a share group is in the topics given. It does not ask.",
    ),
    value("group", "GROUP", "A share group. May be repeated.").repeats(),
    flag("all-groups", "All share groups."),
    value(
        "topic",
        "TOPIC[:P,P]",
        "With --reset-offsets: a topic, or some of its partitions; with --delete-offsets a topic. May be repeated.",
    )
    .repeats(),
    flag(
        "all-topics",
        "With --reset-offsets: all partitions that the group reads.",
    ),
    value(
        "timeout",
        "MS",
        "How long one question may take in milliseconds (default: 5000).",
    ),
    flag(
        "dry-run",
        "With --reset-offsets: shows the new offsets and changes nothing.",
    ),
    flag("execute", "With --reset-offsets: moves the group."),
    value(
        "to-datetime",
        "TIME",
        "Resets to the first record at or after a time, 2026-01-31T12:00:00.000 with a zone or in UTC.",
    ),
    flag("to-earliest", "Resets to the first offset."),
    flag("to-latest", "Resets to the end."),
    flag("members", "With --describe: the members of a group."),
    flag(
        "offsets",
        "With --describe: where a group is in its partitions. The default.",
    ),
    optional(
        "state",
        "STATE,…",
        "With --describe: the state of a group. With --list: states too, or only groups in these.",
    ),
    flag("verbose", "With --describe: epochs too."),
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
    ("verbose", &["describe"]),
];
