//! The end of a run: records that were read are delivered, and the result is reported.

use std::time::Duration;

use super::{End, Run, STEP};
use crate::error::{Error, Kind, Result};

impl Run<'_> {
    /// Delivers the records that were read, whatever ended the reading, and reports the result.
    pub(super) fn finish(mut self, outcome: Result<End>) -> Result<()> {
        let has_hope =
            !matches!(&outcome, Err(error) if matches!(error.kind(), Kind::Unreachable | Kind::Denied));
        let was_interrupted = matches!(outcome, Ok(End::Interrupted));
        // A transaction must not commit a part of the input.
        let is_partial = self.is_transactional && outcome.is_err();
        let flushed = if has_hope && !is_partial {
            self.sink.flush(was_interrupted, &mut self.account)
        } else {
            self.sink.abandon(&mut self.account);
            Ok(())
        };
        if let Some(progress) = self.progress.take() {
            progress.finish();
        }
        if matches!(&outcome, Err(error) if error.kind() == Kind::Unreachable) {
            // The error already says it.
            self.sink.take_notices();
        }
        self.tell();
        for line in self.account.last_lines(&self.action.topic) {
            self.context.printer.warn(line);
        }
        if let Some(line) = self.account.summary(&self.action, outcome.is_err()) {
            self.context.printer.note(line);
        }
        // A transaction that is interrupted is aborted.
        let has_ended = outcome.is_ok() && flushed.is_ok() && !was_interrupted;
        let kept = if has_ended || !self.is_transactional {
            self.keep_progress()
        } else {
            Ok(())
        };
        outcome?;
        flushed?;
        kept?;
        if was_interrupted {
            return Err(Error::interrupted());
        }
        self.account.verdict()
    }

    /// Waits at intervals for everything sent, and saves the progress.
    pub(super) fn save_progress(&mut self) -> Result<()> {
        let file = self.progress_file.as_ref();
        if self.is_transactional || !file.is_some_and(|file| file.is_due(self.settled)) {
            return Ok(());
        }
        while self.sink.in_flight() > 0 && !self.interrupt.is_raised() {
            self.sink.flush_early(STEP, &mut self.account);
            self.sink.poll(Duration::ZERO, &mut self.account)?;
        }
        self.keep_progress()
    }

    /// Saves the progress through the input, if all of it has arrived.
    pub(super) fn keep_progress(&mut self) -> Result<()> {
        let has_all = self.sink.in_flight() == 0 && self.account.has_delivered_all();
        match &mut self.progress_file {
            Some(file) if has_all => file.save(self.settled),
            _ => Ok(()),
        }
    }
}
