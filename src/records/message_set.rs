//! Message sets of formats 0 and 1: single messages, and compressed messages that wrap a message set.
//!
//! <https://kafka.apache.org/documentation/#messageset>

use super::batch_header::{BatchHeader, TimestampType};
use super::batches::Batches;
use super::compression::{self, Codec};
use super::error::RecordError;
use super::fields::i32_at;
use super::message_stream;
use super::record::{Headers, Record};

/// Where a message's key begins: after offset, size, checksum, magic and attributes, and a timestamp in format 1.
const KEY_AT_V0: usize = 18;
const KEY_AT_V1: usize = 26;
/// Bytes of the length in front of a key or value.
const LENGTH_LEN: usize = 4;

/// One message as it is in the log.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Fields that format 0 or 1 lacks are -1; `base_offset` is the message's offset as stored.
    pub header: BatchHeader,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// The whole message with offset and size.
    pub bytes: &'a [u8],
    /// The stated length of the value exceeds the message; `value` is then `None`.
    pub is_cut: bool,
}

/// One message of a log's entry, as a record.
#[derive(Clone, Copy, Debug)]
pub struct StoredMessage<'a> {
    pub record: Record<'a>,
    /// All its bytes, which have a checksum of their own.
    pub bytes: &'a [u8],
    /// The stated length of the value exceeds the message; the record then has no value.
    pub is_cut: bool,
}

impl<'a> Message<'a> {
    /// Reads the fields of a whole message; `bytes` starts at its offset.
    pub fn parse(header: &BatchHeader, bytes: &'a [u8]) -> Result<Self, RecordError> {
        let bytes = bytes
            .get(..header.size_in_bytes())
            .ok_or(RecordError::Malformed("message is cut off"))?;
        let key_at = if header.magic == 0 { KEY_AT_V0 } else { KEY_AT_V1 };
        let mut fields = bytes.get(key_at..).ok_or(RecordError::Malformed("message"))?;
        let key = take_nullable(&mut fields, "key")?;
        let states_its_value = fields.len() >= LENGTH_LEN;
        let value = take_nullable(&mut fields, "value");
        let is_cut = value.is_err() && states_its_value;
        Ok(Self {
            header: *header,
            key,
            value: if is_cut { None } else { value? },
            bytes,
            is_cut,
        })
    }

    pub(super) fn to_stored(self, offset: i64, timestamp: i64) -> StoredMessage<'a> {
        StoredMessage {
            record: Record {
                offset,
                timestamp,
                sequence: -1,
                key: self.key,
                value: self.value,
                headers: Headers::default(),
            },
            bytes: self.bytes,
            is_cut: self.is_cut,
        }
    }
}

/// The messages of one entry of the log: itself, or those that it wraps, with their absolute offsets.
#[derive(Clone, Debug)]
pub struct Messages<'a>(State<'a>);

#[derive(Clone, Debug)]
enum State<'a> {
    Single(Option<StoredMessage<'a>>),
    Wrapped {
        inner: Batches<'a>,
        wrapper_magic: i8,
        /// What to add to the offsets found inside.
        offset_shift: i64,
        append_time: Option<i64>,
        failed: bool,
    },
}

impl<'a> Messages<'a> {
    /// `bytes` is the whole entry. What it wraps is inflated into `scratch`, up to `limit` bytes.
    pub fn new<'b>(
        header: &BatchHeader,
        bytes: &'b [u8],
        scratch: &'a mut Vec<u8>,
        limit: usize,
    ) -> Result<Self, RecordError>
    where
        'b: 'a,
    {
        let wrapper = Message::parse(header, bytes)?;
        let codec = header.codec().ok_or(RecordError::Malformed("codec"))?;
        if codec == Codec::None {
            let message = wrapper.to_stored(header.base_offset, header.max_timestamp);
            return Ok(Self(State::Single(Some(message))));
        }
        if codec == Codec::Zstd {
            return Err(RecordError::CodecNotAllowed {
                codec,
                magic: header.magic,
            });
        }
        let body = wrapper
            .value
            .ok_or(RecordError::Malformed("a compressed message without value"))?;
        scratch.clear();
        let inflated = message_stream::inflated(codec, header.magic, body)?;
        compression::read_limited(codec, inflated, scratch, limit)?;
        let inner = Batches::new(scratch);
        let mut last = None;
        for message in inner.clone() {
            last = Some(message?.header.base_offset);
        }
        let append_time = header.timestamp_type() == TimestampType::LogAppendTime;
        Ok(Self(State::Wrapped {
            offset_shift: offset_shift(header, last)?,
            inner,
            wrapper_magic: header.magic,
            append_time: append_time.then_some(header.max_timestamp),
            failed: false,
        }))
    }

    /// The first message's offset, which the entry itself does not state.
    pub fn base_offset(&self) -> Option<i64> {
        self.clone().next()?.ok().map(|record| record.offset)
    }
}

