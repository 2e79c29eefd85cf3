//! The options of `kafka-features`.

use super::super::argparse::{Program, arg, command};
use super::super::option_table::{OptionSpec, flag, value};

const SERVER: OptionSpec = value("bootstrap-server", "HOST:PORT,…", "Brokers to ask first.");
const CONTROLLER: OptionSpec = value("bootstrap-controller", "HOST:PORT,…", "Controllers to ask first.");
const CONFIG: OptionSpec = value("command-config", "FILE", "Client settings, as a properties file.");
const NODE: OptionSpec = value("node-id", "ID", "The broker to ask; any when not given.");
const METADATA: OptionSpec = value(
    "metadata",
    "VERSION",
    "The metadata version to move to, such as 4.0 or 4.0-IV3. Older than --release-version.",
);
const RELEASE: OptionSpec = value(
    "release-version",
    "VERSION",
    "The release whose levels all features get, such as 4.0.",
);
const FEATURE: OptionSpec = value(
    "feature",
    "NAME=LEVEL",
    "A feature with its level; to disable, its name alone. May be repeated.",
)
.repeats();
const UNSAFE: OptionSpec = flag("unsafe", "Goes on though metadata may be lost.");
const DRY_RUN: OptionSpec = flag("dry-run", "Has everything checked and changes nothing.");

pub(super) const OPTIONS: &[OptionSpec] = &[
    SERVER, CONTROLLER, CONFIG, NODE, METADATA, RELEASE, FEATURE, UNSAFE, DRY_RUN,
];

pub(in crate::java_tools) const PROGRAM: Program = Program {
    name: "kafka-features",
    about: "The features of a cluster and their levels.",
    args: &[
        arg(CONFIG),
        arg(SERVER).at_most_one(),
        arg(CONTROLLER).at_most_one(),
    ],
    commands: &[
        command(
            "describe",
            "Prints the levels that are supported and in force.",
            &[arg(NODE).integer()],
        ),
        command(
            "upgrade",
            "Moves features to higher levels.",
            &[arg(METADATA), arg(RELEASE), arg(FEATURE), arg(DRY_RUN)],
        ),
        command(
            "downgrade",
            "Moves features to lower levels.",
            &[
                arg(METADATA),
                arg(RELEASE),
                arg(FEATURE),
                arg(UNSAFE),
                arg(DRY_RUN),
            ],
        ),
        command(
            "disable",
            "Moves features to level 0.",
            &[arg(FEATURE), arg(UNSAFE), arg(DRY_RUN)],
        ),
        command(
            "version-mapping",
            "Prints the levels that belong to a release.",
            &[arg(RELEASE)],
        ),
        command(
            "feature-dependencies",
            "Prints what levels of features need of others.",
            &[arg(FEATURE).required()],
        ),
    ],
    metavar: None,
    help_fails: false,
};
