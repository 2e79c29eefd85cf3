//! JSON lines to records: the form that `consume --json` prints, so that a copy of a topic is a copy.
//!
//! Owns the names of the fields on the way in; `output/record_json.rs` owns them on the way out.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::lines::excerpt;
use super::{BadInput, Bytes, ParsedRecord, RecordParser};
use crate::plain_words;

/// Reads one JSON object a line.
#[derive(Clone, Debug, Default)]
pub struct JsonParser {
    /// Take the topic from the object.
    pub keeps_topic: bool,
    /// Take the partition from the object.
    pub keeps_partition: bool,
}

impl RecordParser for JsonParser {
    fn parse<'a>(&'a mut self, text: &'a [u8], _number: u64) -> Result<Option<ParsedRecord<'a>>, BadInput> {
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        let value: Value = serde_json::from_slice(text).map_err(|error| {
            BadInput::new(format!(
                "not JSON: {}: {}",
                plain_words::of_json(&error),
                excerpt(text)
            ))
        })?;
        let Value::Object(fields) = value else {
            return Err(BadInput::new(format!("not a JSON object: {}", excerpt(text))));
        };
        let mut record = ParsedRecord::default();
        for (name, value) in fields {
            match name.as_str() {
                "key" => record.key = text_bytes(value, "key")?,
                "value" => record.value = text_bytes(value, "value")?,
                "key_base64" => record.key = Some(base64_bytes(&value, "key_base64")?),
                "value_base64" => record.value = Some(base64_bytes(&value, "value_base64")?),
                "headers" => record.headers = headers(value)?,
                "timestamp" if !value.is_null() => {
                    record.timestamp = integer(&value, "timestamp")?.filter(|time| *time >= 0);
                }
                "topic" if self.keeps_topic => {
                    record.topic = value.as_str().map(|topic| topic.to_owned().into());
                }
                "partition" if self.keeps_partition && !value.is_null() => {
                    record.partition = integer(&value, "partition")?;
                }
                "timestamp" | "topic" | "partition" | "offset" | "timestamp_type" | "leader_epoch" => {}
                other => {
                    return Err(BadInput::new(format!(
                        "unknown field \"{other}\"; known are topic, partition, offset, timestamp, timestamp_type, \
                         headers, key, key_base64, value, value_base64"
                    )));
                }
            }
        }
        Ok(Some(record))
    }
}

/// A string is its UTF-8, null is null, anything else is its JSON.
fn text_bytes(value: Value, name: &str) -> Result<Bytes<'static>, BadInput> {
    Ok(match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Owned(text.into_bytes())),
        other => {
            let bytes = serde_json::to_vec(&other);
            Some(Cow::Owned(
                bytes.map_err(|error| BadInput::new(format!("{name}: {error}")))?,
            ))
        }
    })
}

fn base64_bytes(value: &Value, name: &str) -> Result<Cow<'static, [u8]>, BadInput> {
    let text = value
        .as_str()
        .ok_or_else(|| BadInput::new(format!("{name} is not a string")))?;
    let bytes = STANDARD.decode(text).map_err(|error| {
        BadInput::new(format!(
            "{name} is not base64: {}",
            plain_words::of_base64(&error)
        ))
    })?;
    Ok(Cow::Owned(bytes))
}

fn integer<N: TryFrom<i64>>(value: &Value, name: &str) -> Result<Option<N>, BadInput> {
    let number = value.as_i64().and_then(|number| N::try_from(number).ok());
    number
        .map(Some)
        .ok_or_else(|| BadInput::new(format!("{name} is no whole number: {value}")))
}

/// `[{"name": …, "value": …}]`, or an object of names and values.
fn headers(value: Value) -> Result<Vec<(Cow<'static, str>, Bytes<'static>)>, BadInput> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| Ok((Cow::Owned(name), text_bytes(value, "header")?)))
            .collect(),
        Value::Array(list) => list.into_iter().map(header).collect(),
        other => Err(BadInput::new(format!(
            "headers is neither a list nor an object: {other}"
        ))),
    }
}

fn header(value: Value) -> Result<(Cow<'static, str>, Bytes<'static>), BadInput> {
    let Value::Object(mut fields) = value else {
        return Err(BadInput::new(format!("a header is not an object: {value}")));
    };
    let Some(Value::String(name)) = fields.remove("name").or_else(|| fields.remove("key")) else {
        return Err(BadInput::new("a header has no name"));
    };
    let value = match fields.remove("value_base64") {
        Some(value) => Some(base64_bytes(&value, "value_base64")?),
        None => text_bytes(fields.remove("value").unwrap_or(Value::Null), "header")?,
    };
    Ok((Cow::Owned(name), value))
}
