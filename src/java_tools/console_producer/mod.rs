//! `kafka-console-producer` as Apache Kafka 4.3.1 has it: its checks in their order, and its settings.
//!
//! Its options are in `options`, its parsing of lines in `line_reader`. The steps are those of `produce`.

pub mod line_reader;
mod options;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::client_config::check_producer;
use super::console::{self, KeyValue};
use super::console_voice::ConsoleVoice;
use super::option_parser::{self, OptionError, Parsed};
use super::option_table::Tool;
use super::usage;
use crate::client::settings::{Origin, Settings};
use crate::commands::command;
use crate::commands::context::Context;
use crate::commands::produce::{self, Action, Fixed};
use crate::error::{Error, Kind, Result};
use crate::input::chunks::Source;
use crate::input::splitter::PieceEnd;
use crate::java::classes;
use crate::output::{OutputOptions, Printer, is_on_terminal, stderr_line};
use line_reader::JavaLineReader;
use options::OPTIONS;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-console-producer",
    options: OPTIONS,
};

const ABOUT: &str = "This tool helps to read data from standard input and publish it to Kafka.";
const READER: &str = "org.apache.kafka.tools.LineMessageReader";

/// Java's default of `delivery.timeout.ms`.
const DELIVERY_TIMEOUT_MS: i64 = 120_000;
/// Java's default of `max.request.size`: a larger record is refused before it is sent.
const MAX_REQUEST_BYTES: &str = "1048576";
/// The default of `request.timeout.ms`.
const REQUEST_TIMEOUT_MS: i64 = 30_000;

/// Old names and new ones.
const RENAMED: &[(&str, &str)] = &[
    ("producer.config", "command-config"),
    ("producer-property", "command-property"),
    ("property", "reader-property"),
];

/// Options with numbers that are settings: the option, Java's name, and whether it is a Java `Long`. Of two for one
/// setting the later counts.
const NUMBERS: &[(&str, &str, bool)] = &[
    ("batch-size", "batch.size", false),
    ("max-partition-memory-bytes", "batch.size", false),
    ("message-send-max-retries", "retries", false),
    ("retry-backoff-ms", "retry.backoff.ms", true),
    ("timeout", "linger.ms", true),
    ("request-timeout-ms", "request.timeout.ms", false),
    ("metadata-expiry-ms", "metadata.max.age.ms", true),
    ("max-block-ms", "max.block.ms", true),
    ("max-memory-bytes", "buffer.memory", true),
    ("socket-buffer-size", "send.buffer.bytes", false),
];

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match option_parser::parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return usage::refuse(&TOOL, &error.to_string()),
    };
    if let Some(exit) = usage::help_or_version(&TOOL, &parsed, ABOUT) {
        return exit;
    }
    if let Err(message) = check(&parsed) {
        return usage::refuse(&TOOL, &message);
    }
    match produce(&parsed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == Kind::Interrupted => ExitCode::from(produce::interrupted_exit_code()),
        Err(error) if error.kind() == Kind::ClosedPipe => ExitCode::SUCCESS,
        Err(error) => {
            stderr_line(&error);
            ExitCode::FAILURE
        }
    }
}

/// Java's checks before it converts any value.
fn check(parsed: &Parsed) -> Result<(), String> {
    option_parser::check_required(parsed, &["topic"])?;
    for (old, new) in RENAMED {
        if parsed.has(old) && parsed.has(new) {
            return Err(format!(
                "Options --{new} and --{old} cannot be specified together."
            ));
        }
    }
    for (old, new) in RENAMED {
        if parsed.has(old) {
            stderr_line(format_args!(
                "Warning: --{old} is deprecated and will be removed in a future version. Use --{new} instead."
            ));
        }
    }
    if parsed.has("max-partition-memory-bytes") {
        stderr_line(
            "Warning: --max-partition-memory-bytes is deprecated and will be removed in Apache Kafka 5.0. \
             Use --batch-size instead.",
        );
    }
    if parsed.has("broker-list") {
        stderr_line(
            "Warning: --broker-list is gone from Apache Kafka since 4.0; it is taken as --bootstrap-server here.",
        );
    }
    // An option that is given twice is refused when its value is converted.
    servers(parsed).map_or(Ok(()), |servers| {
        console::check_bootstrap(servers.unwrap_or_default())
    })
}

fn servers(parsed: &Parsed) -> Result<Option<&str>, OptionError> {
    match parsed.value("bootstrap-server")? {
        Some(servers) => Ok(Some(servers)),
        None => parsed.value("broker-list"),
    }
}

/// Java's message about a class that is not a reader, or does not exist.
fn no_reader(name: &str) -> String {
    let Some(class) = classes::find(name) else {
        return format!("java.lang.ClassNotFoundException: {name}");
    };
    match class.not_instantiated("org.apache.kafka.tools.ConsoleProducer") {
        Some((exception, why)) => format!("{exception}: {why}"),
        None => "java.lang.IllegalArgumentException: The reader must implement \
                 org.apache.kafka.tools.api.RecordReader interface"
            .to_owned(),
    }
}

