//! The options of `kafka-producer-perf-test`.

use super::super::argument_parser::{Grammar, Number};
use super::super::option_table::{OptionSpec, flag, value};
use super::TOOL;

pub(super) const GRAMMAR: Grammar = Grammar {
    tool: &TOOL,
    program: "kafka-producer-perf-test",
    about: "Sends records as fast as it can, or so many a second, and says how many there were, how long they took and \
            how many bytes that is. With a transactional id, or --transaction-duration-ms, they are sent in transactions.",
    required: &["throughput", "num-records", "topic"],
    one_of: &["record-size", "payload-file", "payload-monotonic"],
    numbers: &[
        ("num-records", Number::Long),
        ("throughput", Number::Double),
        ("record-size", Number::Integer),
        ("transaction-duration-ms", Number::Long),
        ("warmup-records", Number::Long),
        ("reporting-interval", Number::Long),
    ],
};

pub(super) const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        "BOOTSTRAP-SERVER",
        "Brokers to ask first; wins over bootstrap.servers among the properties.",
    ),
    value("topic", "TOPIC", "The topic that records are sent to."),
    value("num-records", "NUM-RECORDS", "How many records to send.")
        .differs("records that are not delivered end the tool with 1; Java ends with 0"),
    value(
        "payload-delimiter",
        "PAYLOAD-DELIMITER",
        "What is between the values of --payload-file, a regular expression (default: a line feed).",
    ),
    value(
        "throughput",
        "THROUGHPUT",
        "How many records a second to send at most; -1 is no limit.",
    ),
    value(
        "producer-props",
        "PROP-NAME=PROP-VALUE",
        "The former name of --command-property.",
    )
    .repeats(),
    value(
        "command-property",
        "PROP-NAME=PROP-VALUE",
        "Settings of the producer; they win over those of --command-config.",
    )
    .repeats(),
    value(
        "producer.config",
        "CONFIG-FILE",
        "The former name of --command-config.",
    ),
    value(
        "command-config",
        "CONFIG-FILE",
        "Settings of the producer, as a Java properties file.",
    ),
    flag("print-metrics", "Prints the producer's metrics at the end.")
        .not_here("there are no metrics of Java's producer to print"),
    value(
        "transactional-id",
        "TRANSACTIONAL-ID",
        "The transactional id; wins over that of the properties (default with --transaction-duration-ms: a random one).",
    ),
    value(
        "transaction-duration-ms",
        "TRANSACTION-DURATION",
        "How long a transaction lasts before it is committed and another begins (default: 3000).",
    ),
    value(
        "warmup-records",
        "WARMUP-RECORDS",
        "How many records to leave out of an additional line about the steady state (default: 0).",
    ),
    value(
        "reporting-interval",
        "INTERVAL-MS",
        "How often to say how far it is, in milliseconds (default: 5000).",
    ),
    value("record-size", "RECORD-SIZE", "Bytes of each record's value."),
    value(
        "payload-file",
        "PAYLOAD-FILE",
        "A file of values in UTF-8; each record has one of them, at random.",
    ),
    flag(
        "payload-monotonic",
        "The value of each record is its number, from 0.",
    ),
];
