//! Opens a log: finds the files of its folder, checks which are whole, finds the log's end and the state of its
//! producers.
//!
//! After a clean shutdown only the last segment's end is checked. After a crash everything from the recovery point on
//! is scanned, cut off after the last whole batch, and indexed again.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use super::batch_reader::{BatchPosition, BatchReader, LOOKUP_BUFFER, SCAN_BUFFER};
use super::disk;
use super::file_name::{FileKind, LEADER_EPOCHS, file_name};
use super::folder_files::{self, FolderFiles};
use super::leader_epochs::LeaderEpochs;
use super::log_config::{LogConfig, Recovery};
use super::log_folder::LogFolder;
use super::partition_log::{PartitionLog, end_of_transaction};
use super::producer_snapshot;
use super::producer_state::ProducerState;
use super::segment::Segment;
use super::transaction_index;
use super::truncation;
use crate::error::Result;
use crate::records::control_record::EndTransactionMarker;
use crate::topic_partition::Offset;

/// A marker's batch has about 80 bytes; larger batches are not read to find one.
const MAX_MARKER_BATCH: usize = 4096;

/// See [`PartitionLog::open`].
pub(super) fn open(
    folder: LogFolder,
    config: LogConfig,
    recovery: Recovery,
    now_ms: i64,
) -> Result<PartitionLog> {
    fs::create_dir_all(&*folder)?;
    let files = folder_files::list(&folder)?;
    let shared = Arc::new(folder);
    let mut log = PartitionLog {
        leader_epochs: LeaderEpochs::open(&shared.join(LEADER_EPOCHS))?,
        segments: files
            .logs
            .iter()
            .map(|(base, size)| Segment::existing(&shared, *base, *size))
            .collect(),
        folder: shared,
        config,
        log_start_offset: recovery.log_start_offset,
        log_end_offset: recovery.log_start_offset,
        recovery_point: recovery.recovery_point,
        producers: ProducerState::default(),
        has_aborted: files.has_transactions,
        cleaned_up_to: recovery.cleaned_up_to,
        cleaning_is_over: false,
        is_gone: false,
        snapshot_offset: Some(0),
    };
    // There is nothing to look for in the segment of a new log.
    let is_new = log.segments.is_empty() && !files.has_transactions;
    if log.segments.is_empty() {
        log.segments
            .push(Segment::create(&log.folder, recovery.log_start_offset)?);
    }
    let trusted = if is_new {
        log.leader_epochs.truncate_from_end(log.log_end_offset)?;
        None
    } else {
        find_untrusted(&mut log, &files, recovery, now_ms)?
    };
    let mut snapshots = files.snapshots;
    match trusted {
        None => load_producers(&mut log, &mut snapshots, now_ms, Offset::MAX)?,
        Some(at) => recover_from(&mut log, at, &mut snapshots, now_ms)?,
    }
    // The scan may have written a transaction index.
    log.has_aborted |= trusted.is_some();
    log.recovery_point = log.recovery_point.min(log.log_end_offset);
    log.cleaned_up_to = log.cleaned_up_to.map(|end| end.min(log.log_end_offset));
    if trusted.is_none() && recovery.clean_shutdown {
        log.recovery_point = log.log_end_offset;
    }
    let expiration = log.config.producer_id_expiration_ms;
    log.producers.expire(now_ms, expiration);
    settle_start(&mut log, recovery.log_start_offset)?;
    remove_stray_snapshots(&log, &snapshots);
    Ok(log)
}

/// The number of the first segment that has to be scanned; `None` if all are whole, and then the log's end is known.
fn find_untrusted(
    log: &mut PartitionLog,
    files: &FolderFiles,
    recovery: Recovery,
    now_ms: i64,
) -> Result<Option<usize>> {
    let scan_from = if recovery.clean_shutdown {
        let end = log.segments.last().map(end_of_tail).transpose()?.flatten();
        log.log_end_offset = end.unwrap_or(log.log_end_offset);
        end.is_none().then(|| log.segments.len().saturating_sub(1))
    } else {
        let after = log
            .segments
            .partition_point(|segment| segment.base_offset() <= recovery.recovery_point);
        Some(after.saturating_sub(1))
    };
    for segment in log.segments.iter_mut().take(scan_from.unwrap_or(usize::MAX)) {
        if segment.size() > 0 && !files.indexed.contains(&segment.base_offset()) {
            index_anew(segment, log.config.index_interval_bytes, now_ms)?;
        }
    }
    Ok(scan_from)
}