fn produce(parsed: &Parsed) -> Result<()> {
    let mut settings = settings(parsed)?;
    let mut properties: Vec<KeyValue> = Vec::new();
    if let Some(file) = console::value(parsed, "reader-config")? {
        properties = console::properties_file(file)?;
    }
    let topic = console::value(parsed, "topic")?.unwrap_or_default();
    properties.push(("topic".into(), topic.into()));
    properties.extend(console::pairs(parsed, &["reader-property", "property"]));
    if let Some(class) = console::value(parsed, "line-reader")?
        && class != READER
    {
        return Err(Error::usage(no_reader(class)));
    }
    let reader = JavaLineReader::new(&properties).map_err(|bad| Error::usage(bad.message))?;
    let topic = properties.iter().rev().find(|(name, _)| name == "topic");
    let block = console::read(parsed.long("max-block-ms"))?.unwrap_or(60_000);
    let defaults = apply_flags(parsed, &mut settings)?;
    console::check_producer_servers(settings.get("bootstrap.servers").unwrap_or_default())
        .map_err(Error::usage)?;
    let batch_bytes = settings.get("batch.size").and_then(|bytes| bytes.parse().ok());
    let action = Action {
        topic: topic.map(|(_, topic)| topic.clone()).unwrap_or_default(),
        sources: vec![Source::Stdin],
        piece_end: PieceEnd::JavaLine,
        parser: Box::new(reader),
        fixed: Fixed::default(),
        limit: None,
        rate: None,
        rejects: None,
        resume_from: None,
        batch_bytes: batch_bytes.unwrap_or(1_000_000),
        is_sync: parsed.has("sync"),
        commit_every: None,
        prompts: is_on_terminal(),
        topic_wait: Duration::from_millis(u64::try_from(block).unwrap_or(0)),
        overrides: Vec::new(),
        defaults,
        oversized_ends_run: true,
        voice: &ConsoleVoice,
    };
    let printer = Printer::new(OutputOptions::default());
    let mut context = Context::new(settings, printer);
    command::run(Box::new(action), &mut context)
}

fn settings(parsed: &Parsed) -> Result<Settings> {
    let mut settings = Settings::default();
    for option in ["command-config", "producer.config"] {
        if let Some(file) = console::value(parsed, option)? {
            settings.read_properties_file(&PathBuf::from(file))?;
        }
    }
    for (name, value) in console::pairs(parsed, &["command-property", "producer-property"]) {
        settings.set(name, value, Origin::SetFlag);
    }
    if let Some(servers) = console::read(servers(parsed))? {
        settings.set("bootstrap.servers", servers, Origin::Flag);
    }
    Ok(settings)
}

/// Sets the flags' values, checked against Java's rules; returns Java's defaults for those that were not given.
fn apply_flags(parsed: &Parsed, settings: &mut Settings) -> Result<Vec<KeyValue>> {
    for (option, name, is_long) in NUMBERS {
        let number = if *is_long {
            console::read(parsed.long(option))?
        } else {
            console::read(parsed.integer(option))?.map(i64::from)
        };
        if let Some(number) = number {
            settings.set(*name, number.to_string(), Origin::Flag);
        }
    }
    if let Some(acks) = console::value(parsed, "request-required-acks")? {
        settings.set("acks", acks, Origin::Flag);
    }
    settings.set("compression.type", codec(parsed)?, Origin::Flag);
    check_producer(|name| settings.get(name)).map_err(Error::usage)?;
    if settings.get("max.request.size").is_none() {
        settings.set("max.request.size", MAX_REQUEST_BYTES, Origin::Flag);
    }
    let linger = settings
        .get("linger.ms")
        .and_then(|value| value.trim().parse::<i64>().ok());
    if parsed.has("sync") {
        settings.set("linger.ms", "0", Origin::Flag);
    }
    // The delivery time-out covers linger.ms and one request, as in Java.
    let delivery = DELIVERY_TIMEOUT_MS.max(linger.unwrap_or(0).saturating_add(REQUEST_TIMEOUT_MS));
    Ok(vec![
        ("client.id".to_owned(), "console-producer".to_owned()),
        (
            "message.timeout.ms".to_owned(),
            delivery.min(i64::from(i32::MAX)).to_string(),
        ),
    ])
}

/// The value of `compression.type`, which overrides other settings, as in Java.
fn codec(parsed: &Parsed) -> Result<&str> {
    Ok(
        match console::value(parsed, "compression-codec")?.map(str::trim) {
            Some(codec) if !codec.is_empty() => codec,
            _ if parsed.has("compression-codec") => "gzip",
            _ => "none",
        },
    )
}
