//! `kafka-client-metrics` as Apache Kafka 4.3.1 has it: which metrics clients push to the brokers (KIP-714).

mod options;

use std::process::ExitCode;

use super::admin_tool::{Failure, context};
use super::console::unreadable;
use super::errors::java_message;
use super::log_line;
use super::option_parser::{Parsed, check_invalid, parse};
use super::option_table::Tool;
use super::usage::{help_or_version, refuse};
use super::value_list::separated;
use crate::client::admin::config_details::{ConfigDetail, Wanted};
use crate::client::admin::configs::{ConfigChange, ConfigResource};
use crate::client::admin::topics::topic_id_text;
use crate::client::admin::{AdminClient, ApiError};
use crate::commands::context::Context;
use crate::error::{Error, Result};
use crate::output::{stderr_line, stdout_line};
use crate::storage::partition_metadata::random_id;
use options::OPTIONS;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-client-metrics",
    options: OPTIONS,
};

const ABOUT: &str = "This tool helps to manipulate and describe client metrics configurations.";
const ACTIONS: [&str; 4] = ["alter", "delete", "describe", "list"];

/// Why the tool ends before it connects.
enum Refusal {
    /// A message and the table of options.
    Usage(String),
    /// A message alone.
    Plain(String),
}

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(&TOOL, &error.to_string()),
    };
    if let Some(answer) = help_or_version(&TOOL, &parsed, ABOUT) {
        return answer;
    }
    match check(&parsed) {
        Ok(()) => {}
        Err(Refusal::Usage(message)) => return refuse(&TOOL, &message),
        Err(Refusal::Plain(message)) => return plain(message),
    }
    if let Err(message) = check_connection(&parsed) {
        return plain(message);
    }
    match carry_out(&parsed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_closed_pipe => ExitCode::SUCCESS,
        Err(failure) => {
            let first = failure.message.lines().next().unwrap_or_default();
            stdout_line(format_args!(
                "Error while executing client metrics command : {first}"
            ));
            let logger = "org.apache.kafka.tools.ClientMetricsCommand";
            stderr_line(log_line::line("ERROR", &failure.message, logger));
            failure.why.iter().for_each(stderr_line);
            ExitCode::FAILURE
        }
    }
}

fn plain(message: impl std::fmt::Display) -> ExitCode {
    stderr_line(message);
    ExitCode::FAILURE
}

/// Checks that come before any request, and whose message stands alone.
fn check_connection(parsed: &Parsed) -> std::result::Result<(), String> {
    if let Some(file) = parsed
        .value("command-config")
        .map_err(|error| error.to_string())?
        && let Err(error) = std::fs::read(file)
    {
        return Err(unreadable(file, &error).to_owned());
    }
    parsed
        .value("bootstrap-server")
        .map_err(|error| error.to_string())?;
    Ok(())
}

/// Java's checks, in Java's order.
fn check(parsed: &Parsed) -> std::result::Result<(), Refusal> {
    if ACTIONS.iter().filter(|action| parsed.has(action)).count() != 1 {
        let message = "Command must include exactly one action: --alter, --delete, --describe or --list.";
        return Err(Refusal::Usage(message.to_owned()));
    }
    if !parsed.has("bootstrap-server") {
        return Err(Refusal::Plain("--bootstrap-server must be specified.".to_owned()));
    }
    let settings = ["generate-name", "interval", "match", "metrics"];
    for action in ["delete", "describe"] {
        check_invalid(parsed, action, &settings).map_err(Refusal::Usage)?;
    }
    check_invalid(parsed, "list", &[&["name"], &settings[..]].concat()).map_err(Refusal::Usage)?;
    if parsed.has("alter") && parsed.has("name") == parsed.has("generate-name") {
        let message = "One of --name or --generate-name must be specified with --alter.";
        return Err(Refusal::Plain(message.to_owned()));
    }
    if parsed.has("delete") && !parsed.has("name") {
        let message = "A client metrics resource name must be specified with --delete.";
        return Err(Refusal::Plain(message.to_owned()));
    }
    let interval = parsed
        .value("interval")
        .map_err(|error| Refusal::Plain(error.to_string()))?;
    if interval.is_some_and(|text| !text.is_empty() && text.parse::<i32>().is_err()) {
        let message = "Invalid interval value. Enter an integer, or leave empty to reset.";
        return Err(Refusal::Plain(message.to_owned()));
    }
    Ok(())
}

