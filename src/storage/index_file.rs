//! A file of entries of one size, sorted, appended to, and searched on disk: what the offset and the time index share.
//!
//! Nothing is preallocated or mapped: an idle index takes no memory, a searched one keeps the block of its last
//! search, where a reader that continues searches next. New entries are buffered until there are enough for one write,
//! or until the index is closed. After a crash the index is rebuilt from the log.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::disk;
use crate::error::{Error, Result};

/// Bytes of new entries that are written together.
const WRITE_BYTES: usize = 4096;

/// Entries that a search reads together.
const BLOCK_ENTRIES: usize = 512;

/// A range of entries of the file.
#[derive(Debug, Default)]
struct Block<const N: usize> {
    first: usize,
    entries: Vec<[u8; N]>,
}

impl<const N: usize> Block<N> {
    /// The partition point among the file's `written` entries, if this block contains it.
    fn partition_point(&self, written: usize, predicate: impl Fn(&[u8; N]) -> bool) -> Option<usize> {
        let inside = self.entries.partition_point(predicate);
        let begins = inside > 0 || self.first == 0;
        let ends = inside < self.entries.len() || self.first + self.entries.len() == written;
        (begins && ends && !self.entries.is_empty()).then_some(self.first + inside)
    }
}

/// Entries of `N` bytes each.
#[derive(Debug)]
pub struct IndexFile<const N: usize> {
    path: PathBuf,
    /// Open only once it has entries: many partitions have few records, and the number of open files is limited.
    file: Option<File>,
    /// Entries in the file, without the zeros that Apache Kafka preallocates.
    written: usize,
    waiting: Vec<[u8; N]>,
    /// The block in which the last search ended.
    block: Mutex<Block<N>>,
}

impl<const N: usize> IndexFile<N> {
    /// Opens for reading. `is_vacant` recognizes an entry that was only preallocated.
    pub fn open(path: &Path, is_vacant: impl Fn(&[u8; N]) -> bool) -> Result<Self> {
        Self::from_file(File::open(path), path, is_vacant)
    }

    /// Opens for appending; a missing file is created.
    pub fn open_for_append(path: &Path, is_vacant: impl Fn(&[u8; N]) -> bool) -> Result<Self> {
        let file = open_to_write(path);
        Self::from_file(file, path, is_vacant)
    }

    fn from_file(
        file: std::io::Result<File>,
        path: &Path,
        is_vacant: impl Fn(&[u8; N]) -> bool,
    ) -> Result<Self> {
        let context = |error: std::io::Error| cannot_open(error, path);
        let file = file.map_err(context)?;
        let len = file.metadata().map_err(context)?.len();
        let written = usize::try_from(len / N as u64).unwrap_or(usize::MAX);
        let mut index = Self {
            path: path.to_owned(),
            file: (written > 0).then_some(file),
            written,
            waiting: Vec::new(),
            block: Mutex::new(Block::default()),
        };
        if written > 1 && is_vacant(&index.get(written - 1)?) {
            // The first entry may be all zeros and still be one.
            (index.written, _) = index.narrow(1, written, 0, |entry| !is_vacant(entry))?;
        }
        Ok(index)
    }

