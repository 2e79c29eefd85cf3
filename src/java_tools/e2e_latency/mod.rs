//! `kafka-e2e-latency` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.
//!
//! Its options are in `options`, its records and measures in `steps`. Words without option names, as versions before
//! 4.2 took them, are options by position.

mod options;
pub mod steps;

use std::process::ExitCode;

use super::client_config::{check_consumer, check_producer};
use super::console::{NO_SERVERS, check_consumer_servers, no_consumer};
use super::load_tools::read_file;
use super::option_parser::{Parsed, check_required, parse};
use super::option_table::Tool;
use super::usage::{help_or_version, refuse};
use crate::client::settings::{Origin, Settings};
use crate::error::Kind;
use crate::output::{OutputOptions, Printer, stderr_line, stdout_line};
use options::OPTIONS;
use steps::Load;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-e2e-latency",
    options: OPTIONS,
};

const ABOUT: &str =
    "This tool measures end-to-end latency in Kafka by sending messages and timing their reception.";

/// The options of words without names, by position.
const BY_PLACE: [&str; 6] = [
    "bootstrap-server",
    "topic",
    "num-records",
    "producer-acks",
    "record-size",
    "command-config",
];

const REQUIRED: [&str; 5] = [
    "bootstrap-server",
    "topic",
    "num-records",
    "producer-acks",
    "record-size",
];

/// An error, and whether the table of options follows it.
enum Refusal {
    Usage(String),
    Line(String),
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self::Line(message)
    }
}

pub(super) fn run(args: &[String]) -> ExitCode {
    let named = match named(args) {
        Ok(named) => named,
        Err(message) => {
            stderr_line(message);
            return ExitCode::FAILURE;
        }
    };
    let parsed = match parse(OPTIONS, &named) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(&TOOL, &error.to_string()),
    };
    if let Some(answer) = help_or_version(&TOOL, &parsed, ABOUT) {
        return answer;
    }
    let prepared = load(&parsed).and_then(|load| Ok((settings(&parsed, &load.acks)?, load)));
    let (settings, load) = match prepared {
        Ok(prepared) => prepared,
        Err(Refusal::Usage(message)) => return refuse(&TOOL, &message),
        Err(Refusal::Line(message)) => {
            stderr_line(message);
            return ExitCode::FAILURE;
        }
    };
    let mut printer = Printer::new(OutputOptions::default());
    let outcome = steps::run(&load, &settings, &mut printer);
    let output = printer.finish();
    match outcome.and(output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == Kind::ClosedPipe => ExitCode::SUCCESS,
        Err(error) => {
            stderr_line(error);
            ExitCode::FAILURE
        }
    }
}

/// Words without the name of any required option become options by position.
///
/// # Errors
///
/// Java's message about too few or too many words.
fn named(args: &[String]) -> Result<Vec<String>, String> {
    let is_name = |word: &String| REQUIRED.iter().any(|name| *word == format!("--{name}"));
    if args.is_empty() || args.iter().any(is_name) {
        return Ok(args.to_vec());
    }
    if !(REQUIRED.len()..=BY_PLACE.len()).contains(&args.len()) {
        return Err(format!(
            "Invalid number of arguments. Expected 5 or 6 positional arguments, but got {}. Usage: bootstrap-server topic \
             num-records producer-acks record-size [optional] command-config",
            args.len()
        ));
    }
    stdout_line(
        "WARNING: Positional argument usage is deprecated and will be removed in Apache Kafka 5.0. Please use named \
         arguments instead: --bootstrap-server, --topic, --num-records, --producer-acks, --record-size, --command-config",
    );
    let names = BY_PLACE.iter().zip(args);
    Ok(names
        .flat_map(|(name, word)| [format!("--{name}"), word.clone()])
        .collect())
}

/// Java's checks, in Java's order.
fn load(parsed: &Parsed) -> Result<Load, Refusal> {
    check_required(parsed, &REQUIRED).map_err(Refusal::Usage)?;
    let number = |name: &str, least: i32, problem: &str| -> Result<i32, Refusal> {
        let number = parsed.integer(name).map_err(|error| error.to_string())?;
        match number {
            Some(number) if number < least => Err(Refusal::Usage(problem.to_owned())),
            number => Ok(number.unwrap_or(0)),
        }
    };
    let size = |number: i32| usize::try_from(number).unwrap_or(0);
    let text = |name: &str| -> Result<String, Refusal> {
        let value = parsed.value(name).map_err(|error| error.to_string())?;
        Ok(value.unwrap_or_default().to_owned())
    };
    let records = number(
        "num-records",
        1,
        "Value for --num-records must be a positive integer.",
    )?;
    let acks = text("producer-acks")?;
    if !["1", "all"].contains(&acks.as_str()) {
        let message = "Invalid value for --producer-acks. Latency testing requires synchronous acknowledgement. Please \
                       use '1' or 'all'.";
        return Err(Refusal::Usage(message.to_owned()));
    }
    let value_bytes = number(
        "record-size",
        0,
        "Value for --record-size must be a non-negative integer.",
    )?;
    let key_bytes = number(
        "record-key-size",
        0,
        "Value for --record-key-size must be a non-negative integer.",
    )?;
    let name_bytes = number(
        "record-header-key-size",
        0,
        "Value for --record-header-key-size must be a non-negative integer.",
    )?;
    let header_bytes = number(
        "record-header-size",
        -1,
        "Value for --record-header-size must be a non-negative integer or -1 for null header value.",
    )?;
    let headers = number(
        "num-headers",
        0,
        "Value for --num-headers must be a non-negative integer.",
    )?;
    Ok(Load {
        topic: text("topic")?,
        records: size(records),
        acks,
        value_bytes: size(value_bytes),
        key_bytes: size(key_bytes),
        headers: size(headers),
        header_name_bytes: size(name_bytes),
        header_value_bytes: usize::try_from(header_bytes).ok(),
    })
}

fn settings(parsed: &Parsed, acks: &str) -> Result<Settings, Refusal> {
    let mut settings = Settings::default();
    let file = parsed
        .value("command-config")
        .map_err(|error| error.to_string())?;
    if let Some(file) = file.filter(|file| !file.trim().is_empty()) {
        read_file(&mut settings, file)?;
    }
    let servers = parsed
        .value("bootstrap-server")
        .map_err(|error| error.to_string())?;
    let servers = servers.unwrap_or_default().to_owned();
    let no_client = |reason: String| no_consumer(&reason);
    if servers.trim().is_empty() {
        return Err(NO_SERVERS.to_owned().into());
    }
    check_consumer_servers(&servers).map_err(no_client)?;
    // The tool has its own values of these, whatever the file says.
    settings.set("acks", acks, Origin::Flag);
    settings.set("linger.ms", "0", Origin::Flag);
    settings.set("bootstrap.servers", servers, Origin::Flag);
    check_consumer(&settings).map_err(super::client_config::Refusal::reason)?;
    check_producer(|name| settings.get(name))?;
    Ok(settings)
}
