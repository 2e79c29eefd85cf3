//! One pass over the records of a batch of format 2, which reads only the fields that a broker checks.
//!
//! Allocates nothing per record. A plain body is read in place and each record must have exactly the length that it
//! states. A compressed body is inflated piece by piece; there the stated lengths are not compared with the fields,
//! since Apache Kafka does not compare them either.

use std::cell::RefCell;
use std::io::{self, Read};

use super::compression::Codec;
use super::inflate;
use super::varint;

/// The longest encoding of a 32-bit and of a 64-bit number.
const MAX_BYTES_32: u32 = 5;
const MAX_BYTES_64: u32 = 10;
/// Inflated bytes are looked at in pieces of this size.
const PIECE: usize = 64 * 1024;

/// What a walk reports of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordSummary {
    /// Milliseconds after the batch's base timestamp.
    pub timestamp_delta: i64,
    pub offset_delta: i32,
    /// Bytes; any negative number is null.
    pub key_size: i32,
    pub value_size: i32,
}

/// Why a walk did not reach the end of the batch.
#[derive(Debug)]
pub enum WalkError {
    /// A field is cut off or has another length than it states, or there are more or fewer records than the header
    /// counts.
    Malformed,
    /// The length of a plain record is a number that does not end after five bytes.
    EndlessLength,
    /// The body cannot be inflated.
    Inflate(io::Error),
}

/// Reports each of `count` records of an uncompressed body, in their order.
pub fn walk_plain(body: &[u8], count: i32, mut visit: impl FnMut(&RecordSummary)) -> Result<(), WalkError> {
    let mut rest = body;
    for _ in 0..count {
        let length = take_length(&mut rest)?;
        let length = usize::try_from(length).map_err(|_| WalkError::Malformed)?;
        let (fields, after) = rest.split_at_checked(length).ok_or(WalkError::Malformed)?;
        rest = after;
        visit(&summary_of(fields).ok_or(WalkError::Malformed)?);
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err(WalkError::Malformed)
    }
}

/// Reports each of `count` records of a body that `codec` has compressed, in their order.
pub fn walk_compressed(
    codec: Codec,
    body: &[u8],
    count: i32,
    visit: impl FnMut(&RecordSummary),
) -> Result<(), WalkError> {
    thread_local! {
        static WINDOW: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    WINDOW.with_borrow_mut(|window| {
        window.resize(PIECE, 0);
        let walked = inflate::with_reader(codec, body, |reader| {
            Pieces {
                reader,
                window,
                at: 0,
                end: 0,
            }
            .walk(count, visit)
        });
        walked.map_err(WalkError::Inflate)?
    })
}

fn take_length(bytes: &mut &[u8]) -> Result<i32, WalkError> {
    let endless = bytes
        .first_chunk::<{ MAX_BYTES_32 as usize }>()
        .is_some_and(|length| length.iter().all(|byte| byte & 0x80 != 0));
    if endless {
        return Err(WalkError::EndlessLength);
    }
    varint::take_i32(bytes).ok_or(WalkError::Malformed)
}

/// Reads the fields of one record, which must fill `fields`.
#[inline]
fn summary_of(fields: &[u8]) -> Option<RecordSummary> {
    // The record's own attributes are unused.
    let mut rest = fields.get(1..)?;
    let timestamp_delta = varint::take_i64(&mut rest)?;
    let offset_delta = varint::take_i32(&mut rest)?;
    let key_size = varint::take_i32(&mut rest)?;
    rest = after_nullable(rest, key_size)?;
    let value_size = varint::take_i32(&mut rest)?;
    rest = after_nullable(rest, value_size)?;
    let headers = varint::take_i32(&mut rest)?;
    for _ in 0..u32::try_from(headers).ok()? {
        let name_size = varint::take_i32(&mut rest)?;
        rest = rest.get(usize::try_from(name_size).ok()?..)?;
        let value_size = varint::take_i32(&mut rest)?;
        rest = after_nullable(rest, value_size)?;
    }
    rest.is_empty().then_some(RecordSummary {
        timestamp_delta,
        offset_delta,
        key_size,
        value_size,
    })
}

#[inline]
fn after_nullable(rest: &[u8], size: i32) -> Option<&[u8]> {
    rest.get(usize::try_from(size).unwrap_or(0)..)
}

/// The inflated body, of which one piece is in memory.
struct Pieces<'a> {
    reader: &'a mut dyn Read,
    window: &'a mut [u8],
    /// The first byte of the window that has not been read.
    at: usize,
    end: usize,
}

