//! `kafka-get-offsets` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.

mod filter;
mod options;
mod steps;

use std::process::ExitCode;

use super::admin_tool::{self, Failure};
use super::console::check_bootstrap;
use super::option_parser::{Parsed, check_required, parse};
use super::option_table::Tool;
use super::usage::{help_or_version, refuse};
use filter::PartitionFilter;
use options::OPTIONS;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-get-offsets",
    options: OPTIONS,
};

const ABOUT: &str = "An interactive shell for getting topic-partition offsets.";

pub(super) fn run(args: &[String]) -> ExitCode {
    if args.is_empty() {
        return refuse(&TOOL, ABOUT);
    }
    let parsed = match parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return failed(&Failure::from(error)),
    };
    if let Some(answer) = help_or_version(&TOOL, &parsed, ABOUT) {
        return answer;
    }
    if let Err(message) = check_required(&parsed, &["bootstrap-server"]) {
        return refuse(&TOOL, &message);
    }
    let servers = match parsed.value("bootstrap-server") {
        Ok(servers) => servers.unwrap_or_default(),
        Err(error) => return failed(&Failure::from(error)),
    };
    if let Err(message) = check_bootstrap(servers) {
        return refuse(&TOOL, &message);
    }
    match prepare_and_run(&parsed, servers) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> ExitCode {
    failure.ends(&TOOL, format_args!("Error occurred: {}", failure.message))
}

/// Converts the values in Java's order; each may fail only when it is converted.
fn prepare_and_run(parsed: &Parsed, servers: &str) -> Result<(), Failure> {
    if parsed.has("topic-partitions") && (parsed.has("topic") || parsed.has("partitions")) {
        return Err(Failure::of(
            "--topic-partitions cannot be used with --topic or --partitions",
        ));
    }
    let time = time(parsed.value("time")?.unwrap_or("latest"))?;
    let filter = match parsed.value("topic-partitions")? {
        Some(rules) => PartitionFilter::of_rules(rules)?,
        None => PartitionFilter::new(parsed.value("topic")?, parsed.value("partitions")?)?,
    };
    let mut context = admin_tool::context(parsed.value("command-config")?, Some(servers))?;
    steps::run(&filter, time, parsed.has("exclude-internal-topics"), &mut context)
}

/// A word or a number as a timestamp of ListOffsets.
fn time(text: &str) -> Result<i64, Failure> {
    match text {
        "latest" => Ok(-1),
        "earliest" => Ok(-2),
        "max-timestamp" => Ok(-3),
        "earliest-local" => Ok(-4),
        "latest-tiered" => Ok(-5),
        "earliest-pending-upload" => Ok(steps::EARLIEST_PENDING_UPLOAD),
        // Java's `Long.parseLong` accepts a plus sign, as Rust does.
        number => number.parse().map_err(|_| {
            Failure::of(format!(
                "Malformed time argument {number}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp / \
                 -4 or earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload, or a specified long \
                 format timestamp"
            ))
        }),
    }
}
