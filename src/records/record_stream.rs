//! The records of one batch of format 2 out of a reader, for batches that are too large to hold in memory as a whole.
//!
//! Owns the window, which holds one record at a time. Of a record that is too large for it, only the lengths and the
//! positions of key and value are read. `record` reads records out of memory.

use std::io::{self, Read};

use super::batch_header::BatchHeader;
use super::compression::Codec;
use super::error::RecordError;
use super::inflate;
use super::record::{Record, RecordFields, RecordPlace};
use super::varint;

/// Bytes read at once.
const WINDOW: usize = 128 * 1024;
/// The longest record that is held, in bytes, unless [`RecordStream::holding`] sets another limit.
const LARGEST_HELD: usize = 2 << 20;
/// Bytes of the longest varint for the length of a record or field.
const LENGTH_BYTES: usize = 5;
/// Bytes of the longest varint for a 64-bit number.
const LONG_BYTES: usize = 10;
/// At most this many bytes of the header names of a large record are kept.
const MOST_HEADER_NAMES: usize = 256 * 1024;

/// A range of the inflated body, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: u64,
    pub len: u64,
}

/// What is known of a record too large to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeRecord {
    pub place: RecordPlace,
    pub key: Option<Span>,
    pub value: Option<Span>,
    /// The names of its headers, in the record's order.
    pub header_names: Vec<Vec<u8>>,
}

/// A record of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamedRecord<'a> {
    Held(Record<'a>),
    Large(LargeRecord),
}

impl StreamedRecord<'_> {
    pub fn offset(&self) -> i64 {
        match self {
            Self::Held(record) => record.offset,
            Self::Large(record) => record.place.offset,
        }
    }

    /// Milliseconds.
    pub fn timestamp(&self) -> i64 {
        match self {
            Self::Held(record) => record.timestamp,
            Self::Large(record) => record.place.timestamp,
        }
    }

    /// Bytes of the key; `None` for null.
    pub fn key_size(&self) -> Option<u64> {
        match self {
            Self::Held(record) => record.key.map(|key| key.len() as u64),
            Self::Large(record) => record.key.map(|key| key.len),
        }
    }

    /// Bytes of the value; `None` for null.
    pub fn value_size(&self) -> Option<u64> {
        match self {
            Self::Held(record) => record.value.map(|value| value.len() as u64),
            Self::Large(record) => record.value.map(|value| value.len),
        }
    }
}

/// The next record: in the window, or too large for it.
enum Next {
    /// A record's fields: start and end in the window.
    Held(usize, usize),
    Large(LargeRecord),
}

