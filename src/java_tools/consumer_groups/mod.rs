//! `kafka-consumer-groups` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.
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
use super::usage::refuse;
use crate::client::settings::{Origin, Settings};
use crate::commands::context::Context;
use crate::java::re2::Re2;
use crate::output::{OutputOptions, Printer, stderr_line, stdout_line};
use options::{ONLY_BESIDE, OPTIONS};

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-consumer-groups",
    options: OPTIONS,
};

const ABOUT: &str = "This tool helps to list all consumer groups, describe a consumer group, delete consumer group info, \
                     or reset consumer group offsets.";

/// In the order of the message with all of them.
const ACTIONS: [&str; 6] = [
    "list",
    "describe",
    "delete",
    "reset-offsets",
    "delete-offsets",
    "validate-regex",
];

/// The targets of a reset, in the order in which Java checks them.
const SCENARIOS: [&str; 8] = [
    "to-offset",
    "to-datetime",
    "by-duration",
    "to-earliest",
    "to-latest",
    "to-current",
    "shift-by",
    "from-file",
];

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match begin(&TOOL, args, ONLY_BESIDE, ABOUT, check) {
        Ok(parsed) => parsed,
        Err(ended) => return ended,
    };
    if parsed.has("validate-regex") {
        return match parsed.value("validate-regex") {
            Ok(regex) => validate(regex.unwrap_or_default()),
            Err(error) => refuse(&TOOL, &error.to_string()),
        };
    }
    let mut context = Context::new(Settings::default(), Printer::new(OutputOptions::default()));
    let outcome = connect(&parsed, &mut context).and_then(|()| steps::run(&parsed, &mut context));
    context.print_notes();
    finish(&TOOL, "consumer", outcome, context)
}

/// Java's checks, in Java's order.
fn check(parsed: &Parsed) -> Result<(), Refusal> {
    if !parsed.has("validate-regex") {
        check_required(parsed, &["bootstrap-server"]).map_err(Refusal::Usage)?;
    }
    if parsed.has("describe") {
        check_describe(parsed)?;
    }
    check_changes(parsed).map_err(Refusal::Usage)?;
    check_combinations(parsed).map_err(Refusal::Usage)?;
    if ACTIONS.iter().filter(|action| parsed.has(action)).count() != 1 {
        let all: Vec<String> = ACTIONS.iter().map(|action| format!("--{action}")).collect();
        return Err(Refusal::Usage(format!(
            "Command must include exactly one action: {}",
            all.join(", ")
        )));
    }
    Ok(())
}

fn check_describe(parsed: &Parsed) -> Result<(), Refusal> {
    check_groups(parsed, "describe").map_err(Refusal::Usage)?;
    let parts = ["members", "offsets", "state"];
    if parts.iter().filter(|part| parsed.has(part)).count() > 1 {
        return Err(Refusal::Usage(
            "Option [describe] takes at most one of these options: [members], [offsets], [state]".to_owned(),
        ));
    }
    let state = parsed
        .value("state")
        .map_err(|error| Refusal::Uncaught(error.to_string()))?;
    if state.is_some() {
        let message = "Option [describe] does not take a value for [state]";
        return Err(Refusal::Usage(message.to_owned()));
    }
    Ok(())
}

/// Java names the two options in a random order.
fn check_groups(parsed: &Parsed, action: &str) -> Result<(), String> {
    if parsed.has("group") || parsed.has("all-groups") {
        return Ok(());
    }
    Err(format!(
        "Option [{action}] takes one of these options: [group], [all-groups]"
    ))
}

fn check_changes(parsed: &Parsed) -> Result<(), String> {
    if parsed.has("delete") {
        check_groups(parsed, "delete")?;
        if parsed.has("topic") {
            return Err(
                "The consumer does not support topic-specific offset deletion from a consumer group."
                    .to_owned(),
            );
        }
    }
    if parsed.has("delete-offsets") && !(parsed.has("group") && parsed.has("topic")) {
        return Err("Option [delete-offsets] takes the following options: [group], [topic]".to_owned());
    }
    if !parsed.has("reset-offsets") {
        return Ok(());
    }
    match (parsed.has("dry-run"), parsed.has("execute")) {
        (true, true) => {
            return Err("Option [reset-offsets] only accepts one of [execute] and [dry-run]".to_owned());
        }
        (false, false) => stderr_line(
            "WARN: No action will be performed as the --execute option is missing. In version 5.0, this command will \
             require either --dry-run or --execute to be specified. You should add the --dry-run option explicitly if you \
             are scripting this command and want to keep the current default behavior without prompting.",
        ),
        _ => {}
    }
    check_groups(parsed, "reset-offsets")?;
    for scenario in SCENARIOS {
        let others: Vec<&str> = SCENARIOS.into_iter().filter(|other| *other != scenario).collect();
        check_invalid(parsed, scenario, &others)?;
    }
    Ok(())
}

fn check_combinations(parsed: &Parsed) -> Result<(), String> {
    check_invalid(parsed, "group", &["all-groups"])?;
    check_invalid(parsed, "group", &["list"])?;
    check_invalid(parsed, "topic", &["list", "describe"])
}

/// Prints whether a coordinator would accept the expression; the exit code is 0 in both cases.
fn validate(regex: &str) -> ExitCode {
    match Re2::new(regex) {
        Ok(_) => stdout_line(format_args!("The regular expression `{regex}` is valid.")),
        Err(problem) => stdout_line(format_args!(
            "The regular expression `{regex}` is invalid: {problem}."
        )),
    }
}

fn connect(parsed: &Parsed, context: &mut Context) -> Result<()> {
    let mut settings = settings(parsed)?;
    steps::check_values(parsed)?;
    settings.set(
        "default.api.timeout.ms",
        steps::timeout(parsed)?.to_string(),
        Origin::Flag,
    );
    context.client = admin_client(settings);
    Ok(())
}
