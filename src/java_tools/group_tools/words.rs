//! The common output of the tools for groups; `kind` is `consumer` or `share`.

use std::fmt::Display;

use crate::error::Result;
use crate::output::Printer;

/// Prints a failure of a request.
pub fn failure(printer: &mut Printer, kind: &str, message: &str) -> Result<()> {
    error(
        printer,
        format_args!("Executing {kind} group command failed due to {message}"),
    )
}

/// Prints an error after which the tool continues.
pub fn error(printer: &mut Printer, message: impl Display) -> Result<()> {
    printer.line(format_args!("\nError: {message}"))
}

/// Prints the results for groups that were to be deleted.
pub fn deleted_groups(
    printer: &mut Printer,
    kind: &str,
    deleted: &[String],
    failed: &[(String, String)],
) -> Result<()> {
    let names: Vec<String> = deleted.iter().map(|group| format!("'{group}'")).collect();
    let names = names.join(", ");
    if failed.is_empty() {
        return printer.line(format_args!(
            "Deletion of requested {kind} groups ({names}) was successful."
        ));
    }
    error(printer, format_args!("Deletion of some {kind} groups failed:"))?;
    for (group, problem) in failed {
        printer.line(format_args!(
            "* Group '{group}' could not be deleted due to: {problem}"
        ))?;
    }
    if deleted.is_empty() {
        return Ok(());
    }
    printer.line(format_args!(
        "\nThese {kind} groups were deleted successfully: {names}"
    ))
}
