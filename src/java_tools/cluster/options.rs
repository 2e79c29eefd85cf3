//! The options of `kafka-cluster`.

use super::super::argparse::{Arg, Program, arg, command};
use super::super::option_table::{OptionSpec, flag, value};

const SERVER: OptionSpec = value(
    "bootstrap-server",
    "HOST:PORT,…",
    "Brokers to ask first. Also -b.",
);
const CONTROLLER: OptionSpec = value(
    "bootstrap-controller",
    "HOST:PORT,…",
    "Controllers to ask first. Also -C.",
);
const OLD_CONFIG: OptionSpec = value("config", "FILE", "The older name of --command-config.");
const CONFIG: OptionSpec = value(
    "command-config",
    "FILE",
    "Client settings, as a properties file. Also -c.",
);
const ID: OptionSpec = value("id", "ID", "The broker that is gone for good. Also -i.");
const FENCED: OptionSpec = flag(
    "include-fenced-brokers",
    "Lists brokers that are registered and not in use, too.",
);

pub(super) const OPTIONS: &[OptionSpec] = &[SERVER, CONTROLLER, OLD_CONFIG, CONFIG, ID, FENCED];

const CONNECTION: [Arg; 4] = [
    arg(OLD_CONFIG),
    arg(CONFIG).short('c'),
    arg(SERVER).short('b').exactly_one(),
    arg(CONTROLLER).short('C').exactly_one(),
];

pub(in crate::java_tools) const PROGRAM: Program = Program {
    name: "kafka-cluster",
    about: "The cluster as a whole: its id, its endpoints, brokers that are gone for good.",
    args: &[],
    commands: &[
        command("cluster-id", "Prints the cluster's id.", &CONNECTION),
        command(
            "unregister",
            "Strikes a broker off that is gone for good.",
            &[
                CONNECTION[0],
                CONNECTION[1],
                arg(ID).short('i').required().integer(),
                CONNECTION[2],
                CONNECTION[3],
            ],
        ),
        command(
            "list-endpoints",
            "Lists brokers, or controllers, with their addresses.",
            &[
                CONNECTION[0],
                CONNECTION[1],
                arg(FENCED),
                CONNECTION[2],
                CONNECTION[3],
            ],
        ),
    ],
    metavar: None,
    help_fails: true,
};
