//! Walks the batches of a log of any length through a small buffer, as Kafka's `FileLogInputStream` does.
//!
//! Owns where a walk ends: whole batches are handed out in chunks, and what is left over at the end is counted. Reads
//! only the length of a batch; a large one is handed out as its place in the file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use super::batch_search::{Wanted, next_batch};
use super::chunk::Chunk;
use super::file_window::FileWindow;
use super::large_batch::LargeBatch;
use super::positioned::append_at;
use crate::records::batch_header::{
    HEADER_LEN, HEADER_UP_TO_MAGIC, LOG_OVERHEAD, MIN_LENGTH_V0, length_field,
};

/// Bytes of a chunk, unless one batch alone is longer: small enough for a processor's cache.
pub const CHUNK_BYTES: usize = 128 * 1024;
/// The longest batch that a chunk holds, in bytes: somewhat more than brokers accept by default.
const LARGEST_HELD: usize = 1280 * 1024;

/// Of batches from this size on (bytes) the walk reads only the length, and leaves the rest to the thread that works on
/// them. For smaller ones a system call for each batch costs more than copying many batches at once.
const HOP_BYTES: usize = 12 * 1024;

/// Bytes of a mapped chunk, which takes no memory: enough to make passing it to a thread cheap compared with the work.
const CHUNK_IN_PLACE: usize = 512 * 1024;
/// Shorter logs are read: a mapping costs more than it saves.
const WORTH_MAPPING: u64 = 1 << 20;

/// Where the bytes come from.
enum Source {
    File(Arc<File>),
    Pipe(Box<dyn Read + Send>),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::File(_) => "file",
            Self::Pipe(_) => "pipe",
        })
    }
}

/// Why a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanEnd {
    /// Nothing follows, or less than a batch (`trailing` bytes).
    End { trailing: u64 },
    /// A batch states a length below that of any batch.
    TooSmall { length: i32 },
}

/// A walk over a log.
#[derive(Debug)]
pub struct SegmentScan {
    source: Source,
    /// Where the next batch starts.
    position: u64,
    /// Where the walk ends at the latest.
    end: u64,
    /// Bytes that were read after the last chunk.
    rest: Vec<u8>,
    chunks: u64,
    /// Length of the batch found last, as an estimate for the next ones.
    last_batch: usize,
    /// Whether batches are mapped instead of read.
    in_place: bool,
    /// The mapped part of the file where the walk is.
    window: Option<Arc<FileWindow>>,
    finished: Option<ScanEnd>,
}

/// How many bytes of a chunk are whole batches.
enum Cut {
    /// This many bytes are whole batches; more may follow.
    Whole(usize),
    /// The first batch needs this many bytes.
    Needs(usize),
    /// The walk ends after this many bytes.
    Ended(usize, ScanEnd),
}

impl SegmentScan {
    /// Walks a file from `position` on, up to `end` (exclusive) or its own end.
    pub fn of_file(file: File, position: u64, end: u64) -> Self {
        Self::new(Source::File(Arc::new(file)), position, end)
    }

    /// Walks the bytes of a pipe until it ends.
    pub fn of_pipe(pipe: Box<dyn Read + Send>) -> Self {
        Self::new(Source::Pipe(pipe), 0, u64::MAX)
    }

    fn new(source: Source, position: u64, end: u64) -> Self {
        Self {
            source,
            position,
            end: end.max(position),
            rest: Vec::new(),
            chunks: 0,
            last_batch: 0,
            in_place: false,
            window: None,
            finished: None,
        }
    }

    /// Maps the batches of a file instead of reading them, for callers that need only headers and checksums of most of
    /// them; where that is impossible or not worth it, they are read.
    #[must_use]
    pub fn in_place(mut self) -> Self {
        self.in_place = matches!(self.source, Source::File(_)) && self.end - self.position >= WORTH_MAPPING;
        self
    }

    /// Where the next batch starts, or would.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How the walk ended, once [`SegmentScan::next_chunk`] has returned false.
    pub fn end(&self) -> Option<ScanEnd> {
        self.finished
    }

    /// Finds and reads the next whole batches; false at the end.
    pub fn read_chunk(&mut self, chunk: &mut Chunk) -> io::Result<bool> {
        let more = self.next_chunk(chunk)?;
        chunk.load()?;
        Ok(more)
    }

