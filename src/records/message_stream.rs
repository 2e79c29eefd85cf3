//! The messages that a compressed message of format 0 or 1 wraps, one at a time, where they inflate to more than should be
//! held at once.
//!
//! Owns the window, which holds one message. `message_set` reads messages out of memory.

use std::io::{self, Read};

use super::batch_header::{BatchHeader, TimestampType};
use super::batches::Batch;
use super::compression::{self, Codec, CompressionError};
use super::error::RecordError;
use super::fields::{i32_at, i64_at};
use super::inflate;
use super::lz4_header;
use super::message_set::{Message, offset_shift};
use super::record::Record;

/// Bytes of the offset and the size in front of a message.
const PREFIX_LEN: usize = 12;
/// Bytes that the window grows by as a message is read: a stated size alone takes no memory.
const STEP: usize = 1 << 20;

/// What `body`, the value of a compressed message, inflates to.
pub(super) fn inflated<'a>(
    codec: Codec,
    magic: i8,
    body: &'a [u8],
) -> Result<Box<dyn Read + Send + 'a>, CompressionError> {
    if codec == Codec::Lz4 && magic == 0 {
        let (header, len) = lz4_header::corrected(body)
            .ok_or_else(|| compression::corrupt(codec, &"frame header is cut off"))?;
        let frame = io::Cursor::new(header).chain(body.get(len..).unwrap_or_default());
        return Ok(Box::new(lz4_flex::frame::FrameDecoder::new(frame)));
    }
    inflate::reader(codec, body).map_err(|error| inflate::error(codec, &error))
}

/// Walks the messages that one message wraps.
#[expect(missing_debug_implementations, reason = "a reader has none")]
pub struct MessageStream<'a> {
    reader: Box<dyn Read + Send + 'a>,
    wrapper: BatchHeader,
    codec: Codec,
    /// What to add to the offsets found inside.
    offset_shift: i64,
    largest: usize,
    window: Vec<u8>,
    failed: bool,
}

impl<'a> MessageStream<'a> {
    /// `bytes` is the whole entry of the log, which is inflated twice: the base of its messages' offsets is known only
    /// after the last of them. A message of more than `largest` bytes is an error.
    pub fn new(header: &BatchHeader, bytes: &'a [u8], largest: usize) -> Result<Self, RecordError> {
        let codec = header.codec().ok_or(RecordError::NO_CODEC)?;
        if codec == Codec::Zstd {
            let magic = header.magic;
            return Err(RecordError::CodecNotAllowed { codec, magic });
        }
        let body = Message::parse(header, bytes)?
            .value
            .ok_or(RecordError::Malformed("a compressed message without value"))?;
        let last = last_offset(codec, &mut *inflated(codec, header.magic, body)?)?;
        Ok(Self {
            reader: inflated(codec, header.magic, body)?,
            wrapper: *header,
            codec,
            offset_shift: offset_shift(header, last)?,
            largest,
            window: Vec::new(),
            failed: false,
        })
    }

    /// The next message. Bytes after the last whole message are ignored, as in `Messages`.
    pub fn next_record(&mut self) -> Option<Result<Record<'_>, RecordError>> {
        if self.failed {
            return None;
        }
        match self.fill() {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                self.failed = true;
                return Some(Err(error));
            }
        }
        self.failed = self.record().is_err();
        Some(self.record())
    }

    /// Bytes that the window has room for.
    #[cfg(test)]
    fn held(&self) -> usize {
        self.window.capacity()
    }

    /// Reads one message into the window; false at the end.
    fn fill(&mut self) -> Result<bool, RecordError> {
        let corrupt = |error: &io::Error| RecordError::from(inflate::error(self.codec, error));
        self.window.clear();
        let prefix = self.reader.by_ref().take(PREFIX_LEN as u64);
        if read_to_end(prefix, &mut self.window).map_err(|error| corrupt(&error))? < PREFIX_LEN {
            return Ok(false);
        }
        let size = usize::try_from(i32_at(&self.window, 8)).unwrap_or(0);
        if size > self.largest {
            let (codec, limit) = (self.codec, self.largest);
            return Err(CompressionError::TooLarge { codec, limit }.into());
        }
        let mut missing = size;
        while missing > 0 {
            let step = self.reader.by_ref().take(missing.min(STEP) as u64);
            match read_to_end(step, &mut self.window).map_err(|error| corrupt(&error))? {
                0 => return Ok(false),
                read => missing -= read,
            }
        }
        Ok(true)
    }

    /// The message in the window.
    fn record(&self) -> Result<Record<'_>, RecordError> {
        let batch = Batch::parse(&self.window)?;
        if batch.header.magic != self.wrapper.magic {
            return Err(RecordError::MixedMagic {
                wrapper: self.wrapper.magic,
                inner: batch.header.magic,
            });
        }
        if batch.header.codec() != Some(Codec::None) {
            return Err(RecordError::NestedTooDeep);
        }
        let message = Message::parse(&batch.header, batch.bytes)?;
        if message.is_cut {
            return Err(RecordError::Malformed("value"));
        }
        let append_time = self.wrapper.timestamp_type() == TimestampType::LogAppendTime;
        let timed = if append_time { &self.wrapper } else { &batch.header };
        let offset = batch.header.base_offset.wrapping_add(self.offset_shift);
        Ok(message.to_stored(offset, timed.max_timestamp).record)
    }
}

