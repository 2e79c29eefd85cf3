//! Batches of a log at given positions, as kafka-dump-log looks them up from an index.
//!
//! Owns the ways in which Java's lookup fails. Reads headers through a small window, bodies only on demand.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use crate::java_tools::dump_log::words::log::java_header;
use crate::records::batch_header::{
    BatchHeader, HEADER_LEN, HEADER_UP_TO_MAGIC, LOG_OVERHEAD, MIN_LENGTH_V0, length_field,
};
use crate::records::compression::Codec;
use crate::records::message_set::Messages;
use crate::storage::large_batch::LargeBatch;
use crate::storage::positioned::fill_at;

use super::Failure;
use crate::storage::read_only::batch_bytes::{BatchBytes, HELD_INFLATED, LEGACY_LIMIT};

/// The bytes read at once if an index leads to random places, and if it leads ahead.
const WINDOW_BYTES: (usize, usize) = (256, 64 * 1024);

/// A batch found.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoundBatch {
    position: u64,
    size: u64,
    pub(super) last_offset: i64,
    header: BatchHeader,
}

/// A position in a log from which batches are looked up.
#[derive(Debug)]
pub(super) struct BatchCursor<'f> {
    log: &'f File,
    length: u64,
    path: &'f str,
    window: Vec<u8>,
    window_at: u64,
    /// The last result of [`BatchCursor::first_reaching`]: the position and the offset of the call, and the batch.
    last: Option<(i32, i64, FoundBatch)>,
    /// The position from which the log was read to its end without a failure.
    walked_from: Option<u64>,
    /// The start of a batch of that walk.
    walked_at: u64,
}

impl<'f> BatchCursor<'f> {
    pub(super) fn new(log: &'f File, length: u64, path: &'f str) -> Self {
        Self {
            log,
            length,
            path,
            window: Vec::new(),
            window_at: 0,
            last: None,
            walked_from: None,
            walked_at: 0,
        }
    }

    /// The first batch in the `size` bytes from `position` on; `None` if they hold no whole one.
    pub(super) fn first_at(&mut self, position: i32, size: i32) -> Result<Option<FoundBatch>, Failure> {
        let start = self.slice_start(position)?;
        let Ok(size) = u64::try_from(size) else {
            return Err(Failure::Java(format!(
                "Invalid size: {size} in read from {}",
                self.path
            )));
        };
        self.batch_at(start, self.length.min(start.saturating_add(size)))
    }

    /// The first batch from `position` on whose last offset is at least `offset`.
    pub(super) fn first_reaching(
        &mut self,
        position: i32,
        offset: i64,
    ) -> Result<Option<FoundBatch>, Failure> {
        let start = self.slice_start(position)?;
        self.check_to_the_end(start)?;
        let mut at = match self.last {
            Some((from, earlier, found)) if from == position && earlier <= offset => found.position,
            _ => start,
        };
        while let Some(batch) = self.batch_at(at, self.length)? {
            if batch.last_offset >= offset {
                self.last = Some((position, offset, batch));
                return Ok(Some(batch));
            }
            at = batch.position + batch.size;
        }
        Ok(None)
    }

    /// Java reads all batches from a position on before it looks at the first, and fails where one of them is corrupt.
    fn check_to_the_end(&mut self, start: u64) -> Result<(), Failure> {
        if let Some(from) = self.walked_from.filter(|from| *from <= start) {
            // The earlier walk proves this one only if a batch of it begins here; within a batch there may be any
            // bytes.
            if self.walked_at > start {
                self.walked_at = from;
            }
            while self.walked_at < start
                && let Some(batch) = self.batch_at(self.walked_at, self.length)?
            {
                self.walked_at = batch.position + batch.size;
            }
            if self.walked_at == start {
                return Ok(());
            }
        }
        let mut at = start;
        while let Some(batch) = self.batch_at(at, self.length)? {
            at = batch.position + batch.size;
        }
        if self.walked_from.is_none_or(|from| start < from) {
            self.walked_from = Some(start);
            self.walked_at = start;
        }
        Ok(())
    }

