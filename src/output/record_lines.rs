//! What `consume` prints where no form is asked for: the value, or the key and the value, and a line end.
//!
//! Owns two exceptions: the records that brokers keep for themselves are JSON objects, and on a terminal no bytes are
//! printed that would not be text there (they could move the cursor, or worse).

use super::record::RecordFormatter;
use super::record_json::push_text;
use super::record_template::Template;
use crate::client::record_source::ConsumedRecord;
use crate::internal_records::coordinator::Topic;
use crate::internal_records::json;

/// Writes one record a line.
#[derive(Debug)]
pub struct LineFormatter {
    template: Template,
    is_for_terminal: bool,
}

impl LineFormatter {
    /// `template` is the form of a record that is not one of Kafka's own.
    pub fn new(template: Template, is_for_terminal: bool) -> Self {
        Self {
            template,
            is_for_terminal,
        }
    }
}

impl RecordFormatter for LineFormatter {
    fn write(&mut self, record: &ConsumedRecord<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        if let Some(topic) = Topic::named(record.topic)
            && write_internal(topic, record, out)
        {
            return Ok(());
        }
        let begin = out.len();
        self.template.write(record, out)?;
        if self.is_for_terminal {
            make_printable(begin, out);
        }
        Ok(())
    }

    fn wants_headers(&self) -> bool {
        self.template.wants_headers()
    }
}

/// Appends a record of a coordinator; nothing, and false, where it cannot be decoded.
fn write_internal(topic: Topic, record: &ConsumedRecord<'_>, out: &mut Vec<u8>) -> bool {
    let Some(decoded) = record.key.and_then(|key| topic.decode(key, record.value).ok()) else {
        return false;
    };
    let name = topic
        .record_type(decoded.id)
        .map_or("", |known| known.key.body.name);
    out.extend_from_slice(b"{\"type\":");
    push_text(name.strip_suffix("Key").unwrap_or(name), out);
    out.extend_from_slice(b",\"key\":");
    json::write_struct(&decoded.key, out);
    out.extend_from_slice(b",\"value\":");
    match &decoded.value {
        Some(value) => json::write_struct(value, out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b"}\n");
    true
}

/// Replaces what is no text on a terminal from `begin` on: control characters but line ends and tabs, and bytes that are
/// not UTF-8, by `\xHH`.
fn make_printable(begin: usize, out: &mut Vec<u8>) {
    let Some(written) = out.get(begin..) else { return };
    let is_text = |character: char| !character.is_control() || matches!(character, '\n' | '\t');
    if std::str::from_utf8(written).is_ok_and(|text| text.chars().all(is_text)) {
        return;
    }
    let written = out.split_off(begin);
    for chunk in written.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).as_bytes();
            if is_text(character) {
                out.extend_from_slice(bytes);
            } else {
                push_hex(bytes, out);
            }
        }
        push_hex(chunk.invalid(), out);
    }
}

fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.extend_from_slice(b"\\x");
        for nibble in [byte >> 4, byte & 15] {
            out.extend(DIGITS.get(usize::from(nibble)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_shown_in_hexadecimal() {
        for (bytes, shown) in [
            (&b"plain\ttext\n"[..], "plain\ttext\n"),
            (b"\x1b[31mred", "\\x1b[31mred"),
            (b"a\xff\xfeb\n", "a\\xff\\xfeb\n"),
            ("\u{9b}é".as_bytes(), "\\xc2\\x9bé"),
        ] {
            let mut out = b"before \xff".to_vec();
            let begin = out.len();
            out.extend_from_slice(bytes);
            make_printable(begin, &mut out);
            assert_eq!(out.get(begin..), Some(shown.as_bytes()));
        }
    }
}