/// Appends all bytes of `reader` to `out`, and returns how many they were.
fn read_to_end(mut reader: impl Read, out: &mut Vec<u8>) -> io::Result<usize> {
    reader.read_to_end(out)
}

/// The offset that the last whole message has as it is stored; `None` if there is none.
fn last_offset(codec: Codec, reader: &mut dyn Read) -> Result<Option<i64>, RecordError> {
    let corrupt = |error: &io::Error| RecordError::from(inflate::error(codec, error));
    let mut last = None;
    loop {
        let mut prefix = Vec::with_capacity(PREFIX_LEN);
        let read = read_to_end(reader.take(PREFIX_LEN as u64), &mut prefix);
        if read.map_err(|error| corrupt(&error))? < PREFIX_LEN {
            return Ok(last);
        }
        let size = u64::try_from(i32_at(&prefix, 8)).unwrap_or(0);
        let skipped = io::copy(&mut reader.take(size), &mut io::sink());
        if skipped.map_err(|error| corrupt(&error))? < size {
            return Ok(last);
        }
        last = Some(i64_at(&prefix, 0));
    }
}

#[cfg(test)]
mod tests {
    use super::super::compression::compress;
    use super::super::message_set::Messages;
    use super::*;

    /// One message; its checksum is 0, which no reader here checks.
    fn message(magic: u8, attributes: u8, offset: i64, timestamp: i64, value: &[u8]) -> Vec<u8> {
        let mut body = vec![0, 0, 0, 0, magic, attributes];
        if magic == 1 {
            body.extend(timestamp.to_be_bytes());
        }
        body.extend((-1_i32).to_be_bytes());
        body.extend((value.len() as i32).to_be_bytes());
        body.extend(value);
        let mut bytes = offset.to_be_bytes().to_vec();
        bytes.extend((body.len() as i32).to_be_bytes());
        bytes.extend(body);
        bytes
    }

    /// A compressed message of these values, the last one at offset 1000.
    fn wrapper(magic: u8, codec: Codec, append_time: bool, values: &[Vec<u8>]) -> Vec<u8> {
        let first = if magic == 0 { 1001 - values.len() as i64 } else { 0 };
        let inner: Vec<u8> = (first..)
            .zip(values)
            .flat_map(|(offset, value)| message(magic, 0, offset, 7 + offset, value))
            .collect();
        let mut body = Vec::new();
        compress(codec, &inner, &mut body).unwrap();
        if codec == Codec::Lz4 && magic == 0 {
            // Any header checksum is accepted in format 0, whose writers computed it wrongly.
            body[6] ^= 0xff;
        }
        let attributes = codec as u8 | if append_time { 8 } else { 0 };
        message(magic, attributes, 1000, 99, &body)
    }

    fn streamed(bytes: &[u8], largest: usize) -> Result<Vec<(i64, i64, Vec<u8>)>, RecordError> {
        let header = BatchHeader::parse(bytes).unwrap();
        let mut stream = MessageStream::new(&header, bytes, largest)?;
        let mut found = Vec::new();
        while let Some(record) = stream.next_record() {
            let record = record?;
            found.push((
                record.offset,
                record.timestamp,
                record.value.unwrap_or_default().to_vec(),
            ));
        }
        Ok(found)
    }

    #[test]
    fn a_stream_gives_what_a_message_set_in_memory_gives() {
        let values: Vec<Vec<u8>> = (0..50_u8).map(|n| vec![n; usize::from(n) * 100]).collect();
        for magic in [0, 1] {
            for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4] {
                for append_time in [false, true] {
                    let bytes = wrapper(magic, codec, append_time, &values);
                    let header = BatchHeader::parse(&bytes).unwrap();
                    let mut scratch = Vec::new();
                    let held: Vec<_> = Messages::new(&header, &bytes, &mut scratch, 1 << 20)
                        .unwrap()
                        .map(Result::unwrap)
                        .map(|record| (record.offset, record.timestamp, record.value.unwrap().to_vec()))
                        .collect();
                    assert_eq!(held.len(), 50);
                    assert_eq!(held.last().map(|(offset, ..)| *offset), Some(1000));
                    assert_eq!(
                        streamed(&bytes, 1 << 20).unwrap(),
                        held,
                        "{codec} {magic} {append_time}"
                    );
                }
            }
        }
    }

    #[test]
    fn no_more_than_one_message_is_held() {
        let values: Vec<Vec<u8>> = (0..60).map(|_| vec![b'x'; 100_000]).collect();
        let bytes = wrapper(1, Codec::Gzip, false, &values);
        let header = BatchHeader::parse(&bytes).unwrap();
        let mut stream = MessageStream::new(&header, &bytes, 1 << 20).unwrap();
        let mut count = 0;
        while let Some(record) = stream.next_record() {
            assert_eq!(record.unwrap().value.unwrap().len(), 100_000);
            count += 1;
            assert!(stream.held() < 1 << 20, "{}", stream.held());
        }
        assert_eq!(count, 60);
        let error = streamed(&bytes, 99_999).unwrap_err();
        assert!(matches!(
            error,
            RecordError::Compression(CompressionError::TooLarge { .. })
        ));
    }

    #[test]
    fn what_is_cut_off_or_changed_is_an_error_or_an_end_and_never_a_panic() {
        let values: Vec<Vec<u8>> = (0..20_u8).map(|n| vec![n; 50]).collect();
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4] {
            let bytes = wrapper(1, codec, false, &values);
            for at in 26..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 0x55;
                let _ = streamed(&changed, 1 << 16);
            }
        }
    }
}