    /// The newest timestamp of a batch's records, -1 when it has none.
    pub(super) fn newest_timestamp(&self, batch: FoundBatch) -> Result<i64, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::Java(format!("{}: {error}", self.path));
        let file = self.log.try_clone().map_err(|error| failed(&error))?;
        let large = LargeBatch {
            file: Arc::new(file),
            at: batch.position,
            size: batch.size,
        };
        let mut held = Vec::new();
        let bytes = if batch.size <= HELD_INFLATED as u64 {
            let read = large.reader(0).read_to_end(&mut held);
            read.map_err(|error| failed(&error))?;
            BatchBytes::Held(&held)
        } else {
            BatchBytes::Stored(&large)
        };
        let mut newest = -1;
        if batch.header.magic < 2 && batch.header.codec() == Some(Codec::None) {
            // A single message: its key and value are not read.
            return Ok(newest.max(batch.header.max_timestamp));
        }
        if batch.header.magic < 2 {
            let (mut buffer, mut scratch) = (Vec::new(), Vec::new());
            let whole = bytes.legacy(&mut buffer).map_err(|error| failed(&error))?;
            let messages = Messages::new(&batch.header, whole, &mut scratch, LEGACY_LIMIT);
            let mut messages = messages.map_err(|error| Failure::Java(error.to_string()))?;
            // The values may be truncated, too.
            while let Some(message) = messages.next_message() {
                let message = message.map_err(|error| Failure::Java(error.to_string()))?;
                newest = newest.max(message.record.timestamp);
            }
            return Ok(newest);
        }
        if batch.header.records_count == 0 {
            return Ok(newest);
        }
        bytes.each_record(&batch.header, &mut Vec::new(), |record| {
            let record = record.map_err(|error| Failure::Java(error.to_string()))?;
            newest = newest.max(record.timestamp());
            Ok::<(), Failure>(())
        })?;
        Ok(newest)
    }

    fn slice_start(&self, position: i32) -> Result<u64, Failure> {
        match u64::try_from(position) {
            Err(_) => Err(Failure::Java(format!(
                "Invalid position: {position} in read from {}",
                self.path
            ))),
            Ok(position) if position > self.length => Err(Failure::Java(format!(
                "Slice from position {position} exceeds end position of {}",
                self.path
            ))),
            Ok(position) => Ok(position),
        }
    }

    /// The batch at `at`, which must end at `end` or before.
    fn batch_at(&mut self, at: u64, end: u64) -> Result<Option<FoundBatch>, Failure> {
        if at.saturating_add(HEADER_UP_TO_MAGIC as u64) >= end {
            return Ok(None);
        }
        let (path, bytes) = (self.path, self.bytes_at(at)?);
        let length = length_field(bytes);
        if length < MIN_LENGTH_V0 as i32 {
            return Err(Failure::Java(format!(
                "Found record size {length} smaller than minimum record overhead (14) in file {path}."
            )));
        }
        let size = LOG_OVERHEAD as u64 + length as u64;
        if at + size > end {
            return Ok(None);
        }
        let header = java_header(bytes).map_err(Failure::Java)?;
        let delta = if header.magic >= 2 {
            header.last_offset_delta
        } else {
            0
        };
        Ok(Some(FoundBatch {
            position: at,
            size,
            last_offset: header.base_offset.wrapping_add(delta.into()),
            header,
        }))
    }

    /// At least a header's bytes from `at` on, unless the log ends before that.
    fn bytes_at(&mut self, at: u64) -> Result<&[u8], Failure> {
        let inside = at
            .checked_sub(self.window_at)
            .and_then(|inside| usize::try_from(inside).ok());
        let held = inside.is_some_and(|inside| inside + HEADER_LEN <= self.window.len());
        if !held {
            let (least, most) = WINDOW_BYTES;
            let is_ahead = inside.is_some_and(|inside| inside <= self.window.len().saturating_mul(2));
            let size = if is_ahead {
                self.window.len().saturating_mul(4).clamp(least, most)
            } else {
                least
            };
            self.window.resize(size, 0);
            let filled = fill_at(self.log, at, &mut self.window);
            let filled = filled.map_err(|error| Failure::Java(format!("{}: {error}", self.path)))?;
            self.window.truncate(filled);
            self.window_at = at;
        }
        let inside = usize::try_from(at - self.window_at).unwrap_or(0);
        Ok(self.window.get(inside..).unwrap_or_default())
    }
}
