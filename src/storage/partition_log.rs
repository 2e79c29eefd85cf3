//! One partition's log: its segments, append, read, and its offsets.
//!
//! Batches are stored as received: only base offset, leader epoch and, for LogAppendTime, the timestamp fields change.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::batch_reader::{BatchReader, LOOKUP_BUFFER};
use super::disk;
use super::file_name::{FileKind, file_name};
use super::leader_epochs::LeaderEpochs;
use super::log_answer::{AppendError, Appended, Origin, ReadError};
use super::log_config::{LogConfig, Recovery};
use super::log_folder::{DiskHealth, LogFolder};
use super::log_slice::LogSlice;
use super::producer_state::{ProducerError, ProducerState};
use super::segment::Segment;
use super::transaction_index::{self, AbortedTransaction};
use super::{producer_snapshot, recovery};
use crate::error::{Error, Result};
use crate::records::batch_header::{self, BatchHeader};
use crate::records::control_record::EndTransactionMarker;
use crate::records::{Batch, Records};
use crate::topic_partition::Offset;

/// A partition's log. Appends need `&mut`, reads do not; many may read at once.
#[derive(Debug)]
pub struct PartitionLog {
    pub(super) folder: Arc<LogFolder>,
    pub(super) config: LogConfig,
    /// Ascending; never empty.
    pub(super) segments: Vec<Segment>,
    pub(super) log_start_offset: Offset,
    pub(super) log_end_offset: Offset,
    pub(super) recovery_point: Offset,
    pub(super) producers: ProducerState,
    /// A transaction was aborted in a segment of this log, which may be deleted meanwhile.
    pub(super) has_aborted: bool,
    pub(super) leader_epochs: LeaderEpochs,
    /// The end of the last pass of compaction.
    pub(super) cleaned_up_to: Option<Offset>,
    /// The folder no longer belongs to this log, or a replacement of segments must be finished by the next start.
    pub(super) cleaning_is_over: bool,
    /// The folder, or the file that is appended to, was deleted or moved away.
    pub(super) is_gone: bool,
    /// End offset of the newest producer snapshot.
    pub(super) snapshot_offset: Option<Offset>,
}

impl PartitionLog {
    /// Opens the log in `folder`, which is made if missing; after a crash cuts off what is not whole.
    pub fn open(folder: &Path, config: LogConfig, recovery: Recovery, now_ms: i64) -> Result<Self> {
        Self::open_on(&DiskHealth::default(), folder, config, recovery, now_ms)
    }