    pub fn len(&self) -> usize {
        self.written + self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entry number `at`, which must be less than [`IndexFile::len`].
    pub fn get(&self, at: usize) -> Result<[u8; N]> {
        if let Some(waiting) = at.checked_sub(self.written) {
            return self
                .waiting
                .get(waiting)
                .copied()
                .ok_or_else(|| Error::failed("no such index entry"));
        }
        let mut entry = [0; N];
        self.read_at(&mut entry, at)?;
        Ok(entry)
    }

    /// All entries, one after the other, read a block at a time.
    pub fn into_entries(self) -> impl Iterator<Item = Result<[u8; N]>> {
        let mut block = Block::default();
        (0..self.len()).map(move |at| {
            if at >= self.written {
                return self.get(at);
            }
            if at >= block.first + block.entries.len() {
                self.read_block(&mut block, at)?;
            }
            let entry = block.entries.get(at - block.first);
            entry.copied().ok_or_else(|| Error::failed("no such index entry"))
        })
    }

    pub fn last(&self) -> Result<Option<[u8; N]>> {
        self.len().checked_sub(1).map(|last| self.get(last)).transpose()
    }

    /// The number of entries that satisfy `predicate`, if they all precede the others.
    pub fn partition_point(&self, predicate: impl Fn(&[u8; N]) -> bool) -> Result<usize> {
        if self.waiting.first().is_some_and(&predicate) {
            return Ok(self.written + self.waiting.partition_point(predicate));
        }
        let mut block = self.block.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = block.partition_point(self.written, &predicate) {
            return Ok(found);
        }
        let (first, end) = self.narrow(0, self.written, BLOCK_ENTRIES, &predicate)?;
        self.read_block(&mut block, first)?;
        let inside = block.entries.partition_point(predicate);
        Ok(first + inside.min(end - first))
    }

    /// Reads a whole block from `first` on, more than this search needs: a reader continues there.
    fn read_block(&self, block: &mut Block<N>, first: usize) -> Result<()> {
        block.first = first;
        block.entries.clear();
        block
            .entries
            .resize(BLOCK_ENTRIES.min(self.written - first), [0; N]);
        let read = self.read_at(block.entries.as_flattened_mut(), first);
        if read.is_err() {
            block.entries.clear();
        }
        read
    }

    /// Fills `bytes` from the entry `first` on; does nothing without a file.
    fn read_at(&self, bytes: &mut [u8], first: usize) -> Result<()> {
        match &self.file {
            Some(file) => Ok(disk::read_exact_at(file, bytes, (first * N) as u64)?),
            None if bytes.is_empty() => Ok(()),
            None => Err(Error::failed("no such index entry")),
        }
    }

    fn file_to_write(&mut self) -> Result<&File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => open_to_write(&self.path).map_err(|error| cannot_open(error, &self.path))?,
        };
        Ok(self.file.insert(file))
    }

    /// The first and last place where the partition point between `low` and `high` can be, at most `enough` apart.
    fn narrow(
        &self,
        mut low: usize,
        mut high: usize,
        enough: usize,
        predicate: impl Fn(&[u8; N]) -> bool,
    ) -> Result<(usize, usize)> {
        while high - low > enough {
            let middle = low.midpoint(high);
            if predicate(&self.get(middle)?) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok((low, high))
    }

    /// Adds an entry at the end.
    pub fn push(&mut self, entry: [u8; N]) -> Result<()> {
        self.waiting.push(entry);
        if self.waiting.len() * N >= WRITE_BYTES {
            self.write()
        } else {
            Ok(())
        }
    }

    /// Writes the buffered entries.
    pub fn write(&mut self) -> Result<()> {
        if !self.waiting.is_empty() {
            let position = (self.written * N) as u64;
            let waiting = std::mem::take(&mut self.waiting);
            let written = self
                .file_to_write()
                .and_then(|file| Ok(disk::write_all_at(file, waiting.as_flattened(), position)?));
            self.waiting = waiting;
            written?;
            self.written += self.waiting.len();
            self.waiting.clear();
        }
        Ok(())
    }

    /// Keeps the first `len` entries, on disk too, and cuts off what was preallocated.
    pub fn truncate(&mut self, len: usize) -> Result<()> {
        *self.block.get_mut().unwrap_or_else(PoisonError::into_inner) = Block::default();
        self.waiting.truncate(len.saturating_sub(self.written));
        self.written = self.written.min(len);
        let size = (self.written * N) as u64;
        Ok(disk::set_len(self.file_to_write()?, size)?)
    }
}

fn open_to_write(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    disk::open(&options, path)
}

fn cannot_open(error: std::io::Error, path: &Path) -> Error {
    Error::from(error).context(format_args!("cannot open {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches forwards, backwards and at random while the index grows, with blocks of earlier searches in memory.
    #[test]
    fn every_search_finds_what_a_search_without_memory_finds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("entries");
        let mut index = IndexFile::<8>::open_for_append(&path, |_| false).unwrap();
        let mut values: Vec<u64> = Vec::new();
        let mut wanted = 7_u64;
        for round in 0..6_u64 {
            for _ in 0..700 {
                let next = values.last().map_or(5, |last| last + 1 + round % 3);
                values.push(next);
                index.push(next.to_be_bytes()).unwrap();
            }
            let end = values.last().copied().unwrap() + 2;
            let forwards = (0..end).step_by(97);
            let backwards = (0..end).rev().step_by(389);
            let anywhere = (0..200).map(|_| {
                wanted = wanted.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (wanted >> 33) % end
            });
            for value in forwards.chain(backwards).chain(anywhere).chain([0, end]) {
                let found = index
                    .partition_point(|entry| u64::from_be_bytes(*entry) <= value)
                    .unwrap();
                assert_eq!(found, values.partition_point(|entry| *entry <= value), "{value}");
            }
        }
        index.truncate(1000).unwrap();
        assert_eq!(index.partition_point(|_| true).unwrap(), 1000);
    }
}
