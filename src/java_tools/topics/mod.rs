//! `kafka-topics` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.
//!
//! Its options are in `options`, their values in `values`, its requests in `steps`, and its output in `words`.

mod options;
pub mod steps;
mod values;
pub mod words;

use std::path::Path;
use std::process::ExitCode;

use super::console::{admin_client, check_admin_client, no_client, unreadable};
use super::log_line;
use super::option_parser::{OptionError, Parsed, check_invalid, check_required, parse};
use super::option_table::Tool;
use super::usage::{help_or_version, refuse};
use crate::client::settings::{Origin, Settings};
use crate::commands::context::Context;
use crate::error::Error;
use crate::output::{OutputOptions, Printer, stderr_line};
use options::OPTIONS;
use steps::Failure;
use words::failure;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-topics",
    options: OPTIONS,
};

const ACTIONS: [&str; 5] = ["create", "list", "alter", "describe", "delete"];
const REPORTS: [&str; 4] = [
    "under-replicated-partitions",
    "under-min-isr-partitions",
    "at-min-isr-partitions",
    "unavailable-partitions",
];

/// Why the tool ends before it connects.
enum Refusal {
    /// A message and the table of options.
    Usage(String),
    /// A message alone.
    Plain(String),
}

pub(super) fn run(args: &[String]) -> ExitCode {
    if args.is_empty() {
        return refuse(&TOOL, "Create, delete, describe, or change a topic.");
    }
    let parsed = match parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return plain(error),
    };
    let about = "This tool helps to create, delete, describe, or change a topic.";
    if let Some(answer) = help_or_version(&TOOL, &parsed, about) {
        return answer;
    }
    match check(&parsed) {
        Ok(()) => {}
        Err(Refusal::Usage(message)) => return refuse(&TOOL, &message),
        Err(Refusal::Plain(message)) => return plain(message),
    }
    let settings = match settings(&parsed) {
        Ok(settings) => settings,
        Err(message) => return plain(message),
    };
    let mut context = Context {
        client: admin_client(settings),
        printer: Printer::new(OutputOptions::default()),
    };
    let outcome = match values::action(&parsed) {
        Ok(action) => steps::run(&action, &mut context),
        Err(message) => Err(Failure::Executing(message)),
    };
    match outcome {
        Ok(()) | Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(Failure::Partly(message)) => plain(format_args!("kafka-topics: {message}")),
        Err(Failure::NoClient(message)) => plain(no_client(&message)),
        Err(Failure::Executing(message)) => failed(&message, &mut context.printer),
        Err(Failure::Refused { message, why }) => {
            let code = failed(&message, &mut context.printer);
            stderr_line(format_args!("kafka-topics: {why}"));
            code
        }
    }
}

fn failed(message: &str, printer: &mut Printer) -> ExitCode {
    let told = failure(printer, message);
    // If the reader has gone, the message is lost; the exit code says it too.
    let _ = told.and(printer.flush());
    // Java also logs it on stderr, with a stack trace.
    stderr_line(log_line::line(
        "ERROR",
        message,
        "org.apache.kafka.tools.TopicCommand",
    ));
    ExitCode::FAILURE
}

fn plain(message: impl std::fmt::Display) -> ExitCode {
    stderr_line(message);
    ExitCode::FAILURE
}

/// Java's checks, in Java's order.
fn check(parsed: &Parsed) -> Result<(), Refusal> {
    if ACTIONS.iter().filter(|action| parsed.has(action)).count() != 1 {
        return Err(Refusal::Usage(
            "Command must include exactly one action: --list, --describe, --create, --alter or --delete"
                .to_owned(),
        ));
    }
    if parsed.has("delete-config") {
        stderr_line(
            "delete-config option is no longer supported and deprecated since version 4.0. The config will be \
             fully removed in future releases.",
        );
    }
    check_required_options(parsed)?;
    check_combinations(parsed).map_err(Refusal::Usage)
}

