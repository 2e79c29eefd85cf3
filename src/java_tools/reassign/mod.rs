//! `kafka-reassign-partitions` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.
//!
//! Its options are in `options`, its requests in `steps`, and its output in `words`.

mod options;
pub mod steps;
pub mod words;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::console::{admin_client, check_admin_client, unreadable};
use super::errors::{java_message, refusal_class, what_is_missing};
use super::option_parser::{OptionError, Parsed, check_required, parse};
use super::option_table::Tool;
use super::usage::{help_or_version, refuse};
use crate::client::settings::{Origin, Settings};
use crate::commands::context::Context;
use crate::error::{Error, Kind};
use crate::output::{OutputOptions, Printer, stderr_line};
use options::OPTIONS;
use steps::{JavaAction, JavaExecute, JavaFailure};

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-reassign-partitions",
    options: OPTIONS,
};

const ABOUT: &str = "This tool helps to move topic partitions between replicas.";

/// In the order of the message with all of them.
const ACTIONS: [&str; 5] = ["generate", "execute", "verify", "cancel", "list"];
const DEFAULT_TIMEOUT_MS: i64 = 10_000;

/// The options that an action needs, and the others that it accepts, except those for the connection.
fn takes(action: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match action {
        "generate" => (
            &["topics-to-move-json-file", "broker-list"],
            &["disable-rack-aware"],
        ),
        "execute" => (
            &["reassignment-json-file"],
            &[
                "additional",
                "throttle",
                "replica-alter-log-dirs-throttle",
                "timeout",
                "disallow-replication-factor-change",
            ],
        ),
        "verify" => (&["reassignment-json-file"], &["preserve-throttles"]),
        "cancel" => (
            &["reassignment-json-file"],
            &["preserve-throttles", "timeout", "bootstrap-controller"],
        ),
        _ => (&[], &["bootstrap-controller"]),
    }
}

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => {
            stderr_line(error);
            return ExitCode::FAILURE;
        }
    };
    if let Some(answered) = help_or_version(&TOOL, &parsed, ABOUT) {
        return answered;
    }
    let action = match checked_action(&parsed) {
        Ok(action) => action,
        Err(message) => return refuse(&TOOL, &message),
    };
    let mut context = Context::new(Settings::default(), Printer::new(OutputOptions::default()));
    let outcome = prepare(&parsed, action, &mut context).and_then(|action| steps::run(action, &mut context));
    let told = match outcome {
        Ok(()) => Ok(()),
        Err(failure) => tell(&failure, first_call(action), &mut context.printer),
    };
    match told.and_then(|()| context.printer.finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == Kind::ClosedPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Exactly one action, one way to the cluster, all required options, no others.
fn checked_action(parsed: &Parsed) -> Result<&'static str, String> {
    let given: Vec<&str> = ACTIONS.into_iter().filter(|action| parsed.has(action)).collect();
    let [action] = given[..] else {
        let all: Vec<String> = ACTIONS.iter().map(|action| format!("--{action}")).collect();
        return Err(format!(
            "Command must include exactly one action: {}",
            all.join(", ")
        ));
    };
    match (has_server(parsed), parsed.has("bootstrap-controller")) {
        (true, true) => {
            return Err("Please don't specify both --bootstrap-server and --bootstrap-controller".to_owned());
        }
        (false, false) => {
            return Err("Please specify either --bootstrap-server or --bootstrap-controller".to_owned());
        }
        _ => {}
    }
    let (needed, taken) = takes(action);
    check_required(parsed, needed)?;
    let common = ["bootstrap-server", "command-config", "zookeeper", action];
    let is_foreign = |name: &&&str| {
        ![needed, taken, &common]
            .iter()
            .any(|allowed| allowed.contains(name))
    };
    match parsed.given().iter().find(is_foreign) {
        Some(name) => Err(format!(
            "Option \"[{name}]\" can't be used with action \"[{action}]\""
        )),
        None => Ok(action),
    }
}

fn has_server(parsed: &Parsed) -> bool {
    parsed.has("bootstrap-server") || parsed.has("zookeeper")
}

