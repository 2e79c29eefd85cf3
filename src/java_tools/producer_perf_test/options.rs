//! The options of `kafka-producer-perf-test`.

use super::super::argparse::{Arg, Number, Program, specs, worded};
use super::super::option_table::{OptionSpec, flag, value};

pub(super) const PROGRAM: Program = Program {
    name: "kafka-producer-perf-test",
    about: "Sends records as fast as it can, or so many a second, and says how many there were, how long they took and \
            how many bytes that is. With a transactional id, or --transaction-duration-ms, they are sent in transactions.",
    args: &ARGS,
    commands: &[],
    metavar: None,
    help_fails: true,
};

pub(super) const OPTIONS: &[OptionSpec] = &specs(&ARGS);

const ARGS: [Arg; 17] = [
    worded(value(
        "bootstrap-server",
        "BOOTSTRAP-SERVER",
        "Brokers to ask first; wins over bootstrap.servers among the properties.",
    )),
    worded(value("topic", "TOPIC", "The topic that records are sent to.")).required(),
    worded(
        value("num-records", "NUM-RECORDS", "How many records to send.")
            .differs("records that are not delivered end the tool with 1; Java ends with 0"),
    )
    .required()
    .number(Number::Long),
    worded(value(
        "payload-delimiter",
        "PAYLOAD-DELIMITER",
        "What is between the values of --payload-file, a regular expression (default: a line feed).",
    )),
    worded(value(
        "throughput",
        "THROUGHPUT",
        "How many records a second to send at most; -1 is no limit.",
    ))
    .required()
    .number(Number::Double),
    worded(value(
        "producer-props",
        "PROP-NAME=PROP-VALUE",
        "The former name of --command-property.",
    ))
    .list(),
    worded(value(
        "command-property",
        "PROP-NAME=PROP-VALUE",
        "Settings of the producer; they win over those of --command-config.",
    ))
    .list(),
    worded(value(
        "producer.config",
        "CONFIG-FILE",
        "The former name of --command-config.",
    )),
    worded(value(
        "command-config",
        "CONFIG-FILE",
        "Settings of the producer, as a Java properties file.",
    )),
    worded(
        flag("print-metrics", "Prints the producer's metrics at the end.")
            .not_here("there are no metrics of Java's producer to print"),
    ),
    worded(value(
        "transactional-id",
        "TRANSACTIONAL-ID",
        "The transactional id; wins over that of the properties (default with --transaction-duration-ms: a random one).",
    )),
    worded(value(
        "transaction-duration-ms",
        "TRANSACTION-DURATION",
        "How long a transaction lasts before it is committed and another begins (default: 3000).",
    ))
    .number(Number::Long),
    worded(value(
        "warmup-records",
        "WARMUP-RECORDS",
        "How many records to leave out of an additional line about the steady state (default: 0).",
    ))
    .number(Number::Long),
    worded(value(
        "reporting-interval",
        "INTERVAL-MS",
        "How often to say how far it is, in milliseconds (default: 5000).",
    ))
    .number(Number::Long),
    worded(value(
        "record-size",
        "RECORD-SIZE",
        "Bytes of each record's value.",
    ))
    .integer()
    .exactly_one(),
    worded(value(
        "payload-file",
        "PAYLOAD-FILE",
        "A file of values in UTF-8; each record has one of them, at random.",
    ))
    .exactly_one(),
    worded(flag(
        "payload-monotonic",
        "The value of each record is its number, from 0.",
    ))
    .exactly_one(),
];
