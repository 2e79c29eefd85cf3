//! Some whole batches of a log in a row, as a walk hands them out: in memory, yet to be read, or where the kernel keeps
//! them.
//!
//! Owns how one gets at their bytes; which batches they are, the walk knows.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::file_window::{self, FileWindow, MappedBatch};
use super::large_batch::LargeBatch;
use super::positioned::append_at;
use crate::records::batch_header::HEADER_LEN;

/// Whole batches in a row.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// Where the first of them starts in the file.
    pub position: u64,
    /// How many chunks came before.
    pub number: u64,
    /// The batches, and perhaps the beginning of the next one behind [`Chunk::len`].
    pub bytes: Vec<u8>,
    /// Bytes of the whole batches.
    pub len: usize,
    /// A batch too large to be held, alone in its chunk: `bytes` are its first, `len` is 0.
    pub large: Option<LargeBatch>,
    /// Where the batches lie instead of in `bytes`.
    pub(super) window: Option<Arc<FileWindow>>,
    /// Where `bytes` are still to be read from.
    pub(super) pending: Option<Arc<File>>,
}

impl Chunk {
    /// The first bytes of the batch at `at`, and of what follows when it has fewer than that; `copy` holds those of a
    /// chunk in place.
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

    /// Fails when what was read in place was not there: nothing that was made of it holds then.
    pub fn check(&self) -> io::Result<()> {
        self.window.as_ref().map_or(Ok(()), |window| window.check())
    }

    /// Reads the bytes, unless they have been: the work that threads sharing a walk do side by side.
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
