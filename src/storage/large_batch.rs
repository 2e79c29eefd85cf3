//! A batch too large to be held: where it is in a file, and readers over it that start anywhere.
//!
//! Owns positioned reading and the checksum; what the bytes mean belongs to `records`.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::records::batch_header::{BatchHeader, crc_covers_from};

/// Bytes read at once.
const BUFFER_BYTES: usize = 128 * 1024;

/// A whole batch in a file.
#[derive(Clone, Debug)]
pub struct LargeBatch {
    pub file: Arc<File>,
    /// Where it starts in `file`, which for a pipe is a temporary file and not the log.
    pub at: u64,
    /// Bytes of the whole batch.
    pub size: u64,
}

impl LargeBatch {
    /// Its bytes from `skip` on. A file cut in the meantime ends early.
    pub fn reader(&self, skip: u64) -> BufReader<LargeReader> {
        BufReader::with_capacity(
            BUFFER_BYTES,
            LargeReader {
                file: Arc::clone(&self.file),
                at: self.at.saturating_add(skip),
                end: self.at.saturating_add(self.size),
            },
        )
    }

    /// The checksum that the header should hold.
    pub fn computed_crc(&self, header: &BatchHeader) -> io::Result<u32> {
        let legacy = header.magic < 2;
        let mut reader = self.reader(crc_covers_from(header.magic) as u64);
        let mut buffer = vec![0; BUFFER_BYTES];
        let (mut crc, mut legacy_crc) = (0, crc32fast::Hasher::new());
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(0) => return Ok(if legacy { legacy_crc.finalize() } else { crc }),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let bytes = buffer.get(..read).unwrap_or_default();
            if legacy {
                legacy_crc.update(bytes);
            } else {
                crc = crc32c::crc32c_append(crc, bytes);
            }
        }
    }
}

/// Reads a range of a file that others read as well.
#[derive(Debug)]
pub struct LargeReader {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Read for LargeReader {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = place.len().min(left);
        let read = self
            .file
            .read_at(place.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
