//! `kafka-console-consumer` as Apache Kafka 4.3.1 has it: from its values to the action, and its end.
//!
//! Its options are in `options`, their values in `values`, and its output in `words`. The steps are those of `consume`.

mod options;
mod values;
pub mod words;

use std::process::ExitCode;
use std::time::Duration;

use self::values::Asked;
use super::console_voice::{CONSUMER_LOGGER, ConsoleVoice};
use super::log_line;
use super::option_parser::{self, OptionError, Parsed};
use super::option_table::Tool;
use super::usage;
use crate::client::offset_reset;
use crate::client::record_source::{OnCorrupt, Position};
use crate::client::settings::{Origin, Settings};
use crate::commands::consume::{self, Action, End, Missing, Outcome, Start};
use crate::commands::context::Context;
use crate::error::{Error, Result};
use crate::output::{OutputOptions, Printer, stderr_line, stdout_line};

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-console-consumer",
    options: options::OPTIONS,
};

const ABOUT: &str = "This tool helps to read data from Kafka topics and outputs it to standard output.";

/// An error, and whether the table of options follows it.
enum Refusal {
    Usage(String),
    Line(String),
    /// Messages of Java's logging.
    Logged(String),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Line(error.to_string())
    }
}

impl From<OptionError> for Refusal {
    fn from(error: OptionError) -> Self {
        Refusal::Line(error.to_string())
    }
}

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match option_parser::parse(options::OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return usage::refuse(&TOOL, &error.to_string()),
    };
    if let Some(exit) = usage::help_or_version(&TOOL, &parsed, ABOUT) {
        return exit;
    }
    match consume(&parsed) {
        Ok(exit) => exit,
        Err(Refusal::Usage(message)) => usage::refuse(&TOOL, &message),
        Err(Refusal::Line(message)) => {
            stderr_line(message);
            ExitCode::FAILURE
        }
        Err(Refusal::Logged(message)) => {
            log(
                "ERROR",
                &format!("Unknown error when running consumer: {message}"),
            );
            ExitCode::FAILURE
        }
    }
}

fn log(level: &str, text: &str) {
    stderr_line(log_line::line(level, text, CONSUMER_LOGGER));
}

fn consume(parsed: &Parsed) -> Result<ExitCode, Refusal> {
    let has_events = parsed.has("enable-systest-events");
    let mut asked = values::read(parsed)?;
    let is_undefined = asked.reset == "none" && asked.start.is_none() && asked.partition.is_none();
    if is_undefined && asked.group.is_none() {
        return Ok(finish(&undefined_offset(), has_events));
    }
    let position = position(&asked)?;
    asked.reset = offset_reset::word(asked.reset);
    asked
        .settings
        .set("auto.offset.reset", asked.reset.clone(), Origin::Flag);
    let (settings, action) = action(asked, position);
    let mut context = Context::new(settings, Printer::new(OutputOptions::default()));
    let outcome =
        consume::consume(action, &mut context).map_err(|error| Refusal::Logged(error.to_string()))?;
    Ok(finish(&outcome, has_events))
}

/// Where reading begins.
fn position(asked: &Asked) -> Result<Position, Refusal> {
    let since = offset_reset::since(&asked.reset, asked.group.is_some()).map_err(Refusal::Logged)?;
    Ok(match (asked.start, since) {
        (Some(start), _) => start,
        // A named partition is read from its end, even if other options say otherwise.
        (None, _) if asked.partition.is_some() => Position::End,
        (None, Some(since)) => Position::Time(since),
        (None, None) if asked.reset == "earliest" => Position::Beginning,
        (None, None) => Position::End,
    })
}

fn action(asked: Asked, position: Position) -> (Settings, Action) {
    let action = Action {
        topics: asked.topics,
        partitions: asked.partition.map(|partition| vec![partition]),
        start: Start::At(position),
        until: None,
        exits_at_end: false,
        wanted: consume::Wanted::default(),
        limit: asked
            .limit
            .filter(|limit| *limit != -1)
            .map(|limit| u64::try_from(limit).unwrap_or(0)),
        idle: asked
            .idle
            .and_then(|idle| u64::try_from(idle).ok())
            .map(Duration::from_millis),
        formatter: asked.formatter,
        skips_bad: asked.skips_bad,
        on_corrupt: OnCorrupt::Fail,
        missing: Missing::Wait,
        is_member: asked.group.is_some(),
        patience: Duration::from_secs(60),
        overrides: vec![
            ("isolation.level".into(), asked.isolation),
            ("auto.offset.reset".into(), asked.reset),
        ],
        defaults: vec![
            ("client.id".into(), "console-consumer".into()),
            ("allow.auto.create.topics".into(), "true".into()),
        ],
        voice: &ConsoleVoice,
    };
    (asked.settings, action)
}

/// The error where nothing is committed, and no option says where to begin.
fn undefined_offset() -> Outcome {
    Outcome {
        records: 0,
        end: End::Failed(Error::failed("undefined offset with no reset policy")),
    }
}

/// Prints the result, in Java's order, and returns its exit code.
fn finish(outcome: &Outcome, has_events: bool) -> ExitCode {
    match &outcome.end {
        End::Idle => log(
            "ERROR",
            "Error processing message, terminating consumer process: no record within --timeout-ms",
        ),
        End::NotWritten(error) | End::Failed(error) => log(
            "ERROR",
            // The advice is in the native spelling.
            &format!(
                "Error processing message, terminating consumer process: {}",
                error.message()
            ),
        ),
        End::ClosedPipe => stderr_line("Unable to write to standard out, closing consumer."),
        End::Complete | End::Interrupted(_) | End::BadRecord(_) => {}
    }
    stderr_line(format_args!("Processed a total of {} messages", outcome.records));
    if let End::BadRecord(problem) = &outcome.end {
        log(
            "ERROR",
            &format!("Unknown error when running consumer: {problem}"),
        );
    }
    if has_events {
        stdout_line("shutdown_complete");
    }
    match &outcome.end {
        End::BadRecord(_) | End::NotWritten(_) => ExitCode::FAILURE,
        End::Interrupted(code) => ExitCode::from(*code),
        _ => ExitCode::SUCCESS,
    }
}
