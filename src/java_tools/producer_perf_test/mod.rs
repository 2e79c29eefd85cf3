//! `kafka-producer-perf-test` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.
//!
//! Its options are in `options`, its records in `steps`, and its measures in `stats`.

mod options;
pub mod stats;
pub mod steps;

use std::process::ExitCode;

use super::argparse::{Namespace, Stop, parse};
use super::client_config::check_producer;
use super::console::check_producer_servers;
use super::load_tools::{read_file, set_properties};
use super::option_table::Tool;
use crate::client::settings::{Origin, Settings};
use crate::error::Kind;
use crate::output::{OutputOptions, Printer, stderr_line, stdout_line};
use options::{OPTIONS, PROGRAM};
use steps::{Load, Payload};

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-producer-perf-test",
    options: OPTIONS,
};

const DEFAULT_TRANSACTION_MS: u64 = 3000;
const DEFAULT_INTERVAL_MS: i64 = 5000;

/// Why nothing is sent.
enum Failure {
    Stopped(Stop),
    /// An error of the tool's own checks, in the form of the parser's errors.
    Refused(String),
    /// The message of an exception that Java does not catch.
    Uncaught(String),
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Uncaught(message)
    }
}

pub(super) fn run(args: &[String]) -> ExitCode {
    if args.is_empty() {
        return PROGRAM.print_help();
    }
    let load = parse(&PROGRAM, args)
        .map_err(Failure::Stopped)
        .and_then(|read| load(&read));
    let (load, settings) = match load {
        Ok(load) => load,
        Err(Failure::Stopped(stop)) => return PROGRAM.stopped(stop),
        Err(Failure::Refused(message)) => return PROGRAM.refuse(&message),
        Err(Failure::Uncaught(message)) => {
            stderr_line(format_args!("kafka-producer-perf-test: {message}"));
            return ExitCode::FAILURE;
        }
    };
    let mut printer = Printer::new(OutputOptions::default());
    let outcome = steps::run(&load, &settings, &mut printer);
    match outcome.and_then(|()| printer.finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == Kind::ClosedPipe => ExitCode::SUCCESS,
        Err(error) => {
            stderr_line(format_args!("kafka-producer-perf-test: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Java's checks, in Java's order.
fn load(read: &Namespace) -> Result<(Load, Settings), Failure> {
    check(read).map_err(Failure::Refused)?;
    let payload = payload(read)?;
    let mut settings = settings(read)?;
    let duration = read.long("transaction-duration-ms");
    let id = read.value("transactional-id").map(str::to_owned);
    let id = id.or_else(|| settings.get("transactional.id").map(str::to_owned));
    let is_transactional = duration.is_some() || id.is_some();
    if is_transactional {
        let id = id.unwrap_or_else(|| {
            format!(
                "performance-producer-{:016x}",
                getrandom::u64().unwrap_or_default()
            )
        });
        settings.set("transactional.id", id, Origin::Flag);
    }
    check_producer_servers(settings.get("bootstrap.servers").unwrap_or_default())?;
    check_producer(|name| settings.get(name))?;
    let positive = |name: &str| read.long(name).and_then(|number| u64::try_from(number).ok());
    let load = Load {
        topic: read.value("topic").unwrap_or_default().to_owned(),
        records: positive("num-records").unwrap_or(0),
        warmup: positive("warmup-records").unwrap_or(0),
        per_second: read.double("throughput").unwrap_or(-1.0),
        interval_ms: positive("reporting-interval").unwrap_or(DEFAULT_INTERVAL_MS as u64),
        transaction_ms: is_transactional
            .then(|| positive("transaction-duration-ms").unwrap_or(DEFAULT_TRANSACTION_MS)),
        payload,
    };
    Ok((load, settings))
}

fn check(read: &Namespace) -> Result<(), String> {
    let records = read.long("num-records").unwrap_or(0);
    if records <= 0 {
        return Err("--num-records should be greater than zero.".to_owned());
    }
    if read.long("warmup-records").unwrap_or(0).max(0) >= records {
        return Err(
            "The value for --warmup-records must be strictly fewer than the number of records in the test, \
             --num-records."
                .to_owned(),
        );
    }
    for name in ["record-size", "reporting-interval", "transaction-duration-ms"] {
        if read.long(name).is_some_and(|number| number <= 0) {
            return Err(format!("--{name} should be greater than zero."));
        }
    }
    for (new, old) in [
        ("command-property", "producer-props"),
        ("command-config", "producer.config"),
    ] {
        if read.has(new) && read.has(old) {
            return Err(format!("--{new} and --{old} cannot be specified together."));
        }
        if read.has(old) {
            stdout_line(format_args!(
                "Option --{old} has been deprecated and will be removed in a future version. Use --{new} instead."
            ));
        }
    }
    let sources = [
        "bootstrap-server",
        "command-property",
        "producer-props",
        "producer.config",
        "command-config",
    ];
    if sources.iter().any(|name| read.has(name)) {
        return Ok(());
    }
    Err(
        "At least one of --bootstrap-server, --command-property, --producer-props, --producer.config or \
         --command-config must be specified."
            .to_owned(),
    )
}

fn payload(read: &Namespace) -> Result<Payload, String> {
    if let Some(size) = read.long("record-size") {
        return Ok(Payload::Letters(usize::try_from(size).unwrap_or(0)));
    }
    let Some(file) = read.value("payload-file") else {
        return Ok(Payload::Numbers);
    };
    steps::payload_file(file, read.value("payload-delimiter").unwrap_or("\\n"))
}

fn settings(read: &Namespace) -> Result<Settings, String> {
    let mut settings = Settings::default();
    for option in ["producer.config", "command-config"] {
        if let Some(file) = read.value(option) {
            read_file(&mut settings, file)?;
        }
    }
    for option in ["producer-props", "command-property"] {
        set_properties(&mut settings, &read.values(option))?;
    }
    if let Some(servers) = read.value("bootstrap-server") {
        settings.set("bootstrap.servers", servers, Origin::Flag);
    }
    if settings.get("client.id").is_none() {
        settings.set("client.id", "perf-producer-client", Origin::Flag);
    }
    Ok(settings)
}
