//! `kafka-console-producer` as Apache Kafka 4.3.1 has it: its options, checks and words.

use std::process::ExitCode;

use super::option_table::{OptionSpec, Tool, flag};
use crate::output::stderr_line;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-console-producer",
    options: OPTIONS,
};

const OPTIONS: &[OptionSpec] = &[
    flag("help", "Prints this text."),
    flag(
        "version",
        "Prints the version of Apache Kafka whose behaviour is kept.",
    ),
];

pub(super) fn run(_args: &[String]) -> ExitCode {
    stderr_line("this command is being built");
    ExitCode::FAILURE
}
