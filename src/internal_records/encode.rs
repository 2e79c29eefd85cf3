//! A [`StructValue`] → bytes, as Kafka writes its internal records.
//!
//! Owns writing; the inverse of `decode`. Versions and types in front of the bytes belong to the modules of the
//! topics.

use super::schema::{Field, Kind, Message};
use super::value::{StructValue, Value};

/// Appends `value` to `out` as a record of `message`, in the value's version.
pub fn encode(message: &'static Message, value: &StructValue<'_>, out: &mut Vec<u8>) {
    fields(value, message.is_flexible(value.version), out);
}

fn fields(value: &StructValue<'_>, flexible: bool, out: &mut Vec<u8>) {
    let mut tagged: Vec<(u32, &Field, &Value<'_>)> = Vec::new();
    for (field, value_of_field) in value.present() {
        match field.tag(value.version) {
            Some(tag) => tagged.push((tag, field, value_of_field)),
            None => any(
                value_of_field,
                field.kind,
                field.is_nullable(value.version),
                flexible,
                out,
            ),
        }
    }
    if !flexible {
        return;
    }
    tagged.sort_by_key(|(tag, ..)| *tag);
    unsigned_varint(tagged.len() as u32, out);
    for (tag, field, value_of_field) in tagged {
        let mut body = Vec::new();
        match value_of_field {
            // A varint says whether a tagged struct is null; for other structs a byte does.
            Value::Null if matches!(field.kind, Kind::Struct(_)) => body.push(0),
            _ => any(
                value_of_field,
                field.kind,
                field.is_nullable(value.version),
                flexible,
                &mut body,
            ),
        }
        unsigned_varint(tag, out);
        unsigned_varint(body.len() as u32, out);
        out.extend_from_slice(&body);
    }
}

fn any(value: &Value<'_>, kind: Kind, nullable: bool, flexible: bool, out: &mut Vec<u8>) {
    match (value, kind) {
        (Value::Null, Kind::Struct(_)) => out.push(u8::MAX),
        (Value::Null, kind) => length(kind, None, flexible, out),
        (Value::Bool(value), _) => out.push(u8::from(*value)),
        (Value::Number(value), kind) => number(*value, kind, out),
        (Value::Float(value), _) => out.extend_from_slice(&value.to_be_bytes()),
        (Value::Uuid(value), _) => out.extend_from_slice(value),
        (Value::Text(value), kind) => {
            length(kind, Some(value.len()), flexible, out);
            out.extend_from_slice(value.as_bytes());
        }
        (Value::Bytes(value), kind) => {
            length(kind, Some(value.len()), flexible, out);
            out.extend_from_slice(value);
        }
        (Value::Array(values), kind) => {
            length(kind, Some(values.len()), flexible, out);
            let element = match kind {
                Kind::Array(element) => *element,
                other => other,
            };
            for value in values {
                any(value, element, false, flexible, out);
            }
        }
        (Value::Struct(value), _) => {
            if nullable {
                out.push(1);
            }
            fields(value, flexible, out);
        }
    }
}

fn number(value: i64, kind: Kind, out: &mut Vec<u8>) {
    match kind {
        Kind::Int8 | Kind::Bool => out.push(value as u8),
        Kind::Int16 | Kind::Uint16 => out.extend_from_slice(&(value as i16).to_be_bytes()),
        Kind::Int32 | Kind::Uint32 => out.extend_from_slice(&(value as i32).to_be_bytes()),
        _ => out.extend_from_slice(&value.to_be_bytes()),
    }
}

/// The length in front of a text, bytes or an array; `None` is null.
fn length(kind: Kind, length: Option<usize>, flexible: bool, out: &mut Vec<u8>) {
    match (length, kind) {
        (length, _) if flexible => unsigned_varint(length.map_or(0, |length| length as u32 + 1), out),
        (Some(length), Kind::Text) => out.extend_from_slice(&(length as i16).to_be_bytes()),
        (Some(length), _) => out.extend_from_slice(&(length as i32).to_be_bytes()),
        (None, Kind::Text) => out.extend_from_slice(&(-1_i16).to_be_bytes()),
        (None, _) => out.extend_from_slice(&(-1_i32).to_be_bytes()),
    }
}

pub(super) fn unsigned_varint(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
