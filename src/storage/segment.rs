//! One `.log` with its indexes: append a batch, find an offset.
//!
//! A segment that is neither appended to nor read has no open file and no index in memory; files for readers stay open
//! while they are used (`read_files`). Only the active segment, once written to, keeps its log file open, and its
//! indexes once they have entries on disk.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::batch_reader::{BatchPosition, BatchReader, LOOKUP_BUFFER};
use super::cleaner::Source;
use super::disk;
use super::file_name::{CLEANED_SUFFIX, FileKind, file_name};
use super::log_config::LogConfig;
use super::log_folder::LogFolder;
use super::offset_index::{self, OffsetIndex, OffsetPosition};
use super::read_files::{KeptFiles, ReadFiles};
use super::segment_file::SegmentFile;
use super::time_index::{self, TimeIndex, TimestampOffset};
use super::transaction_index;
use crate::error::{Error, Result};
use crate::records::batch_header::BatchHeader;
use crate::topic_partition::Offset;

/// A range of offsets of a log, in files of its own.
#[derive(Debug)]
pub struct Segment {
    folder: Arc<LogFolder>,
    base_offset: Offset,
    /// The suffix of each file's name: a segment that compaction writes does not belong to the log yet.
    suffix: &'static str,
    size: u64,
    /// Decides the part of `segment.jitter.ms` that this segment is shortened by.
    jitter_seed: u64,
    /// Something was appended that may be unsynced.
    unsynced: bool,
    writer: Option<Writer>,
    /// For readers, while there is no writer.
    read_files: KeptFiles,
}

/// What appending needs.
#[derive(Debug)]
struct Writer {
    log: SegmentFile,
    offset_index: OffsetIndex,
    time_index: TimeIndex,
    bytes_since_index_entry: u64,
    largest: TimestampOffset,
    /// Of the first batch, in milliseconds; decides when `segment.ms` has passed.
    first_timestamp: Option<i64>,
    opened_ms: i64,
    /// Something was appended since the last check.
    used: bool,
}

impl Segment {
    /// Creates the empty files of a new segment.
    pub fn create(folder: &Arc<LogFolder>, base_offset: Offset) -> Result<Self> {
        Self::existing(folder, base_offset, 0).with_files()
    }

    /// [`Segment::create`] for a segment that compaction writes and that does not belong to the log yet.
    pub(super) fn create_cleaned(folder: &Arc<LogFolder>, base_offset: Offset) -> Result<Self> {
        let segment = Self {
            suffix: CLEANED_SUFFIX,
            ..Self::existing(folder, base_offset, 0)
        };
        segment.with_files()
    }

    fn with_files(self) -> Result<Self> {
        let segment = self;
        // A leftover transaction index would make readers leave out records that were never aborted.
        transaction_index::remove(&segment.path(FileKind::TransactionIndex))?;
        for kind in [FileKind::Log, FileKind::OffsetIndex, FileKind::TimeIndex] {
            let path = segment.path(kind);
            disk::create(&path).map_err(|error| {
                Error::from(error).context(format_args!("cannot create {}", path.display()))
            })?;
        }
        Ok(segment)
    }

    /// A segment whose `.log` has `size` bytes.
    pub fn existing(folder: &Arc<LogFolder>, base_offset: Offset, size: u64) -> Self {
        Self {
            folder: Arc::clone(folder),
            base_offset,
            suffix: "",
            size,
            jitter_seed: RandomState::new().hash_one(base_offset),
            unsynced: false,
            writer: None,
            read_files: KeptFiles::default(),
        }
    }

    pub fn base_offset(&self) -> Offset {
        self.base_offset
    }

    /// What identifies the segment, unchanged, in a pass of compaction.
    pub(super) fn as_source(&self) -> Source {
        Source {
            base_offset: self.base_offset,
            size: self.size,
        }
    }

