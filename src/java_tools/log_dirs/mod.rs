//! `kafka-log-dirs` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.

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
    name: "kafka-log-dirs",
    options: OPTIONS,
};

const ABOUT: &str = "This tool helps to query log directory usage on the specified brokers.";

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return failed(&Failure::from(error)),
    };
    if let Some(answer) = help_or_version(&TOOL, &parsed, ABOUT) {
        return answer;
    }
    if let Err(message) = check_required(&parsed, &["bootstrap-server", "describe"]) {
        return refuse(&TOOL, &message);
    }
    match prepare_and_run(&parsed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> ExitCode {
    failure.ends(&TOOL, &failure.message)
}

/// Converts the values in Java's order; each may fail only when it is converted.
fn prepare_and_run(parsed: &Parsed) -> Result<(), Failure> {
    let config = parsed.value("command-config")?;
    let mut context = admin_tool::context(config, parsed.value("bootstrap-server")?)?;
    let words = |text: Option<&str>| -> Vec<String> {
        let words = text.unwrap_or_default().split(',');
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let topics = words(parsed.value("topic-list")?);
    steps::run(&topics, || brokers(parsed), &mut context)
}

/// The brokers in the options; empty for all.
fn brokers(parsed: &Parsed) -> Result<Vec<i32>, Failure> {
    let text = parsed.value("broker-list")?.unwrap_or_default();
    let words = text.split(',').filter(|word| !word.is_empty());
    words
        .map(|word| {
            word.parse()
                .map_err(|_| Failure::of(format!("For input string: \"{word}\"")))
        })
        .collect()
}
