//! The options of `kafka-get-offsets`.

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
        "topic",
        "PATTERN",
        "Topics, as a regular expression that whole names match, in which a comma means \"or\" (default: all).",
    ),
    value(
        "partitions",
        "ID,ID,…",
        "Only partitions with these numbers (default: all).",
    ),
    value(
        "topic-partitions",
        "RULE,RULE,…",
        "Partitions by rules, instead of --topic and --partitions: a pattern of topics, and perhaps a colon with a \
         partition, or a range (3-6 is 3, 4 and 5; 3- and -6 are open).",
    ),
    value(
        "time",
        "TIME",
        "Which offset: latest (-1, the default), earliest (-2), max-timestamp (-3), earliest-local (-4), \
         latest-tiered (-5), earliest-pending-upload (-6), or that of the first record at or after a time in \
         milliseconds since 1970.",
    )
    .differs(
        "earliest-pending-upload finds nothing where the broker knows no such offset, and is not asked for",
    ),
    flag(
        "exclude-internal-topics",
        "Leaves out the topics that Kafka keeps for itself.",
    ),
    flag("help", "Prints this text."),
    flag(
        "version",
        "Prints the version of Apache Kafka whose behaviour is kept.",
    ),
];
