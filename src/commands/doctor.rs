//! Checks a cluster step by step, or the files of a log dir.

use super::command::{Command, Needs};
use super::context::Context;
use crate::client::checkup;
use crate::error::{Error, Result};
use crate::output::checkup::CheckupReport;

/// A check of the cluster that the settings name.
#[derive(Debug)]
pub struct Checkup;

impl Command for Checkup {
    fn needs(&self) -> Needs {
        Needs {
            cluster: true,
            warnings: true,
            // Each step has the whole time-out: a slow one does not shorten those of the others.
            lasts: true,
        }
    }

    /// The first step that fails decides the exit code.
    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        let mut report = CheckupReport::default();
        let (client, printer) = (&mut context.client, &mut context.printer);
        checkup::examine(client, &mut |finding| report.finding(&finding, printer))?;
        let (sum, failure) = report.end(printer)?;
        if let Some(kind) = failure {
            return Err(Error::new(kind, sum));
        }
        printer.note(sum);
        Ok(())
    }
}
