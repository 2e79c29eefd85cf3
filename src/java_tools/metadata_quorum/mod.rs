//! `kafka-metadata-quorum` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.
//!
//! Its requests are in `steps`, the properties of a controller in `controller`.

mod controller;
mod options;
mod steps;

use std::path::Path;
use std::process::ExitCode;

use super::admin_tool::{self, Failure};
use super::argparse::{Namespace, parse};
use super::option_table::Tool;
use crate::client::settings::Settings;
use crate::commands::context::Context;
use crate::output::{stderr_line, stdout_line};
use options::OPTIONS;
pub(super) use options::PROGRAM;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-metadata-quorum",
    options: OPTIONS,
};

pub(super) fn run(args: &[String]) -> ExitCode {
    let given = match parse(&PROGRAM, args) {
        Ok(given) => given,
        Err(stop) => return PROGRAM.stopped(stop),
    };
    match prepare(&given).and_then(|mut context| carry_out(&given, &mut context)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_closed_pipe => ExitCode::SUCCESS,
        Err(failure) => {
            stderr_line(&failure.message);
            if let Some(why) = &failure.why {
                stderr_line(format_args!("{}: {why}", TOOL.name));
            }
            ExitCode::FAILURE
        }
    }
}

fn prepare(given: &Namespace) -> Result<Context, Failure> {
    let servers = given
        .value("bootstrap-server")
        .or(given.value("bootstrap-controller"));
    let Some(file) = given.value("command-config") else {
        return admin_tool::context(None, servers);
    };
    if !Path::new(file).exists() {
        return Err(Failure::of(format!("Properties file {file} does not exists!")));
    }
    let mut settings = Settings::default();
    if given.command == "add-controller" {
        // A controller's properties are not those of a client.
        return admin_tool::context_of(settings, servers);
    }
    admin_tool::read_config(file, &mut settings)?;
    admin_tool::context_of(settings, servers)
}

fn carry_out(given: &Namespace, context: &mut Context) -> Result<(), Failure> {
    let line = match given.command {
        "describe" => return describe(given, context),
        "add-controller" => {
            let file = given.value("command-config").ok_or_else(|| {
                Failure::of(
                    "You must supply the configuration file of the controller you are adding when using add-controller.",
                )
            })?;
            let controller = controller::read(file)?;
            steps::add(&controller, given.has("dry-run"), context)?
        }
        _ => {
            let id: i32 = given
                .value("controller-id")
                .and_then(|id| id.parse().ok())
                .unwrap_or_default();
            let directory = given.value("controller-directory-id").unwrap_or_default();
            steps::remove(id, directory, given.has("dry-run"), context)?
        }
    };
    stdout_line(line);
    Ok(())
}

fn describe(given: &Namespace, context: &mut Context) -> Result<(), Failure> {
    let is_human = given.has("human-readable");
    match (given.has("status"), given.has("replication")) {
        (true, true) => Err(Failure::of(
            "Only one of --status or --replication should be specified with describe sub-command",
        )),
        (false, true) => steps::replication(is_human, context),
        (true, false) if is_human => Err(Failure::of(
            "The option --human-readable is only supported along with --replication",
        )),
        (true, false) => steps::status(given.has("bootstrap-controller"), context),
        (false, false) => Err(Failure::of(
            "One of --status or --replication must be specified with describe sub-command",
        )),
    }
}
