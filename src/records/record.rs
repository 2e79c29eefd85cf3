//! The records inside one batch of format 2, uncompressed; every field is a slice of the batch.
//!
//! <https://kafka.apache.org/documentation/#record>

use super::batch_header::{BatchHeader, TimestampType, increment_sequence};
use super::error::RecordError;
use super::varint;

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub offset: i64,
    /// Milliseconds; -1 in message format 0.
    pub timestamp: i64,
    /// -1 without idempotence.
    pub sequence: i32,
    /// `None` is null, which differs from empty.
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// In the producer's order, with its duplicates.
    pub headers: Headers<'a>,
}

/// One header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// UTF-8 in every client, but nothing on the wire enforces it.
    pub key: &'a [u8],
    pub value: Option<&'a [u8]>,
}

/// The headers of a record, checked when the record was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    count: usize,
    bytes: &'a [u8],
}

impl Headers<'_> {
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[allow(
    clippy::copy_iterator,
    reason = "a record is copied with its headers, three words that point into the batch"
)]
impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.count = self.count.checked_sub(1)?;
        take_header(&mut self.bytes).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

impl ExactSizeIterator for Headers<'_> {}

/// A record's offset, timestamp and sequence number, computed from its deltas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordPlace {
    pub offset: i64,
    /// Milliseconds.
    pub timestamp: i64,
    /// -1 without idempotence.
    pub sequence: i32,
}

/// The fields of a batch's header that its records need.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordFields {
    base_offset: i64,
    base_timestamp: i64,
    append_time: Option<i64>,
    base_sequence: i32,
}

impl RecordFields {
    pub(super) fn new(header: &BatchHeader) -> Self {
        let append_time = header.timestamp_type() == TimestampType::LogAppendTime;
        Self {
            base_offset: header.base_offset,
            base_timestamp: header.base_timestamp,
            append_time: append_time.then_some(header.max_timestamp),
            base_sequence: header.base_sequence,
        }
    }

    /// The place of a record, from its deltas.
    #[inline]
    pub(super) fn place(&self, timestamp_delta: i64, offset_delta: i32) -> RecordPlace {
        RecordPlace {
            offset: self.base_offset.wrapping_add(i64::from(offset_delta)),
            timestamp: self
                .append_time
                .unwrap_or_else(|| self.base_timestamp.wrapping_add(timestamp_delta)),
            sequence: if self.base_sequence < 0 {
                -1
            } else {
                increment_sequence(self.base_sequence, offset_delta)
            },
        }
    }

    /// Reads a record from its bytes after the length field.
    #[inline]
    pub(super) fn parse<'a>(&self, fields: &'a [u8]) -> Result<Record<'a>, RecordError> {
        // The record's own attributes are unused: a zero byte.
        let mut fields = fields.get(1..).ok_or(RecordError::Malformed("attributes"))?;
        let timestamp_delta =
            varint::take_i64(&mut fields).ok_or(RecordError::Malformed("timestamp delta"))?;
        let offset_delta = varint::take_i32(&mut fields).ok_or(RecordError::Malformed("offset delta"))?;
        let key = take_nullable(&mut fields, "key")?;
        let value = take_nullable(&mut fields, "value")?;
        let headers = take_headers(&mut fields)?;
        let RecordPlace {
            offset,
            timestamp,
            sequence,
        } = self.place(timestamp_delta, offset_delta);
        Ok(Record {
            offset,
            timestamp,
            sequence,
            key,
            value,
            headers,
        })
    }
}

/// Walks the records of one batch and checks them against its header.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    body: &'a [u8],
    fields: RecordFields,
    declared: i32,
    found: i32,
    failed: bool,
}

impl<'a> Records<'a> {
    /// `body` is what follows the header, decompressed.
    pub fn new(header: &BatchHeader, body: &'a [u8]) -> Self {
        Self {
            body,
            fields: RecordFields::new(header),
            declared: header.records_count,
            found: 0,
            failed: false,
        }
    }

    /// Whether as many records have been read as the header declares.
    pub fn is_complete(&self) -> bool {
        self.found >= self.declared
    }

    /// The bytes of the records that have not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.body
    }

    /// Skips the records that end before byte `place` of [`Records::rest`], reading only their lengths; `None` skips
    /// all. Returns how many were skipped.
    pub fn pass_over(&mut self, place: Option<usize>) -> i32 {
        let before = self.found;
        let Some(place) = place else {
            self.body = &[];
            self.found = self.declared.max(before);
            return self.found - before;
        };
        let all = self.body.len();
        while self.found < self.declared {
            let mut rest = self.body;
            let length = varint::take_i32(&mut rest);
            let record = length.and_then(|length| take_slice(&mut rest, length));
            // A malformed record is reported when it is read.
            if record.is_none() || all - rest.len() > place {
                break;
            }
            self.body = rest;
            self.found += 1;
        }
        self.found - before
    }

    #[inline]
    fn take_record(&mut self) -> Result<Record<'a>, RecordError> {
        let length = varint::take_i32(&mut self.body).ok_or(RecordError::Malformed("length"))?;
        let fields = take_slice(&mut self.body, length).ok_or(RecordError::Malformed("length"))?;
        self.fields.parse(fields)
    }

    fn end(&mut self) -> Option<Result<Record<'a>, RecordError>> {
        self.failed = true;
        let error = if self.declared < 0 {
            RecordError::NegativeCount(self.declared)
        } else if self.body.is_empty() {
            return None;
        } else {
            RecordError::BYTES_BEHIND
        };
        Some(Err(error))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if self.found >= self.declared {
            return self.end();
        }
        let record = if self.body.is_empty() {
            Err(RecordError::CountMismatch {
                declared: self.declared,
                found: self.found,
            })
        } else {
            self.take_record()
        };
        self.found += 1;
        self.failed = record.is_err();
        Some(record)
    }
}

#[inline]
fn take_slice<'a>(bytes: &mut &'a [u8], length: i32) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(taken)
}

/// Length and bytes; any negative length is null, as in Kafka.
#[inline]
fn take_nullable<'a>(bytes: &mut &'a [u8], what: &'static str) -> Result<Option<&'a [u8]>, RecordError> {
    let length = varint::take_i32(bytes).ok_or(RecordError::Malformed(what))?;
    if length < 0 {
        return Ok(None);
    }
    take_slice(bytes, length)
        .ok_or(RecordError::Malformed(what))
        .map(Some)
}

fn take_header<'a>(bytes: &mut &'a [u8]) -> Result<Header<'a>, RecordError> {
    let length = varint::take_i32(bytes).ok_or(RecordError::Malformed("header key"))?;
    let key = take_slice(bytes, length).ok_or(RecordError::Malformed("header key"))?;
    let value = take_nullable(bytes, "header value")?;
    Ok(Header { key, value })
}

#[inline]
fn take_headers<'a>(fields: &mut &'a [u8]) -> Result<Headers<'a>, RecordError> {
    let count = varint::take_i32(fields).ok_or(RecordError::Malformed("header count"))?;
    let count = usize::try_from(count).map_err(|_| RecordError::Malformed("header count"))?;
    let bytes = *fields;
    for _ in 0..count {
        take_header(fields)?;
    }
    if fields.is_empty() {
        Ok(Headers { count, bytes })
    } else {
        Err(RecordError::Malformed("bytes after the last header"))
    }
}