/// Walks the records of one batch and checks them against its header.
#[derive(Debug)]
pub struct RecordStream<R> {
    reader: R,
    codec: Codec,
    fields: RecordFields,
    /// The longest record that is held, in bytes.
    largest_held: usize,
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
            largest_held: LARGEST_HELD,
            window: Vec::new(),
            start: 0,
            at_end: false,
            bytes: 0,
            declared: header.records_count,
            found: 0,
            failed: false,
        }
    }

    /// Holds records of up to this many bytes; memory is taken as the bytes of a record arrive.
    #[must_use]
    pub fn holding(self, largest_held: usize) -> Self {
        Self { largest_held, ..self }
    }

    /// How many bytes the reader has given.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next record. Bytes after the last one are an error, which is returned in place of that record.
    pub fn next_record(&mut self) -> Option<Result<StreamedRecord<'_>, RecordError>> {
        if self.failed {
            return None;
        }
        match self.advance() {
            Ok(None) => None,
            Ok(Some(Next::Held(at, end))) => {
                let fields = self.window.get(at..end).unwrap_or_default();
                let record = self.fields.parse(fields);
                self.failed = record.is_err();
                Some(record.map(StreamedRecord::Held))
            }
            Ok(Some(Next::Large(record))) => Some(Ok(StreamedRecord::Large(record))),
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }

    fn advance(&mut self) -> Result<Option<Next>, RecordError> {
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
        let length = self.take_i32("length")?;
        let length = usize::try_from(length).map_err(|_| RecordError::Malformed("length"))?;
        self.found += 1;
        // For the last record, one byte more is read: there must be none.
        let behind = usize::from(self.found == self.declared);
        if length > self.largest_held {
            let record = self.large(length as u64)?;
            return if behind == 1 && self.fill(1)? > 0 {
                Err(RecordError::BYTES_BEHIND)
            } else {
                Ok(Some(Next::Large(record)))
            };
        }
        let available = self.fill(length + behind)?;
        if available < length {
            return Err(RecordError::Malformed("length"));
        }
        if behind == 1 && available > length {
            return Err(RecordError::BYTES_BEHIND);
        }
        let at = self.start;
        self.start += length;
        Ok(Some(Next::Held(at, self.start)))
    }

    /// Reads over a record of `length` bytes, starting after the length field.
    fn large(&mut self, length: u64) -> Result<LargeRecord, RecordError> {
        let end = self.position() + length;
        self.skip(1, "attributes")?;
        let timestamp_delta = self.take(LONG_BYTES, "timestamp delta", varint::take_i64)?;
        let offset_delta = self.take_i32("offset delta")?;
        let key = self.span(end, "key")?;
        let value = self.span(end, "value")?;
        let mut header_names = Vec::new();
        let mut room = MOST_HEADER_NAMES;
        for _ in 0..self.take_i32("header count")?.max(0) {
            let name = self.take_i32("header key")?;
            let name = usize::try_from(name)
                .ok()
                .filter(|name| *name <= room)
                .ok_or(RecordError::Malformed("header key"))?;
            room -= name;
            self.fill(name)?;
            let bytes = self.window.get(self.start..self.start + name);
            header_names.push(bytes.ok_or(RecordError::Malformed("header key"))?.to_vec());
            self.start += name;
            self.span(end, "header value")?;
        }
        if self.position() != end {
            return Err(RecordError::Malformed("bytes after the last header"));
        }
        Ok(LargeRecord {
            place: self.fields.place(timestamp_delta, offset_delta),
            key,
            value,
            header_names,
        })
    }

    /// The position of the next byte in the body.
    fn position(&self) -> u64 {
        self.bytes - (self.window.len() - self.start) as u64
    }

    fn take_i32(&mut self, what: &'static str) -> Result<i32, RecordError> {
        self.take(LENGTH_BYTES, what, varint::take_i32)
    }

    fn take<T>(
        &mut self,
        most: usize,
        what: &'static str,
        take: impl FnOnce(&mut &[u8]) -> Option<T>,
    ) -> Result<T, RecordError> {
        self.fill(most)?;
        let mut rest = self.window.get(self.start..).unwrap_or_default();
        let number = take(&mut rest).ok_or(RecordError::Malformed(what))?;
        self.start = self.window.len() - rest.len();
        Ok(number)
    }

    /// Reads over a length and its field, which must not end after `end`; any negative length is null.
    fn span(&mut self, end: u64, what: &'static str) -> Result<Option<Span>, RecordError> {
        let Ok(len) = u64::try_from(self.take_i32(what)?) else {
            return Ok(None);
        };
        let start = self.position();
        if len > end.saturating_sub(start) {
            return Err(RecordError::Malformed(what));
        }
        self.skip(len, what)?;
        Ok(Some(Span { start, len }))
    }

    fn skip(&mut self, mut len: u64, what: &'static str) -> Result<(), RecordError> {
        while len > 0 {
            let held = self.fill(1)?;
            if held == 0 {
                return Err(RecordError::Malformed(what));
            }
            let step = held.min(usize::try_from(len).unwrap_or(usize::MAX));
            self.start += step;
            len -= step as u64;
        }
        Ok(())
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
