//! The options of `kafka-leader-election`.

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
    value("admin.config", "FILE", "The older name of --command-config."),
    value(
        "election-type",
        "TYPE",
        "preferred: the first replica leads, if it is in sync; unclean: any replica leads, where there is no leader. \
         Required.",
    ),
    flag(
        "all-topic-partitions",
        "Every partition that such an election is for. This, --topic or --path-to-json-file is required.",
    ),
    value("topic", "NAME", "The topic, with --partition."),
    value("partition", "ID", "The partition of --topic."),
    value(
        "path-to-json-file",
        "FILE",
        "The partitions, as {\"partitions\":[{\"topic\":\"orders\",\"partition\":0}]}",
    ),
    flag("help", "Prints this text."),
    flag(
        "version",
        "Prints the version of Apache Kafka whose behaviour is kept.",
    ),
];
