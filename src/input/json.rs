//! JSON lines to records: the form that `consume --json` prints, so that a copy of a topic is a copy.
//!
//! Owns the names of the fields on the way in; `output/record_json.rs` owns them on the way out. A value that is not a
//! string is passed on as the bytes of the line, without being parsed and written again: numbers keep their digits,
//! objects their spaces and their repeated names. The output of `kcat -J` is accepted, too: its `payload` is the value,
//! its `ts` the time, and its headers are a list of alternating names and values.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::lines::excerpt;
use super::raw_bytes;
use super::{BadInput, Bytes, ParsedRecord, RecordParser, without_byte_order_mark};
use crate::plain_words;

/// Parses one JSON object a line.
#[derive(Clone, Debug, Default)]
pub struct JsonParser {
    /// Take the topic from the object.
    pub keeps_topic: bool,
    /// Take the partition from the object.
    pub keeps_partition: bool,
}

impl RecordParser for JsonParser {
    fn parse<'a>(&'a mut self, text: &'a [u8], _number: u64) -> Result<Option<ParsedRecord<'a>>, BadInput> {
        let text = without_byte_order_mark(text);
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        if std::str::from_utf8(text).is_err() {
            if !is_of_kcat(text) {
                return Err(BadInput {
                    hint: Some("such bytes go as key_base64 and value_base64"),
                    ..BadInput::new(format!("not UTF-8, which JSON is: {}", excerpt(text)))
                });
            }
            let widened = raw_bytes::widened(text);
            return raw_bytes::narrowed(self.record(widened.as_bytes())?).map(Some);
        }
        self.record(text).map(Some)
    }
}

impl JsonParser {
    fn record<'a>(&self, text: &'a [u8]) -> Result<ParsedRecord<'a>, BadInput> {
        let Fields(fields) = serde_json::from_slice(text).map_err(|error| {
            BadInput::new(match error.classify() {
                serde_json::error::Category::Data => format!("not a JSON object: {}", excerpt(text)),
                _ => format!("not JSON: {}: {}", plain_words::of_json(&error), excerpt(text)),
            })
        })?;
        let mut record = ParsedRecord::default();
        for (position, (name, value)) in fields.iter().enumerate() {
            check_is_new(&fields, position)?;
            match name.as_ref() {
                "key" => record.key = text_bytes(value, "key")?,
                "value" | "payload" => record.value = text_bytes(value, name)?,
                "key_base64" => record.key = Some(base64_bytes(value, "key_base64")?),
                "value_base64" => record.value = Some(base64_bytes(value, "value_base64")?),
                "headers" => record.headers = headers(value)?,
                "timestamp" | "ts" => record.timestamp = integer(value, name)?,
                "topic" if self.keeps_topic => record.topic = Some(string(value, "topic")?),
                "partition" if self.keeps_partition => record.partition = integer(value, "partition")?,
                "topic" | "partition" | "offset" | "timestamp_type" | "leader_epoch" | "tstype"
                | "broker" => {}
                other => {
                    return Err(BadInput::new(format!(
                        "unknown field \"{other}\"; known are topic, partition, offset, timestamp, timestamp_type, \
                         headers, key, key_base64, value, value_base64"
                    )));
                }
            }
        }
        Ok(record)
    }
}

/// Whether a line was printed by `kcat -J`, which writes bytes that are not UTF-8 into its strings unchanged.
fn is_of_kcat(text: &[u8]) -> bool {
    text.windows(PAYLOAD.len()).any(|window| window == PAYLOAD)
}

const PAYLOAD: &[u8] = b"\"payload\":";

