//! The options of `kafka-consumer-perf-test`.

use super::super::option_table::{OptionSpec, flag, optional_number, value};

pub(super) const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        "HOST:PORT,…",
        "Brokers to ask first. Required.",
    ),
    value("topic", "TOPIC", "The topic to read."),
    value(
        "include",
        "REGEX",
        "A regular expression; topics whose whole names match are read.",
    )
    .differs("topics that appear later are not read"),
    value("group", "GROUP", "The group to read in (default: a new one)."),
    value(
        "fetch-size",
        "BYTES",
        "Bytes of one partition in an answer at most (default: 1048576).",
    ),
    flag(
        "from-latest",
        "A group without offsets begins at the end, not at the first record.",
    ),
    value(
        "socket-buffer-size",
        "BYTES",
        "The size of the socket's receive buffer (default: 2097152).",
    ),
    value(
        "command-property",
        "NAME=VALUE",
        "A setting of the consumer; it wins over those of --command-config. May be repeated.",
    )
    .repeats(),
    value("consumer.config", "FILE", "The former name of --command-config."),
    value(
        "command-config",
        "FILE",
        "Settings of the consumer, as a Java properties file.",
    ),
    flag("print-metrics", "Prints the consumer's metrics at the end.")
        .not_here("there are no metrics of Java's consumer to print"),
    flag(
        "show-detailed-stats",
        "Prints a line every --reporting-interval instead of one at the end.",
    ),
    optional_number(
        "timeout",
        "MS",
        "How long to wait for the next record in milliseconds (default: 10000).",
    ),
    value("num-records", "COUNT", "How many records to read. Required.")
        .differs("it stops at this record; Java takes the whole answer that it is in"),
    value("messages", "COUNT", "The former name of --num-records."),
    value(
        "reporting-interval",
        "MS",
        "The time between two lines in milliseconds (default: 5000).",
    ),
    value(
        "date-format",
        "PATTERN",
        "How times are printed, as SimpleDateFormat has it (default: yyyy-MM-dd HH:mm:ss:SSS).",
    ),
    flag(
        "hide-header",
        "Leaves out the line with the names of the columns.",
    ),
    flag("help", "Prints this text."),
    flag(
        "version",
        "Prints the version of Apache Kafka whose behaviour is kept.",
    ),
];
