//! A file of entries of one size, of any length, read through a small window.
//!
//! Owns where an entry is; its meaning belongs to the file's own module, and writing to `index_file`.

use std::fs::File;
use std::io;

use super::disk;

/// Entries read together.
const WINDOW_ENTRIES: usize = 512;

/// Entries of `N` bytes each.
#[derive(Debug)]
pub struct EntryFile<const N: usize> {
    file: File,
    /// Bytes before the first entry.
    skip: u64,
    len: u64,
    window: Vec<[u8; N]>,
    window_at: u64,
    entries_read: u64,
}

impl<const N: usize> EntryFile<N> {
    /// The whole entries of `file` after its first `skip` bytes.
    pub fn new(file: File, skip: u64) -> io::Result<Self> {
        let len = file.metadata()?.len().saturating_sub(skip) / N as u64;
        Ok(Self {
            file,
            skip,
            len,
            window: Vec::new(),
            window_at: 0,
            entries_read: 0,
        })
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Leaves out all entries but the first `len`.
    #[must_use]
    pub fn truncated(mut self, len: u64) -> Self {
        self.len = self.len.min(len);
        self
    }

    /// The entry number `at`, which must be less than [`EntryFile::len`].
    pub fn get(&mut self, at: u64) -> io::Result<[u8; N]> {
        if let Some(entry) = self.in_window(at) {
            return Ok(entry);
        }
        let entries = self.len.saturating_sub(at).min(WINDOW_ENTRIES as u64) as usize;
        self.window.clear();
        self.window.resize(entries, [0; N]);
        self.window_at = at;
        self.entries_read += entries as u64;
        let start = self.start_of(at);
        if let Err(error) = disk::read_exact_at(&self.file, self.window.as_flattened_mut(), start) {
            self.window.clear();
            return Err(error);
        }
        self.in_window(at)
            .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
    }

    /// The byte of the file at which an entry begins.
    fn start_of(&self, at: u64) -> u64 {
        self.skip + at * N as u64
    }

    /// The number of entries for which `is_before` is true, if they all precede the others. A binary search: it reads
    /// about log₂ of the number of entries.
    ///
    /// # Errors
    ///
    /// Those of reading, and of `is_before`.
    pub fn partition_point<E: From<io::Error>>(
        &mut self,
        is_before: impl Fn(&[u8; N]) -> Result<bool, E>,
    ) -> Result<u64, E> {
        let (mut from, mut to) = (0, self.len);
        while from < to {
            let middle = from + (to - from) / 2;
            let mut entry = [0; N];
            disk::read_exact_at(&self.file, &mut entry, self.start_of(middle))?;
            self.entries_read += 1;
            if is_before(&entry)? {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        Ok(from)
    }

    /// How many entries have been read from the file so far.
    pub fn entries_read(&self) -> u64 {
        self.entries_read
    }

    fn in_window(&self, at: u64) -> Option<[u8; N]> {
        let inside = usize::try_from(at.checked_sub(self.window_at)?).ok()?;
        self.window.get(inside).copied()
    }

    /// All entries in their order.
    pub fn iter(&mut self) -> impl Iterator<Item = io::Result<[u8; N]>> {
        (0..self.len).map(|at| self.get(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn every_whole_entry_is_read_from_anywhere() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"head").unwrap();
        for number in 0..1500_u32 {
            file.write_all(&number.to_be_bytes()).unwrap();
        }
        file.write_all(b"cut").unwrap();
        let mut entries = EntryFile::<4>::new(file, 4).unwrap();
        assert_eq!(entries.len(), 1500);
        for at in [0, 1499, 511, 512, 3, 1024, 1023] {
            assert_eq!(entries.get(at).unwrap(), u32::try_from(at).unwrap().to_be_bytes());
        }
        assert!(entries.get(1500).is_err());
        let all: Vec<u32> = entries
            .iter()
            .map(|entry| u32::from_be_bytes(entry.unwrap()))
            .collect();
        assert_eq!(all, (0..1500).collect::<Vec<_>>());
        assert_eq!(entries.truncated(7).iter().count(), 7);
    }
}
