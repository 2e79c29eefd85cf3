//! Apache Kafka's own tools by name: their flags, wording, channels and exit codes over the same commands.
//!
//! Each tool has one file: an option table, the checks in Java's order, and the translation to an `Action`.

use std::ffi::OsString;
use std::process::ExitCode;

use super::multicall::JavaTool;

/// Runs a Java tool with the arguments after its name.
pub fn run(tool: JavaTool, _args: &[OsString]) -> ExitCode {
    crate::output::stderr_line(format_args!("{tool:?} is being built"));
    ExitCode::FAILURE
}
