//! `kafka-acls` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.
//!
//! The values of the options are in `bindings`, the requests in `steps`, and the output in `words`.

mod bindings;
mod options;
mod steps;
mod words;

use std::process::ExitCode;

use super::admin_tool::{self, Failure};
use super::option_parser::{Parsed, check_invalid, parse};
use super::option_table::Tool;
use super::usage::{help_or_version, refuse};
use crate::client::settings::{Origin, Settings};
use crate::commands::context::Context;
use crate::output::{stderr_line, stdout_line};
use options::OPTIONS;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-acls",
    options: OPTIONS,
};

const ABOUT: &str = "This tool helps to manage acls on kafka.";

/// Why the tool ends.
enum End {
    /// A message and the table of options.
    Usage(String),
    /// A failure of a request.
    Failed(Failure),
}

impl<F: Into<Failure>> From<F> for End {
    fn from(failure: F) -> Self {
        Self::Failed(failure.into())
    }
}

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(&TOOL, &error.to_string()),
    };
    if let Some(answer) = help_or_version(&TOOL, &parsed, ABOUT) {
        return answer;
    }
    if let Err(message) = check(&parsed) {
        return refuse(&TOOL, &message);
    }
    match prepare(&parsed).and_then(|mut context| steps::run(&parsed, &mut context)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(End::Usage(message)) => refuse(&TOOL, &message),
        Err(End::Failed(failure)) => failed(&failure),
    }
}

/// Java prints the failure on stdout, followed by a stack trace; here a line on stderr takes the place of the trace.
fn failed(failure: &Failure) -> ExitCode {
    if failure.is_closed_pipe {
        return ExitCode::SUCCESS;
    }
    let (message, cause) = match failure.message.split_once("\nCaused by: ") {
        Some((message, cause)) => (message, cause),
        None => (failure.message.as_str(), failure.message.as_str()),
    };
    stdout_line(format_args!("Error while executing ACL command: {message}"));
    let why = failure.why.as_deref().unwrap_or(cause);
    stderr_line(format_args!("{}: {why}", TOOL.name));
    ExitCode::FAILURE
}

/// Java's checks, in Java's order.
fn check(parsed: &Parsed) -> Result<(), String> {
    match (parsed.has("bootstrap-server"), parsed.has("bootstrap-controller")) {
        (true, true) => {
            return Err(
                "Only one of --bootstrap-server or --bootstrap-controller must be specified".to_owned(),
            );
        }
        (false, false) => {
            return Err("One of --bootstrap-server or --bootstrap-controller must be specified".to_owned());
        }
        _ => {}
    }
    let actions = ["add", "remove", "list"];
    if actions.iter().filter(|action| parsed.has(action)).count() != 1 {
        return Err("Command must include exactly one action: --list, --add, --remove. ".to_owned());
    }
    let changes = [
        "producer",
        "consumer",
        "allow-host",
        "allow-principal",
        "deny-host",
        "deny-principal",
    ];
    check_invalid(parsed, "list", &changes)?;
    for preset in ["producer", "consumer"] {
        check_invalid(parsed, preset, &["operation", "deny-principal", "deny-host"])?;
    }
    check_presets(parsed)
}

fn check_presets(parsed: &Parsed) -> Result<(), String> {
    let refusal = if parsed.has("principal") && !parsed.has("list") {
        "The --principal option is only available if --list is set"
    } else if parsed.has("producer") && !parsed.has("topic") {
        "With --producer you must specify a --topic"
    } else if parsed.has("idempotent") && !parsed.has("producer") {
        "The --idempotent option is only available if --producer is set"
    } else if parsed.has("consumer") && !is_for_consumers(parsed) {
        "With --consumer you must specify a --topic and a --group and no --cluster or --transactional-id option \
         should be specified."
    } else {
        return Ok(());
    };
    Err(refusal.to_owned())
}

fn is_for_consumers(parsed: &Parsed) -> bool {
    let is_foreign = parsed.has("cluster") || parsed.has("transactional-id");
    parsed.has("topic") && parsed.has("group") && (parsed.has("producer") || !is_foreign)
}

fn prepare(parsed: &Parsed) -> Result<Context, End> {
    let mut settings = Settings::default();
    settings.set("default.api.timeout.ms", "60000", Origin::Default);
    if parsed.has("command-config") {
        match parsed.value("command-config")? {
            Some(file) => admin_tool::read_config(file, &mut settings)?,
            None => {
                stdout_line("Did not load any properties since the property file is not specified");
            }
        }
    }
    let servers = if parsed.has("bootstrap-server") {
        parsed.value("bootstrap-server")?
    } else {
        parsed.value("bootstrap-controller")?
    };
    Ok(admin_tool::context_of(settings, servers)?)
}
