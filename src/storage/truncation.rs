//! Truncates the end of a log: what a follower does whose log has diverged from its leader's (KIP-101).
//!
//! Whole batches are removed. Indexes, transaction index and producer state of the last segment are rebuilt from the
//! remaining batches, by the scan that also follows a crash.

use super::partition_log::PartitionLog;
use super::recovery;
use super::segment::Segment;
use crate::error::{Error, Result};
use crate::topic_partition::Offset;

impl PartitionLog {
    /// Removes every batch that ends at or after `offset`, and every leader epoch that begins there. A log that ends
    /// before keeps its records.
    ///
    /// # Errors
    ///
    /// An I/O error. What was removed by then stays removed.
    pub fn truncate_to(&mut self, offset: Offset, now_ms: i64) -> Result<()> {
        if offset >= self.log_end_offset {
            return self.leader_epochs.truncate_from_end(offset);
        }
        if offset <= self.first_base_offset().max(self.log_start_offset) {
            return self.truncate_fully(offset);
        }
        self.look_for_folder()?;
        let keep = self
            .segments
            .partition_point(|segment| segment.base_offset() < offset);
        delete_from(&mut self.segments, keep)?;
        if let Some(last) = self.segments.last_mut() {
            cut_segment(last, offset, now_ms)?;
        }
        recovery::recover_end(self, now_ms)?;
        if self.log_end_offset < self.log_start_offset {
            return self.truncate_fully(self.log_start_offset);
        }
        self.recovery_point = self.recovery_point.min(self.log_end_offset);
        self.cleaned_up_to = self.cleaned_up_to.map(|end| end.min(self.log_end_offset));
        Ok(())
    }

    /// Removes everything; the log then begins and ends at `offset`.
    ///
    /// # Errors
    ///
    /// An I/O error.
    pub fn truncate_fully(&mut self, offset: Offset) -> Result<()> {
        self.look_for_folder()?;
        delete_from(&mut self.segments, 0)?;
        self.segments.push(Segment::create(&self.folder, offset)?);
        self.log_start_offset = offset;
        self.log_end_offset = offset;
        self.recovery_point = offset;
        self.cleaned_up_to = None;
        self.leader_epochs.truncate_from_end(Offset::MIN)?;
        recovery::recover_end(self, 0)
    }
}

/// Deletes the segments from number `first` on, the newest first, so that a crash or an error leaves a log without a
/// gap.
pub(super) fn delete_from(segments: &mut Vec<Segment>, first: usize) -> Result<()> {
    while segments.len() > first {
        if let Some(last) = segments.last_mut() {
            last.delete()?;
        }
        segments.pop();
    }
    Ok(())
}

/// Cuts a segment off before the batch that holds `offset`, or would.
fn cut_segment(segment: &mut Segment, offset: Offset, now_ms: i64) -> Result<()> {
    let log = segment.open_log()?;
    let Some(batch) = segment.find(&log, offset)? else {
        return Ok(());
    };
    segment.open_writer(now_ms)?;
    segment
        .truncate_log(batch.position)
        .map_err(|error: Error| error.context("cannot truncate the log"))
}
