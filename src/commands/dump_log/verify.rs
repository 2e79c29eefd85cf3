//! An audit of the files, shown as it proceeds.
//!
//! Owns the exit code; problems are found by `log_audit`.

use crate::error::{Error, Result};
use crate::log_audit::{self, Limits};
use crate::output::log_dump::audit::{AuditBars, AuditReport};
use crate::output::{Printer, plural};
use crate::storage::read_only::LogDirFile;

/// Shows the problems of the files; an error if there are any.
pub(super) fn show(files: &[LogDirFile], printer: &mut Printer) -> Result<()> {
    let mut report = AuditReport::begin(printer)?;
    let mut bars = AuditBars::new(printer.is_quiet());
    let mut problems = 0;
    for finding in log_audit::audit_files(files.to_vec(), Limits::default(), &mut bars) {
        problems += finding.count();
        report.finding(&finding, printer)?;
    }
    let files = files.len() as u64;
    report.end(files, problems, printer)?;
    if problems > 0 {
        let of_all = plural(files, "file");
        return Err(Error::bad_data(format!(
            "{} in {of_all}",
            plural(problems, "problem")
        )));
    }
    Ok(())
}
