//! What a broker's recovery makes of a log after a crash: Kafka's `LogLoader` and `LogSegment.recover`, as far as
//! their outcome shows.
//!
//! Owns what becomes of a log whose batches have the checksums that they state. Where a checksum does not hold,
//! recovery cuts the log off, which is `log_check`'s to say.

use crate::records::batch_header::BatchHeader;

/// Kafka's default of `index.interval.bytes`.
const INDEX_INTERVAL: u64 = 4096;

/// What recovery does with a segment whose bytes are those that were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The segment stays as it is.
    Kept,
    /// An index refuses an offset: the segment is emptied.
    Emptied,
    /// Nobody catches what recovery throws.
    CannotStart,
}

/// A recovery that has come as far as the batches it was shown.
#[derive(Debug)]
pub(super) struct Recovery {
    base_offset: i64,
    /// Where the batch stands that was entered into the index last.
    last_entry_at: u64,
    /// The offset of the last entry in the offset index.
    last_entry: Option<i64>,
    /// The newest time so far, and the offset it is of.
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

    /// Whether an index can state the batch's last offset.
    pub(super) fn reaches(&self, header: &BatchHeader) -> bool {
        let relative = header.last_offset().checked_sub(self.base_offset);
        relative.is_some_and(|relative| (0..=i64::from(i32::MAX)).contains(&relative))
    }

    /// Recovery ends here with an exception.
    pub(super) fn cannot_start(&mut self) {
        if self.fate == Fate::Kept {
            self.fate = Fate::CannotStart;
        }
    }

    /// The next batch, which stands at `position`.
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
