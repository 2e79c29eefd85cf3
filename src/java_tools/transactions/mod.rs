//! `kafka-transactions` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.
//!
//! Its options are in `options`, its requests in `steps` and `hanging`.

mod hanging;
mod options;
mod steps;

use std::process::ExitCode;

use super::admin_tool::{self, Failure};
use super::argparse::{Namespace, parse};
use super::option_table::Tool;
use crate::commands::context::Context;
use crate::error::Error;
use crate::output::{stderr_line, stdout_line};
use options::OPTIONS;
pub(super) use options::PROGRAM;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-transactions",
    options: OPTIONS,
};

/// The version that this tool prints, with the commit.
const VERSION: &str = "4.3.1 (Commit:26b251a451ce941d)";

pub(super) fn run(args: &[String]) -> ExitCode {
    let is_command = |word: &&String| PROGRAM.commands.iter().any(|command| command.name == *word);
    let mut before = args.iter().take_while(|word| !is_command(word));
    if before.any(|word| matches!(word.as_str(), "--version" | "-v")) {
        return stdout_line(VERSION);
    }
    let given = match parse(&PROGRAM, args) {
        Ok(given) => given,
        Err(stop) => return PROGRAM.stopped(stop),
    };
    match prepare(&given).and_then(|mut context| steps::run(&given, &mut context)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_closed_pipe => ExitCode::SUCCESS,
        Err(failure) => {
            stderr_line(&failure.message);
            if let Some(why) = &failure.why {
                stderr_line(format_args!("{}: {why}", TOOL.name));
            }
            ExitCode::FAILURE
        }
    }
}

fn prepare(given: &Namespace) -> Result<Context, Failure> {
    let config = given.value("command-config");
    if let Some(file) = config
        && let Err(error) = std::fs::read(file)
    {
        let why = super::console::unreadable(file, &error);
        return Err(exit_message("Failed to load admin client properties", why));
    }
    admin_tool::context(config, given.value("bootstrap-server"))
}

/// The last line of Java's tool after a refusal by the cluster.
fn exit_message(what: &str, why: &str) -> Failure {
    Failure::of(format!(
        "{what}: {why}. Enable debug logging for additional detail."
    ))
}

/// The same for an error of kafkit; `call` is the admin call's name in Java's client.
fn exit_for(what: &str, error: &Error, call: &str) -> Failure {
    Failure {
        why: super::errors::what_is_missing(error),
        ..exit_message(what, &super::errors::java_message(error, call))
    }
}
