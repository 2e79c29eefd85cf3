//! The options of `kafka-storage`.

use super::super::argparse::{Arg, Program, arg, command};
use super::super::option_table::{OptionSpec, flag, value};

const CONFIG: OptionSpec = value("config", "FILE", "The server.properties of the broker.");
const CLUSTER_ID: OptionSpec = value("cluster-id", "ID", "With format: the id of the cluster.");
const ADD_SCRAM: OptionSpec = value(
    "add-scram",
    "CREDENTIAL",
    "With format: a first SCRAM user. May be repeated.",
)
.repeats();
const IGNORE_FORMATTED: OptionSpec = flag(
    "ignore-formatted",
    "With format: directories that are formatted stay as they are.",
);
const RELEASE_VERSION: OptionSpec = value(
    "release-version",
    "VERSION",
    "With format and version-mapping: the release whose features are meant (default: 4.3-IV0).",
);
const FEATURE: OptionSpec = value(
    "feature",
    "NAME=LEVEL",
    "With format and feature-dependencies: the level of a feature. May be repeated.",
)
.repeats();
const STANDALONE: OptionSpec = flag("standalone", "With format: the only voter of a dynamic quorum.");
const NO_INITIAL_CONTROLLERS: OptionSpec =
    flag("no-initial-controllers", "With format: voters are added later.");
const INITIAL_CONTROLLERS: OptionSpec = value(
    "initial-controllers",
    "VOTERS",
    "With format: the voters of a dynamic quorum.",
);

/// Each option once, even if several subcommands have it.
pub(super) const OPTIONS: &[OptionSpec] = &[
    CONFIG,
    CLUSTER_ID,
    ADD_SCRAM,
    IGNORE_FORMATTED,
    RELEASE_VERSION,
    FEATURE,
    STANDALONE,
    NO_INITIAL_CONTROLLERS,
    INITIAL_CONTROLLERS,
    flag("help", "Prints this text."),
];

const INFO: &[Arg] = &[arg(CONFIG).short('c').required()];
const FORMAT: &[Arg] = &[
    arg(CONFIG).short('c').required(),
    arg(CLUSTER_ID).short('t').required(),
    arg(ADD_SCRAM).short('S'),
    arg(IGNORE_FORMATTED).short('g'),
    arg(RELEASE_VERSION).short('r'),
    arg(FEATURE).short('f'),
    arg(STANDALONE).short('s').at_most_one(),
    arg(NO_INITIAL_CONTROLLERS).short('N').at_most_one(),
    arg(INITIAL_CONTROLLERS).short('I').at_most_one(),
];
const VERSION_MAPPING: &[Arg] = &[arg(RELEASE_VERSION).short('r')];
const DEPENDENCIES: &[Arg] = &[arg(FEATURE).short('f').required()];

pub(in crate::java_tools) const PROGRAM: Program = Program {
    name: "kafka-storage",
    about: "Formats the log dirs of a broker, and says what they are.",
    args: &[],
    commands: &[
        command("info", "Prints what the log dirs say of themselves.", INFO),
        command("format", "Formats the log dirs.", FORMAT),
        command(
            "version-mapping",
            "Prints the features of a release.",
            VERSION_MAPPING,
        ),
        command(
            "feature-dependencies",
            "Prints which features a level of a feature needs.",
            DEPENDENCIES,
        ),
        command("random-uuid", "Prints a new id.", &[]),
    ],
    metavar: None,
    help_fails: false,
};
