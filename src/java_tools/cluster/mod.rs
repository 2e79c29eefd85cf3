//! `kafka-cluster` as Apache Kafka 4.3.1 has it: the cluster's id, its endpoints, unregistering brokers.

mod options;
mod words;

use std::process::ExitCode;

use super::admin_tool::{Failure, context, refusal_message};
use super::argparse::{Namespace, parse};
use super::option_table::Tool;
use crate::commands::context::Context;
use crate::output::{stderr_line, stdout_line};
use options::OPTIONS;
pub(super) use options::PROGRAM;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-cluster",
    options: OPTIONS,
};

pub(super) fn run(args: &[String]) -> ExitCode {
    let given = match parse(&PROGRAM, args) {
        Ok(given) => given,
        Err(stop) => return PROGRAM.stopped(stop),
    };
    match carry_out(&given) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_closed_pipe => ExitCode::SUCCESS,
        Err(failure) => {
            stderr_line(&failure.message);
            failure.why.iter().for_each(stderr_line);
            ExitCode::FAILURE
        }
    }
}

fn carry_out(given: &Namespace) -> Result<(), Failure> {
    if given.has("config") {
        if given.has("command-config") {
            return Err(Failure::of(
                "--config and --command-config cannot be specified together.",
            ));
        }
        stdout_line(
            "Option --config has been deprecated and will be removed in a future version. Use --command-config instead.",
        );
    }
    let config = given.value("config").or(given.value("command-config"));
    let of_controllers = given.has("bootstrap-controller");
    let with_fenced = given.has("include-fenced-brokers");
    let servers = given
        .value("bootstrap-server")
        .or(given.value("bootstrap-controller"));
    let mut context = context(config, servers)?;
    match given.command {
        "cluster-id" => cluster_id(&mut context)?,
        "unregister" => {
            let id = given
                .value("id")
                .and_then(|id| id.parse().ok())
                .unwrap_or_default();
            unregister(id, &mut context)?;
        }
        _ if of_controllers && with_fenced => {
            return Err(Failure::of(
                "The option --include-fenced-brokers is only supported with --bootstrap-server option",
            ));
        }
        _ => {
            let found = context
                .client
                .admin()
                .and_then(|admin| admin.endpoints(of_controllers, with_fenced))
                .map_err(|error| Failure::executing(&error, "describeCluster"))?;
            let mut endpoints = found.map_err(|refusal| Failure::of(refusal_message(&refusal)))?;
            endpoints.sort_by_key(|endpoint| endpoint.id);
            words::endpoints(&mut context.printer, &endpoints, of_controllers)
                .map_err(|error| Failure::printing(&error))?;
        }
    }
    context.printer.flush().map_err(|error| Failure::printing(&error))
}

fn cluster_id(context: &mut Context) -> Result<(), Failure> {
    let id = context
        .client
        .admin()
        .and_then(|admin| Ok(admin.cluster_id()?.map(str::to_owned)))
        .map_err(|error| Failure::executing(&error, "listNodes"))?;
    let line = id.map_or_else(
        || "No cluster ID found. The Kafka version is probably too old.".to_owned(),
        |id| format!("Cluster ID: {id}"),
    );
    context
        .printer
        .line(line)
        .map_err(|error| Failure::printing(&error))
}

fn unregister(id: i32, context: &mut Context) -> Result<(), Failure> {
    let outcome = context
        .client
        .admin()
        .and_then(|admin| admin.unregister_broker(id))
        .map_err(|error| Failure::executing(&error, "unregisterBroker"))?;
    let line = match outcome {
        Ok(()) => format!("Broker {id} is no longer registered."),
        Err(refusal) if refusal.name() == "UNSUPPORTED_VERSION" => {
            "The target cluster does not support the broker unregistration API.".to_owned()
        }
        Err(refusal) => return Err(Failure::of(refusal_message(&refusal))),
    };
    context
        .printer
        .line(line)
        .map_err(|error| Failure::printing(&error))
}
