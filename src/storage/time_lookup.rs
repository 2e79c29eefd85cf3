//! Finds the first record at or after a time; reads inside batches, because only records have exact
//! timestamps.

use std::fs::File;

use super::batch_reader::{BatchPosition, BatchReader, LOOKUP_BUFFER};
use super::partition_log::PartitionLog;
use super::segment::Segment;
use crate::error::Result;
use crate::records::Batch;
use crate::topic_partition::Offset;

/// A batch is inflated to at most this many bytes to find a record in it.
const MAX_INFLATED: usize = 256 << 20;

/// A record's place in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOffset {
    /// The record's own, in milliseconds.
    pub timestamp: i64,
    pub offset: Offset,
    pub leader_epoch: i32,
}

impl PartitionLog {
    /// The first record with a timestamp of at least `timestamp`; `None` if all are older.
    pub fn offset_for_timestamp(&self, timestamp: i64) -> Result<Option<TimedOffset>> {
        for (at, segment) in self.segments.iter().enumerate() {
            let next_base = self
                .segments
                .get(at + 1)
                .map_or(self.log_end_offset, Segment::base_offset);
            let young = segment
                .largest_timestamp()?
                .is_some_and(|largest| largest.timestamp >= timestamp);
            if !young || next_base <= self.log_start_offset {
                continue;
            }
            if let Some(found) = self.search(segment, timestamp)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The first record that carries the largest timestamp; `None` for an empty log or one without timestamps.
    pub fn max_timestamp_offset(&self) -> Result<Option<TimedOffset>> {
        let mut largest = None;
        for segment in &self.segments {
            let timestamp = segment.largest_timestamp()?.map(|entry| entry.timestamp);
            largest = largest.max(timestamp);
        }
        match largest {
            Some(timestamp) => self.offset_for_timestamp(timestamp),
            None => Ok(None),
        }
    }

    fn search(&self, segment: &Segment, timestamp: i64) -> Result<Option<TimedOffset>> {
        let log = segment.open_log()?;
        // Everything up to this entry is older than `timestamp`.
        let floor = segment.time_index_floor(timestamp - 1)?;
        let from = floor
            .map_or(segment.base_offset(), |entry| entry.offset)
            .max(self.log_start_offset);
        let Some(start) = segment.find(&log, from)? else {
            return Ok(None);
        };
        let mut reader = BatchReader::new(&log, start.position, segment.size(), LOOKUP_BUFFER);
        while let Some(batch) = reader.next_valid()? {
            if batch.header.max_timestamp >= timestamp
                && let Some(found) = self.search_batch(&log, &batch, timestamp)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn search_batch(&self, log: &File, batch: &BatchPosition, timestamp: i64) -> Result<Option<TimedOffset>> {
        let mut bytes = Vec::new();
        let reader = BatchReader::new(log, 0, 0, LOOKUP_BUFFER);
        reader.read_batch(batch, &mut bytes, usize::MAX)?;
        let mut scratch = Vec::new();
        for record in Batch::parse(&bytes)?.records(&mut scratch, MAX_INFLATED)? {
            let record = record?;
            if record.timestamp >= timestamp && record.offset >= self.log_start_offset {
                return Ok(Some(TimedOffset {
                    timestamp: record.timestamp,
                    offset: record.offset,
                    leader_epoch: batch.header.partition_leader_epoch,
                }));
            }
        }
        Ok(None)
    }
}
