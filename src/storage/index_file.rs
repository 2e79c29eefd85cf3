//! A file of entries of one size, sorted, appended to, and searched on disk: what the offset and the time index share.
//!
//! Nothing is preallocated or mapped: an idle index takes no memory. New entries wait in memory until there are enough
//! for one write; whoever closes the index writes them. After a crash the index is rebuilt from the log.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::error::{Error, Result};

/// Bytes of new entries that are written together.
const WRITE_BYTES: usize = 4096;

/// Entries of `N` bytes each.
#[derive(Debug)]
pub struct IndexFile<const N: usize> {
    file: File,
    /// Entries in the file, without the zeros that Apache Kafka preallocates.
    written: usize,
    waiting: Vec<[u8; N]>,
}

impl<const N: usize> IndexFile<N> {
    /// Opens for reading. `is_vacant` tells an entry that was only preallocated.
    pub fn open(path: &Path, is_vacant: impl Fn(&[u8; N]) -> bool) -> Result<Self> {
        Self::from_file(File::open(path), path, is_vacant)
    }

    /// Opens for appending; a missing file is created.
    pub fn open_for_append(path: &Path, is_vacant: impl Fn(&[u8; N]) -> bool) -> Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        Self::from_file(file, path, is_vacant)
    }

    fn from_file(
        file: std::io::Result<File>,
        path: &Path,
        is_vacant: impl Fn(&[u8; N]) -> bool,
    ) -> Result<Self> {
        let context = |error: std::io::Error| {
            Error::from(error).context(format_args!("cannot open {}", path.display()))
        };
        let file = file.map_err(context)?;
        let len = file.metadata().map_err(context)?.len();
        let written = usize::try_from(len / N as u64).unwrap_or(usize::MAX);
        let mut index = Self {
            file,
            written,
            waiting: Vec::new(),
        };
        if written > 1 && is_vacant(&index.get(written - 1)?) {
            // The first entry may be all zeros and still be one.
            let filled = index.partition_point_between(1, written, |entry| !is_vacant(entry))?;
            index.written = filled;
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
        self.file.read_exact_at(&mut entry, (at * N) as u64)?;
        Ok(entry)
    }

    pub fn last(&self) -> Result<Option<[u8; N]>> {
        self.len().checked_sub(1).map(|last| self.get(last)).transpose()
    }

    /// How many entries from the start satisfy `predicate`, all of which stand before those that do not.
    pub fn partition_point(&self, predicate: impl Fn(&[u8; N]) -> bool) -> Result<usize> {
        if self.waiting.first().is_some_and(&predicate) {
            return Ok(self.written + self.waiting.partition_point(predicate));
        }
        self.partition_point_between(0, self.written, predicate)
    }

    fn partition_point_between(
        &self,
        mut low: usize,
        mut high: usize,
        predicate: impl Fn(&[u8; N]) -> bool,
    ) -> Result<usize> {
        while low < high {
            let middle = low.midpoint(high);
            if predicate(&self.get(middle)?) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// Adds an entry behind the others.
    pub fn push(&mut self, entry: [u8; N]) -> Result<()> {
        self.waiting.push(entry);
        if self.waiting.len() * N >= WRITE_BYTES {
            self.write()
        } else {
            Ok(())
        }
    }

    /// Writes the entries that wait.
    pub fn write(&mut self) -> Result<()> {
        if !self.waiting.is_empty() {
            self.file
                .write_all_at(self.waiting.as_flattened(), (self.written * N) as u64)?;
            self.written += self.waiting.len();
            self.waiting.clear();
        }
        Ok(())
    }

    /// Keeps the first `len` entries, on disk too, and cuts off what was preallocated.
    pub fn truncate(&mut self, len: usize) -> Result<()> {
        self.waiting.truncate(len.saturating_sub(self.written));
        self.written = self.written.min(len);
        self.file.set_len((self.written * N) as u64)?;
        Ok(())
    }

    /// Writes everything and makes it last through a power cut.
    pub fn sync(&mut self) -> Result<()> {
        self.write()?;
        self.file.sync_data()?;
        Ok(())
    }
}
