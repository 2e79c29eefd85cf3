//! The options of `kafka-dump-log`.

use super::super::option_table::{OptionSpec, flag, optional, value};

pub(super) const OPTIONS: &[OptionSpec] = &[
    flag(
        "cluster-metadata-decoder",
        "Shows each record as a record of __cluster_metadata, in JSON.",
    ),
    flag(
        "deep-iteration",
        "Shows the records inside the batches, without key and value.",
    ),
    value(
        "files",
        "FILE,FILE…",
        "Which files to look into, separated by commas: .log, .checkpoint, .index, .timeindex, .txnindex or .snapshot. Required.",
    ),
    flag("help", "Prints this text."),
    flag(
        "index-sanity-check",
        "Of an index, checks only what a broker checks when it starts.",
    ),
    optional(
        "key-decoder-class",
        "CLASS",
        "How to show keys: StringDecoder (the default), IntegerDecoder, LongDecoder or DefaultDecoder of org.apache.kafka.tools.api. Prints the records.",
    )
    .differs("the four decoders Kafka ships; there is no JVM to load a class of one's own"),
    value("max-bytes", "BYTES", "Stop after so many bytes of a log (default 2147483647)."),
    value(
        "max-message-size",
        "BYTES",
        "How much to read at each position of an index (default 5242880).",
    ),
    flag(
        "offsets-decoder",
        "Shows each record as a record of __consumer_offsets, in JSON.",
    ),
    flag("print-data-log", "Shows the records with key and value."),
    flag(
        "remote-log-metadata-decoder",
        "Shows each record as a record of __remote_log_metadata.",
    ),
    flag(
        "share-group-state-decoder",
        "Shows each record as a record of __share_group_state, in JSON.",
    ),
    flag(
        "skip-record-metadata",
        "Shows of a record only key and value, and nothing of control records.",
    ),
    flag(
        "transaction-log-decoder",
        "Shows each record as a record of __transaction_state, in JSON.",
    ),
    optional(
        "value-decoder-class",
        "CLASS",
        "How to show values; as --key-decoder-class.",
    )
    .differs("the four decoders Kafka ships; there is no JVM to load a class of one's own"),
    flag(
        "verify-index-only",
        "Checks an index against its log without printing its entries.",
    ),
    flag(
        "version",
        "Prints the version of Apache Kafka whose behaviour is kept.",
    ),
];
