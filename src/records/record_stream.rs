//! The records of one batch of format 2 out of a reader, for batches that nobody wants to hold whole.
//!
//! Owns the window: it grows for a record that is larger, as its bytes come, and shrinks behind it. `record` reads
//! records out of memory.

use std::io::{self, Read};

use super::batch_header::BatchHeader;
use super::compression::Codec;
use super::error::RecordError;
use super::inflate;
use super::record::{Record, RecordFields};
use super::varint;

/// Bytes read at once.
const WINDOW: usize = 128 * 1024;
/// A longer record is refused; the heap of Kafka's own tools is as large.
const LARGEST_RECORD: usize = 256 << 20;
/// The longest length of a record.
const LENGTH_BYTES: usize = 5;

/// Walks the records of one batch and checks them against its header.
#[derive(Debug)]
pub struct RecordStream<R> {
    reader: R,
    codec: Codec,
    fields: RecordFields,
    window: Vec<u8>,
    /// Where in the window the next record starts.
    start: usize,
    at_end: bool,
    bytes: u64,
    declared: i32,
    found: i32,
    failed: bool,
}

impl<R: Read> RecordStream<R> {
    /// `reader` gives what follows the header, inflated.
    pub fn new(header: &BatchHeader, reader: R) -> Self {
        Self {
            reader,
            codec: header.codec().unwrap_or_default(),
            fields: RecordFields::new(header),
            window: Vec::new(),
            start: 0,
            at_end: false,
            bytes: 0,
            declared: header.records_count,
            found: 0,
            failed: false,
        }
    }

    /// How many bytes the reader has given.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next record. Bytes behind the last one are found before that one is answered.
    pub fn next_record(&mut self) -> Option<Result<Record<'_>, RecordError>> {
        if self.failed {
            return None;
        }
        match self.advance() {
            Ok(None) => None,
            Ok(Some((at, end))) => {
                let fields = self.window.get(at..end).unwrap_or_default();
                let record = self.fields.parse(fields);
                self.failed = record.is_err();
                Some(record)
            }
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }

    /// Where in the window the next record's fields are.
    fn advance(&mut self) -> Result<Option<(usize, usize)>, RecordError> {
        if self.found >= self.declared {
            self.failed = true;
            return if self.declared < 0 {
                Err(RecordError::NegativeCount(self.declared))
            } else if self.fill(1)? == 0 {
                Ok(None)
            } else {
                Err(RecordError::BYTES_BEHIND)
            };
        }
        if self.fill(LENGTH_BYTES)? == 0 {
            return Err(RecordError::CountMismatch {
                declared: self.declared,
                found: self.found,
            });
        }
        let mut rest = self.window.get(self.start..).unwrap_or_default();
        let available = rest.len();
        let length = varint::take_i32(&mut rest).and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or(RecordError::Malformed("length"))?;
        if length > LARGEST_RECORD {
            return Err(RecordError::Malformed("a record of more than 256 MiB"));
        }
        let prefix = available - rest.len();
        self.found += 1;
        // One byte more than the last record needs would be one too many.
        let behind = usize::from(self.found == self.declared);
        let available = self.fill(prefix + length + behind)?;
        if available < prefix + length {
            return Err(RecordError::Malformed("length"));
        }
        if behind == 1 && available > prefix + length {
            return Err(RecordError::BYTES_BEHIND);
        }
        let at = self.start + prefix;
        self.start = at + length;
        Ok(Some((at, self.start)))
    }

    /// Reads until the window holds `wanted` bytes, or all there are; answers how many it holds.
    fn fill(&mut self, wanted: usize) -> Result<usize, RecordError> {
        let held = self.window.len() - self.start;
        if held >= wanted || self.at_end {
            return Ok(held);
        }
        self.window.drain(..self.start);
        self.start = 0;
        if wanted < WINDOW && self.window.capacity() > 4 * WINDOW {
            self.window.shrink_to(2 * WINDOW);
        }
        while self.window.len() < wanted && !self.at_end {
            let held = self.window.len();
            self.window.reserve_exact(WINDOW.max(held / 4));
            self.window.resize(held + WINDOW, 0);
            let read = self.read(held);
            self.window.truncate(held + *read.as_ref().unwrap_or(&0));
            let read = read.map_err(|error| RecordError::Compression(inflate::error(self.codec, &error)))?;
            self.at_end = read == 0;
            self.bytes += read as u64;
        }
        Ok(self.window.len())
    }

    fn read(&mut self, at: usize) -> io::Result<usize> {
        let place = self.window.get_mut(at..).unwrap_or_default();
        loop {
            match self.reader.read(place) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}