/// The names and the JSON texts of an object, in order, with repeated names.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Deserialize<'a> for Fields<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'a> Visitor<'a> for FieldsVisitor {
            type Value = Fields<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some((Text(name), value)) = map.next_entry::<Text<'a>, &'a RawValue>()? {
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// A JSON string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Refuses a field that occurs twice: it is not clear which of the two is meant.
fn check_is_new(fields: &[(Cow<'_, str>, &RawValue)], position: usize) -> Result<(), BadInput> {
    let (earlier, rest) = fields.split_at(position);
    let Some((name, _)) = rest.first() else {
        return Ok(());
    };
    match earlier
        .iter()
        .find(|(known, _)| without_form(known) == without_form(name))
    {
        Some((known, _)) if known == name => Err(BadInput::new(format!("the field \"{name}\" twice"))),
        Some((known, _)) => Err(BadInput::new(format!("both \"{known}\" and \"{name}\""))),
        None => Ok(()),
    }
}

/// `value` for `value`, `value_base64` and kcat's `payload`.
fn without_form(name: &str) -> &str {
    match name.strip_suffix("_base64").unwrap_or(name) {
        "payload" => "value",
        "ts" => "timestamp",
        name => name,
    }
}

fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

/// A string is its UTF-8, null is null, anything else is its JSON, byte for byte.
fn text_bytes<'a>(value: &'a RawValue, name: &str) -> Result<Bytes<'a>, BadInput> {
    let text = value.get();
    if is_null(value) {
        return Ok(None);
    }
    if !text.starts_with('"') {
        return Ok(Some(Cow::Borrowed(text.as_bytes())));
    }
    Ok(Some(match string(value, name)? {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }))
}

fn string<'a>(value: &'a RawValue, name: &str) -> Result<Cow<'a, str>, BadInput> {
    let text = value.get();
    if !text.starts_with('"') {
        return Err(BadInput::new(format!(
            "{name} is not a string: {}",
            excerpt(text.as_bytes())
        )));
    }
    let Text(text) = serde_json::from_str(text).map_err(|_| {
        // The line was parsed before; the only error that is found here first is an unpaired surrogate.
        let text = excerpt(text.as_bytes());
        BadInput::new(format!(
            "{name} holds half a surrogate pair, which is no text: {text}"
        ))
    })?;
    Ok(text)
}

fn base64_bytes<'a>(value: &'a RawValue, name: &str) -> Result<Cow<'a, [u8]>, BadInput> {
    let text = string(value, name)?;
    let bytes = STANDARD.decode(text.as_bytes()).map_err(|error| {
        BadInput::new(format!(
            "{name} is not base64: {}",
            plain_words::of_base64(&error)
        ))
    })?;
    Ok(Cow::Owned(bytes))
}

/// An integer; `None` for null.
fn integer<N: std::str::FromStr>(value: &RawValue, name: &str) -> Result<Option<N>, BadInput> {
    if is_null(value) {
        return Ok(None);
    }
    let text = value.get();
    let number = text.parse().map_err(|_| {
        BadInput::new(format!(
            "{name} is no whole number in range: {}",
            excerpt(text.as_bytes())
        ))
    })?;
    Ok(Some(number))
}

/// The headers of a record, in order.
type Headers<'a> = Vec<(Cow<'a, str>, Bytes<'a>)>;

/// `[{"name": …, "value": …}]`, an object of names and values, or `[name, value, …]` as from kcat.
fn headers(value: &RawValue) -> Result<Headers<'_>, BadInput> {
    let text = value.get();
    let bad = |_| {
        BadInput::new(format!(
            "headers is no list of headers: {}",
            excerpt(text.as_bytes())
        ))
    };
    match text.as_bytes().first() {
        Some(b'n') => Ok(Vec::new()),
        Some(b'{') => {
            let Fields(fields) = serde_json::from_str(text).map_err(bad)?;
            fields
                .into_iter()
                .map(|(name, value)| Ok((name, text_bytes(value, "a header")?)))
                .collect()
        }
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(text).map_err(bad)?;
            match list.first() {
                Some(first) if first.get().starts_with('"') => headers_in_turn(&list, text),
                _ => list.into_iter().map(header).collect(),
            }
        }
        _ => Err(BadInput::new(format!(
            "headers is neither a list nor an object: {}",
            excerpt(text.as_bytes())
        ))),
    }
}

/// Alternating names and values.
fn headers_in_turn<'a>(list: &[&'a RawValue], text: &str) -> Result<Headers<'a>, BadInput> {
    list.chunks(2)
        .map(|pair| match *pair {
            [name, value] => Ok((
                string(name, "the name of a header")?,
                text_bytes(value, "a header")?,
            )),
            _ => Err(BadInput::new(format!(
                "the last header has no value: {}",
                excerpt(text.as_bytes())
            ))),
        })
        .collect()
}

fn header(value: &RawValue) -> Result<(Cow<'_, str>, Bytes<'_>), BadInput> {
    let text = value.get();
    let Fields(fields) = serde_json::from_str(text)
        .map_err(|_| BadInput::new(format!("a header is not an object: {}", excerpt(text.as_bytes()))))?;
    let (mut name, mut bytes) = (None, None);
    for (position, (field, value)) in fields.iter().enumerate() {
        check_is_new(&fields, position)?;
        match field.as_ref() {
            "name" | "key" if name.is_none() => name = Some(string(value, "the name of a header")?),
            "value" => bytes = text_bytes(value, "a header")?,
            "value_base64" => bytes = Some(base64_bytes(value, "value_base64")?),
            other => {
                return Err(BadInput::new(format!(
                    "unknown field \"{other}\" of a header; known are name, value, value_base64"
                )));
            }
        }
    }
    let name = name.ok_or_else(|| BadInput::new("a header has no name"))?;
    Ok((name, bytes))
}
