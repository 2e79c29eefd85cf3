//! Pieces that are values and nothing else, sent many at a time: the fast path for files of lines.

use super::Run;
use crate::client::record_sink::RecordView;
use crate::error::{Kind, Result};

/// How many pieces are passed on with one call.
const AT_ONCE: usize = 512;

impl Run<'_> {
    /// Whether each piece is the value of a record without fields of its own.
    fn is_plain(&self) -> bool {
        let (action, fixed) = (&self.action, &self.action.fixed);
        let is_bare = fixed.key.is_none() && fixed.headers.is_empty() && fixed.timestamp.is_none();
        let goes_one_by_one =
            action.is_sync || action.prompts || action.limit.is_some() || action.commit_every.is_some();
        let goes_one_by_one = goes_one_by_one || action.rate.is_some();
        action.parser.takes_all_as_values() && is_bare && !fixed.value_is_file && !goes_one_by_one
    }

    /// Sends whole pieces up to one that needs the general path; returns false when an interrupt ended it.
    pub(super) fn send_plain_pieces(&mut self) -> Result<bool> {
        let pieces_are_passed_over = self
            .progress_file
            .as_ref()
            .is_some_and(|file| self.number < file.start());
        if !self.is_plain() || pieces_are_passed_over {
            return Ok(true);
        }
        let mut places = Vec::with_capacity(AT_ONCE);
        loop {
            places.clear();
            self.splitter.next_pieces(&mut places);
            let bytes = self.splitter.bytes();
            let values = places.iter().filter_map(|place| bytes.get(place.clone()));
            let fits = |value: &&[u8]| self.limit.as_ref().is_none_or(|limit| limit.takes(value.len()));
            let records: Vec<RecordView<'_>> = values
                .take_while(fits)
                .map(|value| RecordView {
                    topic: &self.action.topic,
                    partition: self.action.fixed.partition,
                    key: None,
                    value: Some(value),
                    headers: &[],
                    timestamp: None,
                })
                .collect();
            let outcome = self.sink.send_all(&records, self.number + 1, &mut self.account);
            let (taken, outcome) = match outcome {
                Ok(()) => (records.len(), Ok(())),
                Err((taken, error)) => (taken, Err(error)),
            };
            if let Some(file) = &mut self.progress_file {
                for value in records.iter().take(taken).filter_map(|record| record.value) {
                    file.begin(value);
                    file.settle();
                }
            }
            self.number += taken as u64;
            self.settled = self.number;
            self.account.sent += taken as u64;
            if let Some(next) = places.get(taken) {
                self.splitter.unread_from(next.start);
            }
            match outcome {
                Err(error) if error.kind() == Kind::Interrupted => return Ok(false),
                outcome => outcome?,
            }
            if taken < places.len() || places.is_empty() {
                return Ok(true);
            }
        }
    }
}
