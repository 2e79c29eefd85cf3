//! What `consume` prints without a format option: the value, or the key and the value, and a line end.
//!
//! Owns two exceptions: records of internal topics are JSON objects, and on a terminal bytes are escaped that are not
//! text (they could move the cursor, or worse).

use super::printable::make_printable;
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
    /// `template` is used for records of all other topics.
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

    fn values_end(&self, topic: &str) -> Option<&[u8]> {
        let is_plain = !self.is_for_terminal && Topic::named(topic).is_none();
        self.template.values_end(topic).filter(|_| is_plain)
    }

    fn wants_headers(&self) -> bool {
        self.template.wants_headers()
    }
}

/// Appends a record of a coordinator and returns true; appends nothing and returns false where it cannot be decoded.
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