    /// Finds the next whole batches, which [`Chunk::load`] then reads; false at the end.
    pub fn next_chunk(&mut self, chunk: &mut Chunk) -> io::Result<bool> {
        if self.finished.is_some() {
            return Ok(false);
        }
        chunk.large = None;
        chunk.pending = None;
        chunk.window = None;
        if let Source::File(file) = &self.source {
            let file = Arc::clone(file);
            let len = self.hop(&file)?;
            if len > 0 {
                match &self.window {
                    Some(window) => chunk.window = Some(Arc::clone(window)),
                    None => chunk.pending = Some(file),
                }
                self.rest.clear();
                return Ok(self.hand_out(chunk, len));
            }
        }
        chunk.bytes.clear();
        // Kept at the length of the longest batch so far: fresh memory for each would cost more than reading it.
        chunk.bytes.shrink_to(LARGEST_HELD);
        chunk.bytes.append(&mut self.rest);
        let mut wanted = CHUNK_BYTES;
        loop {
            let at_end = self.fill(&mut chunk.bytes, wanted)?;
            match self.cut(&chunk.bytes, at_end) {
                Cut::Needs(bytes) if bytes > LARGEST_HELD => return self.large(chunk, bytes as u64),
                Cut::Needs(bytes) => wanted = bytes.max(CHUNK_BYTES),
                Cut::Whole(len) => {
                    self.rest
                        .extend_from_slice(chunk.bytes.get(len..).unwrap_or_default());
                    return Ok(self.hand_out(chunk, len));
                }
                Cut::Ended(len, end) => {
                    self.rest
                        .extend_from_slice(chunk.bytes.get(len..).unwrap_or_default());
                    self.finished = Some(end);
                    return Ok(self.hand_out(chunk, len));
                }
            }
        }
    }

    /// The total length of the next whole batches, found by reading their length fields alone; 0 where batches are
    /// short and should be read, and at the end, which needs more checks.
    fn hop(&mut self, file: &Arc<File>) -> io::Result<usize> {
        if self.in_place {
            return self.hop_in_place(file);
        }
        let mut fields = Vec::with_capacity(LOG_OVERHEAD);
        let least = HOP_BYTES;
        self.hop_over(self.end, CHUNK_BYTES, |at, last_batch| {
            fields.clear();
            let found =
                last_batch >= least && append_at(file, at, LOG_OVERHEAD, &mut fields)? == LOG_OVERHEAD;
            Ok(found.then(|| length_field(&fields)))
        })
    }

    /// [`SegmentScan::hop`] through the window, which moves when it has no more whole batches.
    fn hop_in_place(&mut self, file: &Arc<File>) -> io::Result<usize> {
        loop {
            if let Some(window) = self.window.clone() {
                // After each batch there must be as many bytes as a reader of a whole header may copy.
                let end = match window.end() {
                    end if end >= self.end => self.end,
                    end => end - HEADER_LEN as u64,
                };
                let len = self.hop_over(end, CHUNK_IN_PLACE, |at, _| {
                    let mut fields = [0; LOG_OVERHEAD];
                    Ok((window.copy(at, &mut fields) == LOG_OVERHEAD).then(|| length_field(&fields)))
                })?;
                window.check()?;
                if len > 0 || window.end() >= self.end {
                    return Ok(len);
                }
            }
            let before = self.window.take().map(|window| window.start());
            match FileWindow::around(file, self.position, self.end) {
                // The batch does not fit in any window.
                Ok(window) if before == Some(window.start()) => return Ok(0),
                Ok(window) => self.window = Some(Arc::new(window)),
                Err(_) => {
                    self.in_place = false;
                    return Ok(0);
                }
            }
        }
    }

    /// Goes from batch to batch while they end before `end` and have at most `most` bytes together; `length` returns
    /// the length field of the batch at a position, given the size of the previous one.
    fn hop_over(
        &mut self,
        end: u64,
        most: usize,
        mut length: impl FnMut(u64, usize) -> io::Result<Option<i32>>,
    ) -> io::Result<usize> {
        let mut len = 0;
        loop {
            let at = self.position + len as u64;
            if at + HEADER_UP_TO_MAGIC as u64 >= end {
                return Ok(len);
            }
            let Some(length) = length(at, self.last_batch)? else {
                return Ok(len);
            };
            let size = LOG_OVERHEAD + usize::try_from(length).unwrap_or(0);
            let is_whole = length >= MIN_LENGTH_V0 as i32 && at + size as u64 <= end;
            let fits = size <= LARGEST_HELD && (len == 0 || len + size <= most);
            if !is_whole || !fits {
                return Ok(len);
            }
            len += size;
            self.last_batch = size;
        }
    }