impl Pieces<'_> {
    fn walk(mut self, count: i32, mut visit: impl FnMut(&RecordSummary)) -> Result<(), WalkError> {
        for _ in 0..count {
            visit(&self.record()?);
        }
        if self.more()? {
            return Err(WalkError::Malformed);
        }
        Ok(())
    }

    fn record(&mut self) -> Result<RecordSummary, WalkError> {
        self.number_32()?;
        // The record's own attributes are unused.
        self.byte()?;
        let timestamp_delta = self.number(MAX_BYTES_64)?;
        let timestamp_delta = ((timestamp_delta >> 1) as i64) ^ -((timestamp_delta & 1) as i64);
        let offset_delta = self.number_32()?;
        let key_size = self.nullable()?;
        let value_size = self.nullable()?;
        let headers = self.number_32()?;
        for _ in 0..u32::try_from(headers).map_err(|_| WalkError::Malformed)? {
            if self.nullable()? < 0 {
                return Err(WalkError::Malformed);
            }
            self.nullable()?;
        }
        Ok(RecordSummary {
            timestamp_delta,
            offset_delta,
            key_size,
            value_size,
        })
    }

    /// Reads over a length and its field, and returns the length.
    fn nullable(&mut self) -> Result<i32, WalkError> {
        let size = self.number_32()?;
        let mut left = usize::try_from(size).unwrap_or(0);
        while left > 0 {
            if !self.more()? {
                return Err(WalkError::Malformed);
            }
            let step = left.min(self.end - self.at);
            self.at += step;
            left -= step;
        }
        Ok(size)
    }

    #[inline]
    fn number_32(&mut self) -> Result<i32, WalkError> {
        // Bits beyond the 32nd are dropped, as everywhere in Kafka.
        let number = self.number(MAX_BYTES_32)? as u32;
        Ok(((number >> 1) as i32) ^ -((number & 1) as i32))
    }

    #[inline]
    fn number(&mut self, max_bytes: u32) -> Result<u64, WalkError> {
        let mut number = 0;
        for index in 0..max_bytes {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(WalkError::Malformed)
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, WalkError> {
        if self.at == self.end && !self.more()? {
            return Err(WalkError::Malformed);
        }
        let byte = self.window.get(self.at).copied();
        self.at += 1;
        byte.ok_or(WalkError::Malformed)
    }

    /// Whether there is another byte, which is then in the window.
    fn more(&mut self) -> Result<bool, WalkError> {
        while self.at == self.end {
            match self.reader.read(self.window) {
                Ok(0) => return Ok(false),
                Ok(read) => (self.at, self.end) = (0, read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(WalkError::Inflate(error)),
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::batch_builder::{BatchBuilder, BatchOptions};
    use super::super::compression::compress;
    use super::super::record::Header;
    use super::*;

    fn body() -> Vec<u8> {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        let headers = [Header {
            key: b"h",
            value: Some(b"v"),
        }];
        for number in 0..3 {
            builder.append(1000 + number, Some(b"key"), None, &headers);
        }
        builder.finish().unwrap().split_off(61)
    }

    fn summaries(
        walk: impl FnOnce(&mut dyn FnMut(&RecordSummary)) -> Result<(), WalkError>,
    ) -> Vec<RecordSummary> {
        let mut found = Vec::new();
        walk(&mut |summary| found.push(*summary)).unwrap();
        found
    }

    #[test]
    fn every_codec_gives_the_same_records() {
        let body = body();
        let plain = summaries(|visit| walk_plain(&body, 3, visit));
        let second = RecordSummary {
            timestamp_delta: 1,
            offset_delta: 1,
            key_size: 3,
            value_size: -1,
        };
        assert_eq!((plain.len(), plain[1]), (3, second));
        for codec in Codec::ALL {
            let mut compressed = Vec::new();
            compress(codec, &body, &mut compressed).unwrap();
            assert_eq!(
                summaries(|visit| walk_compressed(codec, &compressed, 3, visit)),
                plain
            );
            for count in [2, 4] {
                let walked = walk_compressed(codec, &compressed, count, |_| {});
                assert!(matches!(walked, Err(WalkError::Malformed)), "{codec} {count}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_walk_panic(body in proptest::collection::vec(any::<u8>(), 0..300), count in any::<i32>()) {
            let _ = walk_plain(&body, count, |_| {});
            for codec in Codec::ALL {
                let _ = walk_compressed(codec, &body, count, |_| {});
            }
        }
    }
}