fn carry_out(parsed: &Parsed) -> std::result::Result<(), Failure> {
    let mut context = context(parsed.value("command-config")?, parsed.value("bootstrap-server")?)?;
    if parsed.has("alter") {
        alter(parsed, &mut context)?;
    } else if parsed.has("delete") {
        delete(parsed, &mut context)?;
    } else if parsed.has("describe") {
        describe(parsed, &mut context)?;
    } else {
        let names = names(&mut context)?;
        print(&mut context, names.join("\n"))?;
    }
    context.printer.flush().map_err(|error| Failure::printing(&error))
}

fn alter(parsed: &Parsed, context: &mut Context) -> std::result::Result<(), Failure> {
    let name = if parsed.has("generate-name") {
        new_name()?
    } else {
        parsed.value("name")?.unwrap_or_default().to_owned()
    };
    let interval = parsed.value("interval")?.map(str::to_owned);
    let list = |option: &str| {
        parsed
            .has(option)
            .then(|| separated(parsed.values(option)).join(","))
    };
    let settings = [
        ("interval.ms", interval),
        ("metrics", list("metrics")),
        ("match", list("match")),
    ];
    // An empty value deletes the config.
    let change = |(name, value): (&str, Option<String>)| {
        value.map(|value| ConfigChange {
            name: name.to_owned(),
            value: Some(value).filter(|value| !value.is_empty()),
        })
    };
    let changes: Vec<ConfigChange> = settings.into_iter().filter_map(change).collect();
    make(&name, &changes, context)?;
    print(context, format_args!("Altered client metrics config for {name}."))
}

/// A unique name: a random id in Kafka's spelling, which never begins with a dash.
fn new_name() -> std::result::Result<String, Failure> {
    loop {
        let id = random_id().map_err(|error| Failure::of(error.to_string()))?;
        let text = topic_id_text(id);
        if !text.starts_with('-') {
            return Ok(text);
        }
    }
}

fn delete(parsed: &Parsed, context: &mut Context) -> std::result::Result<(), Failure> {
    let name = parsed.value("name")?.unwrap_or_default().to_owned();
    let changes: Vec<ConfigChange> = details(&name, context)?
        .into_iter()
        .map(|detail| ConfigChange {
            name: detail.entry.name,
            value: None,
        })
        .collect();
    make(&name, &changes, context)?;
    print(context, format_args!("Deleted client metrics config for {name}."))
}

fn describe(parsed: &Parsed, context: &mut Context) -> std::result::Result<(), Failure> {
    let wanted = parsed.value("name")?;
    let all = names(context)?;
    let wanted = match wanted {
        Some(name) if !all.iter().any(|known| known == name) => {
            let line = format_args!(
                "The client metric resource {name} doesn't exist and doesn't have dynamic config."
            );
            return print(context, line);
        }
        Some(name) => vec![name.to_owned()],
        None => all,
    };
    for name in wanted {
        print(context, format_args!("Client metrics configs for {name} are:"))?;
        for detail in details(&name, context)? {
            let value = detail.entry.value.as_deref().unwrap_or("null");
            print(context, format_args!("  {}={value}", detail.entry.name))?;
        }
    }
    Ok(())
}

fn names(context: &mut Context) -> std::result::Result<Vec<String>, Failure> {
    let names = context.client.admin().and_then(AdminClient::client_metrics);
    answered(names, "listConfigResources")
}

fn details(name: &str, context: &mut Context) -> std::result::Result<Vec<ConfigDetail>, Failure> {
    let resource = ConfigResource::ClientMetrics(name.to_owned());
    let admin = context.client.admin();
    answered(
        admin.and_then(|admin| admin.config_details(&resource, Wanted::default())),
        "describeConfigs",
    )
}

fn make(name: &str, changes: &[ConfigChange], context: &mut Context) -> std::result::Result<(), Failure> {
    let resource = ConfigResource::ClientMetrics(name.to_owned());
    let admin = context.client.admin();
    answered(
        admin.and_then(|admin| admin.alter_configs_of(&resource, changes, false)),
        "incrementalAlterConfigs",
    )
}

/// The response; a refusal and a failure have the messages of Java's exceptions.
fn answered<T>(
    answer: Result<std::result::Result<T, ApiError>>,
    call: &str,
) -> std::result::Result<T, Failure> {
    let answer = answer.and_then(|answer| answer.map_err(Error::from));
    answer.map_err(|error| Failure {
        message: java_message(&error, call),
        ..Failure::executing(&error, call)
    })
}

fn print(context: &mut Context, line: impl std::fmt::Display) -> std::result::Result<(), Failure> {
    context
        .printer
        .line(line)
        .map_err(|error| Failure::printing(&error))
}
