//! The options of `kafka-log-dirs`.

use super::super::option_table::{OptionSpec, flag, value};

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
    flag(
        "describe",
        "Prints the log dirs of brokers and the replicas in them, as JSON. Required.",
    ),
    value(
        "topic-list",
        "TOPIC,…",
        "Only replicas of these topics (default: all).",
    ),
    value("broker-list", "ID,…", "Only these brokers (default: all)."),
    flag("help", "Prints this text."),
    flag(
        "version",
        "Prints the version of Apache Kafka whose behaviour is kept.",
    ),
];
