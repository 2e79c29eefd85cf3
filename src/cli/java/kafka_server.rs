//! `kafka-server-start`, `kafka-server-stop` and their ZooKeeper companions over the mini broker.

use std::process::ExitCode;

use crate::output::stderr_line;

pub(super) fn start(_args: &[String]) -> ExitCode {
    stderr_line("this command is being built");
    ExitCode::FAILURE
}

pub(super) fn stop(_args: &[String]) -> ExitCode {
    stderr_line("this command is being built");
    ExitCode::FAILURE
}

/// There is no ZooKeeper: said on stderr, exit 0, so that scripts go on.
pub(super) fn start_zookeeper(_args: &[String]) -> ExitCode {
    stderr_line("this command is being built");
    ExitCode::FAILURE
}

pub(super) fn stop_zookeeper(_args: &[String]) -> ExitCode {
    stderr_line("this command is being built");
    ExitCode::FAILURE
}