    /// Moves to the next position of a file, from `from` on, that holds a whole batch, whatever is before it; `None` if
    /// there is none, and for a pipe.
    pub fn resume_from(&mut self, from: u64, wanted: Wanted) -> io::Result<Option<u64>> {
        let Source::File(file) = &self.source else {
            return Ok(None);
        };
        let found = next_batch(file, from, self.end, wanted)?;
        if let Some(position) = found {
            self.position = position;
            self.rest.clear();
            self.last_batch = 0;
            self.finished = None;
        }
        Ok(found)
    }

    /// After the walk: the first bytes after the last whole batch, at least up to the format version if there are so
    /// many.
    pub fn rest(&self) -> &[u8] {
        &self.rest
    }

    /// After the walk: how many zeros follow, if nothing else does, as in a preallocated segment. A pipe is read to its
    /// end for that.
    pub fn trailing_zeros(&mut self) -> io::Result<Option<u64>> {
        let mut bytes = std::mem::take(&mut self.rest);
        let mut zeros = 0;
        loop {
            if bytes.iter().any(|byte| *byte != 0) {
                return Ok(None);
            }
            zeros += bytes.len() as u64;
            bytes.clear();
            let at = self.position + zeros;
            let wanted = CHUNK_BYTES.min(usize::try_from(self.end.saturating_sub(at)).unwrap_or(CHUNK_BYTES));
            let read = match &mut self.source {
                Source::File(file) => append_at(file, at, wanted, &mut bytes)?,
                Source::Pipe(pipe) => pipe.take(wanted as u64).read_to_end(&mut bytes)?,
            };
            if read == 0 {
                return Ok((zeros > 0).then_some(zeros));
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

    /// Hands out the place of a batch of `size` bytes, whose first ones `chunk` holds.
    fn large(&mut self, chunk: &mut Chunk, size: u64) -> io::Result<bool> {
        chunk.position = self.position;
        chunk.number = self.chunks;
        chunk.len = 0;
        let (file, at) = match &mut self.source {
            Source::File(file) => (Arc::clone(file), self.position),
            Source::Pipe(pipe) => {
                // Bytes of a pipe can be read only once, but a batch is read several times.
                let mut file = tempfile::tempfile()?;
                file.write_all(&chunk.bytes)?;
                let missing = size - chunk.bytes.len() as u64;
                let copied = io::copy(&mut pipe.by_ref().take(missing), &mut file)?;
                if copied < missing {
                    let trailing = chunk.bytes.len() as u64 + copied;
                    self.finished = Some(ScanEnd::End { trailing });
                    return Ok(false);
                }
                file.seek(SeekFrom::Start(0))?;
                (Arc::new(file), 0)
            }
        };
        self.position += size;
        self.chunks += 1;
        chunk.large = Some(LargeBatch { file, at, size });
        Ok(true)
    }

    /// Reads until `bytes` holds `wanted` bytes; true at the end of the input.
    fn fill(&mut self, bytes: &mut Vec<u8>, wanted: usize) -> io::Result<bool> {
        let left = self.end - self.position;
        let wanted = wanted.min(usize::try_from(left).unwrap_or(usize::MAX));
        if let Some(missing) = wanted.checked_sub(bytes.len()).filter(|missing| *missing > 0) {
            bytes.reserve_exact(missing);
            let read = match &mut self.source {
                Source::File(file) => append_at(file, self.position + bytes.len() as u64, missing, bytes)?,
                Source::Pipe(pipe) => pipe.take(missing as u64).read_to_end(bytes)?,
            };
            if read < missing {
                // Shorter than stated: a pipe, or a file that was truncated meanwhile.
                self.end = self.position + bytes.len() as u64;
            }
        }
        Ok(self.position + bytes.len() as u64 >= self.end)
    }

    fn cut(&mut self, bytes: &[u8], at_end: bool) -> Cut {
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
            self.last_batch = size;
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
            Cut::Needs(needed)
        }
    }
}