    /// Bytes of the log file.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn path(&self, kind: FileKind) -> PathBuf {
        self.folder
            .join(format!("{}{}", file_name(self.base_offset, kind), self.suffix))
    }

    /// The log file, for reading.
    pub fn open_log(&self) -> Result<Arc<File>> {
        if let Some(writer) = &self.writer {
            return Ok(Arc::clone(writer.log.file()));
        }
        let path = self.path(FileKind::Log);
        File::open(&path)
            .map(Arc::new)
            .map_err(|error| Error::from(error).context(format_args!("cannot open {}", path.display())))
    }

    /// The log file for readers, kept open for the next one.
    pub fn log_for_reading(&self) -> Result<Arc<File>> {
        match &self.writer {
            Some(writer) => Ok(Arc::clone(writer.log.file())),
            None => Ok(Arc::clone(&self.read_files()?.log)),
        }
    }

    fn read_files(&self) -> Result<Arc<ReadFiles>> {
        self.read_files.get(|| {
            Ok(ReadFiles {
                log: self.open_log()?,
                offset_index: self.open_offset_index()?,
            })
        })
    }

    /// Closes the files that neither readers nor a writer have used since the last call.
    pub fn close_unused_files(&mut self) -> Result<()> {
        self.read_files.close_unless_used();
        let used = self
            .writer
            .as_mut()
            .is_none_or(|writer| std::mem::take(&mut writer.used));
        if used { Ok(()) } else { self.close(false) }
    }

    /// Whether the log file that is appended to is still the one in the folder; true without a check while it is
    /// closed.
    pub(super) fn is_in_place(&self) -> bool {
        let Some(writer) = &self.writer else {
            return true;
        };
        let file_of = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        match (
            writer.log.file().metadata(),
            fs::metadata(self.path(FileKind::Log)),
        ) {
            (Ok(open), Ok(found)) => file_of(open) == file_of(found),
            (_, Err(error)) => error.kind() != std::io::ErrorKind::NotFound,
            _ => true,
        }
    }

    /// Opens the files for appending, unless they are open.
    pub fn open_writer(&mut self, now_ms: i64) -> Result<()> {
        if self.writer.is_some() {
            return Ok(());
        }
        self.read_files.close();
        let log = SegmentFile::open(&self.path(FileKind::Log), self.size)?;
        let first = BatchReader::new(log.file(), 0, self.size, LOOKUP_BUFFER).next_valid()?;
        let time_index = TimeIndex::open_for_append(&self.path(FileKind::TimeIndex), self.base_offset)?;
        let nothing = TimestampOffset {
            timestamp: -1,
            offset: self.base_offset,
        };
        self.writer = Some(Writer {
            offset_index: OffsetIndex::open_for_append(&self.path(FileKind::OffsetIndex), self.base_offset)?,
            largest: time_index.last()?.unwrap_or(nothing),
            time_index,
            bytes_since_index_entry: 0,
            first_timestamp: first.map(|batch| batch.header.max_timestamp),
            opened_ms: now_ms,
            used: true,
            log,
        });
        Ok(())
    }

    /// Whether a batch of `size` bytes belongs into the next segment. The writer must be open.
    pub fn should_roll(&self, config: &LogConfig, size: u64, header: &BatchHeader, now_ms: i64) -> bool {
        let Some(writer) = &self.writer else {
            return false;
        };
        if self.size == 0 {
            return header.last_offset() - self.base_offset > i64::from(i32::MAX);
        }
        let waited = match writer.first_timestamp {
            Some(first) if first >= 0 => header.max_timestamp.saturating_sub(first),
            _ => now_ms.saturating_sub(writer.opened_ms),
        };
        let offset_entries = config.segment_index_bytes / offset_index::ENTRY_LEN;
        // One entry of the time index is kept for the end of the segment.
        let time_entries = (config.segment_index_bytes / time_index::ENTRY_LEN).saturating_sub(1);
        self.size.saturating_add(size) > config.segment_bytes.min(i32::MAX as u64)
            || waited > config.segment_ms_at_most().saturating_sub(self.jitter(config))
            || writer.offset_index.len() >= offset_entries
            || writer.time_index.len() >= time_entries
            || header.last_offset() - self.base_offset > i64::from(i32::MAX)
    }

    /// By how much `segment.ms` is shortened, in milliseconds, so that segments that began together do not end
    /// together.
    fn jitter(&self, config: &LogConfig) -> i64 {
        let most = config.segment_jitter_ms.min(config.segment_ms);
        u64::try_from(most)
            .ok()
            .and_then(|most| self.jitter_seed.checked_rem(most))
            .map_or(0, |jitter| i64::try_from(jitter).unwrap_or(0))
    }

    /// Appends one batch, whose header states its final offsets and timestamps. The writer must be open.
    pub fn append(&mut self, batch: &[u8], header: &BatchHeader, index_interval_bytes: u64) -> Result<()> {
        let writer = self.writer.as_mut().ok_or_else(not_open)?;
        let position = self.size;
        writer.used = true;
        writer.log.append(batch)?;
        self.size = writer.log.len();
        self.unsynced = true;
        writer.first_timestamp.get_or_insert(header.max_timestamp);
        writer.note(header, position, index_interval_bytes);
        Ok(())
    }

    /// Appends whole batches at once, which have these headers. The writer must be open.
    pub(super) fn append_all(
        &mut self,
        batches: &[u8],
        headers: &[BatchHeader],
        interval: u64,
    ) -> Result<()> {
        let writer = self.writer.as_mut().ok_or_else(not_open)?;
        let mut position = self.size;
        writer.log.append(batches)?;
        self.size = writer.log.len();
        self.unsynced = true;
        for header in headers {
            writer.note(header, position, interval);
            position += header.size_in_bytes() as u64;
        }
        Ok(())
    }

    /// Adds a batch at `position` of the log to the indexes, as if it were appended now.
    pub(super) fn index_again(&mut self, batch: &BatchPosition, index_interval_bytes: u64) {
        if let Some(writer) = &mut self.writer {
            writer.note(&batch.header, batch.position, index_interval_bytes);
        }
    }

    /// Empties both indexes, to be filled again with [`Segment::index_again`]. The writer must be open.
    pub(super) fn clear_indexes(&mut self) -> Result<()> {
        if let Some(writer) = &mut self.writer {
            writer.offset_index.truncate(0)?;
            writer.time_index.truncate(0)?;
            writer.largest = TimestampOffset {
                timestamp: -1,
                offset: self.base_offset,
            };
            writer.bytes_since_index_entry = 0;
        }
        Ok(())
    }

    /// Truncates the log to its first `size` bytes; the caller truncates the indexes. The writer must be open.
    pub(super) fn truncate_log(&mut self, size: u64) -> Result<()> {
        if let Some(writer) = &mut self.writer {
            writer.log.truncate(size)?;
            self.size = size;
        }
        Ok(())
    }

    /// Writes the buffered index entries and closes the files. The time index ends with the segment's largest
    /// timestamp.
    ///
    /// # Errors
    ///
    /// An I/O error; then the files stay open, and the buffered entries are not lost.
    pub fn close(&mut self, sync: bool) -> Result<()> {
        if let Some(writer) = &mut self.writer {
            writer.time_index.push_if_later(writer.largest)?;
            writer.offset_index.write()?;
            writer.time_index.write()?;
            self.writer = None;
            // Index entries that were buffered until now are unsynced, even if the log is synced.
            self.unsynced = self.size > 0;
        }
        if sync { self.sync() } else { Ok(()) }
    }

    /// Whether the log file has bytes that may be unsynced.
    pub fn is_unsynced(&self) -> bool {
        self.unsynced
    }

    /// Syncs the segment. While it is open for appending the log file is enough, since recovery reads it; of a closed
    /// one recovery trusts the indexes.
    pub fn sync(&mut self) -> Result<()> {
        if !self.unsynced {
            return Ok(());
        }
        if let Some(writer) = &self.writer {
            self.folder.synced(disk::sync(writer.log.file()))?;
        } else {
            for path in self.paths_to_sync() {
                self.folder.sync_file(&path)?;
            }
        }
        self.unsynced = false;
        Ok(())
    }

    /// The files that must be synced before recovery may trust them without reading them.
    pub(super) fn paths_to_sync(&self) -> [PathBuf; 4] {
        [
            FileKind::Log,
            FileKind::OffsetIndex,
            FileKind::TimeIndex,
            FileKind::TransactionIndex,
        ]
        .map(|kind| self.path(kind))
    }

    /// Notes that the files were synced elsewhere since the last append.
    pub(super) fn set_synced(&mut self) {
        self.unsynced = false;
    }

    /// The first batch whose last offset is at least `offset`; `None` if the segment ends before.
    pub fn find(&self, log: &File, offset: Offset) -> Result<Option<BatchPosition>> {
        let from = self.with_offset_index(|index| index.floor(offset))?.flatten();
        if let Some(from) = from.filter(|from| u64::from(from.position) < self.size)
            && let Some(found) = self.walk(log, u64::from(from.position), offset)?
            // A stale index may point beyond the batch that is searched, or between two batches.
            && (found.position > u64::from(from.position) || found.header.base_offset <= from.offset)
        {
            return Ok(Some(found));
        }
        self.walk(log, 0, offset)
    }

    fn walk(&self, log: &File, position: u64, offset: Offset) -> Result<Option<BatchPosition>> {
        let mut reader = BatchReader::new(log, position, self.size, LOOKUP_BUFFER);
        while let Some(batch) = reader.next_valid()? {
            if batch.header.last_offset() >= offset {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// The largest position up to `limit` where the index knows that a batch starts.
    pub fn batch_start_before(&self, limit: u64) -> Result<Option<u64>> {
        let entry = self
            .with_offset_index(|index| index.floor_of_position(limit))?
            .flatten();
        Ok(entry.map(|entry: OffsetPosition| u64::from(entry.position)))
    }

    /// The last entry of the offset index.
    pub fn last_index_entry(&self) -> Result<Option<OffsetPosition>> {
        if let Some(writer) = &self.writer {
            return writer.offset_index.last();
        }
        match self.open_offset_index()? {
            Some(index) => index.last(),
            None => Ok(None),
        }
    }

    /// `None` where there is no index file.
    fn with_offset_index<T>(&self, look: impl FnOnce(&OffsetIndex) -> Result<T>) -> Result<Option<T>> {
        match &self.writer {
            Some(writer) => look(&writer.offset_index).map(Some),
            None => self.read_files()?.offset_index.as_ref().map(look).transpose(),
        }
    }

    fn open_offset_index(&self) -> Result<Option<OffsetIndex>> {
        match OffsetIndex::open(&self.path(FileKind::OffsetIndex), self.base_offset) {
            Ok(index) => Ok(Some(index)),
            Err(error) if error.kind() == crate::error::Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The largest timestamp of the segment and the last offset of the batch that carries it; `None` where no record
    /// has a timestamp, or where there is no time index.
    pub fn largest_timestamp(&self) -> Result<Option<TimestampOffset>> {
        if let Some(writer) = &self.writer {
            return Ok(Some(writer.largest).filter(|largest| largest.timestamp >= 0));
        }
        self.with_time_index(TimeIndex::last).map(Option::flatten)
    }

    /// The last time index entry with a timestamp of at most `timestamp`.
    pub fn time_index_floor(&self, timestamp: i64) -> Result<Option<TimestampOffset>> {
        self.with_time_index(|index| index.floor(timestamp))
            .map(Option::flatten)
    }

    fn with_time_index<T>(&self, look: impl FnOnce(&TimeIndex) -> Result<T>) -> Result<Option<T>> {
        if let Some(writer) = &self.writer {
            return look(&writer.time_index).map(Some);
        }
        match TimeIndex::open(&self.path(FileKind::TimeIndex), self.base_offset) {
            Ok(index) => look(&index).map(Some),
            Err(error) if error.kind() == crate::error::Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// When the log file was last written, in milliseconds: the segment's age where no record has a timestamp.
    pub fn modified_ms(&self) -> Result<i64> {
        let modified = fs::metadata(self.path(FileKind::Log))?.modified()?;
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// Removes the files, the log first: without it, a start and the next segment at this offset know that the others
    /// are garbage.
    ///
    /// # Errors
    ///
    /// The log file cannot be removed; then all files are as they were.
    pub fn delete(&mut self) -> Result<()> {
        for kind in FileKind::ALL {
            let path = self.path(kind);
            match disk::remove_file(&path) {
                Err(error) if kind == FileKind::Log && error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::from(error).context(format_args!("cannot delete {}", path.display())));
                }
                _ => {}
            }
        }
        self.writer = None;
        self.read_files.close();
        Ok(())
    }
}

fn not_open() -> Error {
    Error::failed("segment is not open for appending")
}

impl Writer {
    /// Adds an appended batch to the indexes. Kafka's rule: the first batch gets no entry, nor does one that follows
    /// the last entry by `interval` bytes or less. Entries that cannot be written now stay in memory: the append must
    /// not fail, since its batch is in the log, and closing reports the error if it persists.
    fn note(&mut self, header: &BatchHeader, position: u64, interval: u64) {
        if header.max_timestamp > self.largest.timestamp {
            self.largest = TimestampOffset {
                timestamp: header.max_timestamp,
                offset: header.last_offset(),
            };
        }
        if self.bytes_since_index_entry > interval {
            let _ = self.offset_index.push(header.last_offset(), position as u32);
            let _ = self.time_index.push_if_later(self.largest);
            self.bytes_since_index_entry = 0;
        }
        self.bytes_since_index_entry += header.size_in_bytes() as u64;
    }
}