    /// [`PartitionLog::open`] on a disk that other logs share: a failed sync of one affects all.
    pub(super) fn open_on(
        disk: &DiskHealth,
        folder: &Path,
        config: LogConfig,
        recovery: Recovery,
        now_ms: i64,
    ) -> Result<Self> {
        recovery::open(LogFolder::new(folder, disk), config, recovery, now_ms)
            .map_err(|error| error.context(format_args!("log {}", folder.display())))
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn config(&self) -> &LogConfig {
        &self.config
    }

    /// Changes take effect with the next append or clean-up.
    pub fn set_config(&mut self, config: LogConfig) {
        self.config = config;
    }

    pub fn log_start_offset(&self) -> Offset {
        self.log_start_offset
    }

    /// The offset that the next record gets.
    pub fn log_end_offset(&self) -> Offset {
        self.log_end_offset
    }

    /// Everything below this offset is on disk.
    pub fn recovery_point(&self) -> Offset {
        self.recovery_point
    }

    /// Bytes of all segments' log files.
    pub fn size(&self) -> u64 {
        self.segments.iter().map(Segment::size).sum()
    }

    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub fn producers(&self) -> &ProducerState {
        &self.producers
    }

    pub fn leader_epochs(&self) -> &LeaderEpochs {
        &self.leader_epochs
    }

    /// Notes where the epoch of a new leader begins, before its first append (KIP-101).
    pub fn begin_leader_epoch(&mut self, epoch: i32) -> Result<()> {
        self.leader_epochs.assign(epoch, self.log_end_offset)
    }

    /// The largest known epoch up to `epoch` and its end; `None` if unknown.
    pub fn epoch_end_offset(&self, epoch: i32) -> Option<(i32, Offset)> {
        self.leader_epochs.end_offset(epoch, self.log_end_offset)
    }

    /// Appends one whole batch, checked by the caller, at the log's end. Base offset and leader epoch are written into
    /// `batch`; a duplicate of an earlier batch is not appended, see `Appended::duplicate`.
    pub fn append(
        &mut self,
        batch: &mut [u8],
        leader_epoch: i32,
        now_ms: i64,
    ) -> Result<Appended, AppendError> {
        self.append_from(Origin::CLIENT, batch, leader_epoch, now_ms)
    }

    /// [`PartitionLog::append`] for any origin, which decides what is checked of the batch's producer.
    pub fn append_from(
        &mut self,
        origin: Origin,
        batch: &mut [u8],
        leader_epoch: i32,
        now_ms: i64,
    ) -> Result<Appended, AppendError> {
        self.check_present()?;
        let mut header = self.check_batch(batch)?;
        let repeated = matches!(origin, Origin::Client { .. })
            .then(|| self.producers.duplicate_of(&header))
            .flatten();
        if let Some(earlier) = repeated {
            return Ok(Appended {
                base_offset: earlier.first_offset(),
                last_offset: earlier.last_offset,
                log_append_time: if self.config.log_append_time {
                    earlier.timestamp
                } else {
                    -1
                },
                log_start_offset: self.log_start_offset,
                duplicate: true,
            });
        }
        header.base_offset = self.log_end_offset;
        header.partition_leader_epoch = leader_epoch;
        batch_header::set_base_offset(batch, header.base_offset);
        batch_header::set_leader_epoch(batch, leader_epoch);
        if self.config.log_append_time {
            batch_header::set_log_append_time(batch, now_ms);
            header.max_timestamp = now_ms;
        }
        let marker = end_of_transaction(&header, batch);
        self.check_producer(&header, marker, origin)?;
        let written = self.write(batch, &header, marker, now_ms);
        written.map_err(|error| self.explain(error))?;
        Ok(Appended {
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            log_append_time: if self.config.log_append_time { now_ms } else { -1 },
            log_start_offset: self.log_start_offset,
            duplicate: false,
        })
    }

    /// Appends batches as the leader wrote them: offsets, epochs and timestamps stay. Batches that the log has already
    /// are skipped; the batches must be whole.
    pub fn append_as_follower(&mut self, batches: &[u8], now_ms: i64) -> Result<(), AppendError> {
        let mut rest = batches;
        while !rest.is_empty() {
            let batch = Batch::parse(rest).map_err(|error| AppendError::Malformed(error.to_string()))?;
            rest = rest.get(batch.bytes.len()..).unwrap_or_default();
            let header = batch.header;
            if header.next_offset() <= self.log_end_offset {
                continue;
            }
            if header.magic != 2 || !batch_header::crc_is_valid(batch.bytes) {
                return Err(AppendError::Malformed(
                    "record batch of the leader is corrupt".into(),
                ));
            }
            let start = self.begin_at(header.base_offset)?;
            let marker = end_of_transaction(&header, batch.bytes);
            self.write(batch.bytes, &header, marker, now_ms)?;
            self.delete_records(start)?;
        }
        Ok(())
    }

    /// Lets an empty log begin with a batch of which the leader has deleted the first records: batches are kept whole.
    /// Returns the log start offset to set once the batch is appended.
    fn begin_at(&mut self, base_offset: Offset) -> Result<Offset, AppendError> {
        let start = self.log_start_offset;
        if base_offset >= self.log_end_offset {
            return Ok(start);
        }
        if start < self.log_end_offset {
            return Err(AppendError::Malformed(format!(
                "record batch of the leader begins at {base_offset}, before the end of the log"
            )));
        }
        self.truncate_fully(base_offset)?;
        Ok(start)
    }

    fn check_batch(&self, batch: &[u8]) -> Result<BatchHeader, AppendError> {
        let header = BatchHeader::parse(batch).map_err(|error| AppendError::Malformed(error.to_string()))?;
        if header.magic != 2 || header.size_in_bytes() != batch.len() || header.last_offset_delta < 0 {
            return Err(AppendError::Malformed(
                "not exactly one record batch of format 2".into(),
            ));
        }
        if batch.len() as u64 > self.config.segment_bytes {
            return Err(AppendError::TooLarge {
                size: batch.len(),
                segment_bytes: self.config.segment_bytes,
            });
        }
        Ok(header)
    }

    fn check_producer(
        &self,
        header: &BatchHeader,
        marker: Option<EndTransactionMarker>,
        origin: Origin,
    ) -> Result<(), ProducerError> {
        let raises_epoch = matches!(origin, Origin::Marker { raises_epoch: true });
        match (marker, origin) {
            (Some(marker), _) => self.producers.check_marker(header, marker, raises_epoch),
            (None, _) if !header.has_producer_id() => Ok(()),
            (None, Origin::Client { from_zero }) => self.producers.check_data(header, from_zero),
            (None, _) => self.producers.check_epoch(header),
        }
    }

    fn write(
        &mut self,
        batch: &[u8],
        header: &BatchHeader,
        marker: Option<EndTransactionMarker>,
        now_ms: i64,
    ) -> Result<(), AppendError> {
        self.check_disk()?;
        self.roll_if_due(batch.len() as u64, header, now_ms)?;
        // Steps that may fail come first: once the batch is in the log, the state beside it must include it.
        self.leader_epochs
            .assign(header.partition_leader_epoch, header.base_offset)?;
        self.append_with_index(batch, header, marker)?;
        self.log_end_offset = header.next_offset();
        self.producers.record(header, marker);
        let unflushed = self.log_end_offset.saturating_sub(self.recovery_point);
        if self.config.flush_each_batch || unflushed >= self.config.flush_messages {
            self.flush()?;
        }
        Ok(())
    }

    /// Appends a batch to the last segment, and the transaction that it aborts to the segment's index.
    fn append_with_index(
        &mut self,
        batch: &[u8],
        header: &BatchHeader,
        marker: Option<EndTransactionMarker>,
    ) -> Result<()> {
        let interval = self.config.index_interval_bytes;
        let Some(aborted) = self.producers.aborts(header, marker) else {
            return self.active()?.append(batch, header, interval);
        };
        let index = self.active()?.path(FileKind::TransactionIndex);
        self.has_aborted = true;
        transaction_index::append(&index, aborted)?;
        let appended = self.active()?.append(batch, header, interval);
        appended.inspect_err(|_| transaction_index::remove_last(&index))
    }

    /// The active segment, which a log always has.
    fn active(&mut self) -> Result<&mut Segment> {
        let last = self.segments.last_mut();
        last.ok_or_else(|| Error::failed("the log has no segment"))
    }

    /// Where the first segment begins: at or before the log start offset.
    pub(super) fn first_base_offset(&self) -> Offset {
        self.segments
            .first()
            .map_or(self.log_start_offset, Segment::base_offset)
    }

    fn roll_if_due(&mut self, size: u64, header: &BatchHeader, now_ms: i64) -> Result<()> {
        self.active()?.open_writer(now_ms)?;
        let config = &self.config;
        let due = self
            .segments
            .last()
            .is_some_and(|active| active.should_roll(config, size, header, now_ms));
        if due { self.roll(now_ms) } else { Ok(()) }
    }

    /// Ends the last segment and begins another at the log's end.
    pub(super) fn roll(&mut self, now_ms: i64) -> Result<()> {
        self.look_for_folder()?;
        let base_offset = self.log_end_offset;
        let sync = self.config.flush_each_batch;
        let active = self.active()?;
        active.close(sync)?;
        if active.base_offset() == base_offset {
            // The segment is empty already: it is opened again at the same base offset.
            return active.open_writer(now_ms);
        }
        self.take_snapshot()?;
        let mut segment = Segment::create(&self.folder, base_offset)?;
        segment.open_writer(now_ms)?;
        if sync {
            self.folder.sync_names()?;
        }
        self.segments.push(segment);
        Ok(())
    }

    /// Writes the producers' state as of the log's end, unless that is written.
    pub(super) fn take_snapshot(&mut self) -> Result<()> {
        if self.snapshot_offset == Some(self.log_end_offset) {
            return Ok(());
        }
        let path = self
            .folder
            .join(file_name(self.log_end_offset, FileKind::ProducerSnapshot));
        let bytes = producer_snapshot::format(self.producers.snapshot_entries());
        disk::write_new(&path, &bytes)
            .map_err(|error| Error::from(error).context(format_args!("cannot write {}", path.display())))?;
        self.snapshot_offset = Some(self.log_end_offset);
        Ok(())
    }

    /// Up to about `max_bytes` of whole batches, the one that contains `offset` first, all below `upper_bound`.
    /// With `at_least_one` the first batch is given even if it is larger; the slice is empty where nothing fits, or
    /// where `offset` is the end.
    pub fn read(
        &self,
        offset: Offset,
        max_bytes: usize,
        upper_bound: Offset,
        at_least_one: bool,
    ) -> Result<LogSlice, ReadError> {
        self.check_present()?;
        if offset < self.log_start_offset || offset > self.log_end_offset {
            return Err(ReadError::OffsetOutOfRange {
                log_start_offset: self.log_start_offset,
                log_end_offset: self.log_end_offset,
            });
        }
        if offset >= upper_bound.min(self.log_end_offset) || (max_bytes == 0 && !at_least_one) {
            return Ok(LogSlice::EMPTY);
        }
        let first = self
            .segments
            .partition_point(|segment| segment.base_offset() <= offset)
            .saturating_sub(1);
        for (at, segment) in self.segments.iter().enumerate().skip(first) {
            if segment.size() == 0 {
                continue;
            }
            let log = segment.log_for_reading()?;
            // Compaction may have removed the end of a segment: then the next segment has the batch.
            let Some(batch) = segment.find(&log, offset)? else {
                continue;
            };
            if batch.header.base_offset >= upper_bound {
                return Ok(LogSlice::EMPTY);
            }
            let next_base = self
                .segments
                .get(at + 1)
                .map_or(self.log_end_offset, Segment::base_offset);
            let end = if upper_bound >= next_base {
                segment.size()
            } else {
                segment
                    .find(&log, upper_bound)?
                    .map_or(segment.size(), |after| after.position)
            };
            let range = (batch.position, batch.end());
            let length = slice_length(segment, &log, range, end, max_bytes, at_least_one)?;
            return Ok(LogSlice {
                file: (length > 0).then_some(log),
                position: batch.position,
                length,
            });
        }
        Ok(LogSlice::EMPTY)
    }

    /// Aborted transactions that a `read_committed` reader of `offset` up to `upper_bound` must leave out.
    pub fn aborted_transactions(
        &self,
        offset: Offset,
        upper_bound: Offset,
    ) -> Result<Vec<AbortedTransaction>> {
        if !self.has_aborted {
            return Ok(Vec::new());
        }
        let first = self
            .segments
            .partition_point(|segment| segment.base_offset() <= offset)
            .saturating_sub(1);
        let mut found = Vec::new();
        for segment in self.segments.iter().skip(first) {
            let index = segment.path(FileKind::TransactionIndex);
            let (more, is_complete) = transaction_index::overlapping(&index, offset, upper_bound)?;
            found.extend(more);
            if is_complete {
                break;
            }
        }
        Ok(found)
    }

    /// The last stable offset, up to which a `read_committed` reader may read. It is never below the log start offset,
    /// even if the first records of an open transaction were deleted: a reader at the start would get
    /// `OFFSET_OUT_OF_RANGE`.
    pub fn last_stable_offset(&self, high_watermark: Offset) -> Offset {
        self.producers
            .first_unstable_offset()
            .unwrap_or(high_watermark)
            .min(high_watermark)
            .max(self.log_start_offset)
    }

    /// The high watermark moved: transactions that ended below it no longer limit the last stable offset.
    pub fn high_watermark_moved(&mut self, high_watermark: Offset) {
        self.producers.high_watermark_moved(high_watermark);
    }

    /// Syncs everything that was appended.
    pub fn flush(&mut self) -> Result<()> {
        self.look_for_folder()?;
        for segment in &mut self.segments {
            segment.sync()?;
        }
        self.recovery_point = self.log_end_offset;
        Ok(())
    }

    /// Closes the files that nobody has used since the last call.
    pub fn close_unused_files(&mut self) -> Result<()> {
        for segment in &mut self.segments {
            segment.close_unused_files()?;
        }
        Ok(())
    }

    /// Writes indexes and producer state and closes the files; the log may be appended to again afterwards. With
    /// `sync` the files are synced. A log whose folder is gone has nothing to close.
    pub fn close(&mut self, sync: bool) -> Result<()> {
        if self.look_for_folder().is_err() {
            return Ok(());
        }
        for segment in &mut self.segments {
            segment.close(sync)?;
        }
        self.take_snapshot()?;
        self.recovery_point = self.log_end_offset;
        Ok(())
    }
}

/// Bytes of a slice that starts with the batch from `position` to `batch_end`: as many whole batches as `max_bytes`
/// allows, so that nothing is sent that the reader would have to throw away.
fn slice_length(
    segment: &Segment,
    log: &File,
    (position, batch_end): (u64, u64),
    end: u64,
    max_bytes: usize,
    at_least_one: bool,
) -> Result<usize> {
    let limit = position.saturating_add(max_bytes as u64);
    if end <= limit {
        return Ok((end - position) as usize);
    }
    if batch_end > limit {
        return Ok(if at_least_one {
            (batch_end - position) as usize
        } else {
            0
        });
    }
    let known = segment.batch_start_before(limit)?.unwrap_or(0).max(batch_end);
    let mut reader = BatchReader::new(log, known, end, LOOKUP_BUFFER);
    let mut cut = known;
    while let Some(batch) = reader.next_valid()?.filter(|batch| batch.end() <= limit) {
        cut = batch.end();
    }
    Ok((cut - position) as usize)
}

/// The marker in a control batch that ends a transaction.
pub(super) fn end_of_transaction(header: &BatchHeader, batch: &[u8]) -> Option<EndTransactionMarker> {
    if !header.is_control() || !header.has_producer_id() {
        return None;
    }
    let record = Records::new(header, batch.get(batch_header::HEADER_LEN..)?)
        .next()?
        .ok()?;
    EndTransactionMarker::parse(&record)
}
