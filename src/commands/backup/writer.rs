//! Batches into the folders of a backup: the producer is removed; offsets, times, epochs and compression stay.

use std::path::Path;

use super::{Held, folder_of};
use crate::commands::batch_reading::{BatchVisitor, Range, Slice};
use crate::error::{Error, Result};
use crate::records::batch_builder::{BatchBuilder, BatchOptions};
use crate::records::{Header, Record, compacted_batch, recast};
use crate::storage::log_config::{LogConfig, Recovery};
use crate::storage::{PartitionLog, read_only};
use crate::topic_partition::Offset;

/// The memory for a record of a batch that is decompressed because only a part of it is kept, in bytes.
const LARGEST: usize = 1 << 30;

/// One partition that is being written.
#[derive(Debug)]
struct Slot {
    topic: String,
    partition: i32,
    log: PartitionLog,
    /// The first offset of the backup, over all runs.
    from: Offset,
    /// The first offset of this run.
    began: Offset,
    /// Everything before is in the backup, or is not a record to back up.
    next: Offset,
    /// Whether the folder held batches before this run.
    had_log: bool,
}

/// Writes the segments of all partitions.
#[derive(Debug)]
pub(super) struct Writer {
    slots: Vec<Slot>,
    pub(super) records: u64,
    pub(super) bytes: u64,
    scratch: Vec<u8>,
    batch: Vec<u8>,
}

impl Writer {
    /// Opens the folder of each range; an incomplete batch at its end, from a run that was killed, is cut off.
    pub(super) fn open(backup: &Path, ranges: &[Range]) -> Result<Self> {
        let mut slots = Vec::with_capacity(ranges.len());
        for range in ranges {
            let folder = folder_of(backup, &range.topic, range.partition);
            let segments = read_only::log_dir_file::segments(&folder);
            let from = segments.first().copied();
            let recovery = Recovery {
                log_start_offset: from.unwrap_or(range.from),
                ..Recovery::default()
            };
            let log = PartitionLog::open(&folder, LogConfig::default(), recovery, now_ms())?;
            let next = if from.is_some() {
                log.log_end_offset()
            } else {
                range.from
            };
            slots.push(Slot {
                topic: range.topic.clone(),
                partition: range.partition,
                log,
                from: from.unwrap_or(range.from),
                began: next,
                next,
                had_log: from.is_some(),
            });
        }
        Ok(Self {
            slots,
            records: 0,
            bytes: 0,
            scratch: Vec::new(),
            batch: Vec::new(),
        })
    }

    /// The offset where each partition continues; `None` for one that is not in the backup yet.
    pub(super) fn nexts(&self) -> Vec<Option<Offset>> {
        let next = |slot: &Slot| slot.had_log.then_some(slot.next);
        self.slots.iter().map(next).collect()
    }

    /// How many offsets this run has passed.
    pub(super) fn offsets_done(&self) -> Offset {
        self.slots.iter().map(|slot| slot.next - slot.began).sum()
    }

    /// The offsets that the backup holds of each partition.
    pub(super) fn held(&self) -> impl Iterator<Item = (&str, Held)> {
        self.slots.iter().map(|slot| {
            let held = Held {
                partition: slot.partition,
                from: slot.from,
                next: slot.next,
            };
            (slot.topic.as_str(), held)
        })
    }

    /// Flushes everything to the disk.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.slots.iter_mut().try_for_each(|slot| slot.log.flush())
    }

    /// The same, and writes the indexes.
    pub(super) fn close(&mut self) -> Result<()> {
        self.slots.iter_mut().try_for_each(|slot| slot.log.close(true))
    }

    /// Fills `self.batch` with the part of a batch that the backup keeps; returns its number of records.
    fn keep(&mut self, slice: &Slice<'_>) -> Result<u64> {
        let header = &slice.batch.header;
        self.batch.clear();
        if slice.is_whole() {
            self.batch.extend_from_slice(slice.batch.bytes);
            recast::forget_producer(&mut self.batch);
            return Ok(u64::try_from(header.records_count).unwrap_or_default());
        }
        let mut count = 0;
        if header.magic < 2 {
            // Each message becomes a batch of its own, so that it keeps its offset.
            let batch = &mut self.batch;
            slice.each_record(&mut self.scratch, |record| {
                count += 1;
                batch.extend_from_slice(&alone(record));
                Ok(())
            })?;
            return Ok(count);
        }
        let damaged = |error: &dyn std::fmt::Display| {
            let (topic, partition, offset) = (slice.topic, slice.partition, header.base_offset);
            Error::bad_data(format!(
                "{topic}-{partition} offset {offset}: damaged batch: {error}"
            ))
        };
        let records = slice
            .batch
            .records(&mut self.scratch, LARGEST)
            .map_err(|error| damaged(&error))?;
        let mut kept: Vec<Record<'_>> = Vec::new();
        for record in records {
            let record = record.map_err(|error| damaged(&error))?;
            if (slice.from..slice.end).contains(&record.offset) {
                kept.push(record);
            }
        }
        if !kept.is_empty() {
            let offsets = (header.base_offset.max(slice.from), slice.next() - 1);
            let horizon = header.delete_horizon_ms();
            compacted_batch::with_records_between(slice.batch, &kept, offsets, horizon, &mut self.batch)
                .map_err(|error| damaged(&error))?;
            recast::forget_producer(&mut self.batch);
        }
        Ok(kept.len() as u64)
    }
}

impl BatchVisitor for Writer {
    fn batch(&mut self, place: usize, slice: &Slice<'_>) -> Result<()> {
        let records = self.keep(slice)?;
        let Some(slot) = self.slots.get_mut(place) else {
            return Ok(());
        };
        slot.log
            .append_as_follower(&self.batch, now_ms())
            .map_err(|error| {
                Error::failed(format!("{error}"))
                    .context(format_args!("cannot write {}", slot.log.folder().display()))
            })?;
        if !self.batch.is_empty() && slot.log.log_end_offset() < slice.next() {
            let (topic, partition, offset) = (slice.topic, slice.partition, slice.batch.header.base_offset);
            return Err(Error::failed(format!(
                "{topic}-{partition} offset {offset}: the batch overlaps with what the backup holds"
            )));
        }
        slot.next = slice.next().max(slot.next);
        self.records += records;
        self.bytes += self.batch.len() as u64;
        Ok(())
    }

    fn passed(&mut self, place: usize, next: Offset) -> Result<()> {
        if let Some(slot) = self.slots.get_mut(place) {
            slot.next = slot.next.max(next);
        }
        Ok(())
    }
}

/// A batch of one record, with its offset.
fn alone(record: &Record<'_>) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        base_offset: record.offset,
        partition_leader_epoch: 0,
        ..BatchOptions::default()
    });
    let headers: Vec<Header<'_>> = record.headers.collect();
    builder.append(record.timestamp, record.key, record.value, &headers);
    builder.finish_uncompressed()
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