/// What to add to the inner offsets, of which the last is `last`. Format 1 numbers the inner messages from zero and
/// gives the wrapper the last one's absolute offset; format 0 stores absolute offsets inside.
pub(super) fn offset_shift(wrapper: &BatchHeader, last: Option<i64>) -> Result<i64, RecordError> {
    let last = last.ok_or(RecordError::Malformed(
        "a compressed message without messages inside",
    ))?;
    // Some producers leave the wrapper's offset at 0.
    if wrapper.magic == 0 || wrapper.base_offset == 0 {
        return Ok(0);
    }
    if wrapper.base_offset < last {
        return Err(RecordError::Malformed(
            "the offset of a compressed message, which is less than that of the last message inside",
        ));
    }
    Ok(wrapper.base_offset.wrapping_sub(last))
}

impl<'a> Messages<'a> {
    /// The next message, also one whose value is cut off.
    pub fn next_message(&mut self) -> Option<Result<StoredMessage<'a>, RecordError>> {
        match &mut self.0 {
            State::Single(message) => message.take().map(Ok),
            State::Wrapped {
                inner,
                wrapper_magic,
                offset_shift,
                append_time,
                failed,
            } => {
                if *failed {
                    return None;
                }
                let message = match inner.next()? {
                    Ok(batch) if batch.header.magic != *wrapper_magic => Err(RecordError::MixedMagic {
                        wrapper: *wrapper_magic,
                        inner: batch.header.magic,
                    }),
                    Ok(batch) if batch.header.codec() != Some(Codec::None) => Err(RecordError::NestedTooDeep),
                    Ok(batch) => Message::parse(&batch.header, batch.bytes).map(|message| {
                        message.to_stored(
                            batch.header.base_offset.wrapping_add(*offset_shift),
                            append_time.unwrap_or(batch.header.max_timestamp),
                        )
                    }),
                    Err(error) => Err(error.into()),
                };
                *failed = message.is_err();
                Some(message)
            }
        }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Record<'a>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let message = match self.next_message()? {
            Ok(message) if message.is_cut => return Some(Err(RecordError::Malformed("value"))),
            message => message,
        };
        Some(message.map(|message| message.record))
    }
}

/// The sizes of key and value as a whole message states them; any negative one is null.
pub fn stored_sizes(magic: i8, message: &[u8]) -> (i32, i32) {
    let key_at = if magic == 0 { KEY_AT_V0 } else { KEY_AT_V1 };
    let at = |at: usize| {
        message
            .get(at..at.saturating_add(4))
            .map_or(-1, |field| i32_at(field, 0))
    };
    let key = at(key_at);
    (
        key,
        at(key_at
            .saturating_add(4)
            .saturating_add(usize::try_from(key).unwrap_or(0))),
    )
}

/// Length and bytes; any negative length is null.
fn take_nullable<'a>(fields: &mut &'a [u8], what: &'static str) -> Result<Option<&'a [u8]>, RecordError> {
    let (length, rest) = fields
        .split_at_checked(LENGTH_LEN)
        .ok_or(RecordError::Malformed(what))?;
    *fields = rest;
    let Ok(length) = usize::try_from(i32_at(length, 0)) else {
        return Ok(None);
    };
    let (taken, rest) = rest
        .split_at_checked(length)
        .ok_or(RecordError::Malformed(what))?;
    *fields = rest;
    Ok(Some(taken))
}
