//! The options of `kafka-delete-records`.

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
    value(
        "offset-json-file",
        "FILE",
        "For each partition the first offset that stays; -1 keeps nothing. Required. As \
         {\"partitions\":[{\"topic\":\"orders\",\"partition\":0,\"offset\":42}],\"version\":1}",
    )
    .differs("a partition that does not exist is an error at once; Java asks for a minute whether it does"),
    flag("help", "Prints this text."),
    flag(
        "version",
        "Prints the version of Apache Kafka whose behaviour is kept.",
    ),
];
