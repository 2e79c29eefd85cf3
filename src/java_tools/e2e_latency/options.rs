//! The options of `kafka-e2e-latency`.

use super::super::option_table::{OptionSpec, flag, optional, optional_number, value};

pub(super) const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        "HOST:PORT,…",
        "Brokers to ask first. Required.",
    ),
    value("topic", "TOPIC", "The topic to write to and to read. Required."),
    value(
        "num-records",
        "COUNT",
        "How many records to send, one after the other. Required.",
    ),
    value(
        "producer-acks",
        "1|all",
        "Who must have a record before it counts as sent. Required.",
    ),
    value("record-size", "BYTES", "Bytes of each record's value. Required."),
    optional(
        "command-config",
        "FILE",
        "Settings of the clients, as a Java properties file.",
    ),
    optional_number(
        "record-key-size",
        "BYTES",
        "Bytes of each record's key (default: 0).",
    ),
    optional_number(
        "record-header-key-size",
        "BYTES",
        "Bytes of the name of each header (default: 0).",
    ),
    optional_number(
        "record-header-size",
        "BYTES",
        "Bytes of the value of each header; -1 is null (default: 0).",
    ),
    optional_number("num-headers", "COUNT", "Headers of each record (default: 0)."),
    flag("help", "Prints this text."),
    flag(
        "version",
        "Prints the version of Apache Kafka whose behaviour is kept.",
    ),
];
