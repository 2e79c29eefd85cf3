//! One pass of compaction over the files of a log, while the log is in use.
//!
//! The pass reads files that the log may delete at any time. Then a read fails, or the log refuses the new segment:
//! either way the pass ends and nothing has changed.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::batch_filter::{BatchFilter, LastRecord, Left, MAX_INFLATED};
use super::cleaned_segment::{CleanedSegment, CleanedWriter};
use super::dirty_range::DirtyRange;
use super::offset_map::OffsetMap;
use super::transactions::{MarkerOf, Transactions};
use crate::error::{Error, Result};
use crate::records::batch_header::crc_is_valid;
use crate::records::control_record::EndTransactionMarker;
use crate::records::{Batch, BatchHeader};
use crate::storage::batch_reader::{BatchReader, SCAN_BUFFER};
use crate::storage::file_name::{FileKind, file_name};
use crate::storage::log_config::LogConfig;
use crate::storage::log_folder::LogFolder;
use crate::storage::offset_index;
use crate::storage::transaction_index::AbortedTransaction;
use crate::topic_partition::Offset;

/// A segment that is cleaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::storage) struct Source {
    pub(in crate::storage) base_offset: Offset,
    /// Bytes of its log file.
    pub(in crate::storage) size: u64,
}

/// The work of a pass, planned while the log could not change.
#[derive(Debug)]
pub struct CleaningPlan {
    pub(in crate::storage) folder: Arc<LogFolder>,
    pub(in crate::storage) config: LogConfig,
    pub(in crate::storage) range: DirtyRange,
    /// All segments below the first uncleanable offset.
    pub(in crate::storage) sources: Vec<Source>,
    /// Transactions that were aborted in these segments.
    pub(in crate::storage) aborted: Vec<AbortedTransaction>,
    /// By producer id.
    pub(in crate::storage) last_records: std::collections::HashMap<i64, LastRecord>,
    pub(in crate::storage) delete_retention_ms: i64,
    /// Milliseconds since 1970.
    pub(in crate::storage) now_ms: i64,
}

impl CleaningPlan {
    /// The dirty bytes as a part of all bytes that can be cleaned, 0 to 1: the log with the highest ratio is cleaned
    /// first.
    pub fn dirty_ratio(&self) -> f64 {
        self.range.dirty_ratio
    }
}

/// Whether the pass may continue; called between batches.
pub type KeepGoing<'a> = &'a dyn Fn() -> bool;

/// A pass whose dirty part has been read.
#[derive(Debug)]
pub struct CleaningPass {
    folder: Arc<LogFolder>,
    config: LogConfig,
    filter: BatchFilter,
    /// Segments that are still to be rewritten.
    rest: std::vec::IntoIter<Source>,
    first_uncleanable: Offset,
}

impl CleaningPass {
    /// Reads the dirty part of the log and remembers the last offset of each key, in about `memory` bytes. Where that is
    /// not enough, the pass ends before the end of the dirty part.
    ///
    /// # Errors
    ///
    /// A file cannot be read, a batch is damaged, or `keep_going` returns false.
    pub fn begin(plan: CleaningPlan, memory: u64, keep_going: KeepGoing<'_>) -> Result<Self> {
        let mut map = OffsetMap::with_memory(memory);
        let map_end = fill(&mut map, &plan, keep_going)?;
        let sources: Vec<Source> = plan
            .sources
            .into_iter()
            .filter(|source| source.base_offset < map_end)
            .collect();
        Ok(Self {
            folder: plan.folder,
            config: plan.config,
            filter: BatchFilter {
                map,
                map_end,
                first_uncleanable: plan.range.first_uncleanable,
                transactions: Transactions::new(plan.aborted),
                last_records: plan.last_records,
                now_ms: plan.now_ms,
                delete_retention_ms: plan.delete_retention_ms,
            },
            rest: sources.into_iter(),
            first_uncleanable: plan.range.first_uncleanable,
        })
    }

    /// The log is clean up to here once every group is replaced.
    pub fn end(&self) -> Offset {
        self.filter.map_end
    }

    /// Rewrites the next group of segments as one new segment beside them; `None` after the last group.
    ///
    /// # Errors
    ///
    /// As [`CleaningPass::begin`], or a write fails; what was written is removed then.
    pub fn next_group(&mut self, keep_going: KeepGoing<'_>) -> Result<Option<CleanedSegment>> {
        let group = self.take_group();
        let Some(first) = group.first() else {
            return Ok(None);
        };
        let mut writer =
            CleanedWriter::create(&self.folder, first.base_offset, self.config.index_interval_bytes)?;
        match self.write(&group, &mut writer, keep_going) {
            Ok(()) => writer.finish(group, self.config.flush_each_batch).map(Some),
            Err(error) => {
                writer.discard();
                Err(error)
            }
        }
    }

