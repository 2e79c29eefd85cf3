//! `kafka-delete-records` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.

mod options;
mod steps;

use std::process::ExitCode;

use super::admin_tool::{self, Failure};
use super::option_parser::{Parsed, check_required, parse};
use super::option_table::Tool;
use super::usage::{help_or_version, refuse};
use options::OPTIONS;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-delete-records",
    options: OPTIONS,
};

const ABOUT: &str = "This tool helps to delete records of the given partitions down to the specified offset.";

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return failed(&Failure::from(error)),
    };
    if let Some(answer) = help_or_version(&TOOL, &parsed, ABOUT) {
        return answer;
    }
    if let Err(message) = check_required(&parsed, &["bootstrap-server", "offset-json-file"]) {
        return refuse(&TOOL, &message);
    }
    match prepare_and_run(&parsed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&failure),
    }
}

/// Java prints the message, and a stack trace.
fn failed(failure: &Failure) -> ExitCode {
    failure.ends(&TOOL, &failure.message)
}

fn prepare_and_run(parsed: &Parsed) -> Result<(), Failure> {
    let config = parsed.value("command-config")?;
    let mut context = admin_tool::context(config, parsed.value("bootstrap-server")?)?;
    let file = parsed.value("offset-json-file")?.unwrap_or_default();
    let text = std::fs::read(file).map_err(|_| Failure::of(format!("Unable to read file {file}")))?;
    let cuts = steps::cuts(&String::from_utf8_lossy(&text))?;
    steps::run(&cuts, &mut context)
}
