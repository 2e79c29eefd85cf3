//! Records as the console consumer's `DefaultMessageFormatter` prints them, and similar formatters.

use super::deserializer::Deserializer;
use crate::client::record_source::{ConsumedRecord, TimestampType};
use crate::output::digits::{push_i32, push_i64};
use crate::output::record::RecordFormatter;

/// Columns in their fixed order; a separator after each but the last.
#[derive(Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a property of Java's formatter"
)]
pub struct DefaultFormatter {
    prints_timestamp: bool,
    prints_partition: bool,
    prints_offset: bool,
    prints_delivery: bool,
    prints_epoch: bool,
    prints_headers: bool,
    prints_key: bool,
    prints_value: bool,
    key_separator: Vec<u8>,
    line_separator: Vec<u8>,
    headers_separator: Vec<u8>,
    null_literal: Vec<u8>,
    key: Option<Deserializer>,
    value: Option<Deserializer>,
    headers: Option<Deserializer>,
    /// Unknown deserializer classes; raw bytes are printed instead.
    pub unknown_classes: Vec<String>,
}

impl DefaultFormatter {
    /// Parses the properties; of one given several times the last counts.
    pub fn new(properties: &[(String, String)]) -> Self {
        let get = |name: &str| {
            let found = properties.iter().rev().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        let is_true = |name: &str, default: bool| {
            get(name).map_or(default, |value| value.trim().eq_ignore_ascii_case("true"))
        };
        let text = |name: &str, default: &str| get(name).unwrap_or(default).as_bytes().to_vec();
        let mut unknown_classes = Vec::new();
        let mut deserializer = |name: &str| {
            let class = get(name)?;
            let setting = |setting: &str| {
                // Headers have the deserializer of values by default.
                let own = if name == "key.deserializer" {
                    "key"
                } else {
                    "value"
                };
                let found = get(&format!("{name}.{own}.{setting}"))
                    .or_else(|| get(&format!("{name}.{setting}")))
                    .or_else(|| get(&format!("{name}.default.list.{own}.{setting}")));
                found.map(str::to_owned)
            };
            let found = Deserializer::of_class(class, &setting);
            if found.is_none() {
                unknown_classes.push(class.to_owned());
            }
            found
        };
        Self {
            key: deserializer("key.deserializer"),
            value: deserializer("value.deserializer"),
            headers: deserializer("headers.deserializer"),
            prints_timestamp: is_true("print.timestamp", false),
            prints_partition: is_true("print.partition", false),
            prints_offset: is_true("print.offset", false),
            prints_delivery: is_true("print.delivery", false),
            prints_epoch: is_true("print.epoch", false),
            prints_headers: is_true("print.headers", false),
            prints_key: is_true("print.key", false),
            prints_value: is_true("print.value", true),
            key_separator: text("key.separator", "\t"),
            line_separator: text("line.separator", "\n"),
            headers_separator: text("headers.separator", ","),
            null_literal: text("null.literal", "null"),
            unknown_classes,
        }
    }

    fn end_column(&self, has_more: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(if has_more {
            &self.key_separator
        } else {
            &self.line_separator
        });
    }

    /// Null is printed as the bytes of the null literal, which are deserialized like any others.
    fn push_bytes(
        &self,
        bytes: Option<&[u8]>,
        deserializer: Option<&Deserializer>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let bytes = bytes.unwrap_or(&self.null_literal);
        if let Some(deserializer) = deserializer {
            return deserializer.write(bytes, out);
        }
        out.extend_from_slice(bytes);
        Ok(())
    }

    fn push_headers(&self, record: &ConsumedRecord<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        if record.headers.is_empty() {
            out.extend_from_slice(b"NO_HEADERS");
        }
        for (position, header) in record.headers.iter().enumerate() {
            if position > 0 {
                out.extend_from_slice(&self.headers_separator);
            }
            out.extend_from_slice(header.name.as_bytes());
            out.push(b':');
            self.push_bytes(header.value, self.headers.as_ref(), out)?;
        }
        Ok(())
    }
}

impl RecordFormatter for DefaultFormatter {
    fn write(&mut self, record: &ConsumedRecord<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        let after_key = self.prints_value;
        let after_headers = after_key || self.prints_key;
        let after_epoch = after_headers || self.prints_headers;
        let after_delivery = after_epoch || self.prints_epoch;
        let after_offset = after_delivery || self.prints_delivery;
        let after_partition = after_offset || self.prints_offset;
        let after_timestamp = after_partition || self.prints_partition;
        if self.prints_timestamp {
            push_timestamp(record, out);
            self.end_column(after_timestamp, out);
        }
        if self.prints_partition {
            out.extend_from_slice(b"Partition:");
            push_i32(record.partition, out);
            self.end_column(after_partition, out);
        }
        if self.prints_offset {
            out.extend_from_slice(b"Offset:");
            push_i64(record.offset, out);
            self.end_column(after_offset, out);
        }
        if self.prints_delivery {
            out.extend_from_slice(b"Delivery:NOT_PRESENT");
            self.end_column(after_delivery, out);
        }
        if self.prints_epoch {
            out.extend_from_slice(b"Epoch:NOT_PRESENT");
            self.end_column(after_epoch, out);
        }
        if self.prints_headers {
            self.push_headers(record, out)?;
            self.end_column(after_headers, out);
        }
        if self.prints_key {
            self.push_bytes(record.key, self.key.as_ref(), out)?;
            self.end_column(after_key, out);
        }
        if self.prints_value {
            self.push_bytes(record.value, self.value.as_ref(), out)?;
            out.extend_from_slice(&self.line_separator);
        }
        Ok(())
    }
}

fn push_timestamp(record: &ConsumedRecord<'_>, out: &mut Vec<u8>) {
    let name: &[u8] = match record.timestamp_type {
        TimestampType::None => {
            out.extend_from_slice(b"NO_TIMESTAMP");
            return;
        }
        TimestampType::CreateTime => b"CreateTime:",
        TimestampType::LogAppendTime => b"LogAppendTime:",
    };
    out.extend_from_slice(name);
    push_i64(record.timestamp, out);
}

/// Prints nothing; the records are still counted.
#[derive(Clone, Copy, Debug)]
pub struct NoOpFormatter;

impl RecordFormatter for NoOpFormatter {
    fn write(&mut self, _record: &ConsumedRecord<'_>, _out: &mut Vec<u8>) -> Result<(), String> {
        Ok(())
    }
}
