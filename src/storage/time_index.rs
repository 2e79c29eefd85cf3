//! `.timeindex`: the largest timestamp so far → the offset of the batch that carried it.

use std::path::Path;

use super::index_file::IndexFile;
use crate::error::Result;
use crate::records::fields::{i32_at, i64_at, put};
use crate::topic_partition::Offset;

/// Bytes of an entry: the timestamp in eight, the offset less the segment's base offset in four.
pub const ENTRY_LEN: usize = 12;

/// No record up to `offset` is younger than `timestamp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampOffset {
    /// Milliseconds.
    pub timestamp: i64,
    pub offset: Offset,
}

impl TimestampOffset {
    /// Reads an entry of a segment that begins at `base_offset`.
    pub fn parse(entry: [u8; ENTRY_LEN], base_offset: Offset) -> Self {
        Self {
            timestamp: i64_at(&entry, 0),
            offset: base_offset.wrapping_add(i64::from(i32_at(&entry, 8))),
        }
    }
}

/// A segment's time index.
#[derive(Debug)]
pub struct TimeIndex {
    base_offset: Offset,
    entries: IndexFile<ENTRY_LEN>,
    last_timestamp: Option<i64>,
}

impl TimeIndex {
    pub fn open(path: &Path, base_offset: Offset) -> Result<Self> {
        Self::with_entries(IndexFile::open(path, is_vacant)?, base_offset)
    }

    pub fn open_for_append(path: &Path, base_offset: Offset) -> Result<Self> {
        Self::with_entries(IndexFile::open_for_append(path, is_vacant)?, base_offset)
    }

    fn with_entries(entries: IndexFile<ENTRY_LEN>, base_offset: Offset) -> Result<Self> {
        let last = entries.last()?;
        Ok(Self {
            base_offset,
            last_timestamp: last.map(|entry| i64_at(&entry, 0)),
            entries,
        })
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn get(&self, at: usize) -> Result<TimestampOffset> {
        self.entries
            .get(at)
            .map(|entry| TimestampOffset::parse(entry, self.base_offset))
    }

    /// All entries, one after the other.
    pub fn into_entries(self) -> impl Iterator<Item = Result<TimestampOffset>> {
        let base_offset = self.base_offset;
        let entries = self.entries.into_entries();
        entries.map(move |entry| Ok(TimestampOffset::parse(entry?, base_offset)))
    }

    pub fn last(&self) -> Result<Option<TimestampOffset>> {
        let last = self.entries.last()?;
        Ok(last.map(|entry| TimestampOffset::parse(entry, self.base_offset)))
    }

    /// The last entry whose timestamp is at most `timestamp`.
    pub fn floor(&self, timestamp: i64) -> Result<Option<TimestampOffset>> {
        let after = self
            .entries
            .partition_point(|entry| i64_at(entry, 0) <= timestamp)?;
        after.checked_sub(1).map(|at| self.get(at)).transpose()
    }

    /// Adds an entry unless the timestamp is no larger than the last one's; a segment without timestamps has none.
    pub fn push_if_later(&mut self, entry: TimestampOffset) -> Result<()> {
        if entry.timestamp <= self.last_timestamp.unwrap_or(-1) {
            return Ok(());
        }
        let mut bytes = [0; ENTRY_LEN];
        let relative = (entry.offset - self.base_offset) as i32;
        put(&mut bytes, 0, &entry.timestamp.to_be_bytes());
        put(&mut bytes, 8, &relative.to_be_bytes());
        self.last_timestamp = Some(entry.timestamp);
        self.entries.push(bytes)
    }

    /// Writes the buffered entries.
    pub fn write(&mut self) -> Result<()> {
        self.entries.write()
    }

    pub fn truncate(&mut self, len: usize) -> Result<()> {
        self.entries.truncate(len)?;
        self.last_timestamp = self.last()?.map(|entry| entry.timestamp);
        Ok(())
    }
}

fn is_vacant(entry: &[u8; ENTRY_LEN]) -> bool {
    *entry == [0; ENTRY_LEN]
}