/// The offset after a segment's last batch, searched from its last index entry on; `None` if the segment does not end
/// with a whole batch.
fn end_of_tail(segment: &Segment) -> Result<Option<Offset>> {
    if segment.size() == 0 {
        return Ok(Some(segment.base_offset()));
    }
    let log = segment.open_log()?;
    let known = segment
        .last_index_entry()?
        .filter(|entry| u64::from(entry.position) < segment.size());
    let from = known.map_or(0, |entry| u64::from(entry.position));
    let mut reader = BatchReader::new(&log, from, segment.size(), LOOKUP_BUFFER);
    let mut end = None;
    while let Some(batch) = reader.next_valid()? {
        end = Some(batch.header.next_offset());
    }
    Ok(end.filter(|_| reader.position() == segment.size()))
}

/// Fills a whole segment's indexes from its log.
fn index_anew(segment: &mut Segment, interval: u64, now_ms: i64) -> Result<()> {
    segment.open_writer(now_ms)?;
    segment.clear_indexes()?;
    let log = segment.open_log()?;
    let mut reader = BatchReader::new(&log, 0, segment.size(), SCAN_BUFFER);
    while let Some(batch) = reader.next_valid()? {
        segment.index_again(&batch, interval);
    }
    segment.close(false)
}

/// Scans segment number `first` and all later ones; the log ends after the last whole batch.
fn recover_from(
    log: &mut PartitionLog,
    first: usize,
    snapshots: &mut BTreeSet<Offset>,
    now_ms: i64,
) -> Result<()> {
    let start = log.segments.get(first).map_or(0, Segment::base_offset);
    log.log_end_offset = start;
    load_producers(log, snapshots, now_ms, start)?;
    let mut at = first;
    while at < log.segments.len() {
        let whole = recover_segment(log, at, now_ms)?;
        at += 1;
        let gap = log
            .segments
            .get(at)
            .is_some_and(|next| next.base_offset() < log.log_end_offset);
        if !whole || gap {
            truncation::delete_from(&mut log.segments, at)?;
        }
    }
    log.leader_epochs.truncate_from_end(log.log_end_offset)
}

/// Scans the log's last segment again, and restores the state of the producers, after its end was removed.
pub(super) fn recover_end(log: &mut PartitionLog, now_ms: i64) -> Result<()> {
    let mut snapshots = folder_files::list(&log.folder)?.snapshots;
    let last = log.segments.len().saturating_sub(1);
    log.producers = ProducerState::default();
    log.snapshot_offset = Some(0);
    let start = log.segments.get(last).map_or(0, Segment::base_offset);
    // Snapshots after the start of the last segment may describe batches that were removed.
    let removed = snapshots.split_off(&start.saturating_add(1));
    for offset in removed {
        let _ = disk::remove_file(&log.folder.join(file_name(offset, FileKind::ProducerSnapshot)));
    }
    recover_from(log, last, &mut snapshots, now_ms)
}

/// Whether all of the segment's bytes are whole batches; the rest is cut off.
fn recover_segment(log: &mut PartitionLog, at: usize, now_ms: i64) -> Result<bool> {
    let interval = log.config.index_interval_bytes;
    let Some(segment) = log.segments.get_mut(at) else {
        return Ok(true);
    };
    segment.open_writer(now_ms)?;
    segment.clear_indexes()?;
    let transactions = segment.path(FileKind::TransactionIndex);
    transaction_index::remove(&transactions)?;
    let file = segment.open_log()?;
    let mut reader = BatchReader::new(&file, 0, segment.size(), SCAN_BUFFER);
    let mut end = 0;
    let mut next_offset = segment.base_offset();
    while let Some(batch) = reader.next_valid()? {
        if !is_plausible(&batch, segment.base_offset(), next_offset) || !reader.crc_is_valid(&batch)? {
            break;
        }
        segment.index_again(&batch, interval);
        let epoch = batch.header.partition_leader_epoch;
        if log.leader_epochs.latest().is_none_or(|latest| latest < epoch) {
            log.leader_epochs.assign(epoch, batch.header.base_offset)?;
        }
        if let Some(aborted) = log.producers.record(&batch.header, marker_of(&reader, &batch)?) {
            transaction_index::append(&transactions, aborted)?;
        }
        next_offset = batch.header.next_offset();
        end = batch.end();
    }
    let whole = end == segment.size();
    if !whole {
        segment.truncate_log(end)?;
    }
    // None stays open: a start with many partitions would run out of open files.
    segment.close(false)?;
    log.log_end_offset = next_offset;
    Ok(whole)
}

