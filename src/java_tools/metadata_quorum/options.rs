//! The options of `kafka-metadata-quorum`.

use super::super::argparse::{Arg, Program, arg, command};
use super::super::option_table::{OptionSpec, flag, value};

const BOOTSTRAP_SERVER: OptionSpec = value(
    "bootstrap-server",
    "HOST:PORT,…",
    "Brokers to ask first. This or --bootstrap-controller is required.",
);
const BOOTSTRAP_CONTROLLER: OptionSpec = value(
    "bootstrap-controller",
    "HOST:PORT,…",
    "Controllers to ask, instead of brokers.",
);
const COMMAND_CONFIG: OptionSpec = value(
    "command-config",
    "FILE",
    "Client settings, as a Java properties file; with add-controller the properties of the controller.",
);
const STATUS: OptionSpec = flag(
    "status",
    "With describe: the leader, the voters, and how far they lag.",
);
const REPLICATION: OptionSpec = flag("replication", "With describe: every replica of the metadata.");
const HUMAN: OptionSpec = flag("human-readable", "With --replication: ages instead of times.");
const CONTROLLER_ID: OptionSpec = value("controller-id", "ID", "With remove-controller: its node id.");
const DIRECTORY_ID: OptionSpec = value(
    "controller-directory-id",
    "ID",
    "With remove-controller: the id of its directory.",
);
const DRY_RUN: OptionSpec = flag("dry-run", "Says what would be done, and does it not.");

/// Each option once, even if several subcommands have it.
pub(super) const OPTIONS: &[OptionSpec] = &[
    BOOTSTRAP_SERVER,
    BOOTSTRAP_CONTROLLER,
    COMMAND_CONFIG,
    STATUS,
    REPLICATION,
    HUMAN,
    CONTROLLER_ID,
    DIRECTORY_ID,
    DRY_RUN,
    flag("help", "Prints this text."),
];

const DESCRIBE: &[Arg] = &[arg(STATUS), arg(REPLICATION), arg(HUMAN)];
const ADD: &[Arg] = &[arg(DRY_RUN)];
const REMOVE: &[Arg] = &[
    arg(CONTROLLER_ID).short('i').integer().required(),
    arg(DIRECTORY_ID).short('d').required(),
    arg(DRY_RUN),
];

pub(in crate::java_tools) const PROGRAM: Program = Program {
    name: "kafka-metadata-quorum",
    about: "Shows the quorum of controllers that keeps the cluster's metadata, and changes it.",
    args: &[
        arg(BOOTSTRAP_SERVER).exactly_one(),
        arg(BOOTSTRAP_CONTROLLER).exactly_one(),
        arg(COMMAND_CONFIG),
    ],
    commands: &[
        command("describe", "Prints the state of the quorum.", DESCRIBE),
        command("add-controller", "Makes a controller a voter.", ADD),
        command("remove-controller", "Takes a voter out of the quorum.", REMOVE),
    ],
    metavar: None,
    help_fails: false,
};
