//! Walks the batches of a log file that may be larger than memory and may be growing: one bounded buffer, no batch is
//! held whole unless asked for, no length is trusted before the file has the bytes.

use std::fs::File;

use super::disk;
use super::positioned::fill_at;
use crate::error::{Error, Result};
use crate::records::batch_header::{ATTRIBUTES_AT, BatchHeader, HEADER_LEN};
use crate::records::error::BatchError;

/// Bytes read at once where batches are visited one after the other.
pub const SCAN_BUFFER: usize = 64 * 1024;
/// Bytes read at once where a few headers are looked up.
pub const LOOKUP_BUFFER: usize = 4 * 1024;

/// A batch's header and where the batch starts in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchPosition {
    pub position: u64,
    pub header: BatchHeader,
}

impl BatchPosition {
    /// Where the next batch starts.
    pub fn end(&self) -> u64 {
        self.position + self.header.size_in_bytes() as u64
    }
}

/// Reads headers from `position` on; see the module's text.
#[derive(Debug)]
pub struct BatchReader<'f> {
    file: &'f File,
    position: u64,
    end: u64,
    buffer: Vec<u8>,
    /// The position in the file of the buffer's first byte.
    buffer_at: u64,
    buffer_size: usize,
}

impl<'f> BatchReader<'f> {
    /// Visits the batches between `position` and `end`, both in bytes from the file's start.
    pub fn new(file: &'f File, position: u64, end: u64, buffer_size: usize) -> Self {
        Self {
            file,
            position,
            end,
            buffer: Vec::new(),
            buffer_at: 0,
            buffer_size: buffer_size.max(HEADER_LEN),
        }
    }

    /// Where the next batch would start: the end of the last whole one.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next batch that is whole before the end; `None` at the end and before a batch that is cut off. The inner
    /// error is about the bytes, the outer one about the disk.
    pub fn next_batch(&mut self) -> Result<Option<Result<BatchPosition, BatchError>>> {
        let position = self.position;
        let bytes = self.bytes_at(position, HEADER_LEN)?;
        let header = match BatchHeader::parse(bytes) {
            Ok(header) => header,
            Err(BatchError::Truncated { .. }) => return Ok(None),
            Err(error) => return Ok(Some(Err(error))),
        };
        let batch = BatchPosition { position, header };
        if batch.end() > self.end {
            return Ok(None);
        }
        self.position = batch.end();
        Ok(Some(Ok(batch)))
    }

    /// The next whole batch; bytes that are no batch count as the end.
    pub fn next_valid(&mut self) -> Result<Option<BatchPosition>> {
        Ok(self.next_batch()?.and_then(std::result::Result::ok))
    }

    /// Whether the batch has the checksum that it states; reads it piece by piece.
    pub fn crc_is_valid(&mut self, batch: &BatchPosition) -> Result<bool> {
        let legacy = batch.header.magic < 2;
        let mut at = batch.position + if legacy { 16 } else { ATTRIBUTES_AT as u64 };
        let mut crc = 0;
        let mut legacy_crc = crc32fast::Hasher::new();
        while at < batch.end() {
            let wanted = usize::try_from(batch.end() - at)
                .unwrap_or(usize::MAX)
                .min(self.buffer_size);
            let bytes = self.bytes_at(at, wanted)?;
            let bytes = bytes.get(..wanted.min(bytes.len())).unwrap_or_default();
            if bytes.is_empty() {
                return Ok(false);
            }
            if legacy {
                legacy_crc.update(bytes);
            } else {
                crc = crc32c::crc32c_append(crc, bytes);
            }
            at += bytes.len() as u64;
        }
        let computed = if legacy { legacy_crc.finalize() } else { crc };
        Ok(computed == batch.header.crc)
    }

    /// Reads the whole batch into `out`, which is overwritten; an error if it is larger than `limit` bytes.
    pub fn read_batch(&self, batch: &BatchPosition, out: &mut Vec<u8>, limit: usize) -> Result<()> {
        let size = batch.header.size_in_bytes();
        if size > limit {
            return Err(Error::bad_data(format!(
                "batch at position {} has {size} bytes, more than the limit of {limit}",
                batch.position
            )));
        }
        out.resize(size, 0);
        disk::read_exact_at(self.file, out, batch.position)?;
        Ok(())
    }

    /// At least `wanted` bytes from `position` on, or as many as there are before the end. `wanted` is at most the
    /// buffer's size.
    fn bytes_at(&mut self, position: u64, wanted: usize) -> Result<&[u8]> {
        let available = usize::try_from(self.end.saturating_sub(position)).unwrap_or(usize::MAX);
        let wanted = wanted.min(available);
        let offset = position
            .checked_sub(self.buffer_at)
            .map_or(usize::MAX, |offset| offset as usize);
        if self.buffer.len().saturating_sub(offset) < wanted {
            self.fill(position, available.min(self.buffer_size))?;
        }
        let offset = (position - self.buffer_at) as usize;
        Ok(self.buffer.get(offset..).unwrap_or_default())
    }

    fn fill(&mut self, position: u64, len: usize) -> Result<()> {
        self.buffer.resize(len, 0);
        self.buffer_at = position;
        let filled = fill_at(self.file, position, &mut self.buffer);
        let filled = filled.inspect_err(|_| self.buffer.clear())?;
        self.buffer.truncate(filled);
        Ok(())
    }
}