/// Offsets are outside the checksum: they must at least ascend and fit the segment.
fn is_plausible(batch: &BatchPosition, segment_base: Offset, next_offset: Offset) -> bool {
    let (base, last) = (batch.header.base_offset, batch.header.last_offset());
    // Formats 0 and 1 state the last offset only.
    let first_known = if batch.header.magic < 2 { last } else { base };
    first_known >= next_offset && last >= base && last - segment_base <= i64::from(i32::MAX)
}

fn marker_of(reader: &BatchReader<'_>, batch: &BatchPosition) -> Result<Option<EndTransactionMarker>> {
    if !batch.header.is_control() || batch.header.size_in_bytes() > MAX_MARKER_BATCH {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    reader.read_batch(batch, &mut bytes, MAX_MARKER_BATCH)?;
    Ok(end_of_transaction(&batch.header, &bytes))
}

/// Loads the newest valid snapshot up to `end` (or the log's end), and applies the log's batches after it.
fn load_producers(
    log: &mut PartitionLog,
    snapshots: &mut BTreeSet<Offset>,
    now_ms: i64,
    end: Offset,
) -> Result<()> {
    let end = end.min(log.log_end_offset);
    let mut from = log.first_base_offset();
    while let Some(&offset) = snapshots.range(..=end).next_back() {
        let path = log.folder.join(file_name(offset, FileKind::ProducerSnapshot));
        if let Ok(entries) = producer_snapshot::read(&path) {
            log.producers = ProducerState::from_snapshot(entries);
            log.snapshot_offset = Some(offset);
            from = offset;
            break;
        }
        // A snapshot can be made again from the log; a damaged one is of no use.
        let _ = disk::remove_file(&path);
        snapshots.remove(&offset);
    }
    let expiration = log.config.producer_id_expiration_ms;
    log.producers.expire(now_ms, expiration);
    replay_producers(log, from, end)
}

fn replay_producers(log: &mut PartitionLog, from: Offset, end: Offset) -> Result<()> {
    if from >= end {
        return Ok(());
    }
    let first = log
        .segments
        .partition_point(|segment| segment.base_offset() <= from)
        .saturating_sub(1);
    for segment in log.segments.iter().skip(first) {
        if segment.base_offset() >= end || segment.size() == 0 {
            continue;
        }
        let file = segment.open_log()?;
        let start = segment
            .find(&file, from)?
            .map_or(segment.size(), |batch| batch.position);
        let mut reader = BatchReader::new(&file, start, segment.size(), SCAN_BUFFER);
        while let Some(batch) = reader
            .next_valid()?
            .filter(|batch| batch.header.base_offset < end)
        {
            if batch.header.has_producer_id() && batch.header.base_offset >= from {
                // The row that this may return is in the segment's transaction index already.
                let _ = log.producers.record(&batch.header, marker_of(&reader, &batch)?);
            }
        }
    }
    Ok(())
}

/// Where the log starts: at its first segment, or where a request to delete records moved it.
fn settle_start(log: &mut PartitionLog, checkpointed: Offset) -> Result<()> {
    log.log_start_offset = checkpointed.max(log.first_base_offset());
    if log.log_start_offset > log.log_end_offset {
        truncation::delete_from(&mut log.segments, 0)?;
        log.segments
            .push(Segment::create(&log.folder, log.log_start_offset)?);
        log.log_end_offset = log.log_start_offset;
        log.recovery_point = log.log_start_offset;
    }
    Ok(())
}

/// Removes snapshots that are neither at the start of a segment nor at the end of the log.
fn remove_stray_snapshots(log: &PartitionLog, snapshots: &BTreeSet<Offset>) {
    let newest = snapshots.range(..=log.log_end_offset).next_back().copied();
    for &offset in snapshots {
        let starts_segment = log
            .segments
            .binary_search_by_key(&offset, Segment::base_offset)
            .is_ok();
        let stray = Some(offset) != newest && !starts_segment;
        if stray || offset > log.log_end_offset {
            // It may have been removed with its segment.
            let _ = disk::remove_file(&log.folder.join(file_name(offset, FileKind::ProducerSnapshot)));
        }
    }
}
