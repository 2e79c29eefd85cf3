//! `kafka-share-groups` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.
//!
//! Its options are in `options`, its requests in `steps`, and its output in `words`. Failures of requests are printed
//! on stdout and do not change the exit code, as in Java.

mod options;
pub mod steps;
pub mod words;

use std::process::ExitCode;

use super::console::admin_client;
use super::group_tools::beginning::{Refusal, begin};
use super::group_tools::ending::finish;
use super::group_tools::failure::Result;
use super::group_tools::settings::settings;
use super::option_parser::{Parsed, check_invalid, check_required};
use super::option_table::Tool;
use crate::client::settings::{Origin, Settings};
use crate::commands::context::Context;
use crate::output::{OutputOptions, Printer};
use options::{ONLY_BESIDE, OPTIONS};

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-share-groups",
    options: OPTIONS,
};

const ABOUT: &str = "This tool helps to list, describe, reset and delete share groups.";

/// In the order of the message with all of them.
const ACTIONS: [&str; 5] = ["list", "describe", "delete", "reset-offsets", "delete-offsets"];

/// The targets of a reset, in the order in which Java checks them.
const SCENARIOS: [&str; 3] = ["to-datetime", "to-earliest", "to-latest"];

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match begin(&TOOL, args, ONLY_BESIDE, ABOUT, check) {
        Ok(parsed) => parsed,
        Err(ended) => return ended,
    };
    let mut context = Context::new(Settings::default(), Printer::new(OutputOptions::default()));
    let outcome = connect(&parsed, &mut context).and_then(|()| steps::run(&parsed, &mut context));
    context.print_notes();
    finish(&TOOL, "share", outcome, context)
}

/// Java's checks, in Java's order.
fn check(parsed: &Parsed) -> Result<(), Refusal> {
    check_required(parsed, &["bootstrap-server"]).map_err(Refusal::Usage)?;
    if parsed.has("describe") {
        check_describe(parsed)?;
    }
    check_changes(parsed).map_err(Refusal::Usage)?;
    check_invalid(parsed, "group", &["all-groups", "list"]).map_err(Refusal::Usage)?;
    check_invalid(parsed, "topic", &["list", "describe"]).map_err(Refusal::Usage)?;
    if ACTIONS.iter().filter(|action| parsed.has(action)).count() != 1 {
        let all: Vec<String> = ACTIONS.iter().map(|action| format!("--{action}")).collect();
        return Err(Refusal::Usage(format!(
            "Command must include exactly one action: {}.",
            all.join(", ")
        )));
    }
    Ok(())
}

fn check_describe(parsed: &Parsed) -> Result<(), Refusal> {
    let usage = |message: &str| Err(Refusal::Usage(message.to_owned()));
    if !parsed.has("group") && !parsed.has("all-groups") {
        return usage("Option [describe] takes one of these options: [group], [all-groups]");
    }
    let parts = ["members", "offsets", "state"];
    if parts.iter().filter(|part| parsed.has(part)).count() > 1 {
        return usage("Option [describe] takes at most one of these options: [members], [offsets], [state]");
    }
    let state = parsed
        .value("state")
        .map_err(|error| Refusal::Uncaught(error.to_string()))?;
    if state.is_some() {
        return usage("Option [describe] does not take a value for [state]");
    }
    Ok(())
}

fn check_changes(parsed: &Parsed) -> Result<(), String> {
    if parsed.has("delete") {
        match (parsed.has("group"), parsed.has("all-groups")) {
            (false, false) => {
                return Err("Option [delete] takes the options [group] or [all-groups]".to_owned());
            }
            (true, true) => {
                return Err("Option [delete] takes either [group] or [all-groups], not both.".to_owned());
            }
            _ => {}
        }
        if parsed.has("topic") {
            return Err("Option [delete] does not take the option: [topic]".to_owned());
        }
    }
    if parsed.has("delete-offsets") && !(parsed.has("group") && parsed.has("topic")) {
        return Err("Option [delete-offsets] takes the following options: [group], [topic]".to_owned());
    }
    if !parsed.has("reset-offsets") {
        return Ok(());
    }
    let message = match (parsed.has("dry-run"), parsed.has("execute")) {
        (true, true) => "Option [reset-offsets] only accepts one of [execute] and [dry-run]",
        (false, false) => "Option [reset-offsets] takes the option: [execute] or [dry-run]",
        _ if !parsed.has("group") => "Option [reset-offsets] takes the option: [group]",
        _ if !parsed.has("topic") && !parsed.has("all-topics") => {
            "Option [reset-offsets] takes one of these options: [topic], [all-topics]"
        }
        _ if !SCENARIOS.iter().any(|scenario| parsed.has(scenario)) => {
            "Option [reset-offsets] takes one of these options: [to-datetime], [to-earliest], [to-latest]"
        }
        _ => "",
    };
    if !message.is_empty() {
        return Err(message.to_owned());
    }
    for scenario in SCENARIOS {
        let others: Vec<&str> = SCENARIOS.into_iter().filter(|other| *other != scenario).collect();
        check_invalid(parsed, scenario, &others)?;
    }
    Ok(())
}

fn connect(parsed: &Parsed, context: &mut Context) -> Result<()> {
    let mut settings = settings(parsed)?;
    let timeout = steps::timeout(parsed)?.to_string();
    settings.set("default.api.timeout.ms", timeout, Origin::Flag);
    context.client = admin_client(settings);
    Ok(())
}
