//! JSON lines with bytes that are not UTF-8, as from `kcat -J`: in its strings each byte from 0x80 on stands for
//! itself, and only ASCII is escaped.
//!
//! Such a line is parsed with each of these bytes as the character with its number, and the strings of the record are
//! converted back to bytes.

use std::borrow::Cow;

use super::{BadInput, Bytes, ParsedRecord};

/// The line with each byte as one character.
pub(super) fn widened(line: &[u8]) -> String {
    line.iter().copied().map(char::from).collect()
}

/// The record of a widened line, with the bytes that the line had.
pub(super) fn narrowed(record: ParsedRecord<'_>) -> Result<ParsedRecord<'static>, BadInput> {
    let mut headers = Vec::with_capacity(record.headers.len());
    for (name, value) in record.headers {
        let name = String::from_utf8(bytes_of(name.as_bytes()))
            .map_err(|_| BadInput::new("the name of a header is not UTF-8".to_owned()))?;
        headers.push((Cow::Owned(name), narrowed_bytes(value)));
    }
    Ok(ParsedRecord {
        key: narrowed_bytes(record.key),
        value: narrowed_bytes(record.value),
        headers,
        topic: record.topic.map(|topic| Cow::Owned(topic.into_owned())),
        partition: record.partition,
        timestamp: record.timestamp,
    })
}

fn narrowed_bytes(bytes: Bytes<'_>) -> Bytes<'static> {
    bytes.map(|bytes| Cow::Owned(bytes_of(&bytes)))
}

/// Each character as the byte with its number; a larger one, which was an escape, as its UTF-8.
fn bytes_of(widened: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(widened);
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from(character) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}
