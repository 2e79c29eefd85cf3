//! Records as JSON lines that lose nothing: null differs from empty, bytes that are not UTF-8 are base64, headers
//! keep their order and their duplicates. `input/json.rs` reads them back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::digits::{push_i32, push_i64};
use super::record::RecordFormatter;
use crate::client::record_source::{ConsumedRecord, TimestampType};

/// Writes one object a line.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonFormatter;

impl RecordFormatter for JsonFormatter {
    fn write(&mut self, record: &ConsumedRecord<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(b"{\"topic\":");
        push_text(record.topic, out);
        out.extend_from_slice(b",\"partition\":");
        push_i32(record.partition, out);
        out.extend_from_slice(b",\"offset\":");
        push_i64(record.offset, out);
        let kind: Option<&[u8]> = match record.timestamp_type {
            TimestampType::None => None,
            TimestampType::CreateTime => Some(b"CreateTime"),
            TimestampType::LogAppendTime => Some(b"LogAppendTime"),
        };
        if let Some(kind) = kind {
            out.extend_from_slice(b",\"timestamp\":");
            push_i64(record.timestamp, out);
            out.extend_from_slice(b",\"timestamp_type\":\"");
            out.extend_from_slice(kind);
            out.push(b'"');
        }
        if !record.headers.is_empty() {
            let mut before: &[u8] = b",\"headers\":[";
            for header in record.headers {
                out.extend_from_slice(before);
                before = b",";
                out.extend_from_slice(b"{\"name\":");
                push_text(header.name, out);
                push_field("value", header.value, out);
                out.push(b'}');
            }
            out.push(b']');
        }
        push_field("key", record.key, out);
        push_field("value", record.value, out);
        out.extend_from_slice(b"}\n");
        Ok(())
    }
}

/// `,"name":"text"`, `,"name":null` or `,"name_base64":"…"`.
fn push_field(name: &str, bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => out.extend_from_slice(b"\":null"),
        Some((_, Ok(text))) => {
            out.extend_from_slice(b"\":");
            push_text(text, out);
        }
        Some((bytes, Err(_))) => {
            out.extend_from_slice(b"_base64\":\"");
            out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
            out.push(b'"');
        }
    }
}

/// A JSON string.
pub(super) fn push_text(text: &str, out: &mut Vec<u8>) {
    if stands_as_it_is(text.as_bytes()) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

/// Whether nothing in a text has to be escaped. It is read to its end without a branch, so that the compiler makes
/// steps of 16 bytes, while escaping looks at each byte by itself.
fn stands_as_it_is(text: &[u8]) -> bool {
    let found = text.iter().fold(0, |found, byte| {
        found | u8::from(*byte < 0x20) | u8::from(*byte == b'"') | u8::from(*byte == b'\\')
    });
    found == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_is_what_serde_json_makes_of_it(text in "[ -~]{0,40}|\\PC{0,40}|[\\x00-\\x7f\"\\\\é日]{0,40}") {
            let mut out = Vec::new();
            push_text(&text, &mut out);
            prop_assert_eq!(out, serde_json::to_vec(&text).unwrap());
        }
    }
}
