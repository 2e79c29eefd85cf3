//! The common parts of tools over Java's admin client: settings, and failures with the messages of Java's exceptions.

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

use super::console::{admin_client, check_admin_client, unreadable};
use super::errors::{java_message, refusal_class, what_is_missing};
use super::option_parser::{OptionError, Parsed};
use super::option_table::Tool;
use crate::client::admin::ApiError;
use crate::client::settings::{Origin, Settings};
use crate::commands::context::Context;
use crate::error::{Error, Kind};
use crate::output::{OutputOptions, Printer, stderr_line};
use crate::wire::WireError;

/// The time-out of Java's admin client, in milliseconds.
const API_TIMEOUT_MS: &str = "60000";

/// Why a tool ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The result of `getMessage` of Java's exception.
    pub(super) message: String,
    /// What is missing for a connection, in our own words.
    pub(super) why: Option<String>,
    /// Whether the reader of stdout has gone, so that nothing is printed.
    pub(super) is_closed_pipe: bool,
}

impl Failure {
    pub(super) fn of(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            why: None,
            is_closed_pipe: false,
        }
    }

    /// A failure where Java waits for a result: the message contains the class of the cause.
    pub(super) fn executing(error: &Error, call: &str) -> Self {
        let message = match error.cause::<WireError>().map(WireError::bare) {
            Some(WireError::Unresolvable(_)) => error.message(),
            _ => execution_message(error, call),
        };
        Self {
            message,
            why: what_is_missing(error),
            is_closed_pipe: false,
        }
    }

    /// Prints `said`, Java's text about the exception, and what is missing; returns the exit code.
    pub(super) fn ends(&self, tool: &Tool, said: impl Display) -> ExitCode {
        if self.is_closed_pipe {
            return ExitCode::SUCCESS;
        }
        stderr_line(said);
        if let Some(why) = &self.why {
            stderr_line(format_args!("{}: {why}", tool.name));
        }
        ExitCode::FAILURE
    }

    /// A failure to write to stdout.
    pub(super) fn printing(error: &Error) -> Self {
        Self {
            is_closed_pipe: error.kind() == Kind::ClosedPipe,
            ..Self::of(error.message())
        }
    }
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Self {
        Self::of(error.to_string())
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::of(message)
    }
}

/// The result of `ExecutionException.getMessage`: the class of the cause, and its message.
pub(super) fn execution_message(error: &Error, call: &str) -> String {
    if let Some(refusal) = error.cause::<ApiError>() {
        return refusal_message(refusal);
    }
    let message = java_message(error, call);
    match error.kind() {
        Kind::Unreachable => format!("org.apache.kafka.common.errors.TimeoutException: {message}"),
        Kind::Denied => format!(
            "org.apache.kafka.common.errors.{}: {message}",
            refusal_class(error)
        ),
        _ => message,
    }
}

/// The result of `toString` of the exception for an error code.
pub(super) fn refusal_message(refusal: &ApiError) -> String {
    let (class, message) = (refusal.java_class(), refusal.java_message());
    format!("org.apache.kafka.common.errors.{class}: {message}")
}

/// A cluster and a printer with the settings of a tool's file and flags; it is an error if Java's admin client would
/// refuse the settings. `servers` is `None` where the option has no value.
pub(super) fn context(config: Option<&str>, servers: Option<&str>) -> Result<Context, Failure> {
    let mut settings = Settings::default();
    settings.set("default.api.timeout.ms", API_TIMEOUT_MS, Origin::Default);
    if let Some(file) = config {
        read_config(file, &mut settings)?;
    }
    context_of(settings, servers)
}

/// Reads a properties file; if it cannot be read, the message is its name, as in Java.
pub(super) fn read_config(file: &str, settings: &mut Settings) -> Result<(), Failure> {
    std::fs::read(file).map_err(|error| Failure::of(unreadable(file, &error)))?;
    settings
        .read_properties_file(Path::new(file))
        .map_err(|error| Failure::of(error.message()))
}

/// The same for settings that are read already.
pub(super) fn context_of(settings: Settings, servers: Option<&str>) -> Result<Context, Failure> {
    let servers = servers.ok_or_else(|| Failure::of("null"))?;
    check_admin_client(&settings, servers)?;
    Ok(unchecked_context_of(settings, servers))
}

/// The same for settings that are held against the rules already.
pub(super) fn unchecked_context_of(mut settings: Settings, servers: &str) -> Context {
    settings.set("bootstrap.servers", servers, Origin::Flag);
    Context {
        client: admin_client(settings),
        printer: Printer::new(OutputOptions::default()),
    }
}

/// The principals of an option, in the order given.
pub(super) fn principals(parsed: &Parsed, option: &str) -> Result<Vec<String>, String> {
    let read = |word: &String| {
        let word = word.trim();
        if word.contains(':') {
            Ok(word.to_owned())
        } else {
            Err(format!(
                "expected a string in format principalType:principalName but got {word}"
            ))
        }
    };
    parsed.values(option).iter().map(read).collect()
}
