//! The options of `kafka-transactions`.

use super::super::argparse::{Arg, Number, Program, arg, command};
use super::super::option_table::{OptionSpec, flag, value};

const BOOTSTRAP: OptionSpec = value(
    "bootstrap-server",
    "HOST:PORT,…",
    "Brokers to ask first. Required.",
);
const COMMAND_CONFIG: OptionSpec = value(
    "command-config",
    "FILE",
    "Client settings, as a Java properties file.",
);
const VERSION: OptionSpec = flag(
    "version",
    "Prints the version of Apache Kafka whose behaviour is kept.",
);
const TRANSACTIONAL_ID: OptionSpec = value("transactional-id", "ID", "With describe: the transactional id.");
const DURATION: OptionSpec = value(
    "duration-filter",
    "MILLISECONDS",
    "With list: only transactions that have been open for longer.",
);
const PATTERN: OptionSpec = value(
    "transactional-id-pattern",
    "PATTERN",
    "With list: only ids that match a regular expression.",
);
const TOPIC: OptionSpec = value("topic", "NAME", "The topic.")
    .differs("one that does not exist is an error at once; Java asks for a minute whether it does");
const PARTITION: OptionSpec = value("partition", "ID", "The partition of --topic.");
const BROKER_ID: OptionSpec = value(
    "broker-id",
    "ID",
    "With describe-producers and find-hanging: the broker that is asked, instead of leaders.",
);
const START_OFFSET: OptionSpec = value(
    "start-offset",
    "OFFSET",
    "With abort: where the transaction begins in the partition.",
);
const PRODUCER_ID: OptionSpec = value(
    "producer-id",
    "ID",
    "With abort: the producer, where brokers are older than 3.0.",
);
const PRODUCER_EPOCH: OptionSpec = value("producer-epoch", "EPOCH", "With --producer-id: its epoch.");
const COORDINATOR_EPOCH: OptionSpec = value(
    "coordinator-epoch",
    "EPOCH",
    "With --producer-id: the epoch of the coordinator.",
);
const MAX_TIMEOUT: OptionSpec = value(
    "max-transaction-timeout",
    "MINUTES",
    "With find-hanging: transactions that are younger are left out (default: 15).",
);
const FORCED_ID: OptionSpec = value(
    "transactionalId",
    "ID",
    "With forceTerminateTransaction: the transactional id.",
);

/// Each option once, even if several subcommands have it.
pub(super) const OPTIONS: &[OptionSpec] = &[
    BOOTSTRAP,
    COMMAND_CONFIG,
    TRANSACTIONAL_ID,
    DURATION,
    PATTERN,
    TOPIC,
    PARTITION,
    BROKER_ID,
    START_OFFSET,
    PRODUCER_ID,
    PRODUCER_EPOCH,
    COORDINATOR_EPOCH,
    MAX_TIMEOUT,
    FORCED_ID,
    flag("help", "Prints this text."),
    VERSION,
];

const LIST: &[Arg] = &[arg(DURATION).number(Number::Long), arg(PATTERN)];
const DESCRIBE: &[Arg] = &[arg(TRANSACTIONAL_ID).required()];
const DESCRIBE_PRODUCERS: &[Arg] = &[
    arg(BROKER_ID).integer(),
    arg(TOPIC).required(),
    arg(PARTITION).integer().required(),
];
const ABORT: &[Arg] = &[
    arg(TOPIC).required(),
    arg(PARTITION).integer().required(),
    arg(START_OFFSET).number(Number::Long),
    arg(PRODUCER_ID).number(Number::Long),
    arg(PRODUCER_EPOCH).number(Number::Short),
    arg(COORDINATOR_EPOCH).integer(),
];
const FIND_HANGING: &[Arg] = &[
    arg(BROKER_ID).integer(),
    arg(MAX_TIMEOUT).integer(),
    arg(TOPIC),
    arg(PARTITION).integer(),
];
const FORCE: &[Arg] = &[arg(FORCED_ID).required()];

pub(in crate::java_tools) const PROGRAM: Program = Program {
    name: "kafka-transactions.sh",
    about: "Shows the transactions and the producers of a cluster, and ends transactions that hang.",
    args: &[
        arg(VERSION).short_first('v'),
        arg(COMMAND_CONFIG).metavar("FILE"),
        arg(BOOTSTRAP).metavar("host:port").required(),
    ],
    commands: &[
        command("list", "Prints transactional ids with their states.", LIST),
        command("describe", "Prints the transaction of an id.", DESCRIBE),
        command(
            "describe-producers",
            "Prints the producers of a partition.",
            DESCRIBE_PRODUCERS,
        ),
        command("abort", "Ends a hanging transaction of a partition.", ABORT),
        command(
            "find-hanging",
            "Finds transactions that no coordinator will end.",
            FIND_HANGING,
        ),
        command(
            "forceTerminateTransaction",
            "Aborts the open transaction of an id, and fences its producer.",
            FORCE,
        ),
    ],
    metavar: Some("COMMAND"),
    help_fails: true,
};
