//! One piece of the input: a record that is sent, or the end of it.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::action::Fixed;
use super::{Account, Run, STEP};
use crate::client::record_sink::{HeaderView, RecordSink, RecordView};
use crate::error::{Error, Kind, Result};
use crate::input::{BadInput, ParsedRecord};

impl Run<'_> {
    /// Sends the next whole piece, or at the end of a source the rest; returns whether there was one.
    pub(super) fn send_next_piece(&mut self, at_end: bool) -> Result<bool> {
        let is_settled = self.try_next_piece(at_end)?;
        if is_settled {
            self.settle();
        }
        Ok(is_settled)
    }

    /// Nothing more is to be done for the last piece.
    fn settle(&mut self) {
        self.settled = self.number;
        if let Some(file) = &mut self.progress_file {
            file.settle();
        }
    }

    fn try_next_piece(&mut self, at_end: bool) -> Result<bool> {
        let piece = if at_end {
            self.splitter.last_piece()
        } else {
            self.splitter.next_piece()
        };
        let Some(piece) = piece else {
            return Ok(false);
        };
        self.number += 1;
        let (account, number, action) = (&mut self.account, self.number, &mut self.action);
        let parsed = action.parser.parse(piece, number);
        if let Some(file) = &mut self.progress_file {
            file.begin(piece);
            // An earlier run has sent it. It is still parsed, since the first piece may be a heading.
            if number <= file.start() {
                file.settle();
                return file.check(number).map(|()| true);
            }
        }
        let record = match parsed {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(true),
            Err(bad) => return account.refuse(piece, number, &bad).map(|()| true),
        };
        let sink = &mut *self.sink;
        let (topic, wait) = (&action.topic, action.topic_wait);
        if let Some(problem) = self.partitions.refuses(record.partition, sink, topic, wait)? {
            let bad = BadInput::new(problem);
            return account.refuse(piece, number, &bad).map(|()| true);
        }
        let too_large = self.limit.as_ref().and_then(|limit| limit.refuses(&record));
        if let Some(too_large) = too_large {
            return too_large
                .refuse(piece, &record, number, action.is_sync, account)
                .map(|()| true);
        }
        match action.fixed.send(topic, record, number, sink, account) {
            Err(error) if error.kind() == Kind::Interrupted => return Ok(false),
            outcome => outcome?,
        }
        self.has_sent()?;
        Ok(true)
    }

    /// Steps after the sink has accepted a record.
    fn has_sent(&mut self) -> Result<()> {
        self.account.sent += 1;
        self.settle();
        if self.action.is_sync {
            self.wait_for_all()?;
        }
        self.keep_pace()?;
        let ends_transaction = |count: u64| self.account.sent.is_multiple_of(count);
        if self.action.commit_every.is_some_and(ends_transaction) {
            self.commit()?;
        }
        self.prompt();
        Ok(())
    }

    /// Waits until the next record is due; incomplete batches are sent meanwhile.
    fn keep_pace(&mut self) -> Result<()> {
        let Some(pace) = &self.pace else { return Ok(()) };
        while let Some(wait) = pace.wait(self.account.sent) {
            if self.interrupt.is_raised() {
                return Ok(());
            }
            let until = Instant::now() + wait.min(STEP);
            self.sink.flush_early(Duration::ZERO, &mut self.account);
            self.sink.poll(Duration::ZERO, &mut self.account)?;
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
        }
        Ok(())
    }

    /// Waits for everything sent; in a synchronous run the first failure ends it.
    fn wait_for_all(&mut self) -> Result<()> {
        self.sink.dispatch(&mut self.account)?;
        while self.sink.in_flight() > 0 && !self.interrupt.is_raised() {
            self.sink.flush_early(STEP, &mut self.account);
            self.sink.poll(Duration::ZERO, &mut self.account)?;
            self.tell();
        }
        self.account.first_failure()
    }

    /// Commits the transaction; the next record begins another. If it was aborted, the run ends.
    fn commit(&mut self) -> Result<()> {
        self.sink.dispatch(&mut self.account)?;
        self.sink.flush(false, &mut self.account)?;
        self.account.first_failure()?;
        self.keep_progress()
    }
}

impl Fixed {
    /// Sends a record, with the fields that its text does not contain.
    fn send(
        &self,
        topic: &str,
        record: ParsedRecord<'_>,
        number: u64,
        sink: &mut dyn RecordSink,
        account: &mut Account,
    ) -> Result<()> {
        let value = if self.value_is_file {
            Some(Cow::Owned(contents(&record)?))
        } else {
            record.value
        };
        let fixed_headers = self.headers.iter().map(|(name, value)| HeaderView {
            name,
            value: value.as_deref(),
        });
        let headers: Vec<HeaderView<'_>> = if record.headers.is_empty() && self.headers.is_empty() {
            Vec::new()
        } else {
            let own = record.headers.iter().map(|(name, value)| HeaderView {
                name,
                value: value.as_deref(),
            });
            own.chain(fixed_headers).collect()
        };
        sink.send(
            &RecordView {
                topic: record.topic.as_deref().unwrap_or(topic),
                partition: record.partition.or(self.partition),
                key: record.key.as_deref().or(self.key.as_deref()),
                value: value.as_deref(),
                headers: &headers,
                timestamp: record.timestamp.or(self.timestamp),
            },
            number,
            account,
        )
    }
}

/// The contents of the file that a record's text names.
fn contents(record: &ParsedRecord<'_>) -> Result<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt as _;
    let name = record.value.as_deref().unwrap_or_default();
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(name));
    std::fs::read(path).map_err(|error| Error::from(error).context(path.display()))
}
