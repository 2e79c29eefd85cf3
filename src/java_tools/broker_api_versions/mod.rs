//! `kafka-broker-api-versions` as Apache Kafka 4.3.1 has it: which APIs each broker serves, in which versions.

mod words;

use std::process::ExitCode;

use super::admin_tool::{Failure, read_config, unchecked_context_of};
use super::config_rules::{Client, check_values};
use super::console::{NO_SERVERS, check_addresses, check_list};
use super::errors::{java_message, what_is_missing};
use super::option_parser::{Parsed, check_required, parse};
use super::option_table::{OptionSpec, Tool, flag, value};
use super::usage::{help_or_version, refuse};
use crate::client::admin::Broker;
use crate::client::settings::{Origin, Settings};
use crate::commands::context::Context;
use crate::error::{Error, Kind};
use crate::java::hash_set_order::{hash_of_string, in_hash_order};
use crate::output::stderr_line;
use crate::wire::WireError;

const OPTIONS: &[OptionSpec] = &[
    value(
        "command-config",
        "FILE",
        "Client settings, as a Java properties file.",
    ),
    value(
        "bootstrap-server",
        "HOST:PORT,…",
        "Brokers to ask first. Required.",
    ),
    flag("help", "Prints this text."),
    flag("version", "Prints the version of Apache Kafka that is kept to."),
];

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-broker-api-versions",
    options: OPTIONS,
};

/// The time-out of this tool, in milliseconds, which is shorter than that of others.
const PATIENCE_MS: &str = "5000";

const ABOUT: &str = "This tool helps to retrieve broker version information.";

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return plain(error),
    };
    if let Some(answer) = help_or_version(&TOOL, &parsed, ABOUT) {
        return answer;
    }
    if let Err(message) = check_required(&parsed, &["bootstrap-server"]) {
        return refuse(&TOOL, &message);
    }
    match carry_out(&parsed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_closed_pipe => ExitCode::SUCCESS,
        Err(failure) => {
            failure.why.iter().for_each(stderr_line);
            plain(&failure.message)
        }
    }
}

fn plain(message: impl std::fmt::Display) -> ExitCode {
    stderr_line(message);
    ExitCode::FAILURE
}

fn carry_out(parsed: &Parsed) -> Result<(), Failure> {
    let servers = parsed.value("bootstrap-server");
    let mut settings = Settings::default();
    settings.set("default.api.timeout.ms", PATIENCE_MS, Origin::Default);
    if let Some(file) = parsed.value("command-config")? {
        read_config(file, &mut settings)?;
    }
    let servers = servers?.unwrap_or_default();
    if servers.trim().is_empty() {
        return Err(Failure::of(NO_SERVERS));
    }
    check_list(servers)?;
    // The tool has a client of its own, with fewer settings.
    check_values(Client::Versions, |name| settings.get(name))?;
    check_addresses(servers)?;
    let connection = settings.connection_options();
    connection.map_err(|error| Failure::of(error.message()))?;
    let mut context = unchecked_context_of(settings, servers);
    let brokers = context
        .client
        .admin()
        .and_then(|admin| admin.brokers().map(<[Broker]>::to_vec))
        .map_err(|error| no_brokers(&error, servers))?;
    for broker in in_hash_order(brokers, hash_of) {
        let node = node_text(&broker);
        let text = match served(&broker, &mut context) {
            Ok(apis) => words::versions(&node, &apis),
            Err(message) => format!("{node} -> ERROR: {message}"),
        };
        context
            .printer
            .line(text)
            .map_err(|error| Failure::printing(&error))?;
    }
    context.printer.flush().map_err(|error| Failure::printing(&error))
}

fn served(
    broker: &Broker,
    context: &mut Context,
) -> Result<Vec<crate::client::admin::registration::ServedApi>, String> {
    let answer = context
        .client
        .admin()
        .and_then(|admin| admin.served_apis(broker.id));
    let answer = answer.and_then(|answer| answer.map_err(Error::from));
    answer.map_err(|error| java_message(&error, "apiVersions"))
}

/// Java asks every bootstrap server for its metadata, and names them all if none answers.
fn no_brokers(error: &Error, servers: &str) -> Failure {
    let message = match (error.kind(), error.cause::<WireError>()) {
        (Kind::Denied, _) | (_, Some(WireError::Unresolvable(_))) => java_message(error, "metadata"),
        _ => {
            let nodes = servers.split(',').zip(1..).map(|(server, number)| {
                let server = server.trim().trim_start_matches("[]");
                let host = if server.starts_with(':') { "localhost" } else { "" };
                format!("{host}{server} (id: -{number} rack: null isFenced: false)")
            });
            let nodes: Vec<String> = nodes.collect();
            format!("Request METADATA failed on brokers [{}]", nodes.join(", "))
        }
    };
    Failure {
        why: what_is_missing(error),
        ..Failure::of(message)
    }
}

/// A broker as Java writes a `Node`.
fn node_text(broker: &Broker) -> String {
    format!(
        "{}:{} (id: {} rack: {} isFenced: false)",
        broker.host,
        broker.port,
        broker.id,
        broker.rack.as_deref().unwrap_or("null")
    )
}

/// `Node.hashCode`, which decides the order of the brokers.
fn hash_of(broker: &Broker) -> i32 {
    /// `Boolean.FALSE.hashCode()`.
    const IS_NOT_FENCED: i32 = 1237;
    let rack = broker.rack.as_deref().map_or(0, hash_of_string);
    let parts = [
        hash_of_string(&broker.host),
        broker.id,
        i32::from(broker.port),
        rack,
        IS_NOT_FENCED,
    ];
    let fold = |hash: i32, part| hash.wrapping_mul(31).wrapping_add(part);
    parts.into_iter().fold(1, fold)
}
