//! `kafka-consumer-perf-test` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.
//!
//! Its options are in `options`, its reading and measuring in `steps`.

mod options;
pub mod steps;

use std::process::ExitCode;

use super::client_config::{Refusal as ConfigRefusal, check_consumer};
use super::console::{check_consumer_servers, no_consumer, pairs};
use super::load_tools::read_file;
use super::option_parser::{OptionError, Parsed, check_invalid, check_required, parse};
use super::option_table::Tool;
use super::usage::{help_or_version, refuse};
use crate::client::settings::{Origin, Settings};
use crate::error::{Error, Kind};
use crate::java::regex::JavaRegex;
use crate::output::{OutputOptions, Printer, stderr_line, stdout_line};
use options::OPTIONS;
use steps::{Load, Topics};

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-consumer-perf-test",
    options: OPTIONS,
};

const ABOUT: &str = "This tool is used to verify the consumer performance.";
const COLUMNS: &str = "data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, \
                       fetch.MB.sec, fetch.nMsg.sec";
const DEFAULT_TIMEOUT_MS: i64 = 10_000;
const DEFAULT_INTERVAL_MS: i64 = 5000;

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
    let mut printer = Printer::new(OutputOptions::default());
    match measure(&parsed, &mut printer).and_then(|()| printer.finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == Kind::ClosedPipe => ExitCode::SUCCESS,
        Err(error) => {
            stderr_line(error);
            ExitCode::FAILURE
        }
    }
}

/// Java's checks, in Java's order.
fn check(parsed: &Parsed) -> Result<(), String> {
    check_required(parsed, &["bootstrap-server"])?;
    one_of(parsed, &["topic", "include"])?;
    one_of(parsed, &["messages", "num-records"])?;
    check_invalid(parsed, "consumer.config", &["command-config"])?;
    for (old, new) in [("messages", "num-records"), ("consumer.config", "command-config")] {
        if parsed.has(old) {
            stdout_line(format_args!(
                "Warning: --{old} is deprecated. Use --{new} instead."
            ));
        }
    }
    Ok(())
}

fn one_of(parsed: &Parsed, names: &[&str]) -> Result<(), String> {
    if names.iter().filter(|name| parsed.has(name)).count() == 1 {
        return Ok(());
    }
    let names: Vec<String> = names.iter().map(|name| format!("[{name}]")).collect();
    Err(format!(
        "Exactly one of the following arguments is required: {}",
        names.join(", ")
    ))
}

fn usage(error: OptionError) -> Error {
    Error::usage(error)
}

fn measure(parsed: &Parsed, printer: &mut Printer) -> crate::error::Result<()> {
    let is_detailed = parsed.has("show-detailed-stats");
    if !parsed.has("hide-header") {
        let first = if is_detailed {
            "time, threadId"
        } else {
            "start.time, end.time"
        };
        printer.line(format_args!("{first}, {COLUMNS}"))?;
        printer.flush()?;
    }
    let settings = settings(parsed)?;
    let positive = |number: Option<i64>, default: i64| u64::try_from(number.unwrap_or(default)).unwrap_or(0);
    let records = match parsed.long("num-records").map_err(usage)? {
        Some(records) => records,
        None => parsed.long("messages").map_err(usage)?.unwrap_or(0),
    };
    let timeout = parsed.long("timeout").map_err(usage)?;
    let interval = parsed.long("reporting-interval").map_err(usage)?;
    if interval.is_some_and(|interval| interval <= 0) {
        return Err(Error::usage("Reporting interval must be greater than 0."));
    }
    let date_format = parsed.value("date-format").map_err(usage)?;
    let topics = if let Some(topic) = parsed.value("topic").map_err(usage)? {
        Topics::Named(topic.to_owned())
    } else {
        let include = parsed.value("include").map_err(usage)?.unwrap_or_default();
        let regex = JavaRegex::new(include);
        Topics::Matching(regex.ok_or_else(|| Error::usage(format!("{include} is no regular expression")))?)
    };
    let load = Load {
        topics,
        records: positive(Some(records), 0),
        timeout_ms: positive(timeout, DEFAULT_TIMEOUT_MS),
        interval_ms: positive(interval, DEFAULT_INTERVAL_MS),
        date_format: date_format.unwrap_or("yyyy-MM-dd HH:mm:ss:SSS").to_owned(),
        is_detailed,
    };
    steps::run(&load, &settings, printer)
}

fn settings(parsed: &Parsed) -> crate::error::Result<Settings> {
    let mut settings = Settings::default();
    for option in ["consumer.config", "command-config"] {
        if let Some(file) = parsed.value(option).map_err(usage)? {
            read_file(&mut settings, file).map_err(Error::usage)?;
        }
    }
    for (name, value) in pairs(parsed, &["command-property"]) {
        settings.set(name, value, Origin::SetFlag);
    }
    let servers = parsed
        .value("bootstrap-server")
        .map_err(usage)?
        .unwrap_or_default();
    settings.set("bootstrap.servers", servers, Origin::Flag);
    let group = parsed.value("group").map_err(usage)?.map(str::to_owned);
    let group =
        group.unwrap_or_else(|| format!("perf-consumer-{}", getrandom::u32().unwrap_or_default() % 100_000));
    settings.set("group.id", group, Origin::Flag);
    let number = |name: &str, default: i32| -> crate::error::Result<String> {
        let number = parsed.integer(name).map_err(usage)?;
        Ok(number.unwrap_or(default).to_string())
    };
    settings.set(
        "receive.buffer.bytes",
        number("socket-buffer-size", 2 << 20)?,
        Origin::Flag,
    );
    settings.set(
        "max.partition.fetch.bytes",
        number("fetch-size", 1 << 20)?,
        Origin::Flag,
    );
    let reset = if parsed.has("from-latest") {
        "latest"
    } else {
        "earliest"
    };
    settings.set("auto.offset.reset", reset, Origin::Flag);
    settings.set("check.crcs", "false", Origin::Flag);
    if settings.get("client.id").is_none() {
        settings.set("client.id", "perf-consumer-client", Origin::Flag);
    }
    let no_client = |reason: String| Error::usage(no_consumer(&reason));
    check_consumer_servers(servers).map_err(no_client)?;
    check_consumer(&settings).map_err(|refusal| match refusal {
        ConfigRefusal::Value(message) => Error::usage(message),
        ConfigRefusal::Client(reason) => no_client(reason),
    })?;
    Ok(settings)
}
