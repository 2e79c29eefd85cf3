//! Records of `__cluster_metadata`: a frame version, a type and a version, then the record.
//!
//! Owns the frame, shared with `__remote_log_metadata`, and the record types' names. KIP-631.

use super::decode::{DecodeError, Reader, decode};
use super::encode::{encode, unsigned_varint};
use super::json;
use super::schema::Message;
use super::tables::metadata;
use super::value::{StructValue, Value};

/// A decoded record of `__cluster_metadata`.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRecord<'a> {
    /// Its number in Kafka's list of record types.
    pub id: i16,
    pub value: StructValue<'a>,
}

impl MetadataRecord<'_> {
    /// Kafka's name of the type, `REGISTER_BROKER_RECORD` say.
    pub fn type_name(&self) -> String {
        upper_snake_case(self.value.schema.name)
    }

    /// Appends `{"type":…,"version":…,"data":…}`.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"type\":");
        json::write_text(&self.type_name(), out);
        out.extend_from_slice(format!(",\"version\":{},\"data\":", self.value.version).as_bytes());
        json::write_struct(&self.value, out);
        out.push(b'}');
    }
}

/// Decodes the value of a record of `__cluster_metadata`.
pub fn decode_record(bytes: &[u8]) -> Result<MetadataRecord<'_>, DecodeError> {
    let (id, value) = framed(metadata::RECORDS, bytes)?;
    Ok(MetadataRecord { id, value })
}

/// The value of a record of `__cluster_metadata`: the type of this name with these fields, the others at their
/// defaults; `None` if there is no such type.
pub fn encode_record<'a>(
    name: &str,
    version: i16,
    fields: impl IntoIterator<Item = (&'a str, Value<'a>)>,
) -> Option<Vec<u8>> {
    encode_record_with(name, version, |value| {
        for (name, field) in fields {
            value.set(name, field);
        }
    })
}

/// [`encode_record`] with a function that sets the fields; list elements are made by
/// [`StructValue::new_element`].
pub fn encode_record_with<'a>(
    name: &str,
    version: i16,
    fill: impl FnOnce(&mut StructValue<'a>),
) -> Option<Vec<u8>> {
    let (id, message) = metadata::RECORDS
        .iter()
        .find(|(_, message)| message.body.name == name && message.supports(version))?;
    let mut value = StructValue::new(&message.body, version);
    fill(&mut value);
    let mut bytes = Vec::new();
    unsigned_varint(1, &mut bytes);
    unsigned_varint(u32::try_from(*id).ok()?, &mut bytes);
    unsigned_varint(u32::try_from(version).ok()?, &mut bytes);
    encode(message, &value, &mut bytes);
    Some(bytes)
}

/// Reads a frame with one of `records` in it, and nothing after it.
pub(super) fn framed<'a>(
    records: &'static [(i16, &'static Message)],
    bytes: &'a [u8],
) -> Result<(i16, StructValue<'a>), DecodeError> {
    let mut reader = Reader::new(bytes);
    let frame_version = small("frame version", &mut reader)?;
    if frame_version == 0 {
        return malformed(
            "Could not deserialize metadata record with frame version 0. Note that upgrades from the preview release \
             of KRaft in 2.8 to newer versions are not supported.",
        );
    }
    if frame_version != 1 {
        return malformed(format!(
            "Could not deserialize metadata record due to unknown frame version {frame_version}(only frame version 1 \
             is supported)"
        ));
    }
    let id = small("type", &mut reader)?;
    let version = small("version", &mut reader)?;
    let Some((_, message)) = records.iter().find(|(known, _)| *known == id) else {
        let cause = "org.apache.kafka.common.errors.UnsupportedVersionException";
        return malformed(format!("{cause}: Unknown metadata id {id}"));
    };
    let failed = |_| DecodeError::Malformed(format!("Failed to deserialize record with type {id}"));
    let value = decode(message, version, &mut reader).map_err(failed)?;
    match reader.remaining() {
        0 => Ok((id, value)),
        left => malformed(format!("Found {left} byte(s) of garbage after {id}")),
    }
}

fn malformed<T>(message: impl Into<String>) -> Result<T, DecodeError> {
    Err(DecodeError::Malformed(message.into()))
}

/// An unsigned varint that must fit Java's short.
fn small(what: &str, reader: &mut Reader<'_>) -> Result<i16, DecodeError> {
    let Ok(value) = reader.unsigned_varint() else {
        return malformed(format!("Error while reading {what}"));
    };
    // As Java's int: a number with the highest bit set is negative, and accepted.
    let value = value as i32;
    if value > i32::from(i16::MAX) {
        return malformed(format!("Value for {what} was too large."));
    }
    Ok(value as i16)
}

/// `PartitionChangeRecord` → `PARTITION_CHANGE_RECORD`, `NoOpRecord` → `NO_OP_RECORD`.
fn upper_snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for (index, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && index > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out
}
