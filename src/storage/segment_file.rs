//! One `.log` file being written: append at a known end, undo what failed.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Arc;

use super::disk;
use crate::error::{Error, Result};

/// A batch that is larger is written in pieces that end at multiples of this. One write of a megabyte makes Linux look
/// for large stretches of free memory for its page cache, which costs three times what the copying itself does.
const WRITE_BYTES: u64 = 64 * 1024;

/// A file and its end, which appends move.
#[derive(Debug)]
pub struct SegmentFile {
    file: Arc<File>,
    len: u64,
}

impl SegmentFile {
    /// Opens `path` for appending after its first `len` bytes, which it must have; an empty one is created.
    pub fn open(path: &Path, len: u64) -> Result<Self> {
        let context = |error: Error| error.context(format_args!("cannot open {}", path.display()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(len == 0).truncate(false);
        let file = disk::open(&options, path).map_err(|error| context(error.into()))?;
        let found = file.metadata().map_err(|error| context(error.into()))?.len();
        if found < len {
            return Err(context(Error::bad_data(format!(
                "it has {found} bytes and should have {len}"
            ))));
        }
        Ok(Self {
            file: Arc::new(file),
            len,
        })
    }

    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes `bytes` at the end, without copying them. After a failure the file ends where it did before.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if let Err(error) = self.write_at_end(bytes) {
            // If this fails too, the next append overwrites the partial write, or recovery cuts it off.
            let _ = disk::set_len(&self.file, self.len);
            return Err(Error::from(error).context("cannot append to the log"));
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn write_at_end(&self, mut bytes: &[u8]) -> std::io::Result<()> {
        let mut position = self.len;
        while !bytes.is_empty() {
            let room = (WRITE_BYTES - position % WRITE_BYTES) as usize;
            let (piece, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            disk::write_all_at(&self.file, piece, position)?;
            position += piece.len() as u64;
            bytes = rest;
        }
        Ok(())
    }

    /// Cuts off everything after the first `len` bytes.
    pub fn truncate(&mut self, len: u64) -> Result<()> {
        disk::set_len(&self.file, len)?;
        self.len = len;
        Ok(())
    }

    /// Syncs the file.
    pub fn sync(&self) -> Result<()> {
        disk::sync(&self.file).map_err(|error| Error::from(error).context("cannot flush the log"))
    }
}
