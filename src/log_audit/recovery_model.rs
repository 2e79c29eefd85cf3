//! What a broker's recovery does with a log after a crash: the outcome of Kafka's `LogLoader` and `LogSegment.recover`.
//!
//! Owns the outcome for a log whose checksums match. Where one does not, recovery truncates the log: see `log_check`.

use crate::records::batch_header::BatchHeader;

/// Kafka's default of `index.interval.bytes`.
const INDEX_INTERVAL: u64 = 4096;

/// What recovery does with a segment whose checksums match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The segment is kept as it is.
    Kept,
    /// An index refuses an offset: the segment is emptied.
    Emptied,
    /// Recovery throws an exception that nothing catches: the broker does not start.
    CannotStart,
}

/// A recovery, as far as the batches that have been given to it.
#[derive(Debug)]
pub(super) struct Recovery {
    base_offset: i64,
    /// The position of the batch that was entered into the index last, in bytes from the start of the log.
    last_entry_at: u64,
    /// The offset of the last entry in the offset index.
    last_entry: Option<i64>,
    /// The newest timestamp so far, and the last offset of its batch.
    newest: Option<(i64, i64)>,
    /// The last entry in the time index.
    last_time_entry: Option<(i64, i64)>,
    fate: Fate,
}

impl Recovery {
    pub(super) fn new(base_offset: i64) -> Self {
        Self {
            base_offset,
            last_entry_at: 0,
            last_entry: None,
            newest: None,
            last_time_entry: None,
            fate: Fate::Kept,
        }
    }

    pub(super) fn fate(&self) -> Fate {
        self.fate
    }

    /// Whether the last offset of a batch is near enough to the base offset for an index.
    pub(super) fn reaches(&self, header: &BatchHeader) -> bool {
        let relative = header.last_offset().checked_sub(self.base_offset);
        relative.is_some_and(|relative| (0..=i64::from(i32::MAX)).contains(&relative))
    }

    /// Recovery throws an exception here.
    pub(super) fn cannot_start(&mut self) {
        if self.fate == Fate::Kept {
            self.fate = Fate::CannotStart;
        }
    }

    /// The next batch, `position` bytes from the start of the log.
    pub(super) fn batch(&mut self, header: &BatchHeader, position: u64) {
        if self.fate != Fate::Kept {
            return;
        }
        if !self.reaches(header) {
            self.fate = Fate::CannotStart;
            return;
        }
        let last_offset = header.last_offset();
        if self
            .newest
            .is_none_or(|(newest, _)| header.max_timestamp > newest)
        {
            self.newest = Some((header.max_timestamp, last_offset));
        }
        if position - self.last_entry_at <= INDEX_INTERVAL {
            return;
        }
        let newest_offset = self.newest.map_or(last_offset, |(_, offset)| offset);
        let is_refused = self.last_entry.is_some_and(|last| last_offset <= last)
            || self
                .last_time_entry
                .is_some_and(|(_, offset)| newest_offset < offset);
        if is_refused {
            self.fate = Fate::Emptied;
            return;
        }
        self.last_entry = Some(last_offset);
        self.last_entry_at = position;
        if self.newest.map(|(newest, _)| newest) > self.last_time_entry.map(|(newest, _)| newest) {
            self.last_time_entry = self.newest;
        }
    }
}
