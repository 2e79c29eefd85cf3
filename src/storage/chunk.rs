//! Some consecutive whole batches of a log, as a walk hands them out: in memory, not read yet, or in a mapped file.
//!
//! Owns the access to their bytes; the walk decides which batches they are.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::file_window::{self, FileWindow, MappedBatch};
use super::large_batch::LargeBatch;
use super::positioned::append_at;
use crate::records::batch_header::HEADER_LEN;

/// Consecutive whole batches.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// Where the first of them starts in the file.
    pub position: u64,
    /// How many chunks came before.
    pub number: u64,
    /// The batches, and perhaps the beginning of the next one after [`Chunk::len`].
    pub bytes: Vec<u8>,
    /// Bytes of the whole batches.
    pub len: usize,
    /// A batch too large to be held, alone in its chunk: `bytes` are its first, `len` is 0.
    pub large: Option<LargeBatch>,
    /// The mapped file that holds the batches, instead of `bytes`.
    pub(super) window: Option<Arc<FileWindow>>,
    /// The file that `bytes` are still to be read from.
    pub(super) pending: Option<Arc<File>>,
}

impl Chunk {
    /// The bytes from `at` on: at least as many as a header has, if available. Those of a mapped chunk are copied to
    /// `copy`.
    pub fn head<'a>(&'a self, at: usize, copy: &'a mut [u8; HEADER_LEN]) -> &'a [u8] {
        match &self.window {
            Some(window) => {
                let copied = window.copy(self.position + at as u64, copy);
                copy.get(..copied).unwrap_or_default()
            }
            None => self.bytes.get(at..).unwrap_or_default(),
        }
    }

    /// The `size` bytes of the batch at `at`.
    pub fn batch(&self, at: usize, size: usize) -> ChunkBatch<'_> {
        let size = size.min(self.len.saturating_sub(at));
        match &self.window {
            Some(window) => ChunkBatch::Mapped(window.batch(self.position + at as u64, size)),
            None => ChunkBatch::Held(self.bytes.get(at..at + size).unwrap_or_default()),
        }
    }

    /// Fails if bytes of a mapped chunk were missing when they were read: results computed from them are invalid
    /// then.
    pub fn check(&self) -> io::Result<()> {
        self.window.as_ref().map_or(Ok(()), |window| window.check())
    }

    /// Reads the bytes, unless they have been read: work that the threads of a walk do in parallel.
    pub fn load(&mut self) -> io::Result<()> {
        let Some(file) = self.pending.take() else {
            return Ok(());
        };
        self.bytes.clear();
        if append_at(&file, self.position, self.len, &mut self.bytes)? < self.len {
            return Err(file_window::cut());
        }
        Ok(())
    }
}

/// One batch of a chunk.
#[derive(Clone, Copy, Debug)]
pub enum ChunkBatch<'a> {
    Held(&'a [u8]),
    Mapped(MappedBatch<'a>),
}