fn check_required_options(parsed: &Parsed) -> Result<(), Refusal> {
    if !parsed.has("bootstrap-server") && !parsed.has("zookeeper") {
        return Err(Refusal::Plain("--bootstrap-server must be specified".to_owned()));
    }
    if parsed.has("describe") && parsed.has("if-exists") {
        match (parsed.has("topic"), parsed.has("topic-id")) {
            (false, false) => {
                return Err(Refusal::Usage(
                    "--topic or --topic-id is required to describe a topic".to_owned(),
                ));
            }
            (true, true) => {
                crate::output::stdout_line(
                    "Only topic id will be used when both --topic and --topic-id are specified and topicId is \
                     not Uuid.ZERO_UUID",
                );
            }
            _ => {}
        }
    }
    if !parsed.has("list") && !parsed.has("describe") {
        check_required(parsed, &["topic"]).map_err(Refusal::Usage)?;
    }
    if parsed.has("alter") {
        if parsed.has("config") {
            return Err(Refusal::Usage(
                "Option combination \"[[bootstrap-server], [config]]\" can't be used with option \"[alter]\" \
                 (To alter topic configurations, the kafka-configs tool can be used.)"
                    .to_owned(),
            ));
        }
        check_required(parsed, &["partitions"]).map_err(Refusal::Usage)?;
    }
    Ok(())
}

fn check_combinations(parsed: &Parsed) -> Result<(), String> {
    let only_with = |option: &str, actions: &[&str], others: &[&str]| {
        let mut invalid: Vec<&str> = ACTIONS
            .into_iter()
            .filter(|action| !actions.contains(action))
            .collect();
        invalid.extend(others);
        check_invalid(parsed, option, &invalid)
    };
    only_with("config", &["alter", "create"], &[])?;
    only_with("partitions", &["alter", "create"], &[])?;
    only_with("replication-factor", &["create"], &[])?;
    only_with("replica-assignment", &["alter", "create"], &[])?;
    if parsed.has("create") {
        check_invalid(
            parsed,
            "replica-assignment",
            &["partitions", "replication-factor"],
        )?;
    }
    for report in REPORTS {
        only_with(report, &["describe"], &["topics-with-overrides"])?;
    }
    only_with("topics-with-overrides", &["describe"], &REPORTS)?;
    only_with("if-exists", &["alter", "delete", "describe"], &[])?;
    only_with("if-not-exists", &["create"], &[])?;
    only_with("exclude-internal", &["list", "describe"], &[])
}

/// The client's settings; errors in them are reported before anything else happens.
fn settings(parsed: &Parsed) -> Result<Settings, String> {
    let mut settings = Settings::default();
    settings.set("default.api.timeout.ms", "60000", Origin::Default);
    if let Some(path) = parsed
        .value("command-config")
        .map_err(|error| error.to_string())?
    {
        std::fs::read(path).map_err(|error| {
            let message = unreadable(path, &error);
            format!("{message}\nCaused by: java.io.IOException: {error}")
        })?;
        settings
            .read_properties_file(Path::new(path))
            .map_err(|error: Error| error.message())?;
    }
    let servers = match parsed
        .value("bootstrap-server")
        .map_err(|error| error.to_string())?
    {
        Some(servers) => servers.to_owned(),
        None => servers_beside_zookeeper(parsed).map_err(|error| error.to_string())?,
    };
    check_admin_client(&settings, &servers)?;
    settings.set("bootstrap.servers", servers, Origin::Flag);
    Ok(settings)
}

/// The brokers of old command lines that name ZooKeeper's hosts: the same hosts with Kafka's port.
fn servers_beside_zookeeper(parsed: &Parsed) -> Result<String, OptionError> {
    let hosts = parsed.value("zookeeper")?.unwrap_or_default();
    let hosts = hosts.split_once('/').map_or(hosts, |(hosts, _)| hosts);
    let servers: Vec<String> = hosts
        .split(',')
        .map(|host| {
            let host = host.trim();
            let without_port = host.rsplit_once(':').map_or(host, |(name, _)| name);
            format!("{without_port}:9092")
        })
        .collect();
    let servers = servers.join(",");
    stderr_line(format_args!(
        "kafka-topics: there is no ZooKeeper any more; --zookeeper is taken for --bootstrap-server {servers}"
    ));
    Ok(servers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zookeeper_hosts_are_brokers() {
        let words = ["--zookeeper", "one:2181,two/chroot", "--list"].map(str::to_owned);
        let parsed = parse(OPTIONS, &words).unwrap();
        assert_eq!(servers_beside_zookeeper(&parsed).unwrap(), "one:9092,two:9092");
    }
}