/// Converts settings, files and numbers in Java's order; each may fail only when it is converted.
fn prepare(parsed: &Parsed, action: &str, context: &mut Context) -> Result<JavaAction, JavaFailure> {
    context.client = admin_client(settings(parsed)?);
    let text = |option: &str| read_file(parsed.value(option)?.unwrap_or_default());
    let preserve_throttles = parsed.has("preserve-throttles");
    Ok(match action {
        "generate" => JavaAction::Generate {
            text: text("topics-to-move-json-file")?,
            brokers: parsed.value("broker-list")?.unwrap_or_default().to_owned(),
            rack_aware: !parsed.has("disable-rack-aware"),
        },
        "execute" => JavaAction::Execute(JavaExecute {
            additional: parsed.has("additional"),
            text: text("reassignment-json-file")?,
            throttle: parsed.long("throttle")?.unwrap_or(-1),
            log_dir_throttle: parsed.long("replica-alter-log-dirs-throttle")?.unwrap_or(-1),
            timeout: timeout(parsed)?,
            allow_factor_change: !parsed.has("disallow-replication-factor-change"),
        }),
        "verify" => JavaAction::Verify {
            text: text("reassignment-json-file")?,
            preserve_throttles,
        },
        "cancel" => JavaAction::Cancel {
            text: text("reassignment-json-file")?,
            preserve_throttles,
            timeout: timeout(parsed)?,
        },
        _ => JavaAction::List,
    })
}

fn timeout(parsed: &Parsed) -> Result<Duration, JavaFailure> {
    let milliseconds = parsed.long("timeout")?.unwrap_or(DEFAULT_TIMEOUT_MS);
    Ok(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0)))
}

fn settings(parsed: &Parsed) -> Result<Settings, JavaFailure> {
    let mut settings = Settings::default();
    if let Some(file) = parsed.value("command-config")? {
        if let Err(error) = std::fs::read(file) {
            return Err(JavaFailure::Told(unreadable(file, &error).to_owned()));
        }
        settings.read_properties_file(Path::new(file))?;
    }
    let old = parsed.value("zookeeper")?.map(broker_beside_zookeeper);
    let server = match parsed.value("bootstrap-server")? {
        Some(server) => Some(server.to_owned()),
        None => parsed.value("bootstrap-controller")?.map(str::to_owned).or(old),
    };
    // Both options may have no value, and then Java's message is "null".
    let server = server.ok_or_else(|| JavaFailure::Told("null".to_owned()))?;
    check_admin_client(&settings, &server).map_err(JavaFailure::Told)?;
    settings.set("bootstrap.servers", server, Origin::Flag);
    Ok(settings)
}

fn broker_beside_zookeeper(zookeeper: &str) -> String {
    let first = zookeeper.split(['/', ',']).next().unwrap_or_default();
    let host = first.rsplit_once(':').map_or(first, |(host, _)| host);
    let broker = format!("{host}:9092");
    stderr_line(format_args!(
        "--zookeeper is gone with ZooKeeper itself: asking the broker {broker}"
    ));
    broker
}

fn read_file(name: &str) -> Result<String, JavaFailure> {
    match std::fs::read(name) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(_) => Err(JavaFailure::Told(format!("Unable to read file {name}"))),
    }
}

impl From<OptionError> for JavaFailure {
    fn from(error: OptionError) -> Self {
        JavaFailure::Told(error.to_string())
    }
}

/// The name of an action's first admin call in the Java client.
fn first_call(action: &str) -> &'static str {
    if action == "generate" {
        "listNodes"
    } else {
        "listPartitionReassignments"
    }
}

/// A failure of the connection, with the class that Java puts before its message.
fn unforeseen(error: &Error, call: &str) -> String {
    let message = java_message(error, call);
    match error.kind() {
        Kind::Usage => "Failed to create new KafkaAdminClient".to_owned(),
        Kind::Unreachable => format!("org.apache.kafka.common.errors.TimeoutException: {message}"),
        Kind::Denied => format!(
            "org.apache.kafka.common.errors.{}: {message}",
            refusal_class(error)
        ),
        _ => message,
    }
}

/// Java prints failures on stdout, and a stack trace after unexpected ones; here a line on stderr takes the place of
/// the trace.
fn tell(failure: &JavaFailure, call: &str, printer: &mut Printer) -> Result<(), Error> {
    let message = match failure {
        JavaFailure::Terse(message) => {
            printer.line(message)?;
            return Err(Error::failed(message));
        }
        JavaFailure::Other(error) if error.kind() == Kind::ClosedPipe => return Ok(()),
        JavaFailure::Told(message) => message.clone(),
        JavaFailure::Refused(error) => format!(
            "org.apache.kafka.common.errors.{}: {}",
            error.java_class(),
            error.java_message()
        ),
        JavaFailure::Other(error) => unforeseen(error, call),
    };
    let missing = match failure {
        JavaFailure::Other(error) => what_is_missing(error),
        _ => None,
    };
    let (message, why) = match message.split_once("\nCaused by: ") {
        Some((message, cause)) => (message, cause),
        None => (message.as_str(), message.lines().next().unwrap_or_default()),
    };
    printer.line(format_args!("Error: {message}"))?;
    let why = missing.as_deref().unwrap_or(why);
    printer.warn(format_args!("{} failed: {why}", TOOL.name));
    Err(Error::failed(message))
}
