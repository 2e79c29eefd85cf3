//! Walks the batches of a log of any length through a small buffer, as Kafka's `FileLogInputStream` does.
//!
//! Owns where a walk ends: whole batches are handed out in chunks, and what is left over at the end is counted. Looks
//! at nothing of a batch but its length.

use std::io::{self, Read};

use crate::records::batch_header::{HEADER_UP_TO_MAGIC, LOG_OVERHEAD, MIN_LENGTH_V0};

/// How much a chunk holds, unless one batch alone is longer.
pub const CHUNK_BYTES: usize = 256 * 1024;

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
}

/// Why a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanEnd {
    /// Nothing follows, or less than a batch (`trailing` bytes).
    End { trailing: u64 },
    /// A batch says that it is shorter than any batch can be.
    TooSmall { length: i32 },
}

/// A walk over a log.
#[derive(Debug)]
pub struct SegmentScan<R> {
    reader: R,
    /// Where the next batch starts.
    position: u64,
    /// Where the walk ends at the latest.
    end: u64,
    /// What has been read behind the last chunk.
    rest: Vec<u8>,
    chunks: u64,
    finished: Option<ScanEnd>,
}

/// What the bytes of a chunk come to.
enum Cut {
    /// So many bytes are whole batches; more may follow.
    Whole(usize),
    /// The first batch needs so many bytes.
    Needs(usize),
    /// The walk ends behind so many bytes.
    Ended(usize, ScanEnd),
}

impl<R: Read> SegmentScan<R> {
    /// Walks what `reader` gives from `position` of the file on, up to `end` (exclusive, in the file) or its own end.
    pub fn new(reader: R, position: u64, end: u64) -> Self {
        Self {
            reader,
            position,
            end: end.max(position),
            rest: Vec::new(),
            chunks: 0,
            finished: None,
        }
    }

    /// Where the next batch starts, or would.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How the walk ended, once [`SegmentScan::next_chunk`] has said that it did.
    pub fn end(&self) -> Option<ScanEnd> {
        self.finished
    }

    /// Fills `chunk` with the next whole batches; false at the end.
    pub fn next_chunk(&mut self, chunk: &mut Chunk) -> io::Result<bool> {
        if self.finished.is_some() {
            return Ok(false);
        }
        chunk.bytes.clear();
        chunk.bytes.append(&mut self.rest);
        let mut wanted = CHUNK_BYTES;
        loop {
            let at_end = self.fill(&mut chunk.bytes, wanted)?;
            match self.cut(&chunk.bytes, at_end) {
                Cut::Needs(bytes) => wanted = bytes,
                Cut::Whole(len) => {
                    self.rest
                        .extend_from_slice(chunk.bytes.get(len..).unwrap_or_default());
                    return Ok(self.hand_out(chunk, len));
                }
                Cut::Ended(len, end) => {
                    self.finished = Some(end);
                    return Ok(self.hand_out(chunk, len));
                }
            }
        }
    }

    fn hand_out(&mut self, chunk: &mut Chunk, len: usize) -> bool {
        chunk.position = self.position;
        chunk.number = self.chunks;
        chunk.len = len;
        self.position += len as u64;
        self.chunks += u64::from(len > 0);
        len > 0
    }

    /// Reads until `bytes` holds `wanted` bytes; true when there is no more to come.
    fn fill(&mut self, bytes: &mut Vec<u8>, wanted: usize) -> io::Result<bool> {
        let left = self.end - self.position;
        let wanted = wanted.min(usize::try_from(left).unwrap_or(usize::MAX));
        if let Some(missing) = wanted.checked_sub(bytes.len()).filter(|missing| *missing > 0) {
            let read = self.reader.by_ref().take(missing as u64).read_to_end(bytes)?;
            if read < missing {
                // Shorter than announced: a pipe, or a file cut while we read.
                self.end = self.position + bytes.len() as u64;
            }
        }
        Ok(self.position + bytes.len() as u64 >= self.end)
    }

    fn cut(&self, bytes: &[u8], at_end: bool) -> Cut {
        let mut len = 0;
        loop {
            let rest = bytes.get(len..).unwrap_or_default();
            // Kafka needs one byte more than the fixed fields to look at a batch at all.
            if rest.len() <= HEADER_UP_TO_MAGIC {
                return Self::not_whole(len, rest.len(), HEADER_UP_TO_MAGIC + 1, at_end);
            }
            let length = length_field(rest);
            if length < MIN_LENGTH_V0 as i32 {
                return Cut::Ended(len, ScanEnd::TooSmall { length });
            }
            let size = LOG_OVERHEAD + length as usize;
            if rest.len() < size {
                let left = self.end - self.position - len as u64;
                if size as u64 > left {
                    return Cut::Ended(len, ScanEnd::End { trailing: left });
                }
                return Self::not_whole(len, rest.len(), size, at_end);
            }
            len += size;
        }
    }

    fn not_whole(len: usize, rest: usize, needed: usize, at_end: bool) -> Cut {
        if at_end {
            Cut::Ended(
                len,
                ScanEnd::End {
                    trailing: rest as u64,
                },
            )
        } else if len > 0 {
            Cut::Whole(len)
        } else {
            Cut::Needs(needed.max(CHUNK_BYTES))
        }
    }
}

fn length_field(bytes: &[u8]) -> i32 {
    let field = bytes.get(8..12).and_then(|field| field.first_chunk::<4>());
    field.map_or(0, |field| i32::from_be_bytes(*field))
}
