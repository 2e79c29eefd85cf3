//! `kafka-delegation-tokens` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.

mod options;
mod steps;
mod words;

use std::process::ExitCode;

use super::admin_tool::{self, Failure};
use super::option_parser::{Parsed, check_invalid, check_required, parse};
use super::option_table::Tool;
use super::usage::{help_or_version, refuse};
use options::OPTIONS;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-delegation-tokens",
    options: OPTIONS,
};

const ABOUT: &str = "This tool helps to create, renew, expire, or describe delegation tokens.";

const ACTIONS: [&str; 4] = ["create", "renew", "expire", "describe"];

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return failed(&Failure::from(error)),
    };
    if let Some(answer) = help_or_version(&TOOL, &parsed, ABOUT) {
        return answer;
    }
    if let Err(message) = check(&parsed) {
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

/// Java's checks. Java names options that exclude each other in a random order.
fn check(parsed: &Parsed) -> Result<(), String> {
    if ACTIONS.iter().filter(|action| parsed.has(action)).count() != 1 {
        return Err(
            "Command must include exactly one action: --create, --renew, --expire or --describe".to_owned(),
        );
    }
    check_required(parsed, &["bootstrap-server", "command-config"])?;
    for (action, required) in [
        ("create", &["max-life-time-period"][..]),
        ("renew", &["hmac", "renew-time-period"]),
        ("expire", &["hmac", "expiry-time-period"]),
    ] {
        if parsed.has(action) {
            check_required(parsed, required)?;
        }
    }
    let (hmac, life, owner) = ("hmac", "max-life-time-period", "owner-principal");
    let (renewal, expiry) = ("renew-time-period", "expiry-time-period");
    check_invalid(parsed, "create", &[hmac, renewal, expiry])?;
    check_invalid(parsed, "renew", &["renewer-principal", life, expiry, owner])?;
    check_invalid(parsed, "expire", &["renew", life, renewal, owner])?;
    check_invalid(parsed, "describe", &[renewal, life, hmac, expiry])
}

fn prepare_and_run(parsed: &Parsed) -> Result<(), Failure> {
    let config = parsed.value("command-config")?;
    let servers = parsed.value("bootstrap-server")?;
    let mut context = admin_tool::context(config, servers)?;
    let outcome = steps::run(parsed, &mut context);
    // Output from before a failure is printed.
    context
        .printer
        .flush()
        .map_err(|error| Failure::printing(&error))?;
    outcome
}