    /// As many segments as fit into one, at least one.
    fn take_group(&mut self) -> Vec<Source> {
        let mut group: Vec<Source> = self.rest.next().into_iter().collect();
        let Some(first) = group.first().copied() else {
            return group;
        };
        let most_entries = self.config.segment_index_bytes / offset_index::ENTRY_LEN;
        let mut size = first.size;
        while let Some(next) = self.rest.as_slice().first().copied() {
            size = size.saturating_add(next.size);
            let behind = self.rest.as_slice().get(1);
            let end = behind.map_or(self.first_uncleanable, |source| source.base_offset);
            let fits = size <= self.config.segment_bytes
                && offset_index::entries_at_most(size, self.config.index_interval_bytes) <= most_entries
                && end - first.base_offset <= i64::from(i32::MAX);
            if !fits {
                break;
            }
            group.push(next);
            self.rest.next();
        }
        group
    }

    fn write(
        &mut self,
        group: &[Source],
        writer: &mut CleanedWriter,
        keep_going: KeepGoing<'_>,
    ) -> Result<()> {
        let (mut scratch, mut out) = (Vec::new(), Vec::new());
        for source in group {
            each_batch(&self.folder, *source, keep_going, |batch| {
                if !crc_is_valid(batch.bytes) {
                    return Err(damaged(&batch.header));
                }
                out.clear();
                if let Left::Some(aborted) = self.filter.filter(batch, &mut scratch, &mut out)? {
                    writer.append(&out)?;
                    if let Some(aborted) = aborted {
                        writer.append_aborted(aborted)?;
                    }
                }
                Ok(true)
            })?;
        }
        Ok(())
    }
}

/// Reads the dirty part; returns where the map ends.
fn fill(map: &mut OffsetMap, plan: &CleaningPlan, keep_going: KeepGoing<'_>) -> Result<Offset> {
    let first_dirty = plan.range.first_dirty;
    let aborted = plan.aborted.iter().copied();
    let mut transactions = Transactions::new(
        aborted
            .filter(|aborted| aborted.last_offset >= first_dirty)
            .collect(),
    );
    let mut map_end = first_dirty;
    let mut scratch = Vec::new();
    let after = plan
        .sources
        .partition_point(|source| source.base_offset <= first_dirty);
    for source in plan.sources.iter().skip(after.saturating_sub(1)) {
        let whole = each_batch(&plan.folder, *source, keep_going, |batch| {
            let header = &batch.header;
            if header.last_offset() < first_dirty && !header.is_transactional() {
                return Ok(true);
            }
            if !is_of_interest(batch, &mut transactions, &mut scratch)? {
                map_end = map_end.max(header.next_offset());
                return Ok(true);
            }
            for record in batch.records(&mut scratch, MAX_INFLATED)? {
                let record = record?;
                if let Some(key) = record.key.filter(|_| record.offset >= first_dirty) {
                    if !map.put(key, record.offset) {
                        return Ok(false);
                    }
                    map_end = record.offset + 1;
                }
            }
            map_end = map_end.max(header.next_offset());
            Ok(true)
        })?;
        if !whole {
            return Ok(map_end);
        }
    }
    Ok(plan.range.first_uncleanable)
}

/// Whether the batch has records of users that were not aborted.
fn is_of_interest(batch: &Batch<'_>, transactions: &mut Transactions, scratch: &mut Vec<u8>) -> Result<bool> {
    let header = &batch.header;
    if !header.is_control() {
        return Ok(!transactions.meet_data(header));
    }
    let marker = match batch.records(scratch, MAX_INFLATED)?.next() {
        Some(record) => EndTransactionMarker::parse(&record?),
        None => None,
    };
    let _: MarkerOf = transactions.meet_control(header, header.records_count == 0, marker);
    Ok(false)
}

/// Calls `visit` with each batch of a segment until it returns false; returns whether the end was reached.
fn each_batch(
    folder: &Path,
    source: Source,
    keep_going: KeepGoing<'_>,
    mut visit: impl FnMut(&Batch<'_>) -> Result<bool>,
) -> Result<bool> {
    let path = folder.join(file_name(source.base_offset, FileKind::Log));
    let context = |error: Error| error.context(format_args!("cannot compact {}", path.display()));
    let file = File::open(&path).map_err(|error| context(error.into()))?;
    let mut reader = BatchReader::new(&file, 0, source.size, SCAN_BUFFER);
    let mut bytes = Vec::new();
    while reader.position() < source.size {
        if !keep_going() {
            return Err(Error::failed("compaction was stopped"));
        }
        let at = reader.position();
        let cut = || context(Error::bad_data(format!("no whole batch at position {at}")));
        let position = reader.next_batch().map_err(context)?.ok_or_else(cut)?;
        let position = position.map_err(|error| context(error.into()))?;
        reader
            .read_batch(&position, &mut bytes, MAX_INFLATED)
            .map_err(context)?;
        let batch = Batch::parse(&bytes).map_err(|error| context(error.into()))?;
        if !visit(&batch).map_err(context)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn damaged(header: &BatchHeader) -> Error {
    let offset = header.base_offset;
    Error::bad_data(format!("the batch at offset {offset} has a wrong checksum"))
}
