//! A [`Value`] → JSON as Kafka's own converters write it: compact, in the schema's order, bytes as base64.
//!
//! Owns the text; what a field is called and whether it is shown belongs to the schema.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::java_text;
use super::value::{StructValue, Value};

/// Appends a struct as an object.
pub fn write_struct(value: &StructValue<'_>, out: &mut Vec<u8>) {
    write_struct_with(value, out, &mut |_, _, _| false);
}

/// Appends a struct as an object; `replace` may write another value for the field of a name, and returns
/// whether it did.
pub fn write_struct_with(
    value: &StructValue<'_>,
    out: &mut Vec<u8>,
    replace: &mut dyn FnMut(&str, &Value<'_>, &mut Vec<u8>) -> bool,
) {
    out.push(b'{');
    let mut separator: &[u8] = b"";
    for (field, value) in value.present() {
        out.extend_from_slice(separator);
        separator = b",";
        write_text(field.name, out);
        out.push(b':');
        if !replace(field.name, value, out) {
            write_any(value, out, replace);
        }
    }
    out.push(b'}');
}

fn write_any(
    value: &Value<'_>,
    out: &mut Vec<u8>,
    replace: &mut dyn FnMut(&str, &Value<'_>, &mut Vec<u8>) -> bool,
) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Number(value) => out.extend_from_slice(value.to_string().as_bytes()),
        // JSON has no number for infinity and NaN: Jackson writes them as text.
        Value::Float(value) if !value.is_finite() => write_text(&java_text::double(*value), out),
        Value::Float(value) => java_text::push_double(*value, out),
        Value::Uuid(value) => {
            out.push(b'"');
            out.extend_from_slice(URL_SAFE_NO_PAD.encode(value).as_bytes());
            out.push(b'"');
        }
        Value::Text(value) => write_text(value, out),
        Value::Bytes(value) => {
            out.push(b'"');
            out.extend_from_slice(STANDARD.encode(value).as_bytes());
            out.push(b'"');
        }
        Value::Array(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_any(value, out, replace);
            }
            out.push(b']');
        }
        Value::Struct(value) => write_struct_with(value, out, replace),
    }
}

/// Appends a text with Jackson's escapes: the short ones, `\u00XX` in capitals, nothing beyond ASCII.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x0d => out.extend_from_slice(b"\\r"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04X}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
