//! The beginning of a tool for groups: its command line is parsed and checked before any request.

use std::fmt::Display;
use std::process::ExitCode;

use super::failure::Result;
use crate::java_tools::option_parser::{Parsed, check_available, parse};
use crate::java_tools::option_table::Tool;
use crate::java_tools::usage::{help_or_version, refuse};
use crate::output::stderr_line;

/// Why a tool ends before it connects.
#[derive(Debug)]
pub enum Refusal {
    /// A message and the table of options.
    Usage(String),
    /// An exception that Java does not catch.
    Uncaught(String),
}

/// The command line, if it passes Java's checks; or the exit code. `only_beside` are options that need another one.
pub fn begin(
    tool: &Tool,
    args: &[String],
    only_beside: &[(&'static str, &'static [&'static str])],
    about: &str,
    check: impl FnOnce(&Parsed) -> Result<(), Refusal>,
) -> std::result::Result<Parsed, ExitCode> {
    let parsed = parse(tool.options, args).and_then(|parsed| {
        check_available(&parsed, only_beside)?;
        Ok(parsed)
    });
    let parsed = parsed.map_err(|error| uncaught(tool, error))?;
    if let Some(answer) = help_or_version(tool, &parsed, about) {
        return Err(answer);
    }
    match check(&parsed) {
        Ok(()) => Ok(parsed),
        Err(Refusal::Usage(message)) => Err(refuse(tool, &message)),
        Err(Refusal::Uncaught(message)) => Err(uncaught(tool, message)),
    }
}

fn uncaught(tool: &Tool, message: impl Display) -> ExitCode {
    stderr_line(format_args!("{}: {message}", tool.name));
    ExitCode::FAILURE
}
