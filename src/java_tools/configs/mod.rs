//! `kafka-configs` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.
//!
//! Entities are in `entities`, configs in `values`; the requests are in `resources` (topics, brokers, loggers, groups,
//! client metrics) and `quotas` (users, clients, addresses).

mod entities;
mod options;
mod quotas;
mod resources;
mod values;

use std::process::ExitCode;

use super::admin_tool;
use super::option_parser::{OptionError, Parsed, check_invalid, parse};
use super::option_table::Tool;
use super::usage::{help_or_version, refuse};
use crate::client::admin::ApiError;
use crate::commands::context::Context;
use crate::error::{Error, Kind};
use crate::output::stderr_line;
use entities::Entities;
use options::OPTIONS;
use values::Added;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-configs",
    options: OPTIONS,
};

const ABOUT: &str = "This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, \
                     client-metrics or group";

/// Why the tool ends.
#[derive(Debug)]
enum Failure {
    /// Java's message, alone.
    Told(String),
    /// An exception, which Java prints with its trace below a line about the command line; and what is missing for a
    /// connection, in our own words.
    Thrown { exception: String, why: Option<String> },
    /// The reader of stdout has gone.
    ClosedPipe,
}

type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    fn told(message: impl Into<String>) -> Self {
        Self::Told(message.into())
    }

    fn printing(error: &Error) -> Self {
        match error.kind() {
            Kind::ClosedPipe => Self::ClosedPipe,
            _ => Self::Thrown {
                exception: error.message(),
                why: None,
            },
        }
    }

    /// A failure where Java waits for a result.
    fn executing(error: &Error, call: &str) -> Self {
        // Java waits in vain for a broker that is not up.
        if error.kind() == Kind::NotFound && error.cause::<ApiError>().is_none() {
            return Self::Thrown {
                exception: format!(
                    "java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.TimeoutException: Timed out \
                     waiting for a node assignment. Call: {call}"
                ),
                why: Some(error.to_string()),
            };
        }
        let failure = admin_tool::Failure::executing(error, call);
        Self::Thrown {
            exception: format!("java.util.concurrent.ExecutionException: {}", failure.message),
            why: failure.why,
        }
    }
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Self {
        Self::told(error.to_string())
    }
}

impl From<values::Refusal> for Failure {
    fn from(refusal: values::Refusal) -> Self {
        match refusal {
            values::Refusal::Told(message) => Self::Told(message),
            values::Refusal::Thrown(exception) => Self::Thrown { exception, why: None },
        }
    }
}

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return plain(error),
    };
    if let Some(answer) = help_or_version(&TOOL, &parsed, ABOUT) {
        return answer;
    }
    if let Err(message) = check_action(&parsed) {
        return refuse(&TOOL, &message);
    }
    let entities = match entities::checked(&parsed).and_then(|entities| {
        check_changes(&parsed)?;
        Ok(entities)
    }) {
        Ok(entities) => entities,
        Err(message) => return plain(message),
    };
    match carry_out(&parsed, &entities) {
        Ok(()) | Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(Failure::Told(message)) => plain(message),
        Err(Failure::Thrown { exception, why }) => {
            stderr_line(format_args!(
                "Error while executing config command with args '{}'",
                args.join(" ")
            ));
            why.iter().for_each(stderr_line);
            plain(exception)
        }
    }
}

fn plain(message: impl std::fmt::Display) -> ExitCode {
    stderr_line(message);
    ExitCode::FAILURE
}

/// Java's checks whose message is followed by the table of options.
fn check_action(parsed: &Parsed) -> std::result::Result<(), String> {
    if parsed.has("alter") == parsed.has("describe") {
        return Err("Command must include exactly one action: --describe, --alter".to_owned());
    }
    check_invalid(parsed, "describe", &["alter", "add-config", "delete-config"])
}

fn check_changes(parsed: &Parsed) -> std::result::Result<(), String> {
    if !parsed.has("alter") {
        return Ok(());
    }
    match (
        parsed.has("add-config"),
        parsed.has("add-config-file"),
        parsed.has("delete-config"),
    ) {
        (true, true, _) => Err("Only one of --add-config or --add-config-file must be specified".to_owned()),
        (false, false, false) => Err(
            "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

fn carry_out(parsed: &Parsed, entities: &Entities) -> Result<()> {
    let config = parsed.value("command-config")?;
    let servers = match parsed.value("bootstrap-server")? {
        Some(servers) => Some(servers),
        None => parsed.value("bootstrap-controller")?,
    };
    let mut context = admin_tool::context(config, servers).map_err(|failure| Failure::Thrown {
        exception: failure.message,
        why: failure.why,
    })?;
    if parsed.has("alter") {
        if entities.types.len() != entities.names.len() {
            return Err(Failure::told(
                "An entity name must be specified for every entity type",
            ));
        }
        alter(parsed, entities, &mut context)?;
    } else {
        describe(parsed, entities, &mut context)?;
    }
    context.printer.flush().map_err(|error| Failure::printing(&error))
}

fn describe(parsed: &Parsed, entities: &Entities, context: &mut Context) -> Result<()> {
    match entities.kind() {
        "users" | "clients" => quotas::describe_users_and_clients(entities, context),
        "ips" => quotas::describe(entities, context),
        kind => {
            let name = entities.names.first().map(String::as_str);
            resources::describe(kind, name, parsed.has("all"), context)
        }
    }
}

fn alter(parsed: &Parsed, entities: &Entities, context: &mut Context) -> Result<()> {
    let added: Added = values::added(parsed)?;
    let deleted = values::deleted(parsed);
    let kind = entities.kind();
    match kind {
        "users" | "clients" => quotas::alter_users_and_clients(entities, &added, &deleted, context)?,
        "ips" => quotas::alter_addresses(entities, &added, &deleted, context)?,
        _ => {
            let name = entities.names.first().map_or("", String::as_str);
            resources::alter(kind, name, &added, &deleted, context)?;
        }
    }
    let one = kind.strip_suffix('s').unwrap_or(kind);
    let one = if kind == "client-metrics" {
        "client-metric"
    } else {
        one
    };
    let line = match entities.names.first() {
        Some(name) if !name.is_empty() => format!("Completed updating config for {one} {name}."),
        _ => format!("Completed updating default config for {kind} in the cluster."),
    };
    print(context, line)
}

fn print(context: &mut Context, line: impl std::fmt::Display) -> Result<()> {
    context
        .printer
        .line(line)
        .map_err(|error| Failure::printing(&error))
}

/// A response that Java waits for.
fn answered<T>(answer: crate::error::Result<std::result::Result<T, ApiError>>, call: &str) -> Result<T> {
    let answer = answer.and_then(|answer| answer.map_err(Error::from));
    answer.map_err(|error| Failure::executing(&error, call))
}
