//! `.index`: offset → position in the log, for about one batch in `index.interval.bytes`.

use std::path::Path;

use super::index_file::IndexFile;
use crate::error::Result;
use crate::records::batch_header::HEADER_LEN;
use crate::records::fields::{i32_at, put, u32_at};
use crate::topic_partition::Offset;

/// Bytes of an entry: the offset less the segment's base offset, and the position, four bytes each.
pub const ENTRY_LEN: usize = 8;

/// The most entries of an index of a log of `size` bytes, with an entry every `interval` bytes.
pub(super) fn entries_at_most(size: u64, interval: u64) -> usize {
    usize::try_from(size / interval.max(HEADER_LEN as u64)).unwrap_or(usize::MAX)
}

/// The batch that ends with `offset` starts at `position`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetPosition {
    pub offset: Offset,
    /// Bytes from the log file's start.
    pub position: u32,
}

impl OffsetPosition {
    /// Reads an entry of a segment that begins at `base_offset`.
    pub fn parse(entry: [u8; ENTRY_LEN], base_offset: Offset) -> Self {
        Self {
            offset: base_offset.wrapping_add(i64::from(i32_at(&entry, 0))),
            position: u32_at(&entry, 4),
        }
    }
}

/// A segment's offset index.
#[derive(Debug)]
pub struct OffsetIndex {
    base_offset: Offset,
    entries: IndexFile<ENTRY_LEN>,
}

impl OffsetIndex {
    pub fn open(path: &Path, base_offset: Offset) -> Result<Self> {
        let entries = IndexFile::open(path, |entry| i32_at(entry, 0) == 0)?;
        Ok(Self { base_offset, entries })
    }

    pub fn open_for_append(path: &Path, base_offset: Offset) -> Result<Self> {
        let entries = IndexFile::open_for_append(path, |entry| i32_at(entry, 0) == 0)?;
        Ok(Self { base_offset, entries })
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn get(&self, at: usize) -> Result<OffsetPosition> {
        self.entries
            .get(at)
            .map(|entry| OffsetPosition::parse(entry, self.base_offset))
    }

    /// All entries, one after the other.
    pub fn into_entries(self) -> impl Iterator<Item = Result<OffsetPosition>> {
        let base_offset = self.base_offset;
        let entries = self.entries.into_entries();
        entries.map(move |entry| Ok(OffsetPosition::parse(entry?, base_offset)))
    }

    pub fn last(&self) -> Result<Option<OffsetPosition>> {
        let last = self.entries.last()?;
        Ok(last.map(|entry| OffsetPosition::parse(entry, self.base_offset)))
    }

    /// The last entry whose offset is at most `offset`.
    pub fn floor(&self, offset: Offset) -> Result<Option<OffsetPosition>> {
        let base_offset = self.base_offset;
        let after = self
            .entries
            .partition_point(|entry| OffsetPosition::parse(*entry, base_offset).offset <= offset)?;
        after.checked_sub(1).map(|at| self.get(at)).transpose()
    }

    /// The last entry whose position is at most `position`.
    pub fn floor_of_position(&self, position: u64) -> Result<Option<OffsetPosition>> {
        let after = self
            .entries
            .partition_point(|entry| u64::from(OffsetPosition::parse(*entry, 0).position) <= position)?;
        after.checked_sub(1).map(|at| self.get(at)).transpose()
    }

    /// Adds an entry; `offset` is within 2³¹ of the base offset, as every offset of the segment is.
    pub fn push(&mut self, offset: Offset, position: u32) -> Result<()> {
        let mut entry = [0; ENTRY_LEN];
        put(&mut entry, 0, &((offset - self.base_offset) as i32).to_be_bytes());
        put(&mut entry, 4, &position.to_be_bytes());
        self.entries.push(entry)
    }

    /// Writes the buffered entries.
    pub fn write(&mut self) -> Result<()> {
        self.entries.write()
    }

    pub fn truncate(&mut self, len: usize) -> Result<()> {
        self.entries.truncate(len)
    }
}
