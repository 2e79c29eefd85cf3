//! The end of a tool for groups.

use std::process::ExitCode;

use super::failure::{Failure, Result};
use super::words;
use crate::commands::context::Context;
use crate::java_tools::option_table::Tool;
use crate::java_tools::usage::refuse;
use crate::output::stderr_line;

/// Java prints failures to stdout and exits with 0; only wrong usage is 1. `kind` is `consumer` or `share`.
pub fn finish(tool: &Tool, kind: &str, outcome: Result<()>, mut context: Context) -> ExitCode {
    let outcome = outcome.and_then(|()| {
        let absent = context.check_absent();
        absent.map_err(|error| Failure::executing(error.to_string()))
    });
    match outcome {
        Ok(()) | Err(Failure::ClosedPipe) => {}
        Err(Failure::Usage(message)) => {
            let _ = context.printer.flush();
            return refuse(tool, &message);
        }
        Err(Failure::Executing { message, trace, why }) => {
            // If the reader has gone, the message is lost.
            let _ = words::failure(&mut context.printer, kind, &message);
            let _ = context.printer.flush();
            if let Some(trace) = trace {
                stderr_line(trace);
            }
            if let Some(why) = why {
                stderr_line(format_args!("{}: {why}", tool.name));
            }
        }
    }
    let _ = context.printer.finish();
    ExitCode::SUCCESS
}
