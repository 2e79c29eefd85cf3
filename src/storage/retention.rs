//! Removes records at the start of a log: by age, by size, by request.

use super::partition_log::PartitionLog;
use super::segment::Segment;
use crate::error::{Error, Result};
use crate::topic_partition::Offset;

impl PartitionLog {
    /// Moves the log start offset to `offset`, which is between start and end. The next
    /// [`PartitionLog::apply_retention`] deletes whole segments before it. The caller writes the log dir's checkpoint.
    pub fn delete_records(&mut self, offset: Offset) -> Result<()> {
        if offset > self.log_end_offset {
            let end = self.log_end_offset;
            return Err(Error::failed(format!(
                "cannot delete records up to {offset}: the log ends at {end}"
            )));
        }
        if offset <= self.log_start_offset {
            return Ok(());
        }
        self.log_start_offset = offset;
        self.leader_epochs.truncate_from_start(offset)
    }

    /// Deletes the segments that `retention.ms`, `retention.bytes` or the log start offset no longer require, if all
    /// their records are below the high watermark. Returns how many segments were deleted.
    pub fn apply_retention(&mut self, now_ms: i64, high_watermark: Offset) -> Result<usize> {
        let count = self
            .segments_over(now_ms)?
            .min(self.segments_below(high_watermark));
        if count == 0 {
            return Ok(0);
        }
        if count == self.segments.len() {
            // All records are deleted: an empty segment continues where they end.
            self.roll(now_ms)?;
        }
        let deleted = self.delete_first(count);
        let start = self.first_base_offset();
        if start > self.log_start_offset {
            self.log_start_offset = start;
            self.leader_epochs.truncate_from_start(start)?;
        }
        deleted
    }

    /// Deletes the first `count` segments. If one cannot be deleted, those before it are gone and the rest is kept.
    fn delete_first(&mut self, count: usize) -> Result<usize> {
        let mut deleted = 0;
        let outcome = self
            .segments
            .iter_mut()
            .take(count)
            .try_for_each(|segment| segment.delete().map(|()| deleted += 1));
        self.segments.drain(..deleted);
        outcome.map(|()| deleted)
    }

    /// Removes producers without an open transaction that wrote nothing for `producer.id.expiration.ms`.
    pub fn expire_producers(&mut self, now_ms: i64) {
        let expiration_ms = self.config.producer_id_expiration_ms;
        self.producers.expire(now_ms, expiration_ms);
    }

    /// How many segments from the start may be deleted for any reason; never an empty last one.
    fn segments_over(&self, now_ms: i64) -> Result<usize> {
        let by_start = self
            .segments
            .iter()
            .skip(1)
            .take_while(|next| next.base_offset() <= self.log_start_offset);
        let mut count = by_start.count();
        if self.config.delete {
            count = count.max(self.segments_over_size());
            count = count.max(self.segments_over_age(now_ms)?);
        }
        Ok(count)
    }

    fn segments_over_size(&self) -> usize {
        let Ok(limit) = u64::try_from(self.config.retention_bytes) else {
            return 0;
        };
        let mut excess = self.size().saturating_sub(limit);
        let mut count = 0;
        for segment in self.segments.iter().filter(|segment| segment.size() > 0) {
            if segment.size() > excess {
                break;
            }
            excess -= segment.size();
            count += 1;
        }
        count
    }

    fn segments_over_age(&self, now_ms: i64) -> Result<usize> {
        if self.config.retention_ms < 0 {
            return Ok(0);
        }
        let mut count = 0;
        for segment in self.segments.iter().filter(|segment| segment.size() > 0) {
            let youngest = match segment.largest_timestamp()? {
                Some(largest) => largest.timestamp,
                None => segment.modified_ms()?,
            };
            if now_ms.saturating_sub(youngest) <= self.config.retention_ms {
                break;
            }
            count += 1;
        }
        Ok(count)
    }

    fn segments_below(&self, high_watermark: Offset) -> usize {
        let ends = self
            .segments
            .iter()
            .skip(1)
            .map(Segment::base_offset)
            .chain([self.log_end_offset]);
        ends.take_while(|end| *end <= high_watermark).count()
    }
}
