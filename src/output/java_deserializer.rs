//! Java's usual deserializers, as far as a printed record shows them: bytes to what `toString` gives.

use crate::internal_records::java_text;

/// A deserializer of `org.apache.kafka.common.serialization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deserializer {
    String(Charset),
    Short,
    Integer,
    Long,
    Float,
    Double,
    Boolean,
    Uuid(Charset),
    Bytes,
    ByteArray,
    ByteBuffer,
    Void,
}

/// A character set of the string deserializers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    Latin1,
    Ascii,
}

impl Deserializer {
    /// The deserializer of this class name, with its own settings; None for a class that is not known.
    pub fn of_class(class: &str, setting: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let name = class
            .trim()
            .strip_prefix("org.apache.kafka.common.serialization.")?;
        let charset = setting("deserializer.encoding");
        let charset = match charset.as_deref().map(str::to_ascii_uppercase).as_deref() {
            Some("ISO-8859-1" | "ISO8859_1" | "LATIN1") => Charset::Latin1,
            Some("US-ASCII" | "ASCII") => Charset::Ascii,
            _ => Charset::Utf8,
        };
        Some(match name {
            "StringDeserializer" => Self::String(charset),
            "ShortDeserializer" => Self::Short,
            "IntegerDeserializer" => Self::Integer,
            "LongDeserializer" => Self::Long,
            "FloatDeserializer" => Self::Float,
            "DoubleDeserializer" => Self::Double,
            "BooleanDeserializer" => Self::Boolean,
            "UUIDDeserializer" => Self::Uuid(charset),
            "BytesDeserializer" => Self::Bytes,
            "ByteArrayDeserializer" => Self::ByteArray,
            "ByteBufferDeserializer" => Self::ByteBuffer,
            "VoidDeserializer" => Self::Void,
            _ => return None,
        })
    }

    /// Appends what Java prints for these bytes.
    pub fn write(self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Self::String(charset) => push_decoded(bytes, charset, out),
            Self::Short => push_display(i16::from_be_bytes(sized("ShortDeserializer", bytes)?), out),
            Self::Integer => push_display(i32::from_be_bytes(sized("IntegerDeserializer", bytes)?), out),
            Self::Long => push_display(i64::from_be_bytes(sized("LongDeserializer", bytes)?), out),
            // These two name themselves so in Java, too.
            Self::Float => push_display(float(f32::from_be_bytes(sized("Deserializer", bytes)?)), out),
            Self::Double => java_text::push_double(f64::from_be_bytes(sized("Deserializer", bytes)?), out),
            Self::Boolean => match sized("BooleanDeserializer", bytes)? {
                [1] => out.extend_from_slice(b"true"),
                [0] => out.extend_from_slice(b"false"),
                [other] => {
                    let other = i8::from_be_bytes([other]);
                    return Err(format!(
                        "Unexpected byte received by BooleanDeserializer: {other}"
                    ));
                }
            },
            Self::Uuid(charset) => push_uuid(bytes, charset, out)?,
            Self::Bytes => push_escaped(bytes, out),
            Self::ByteArray => push_display(format_args!("[B@{:x}", hash(bytes)), out),
            Self::ByteBuffer => push_display(
                format_args!("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", bytes.len()),
                out,
            ),
            Self::Void => return Err("Data should be null for a VoidDeserializer.".into()),
        }
        Ok(())
    }
}

fn push_display(value: impl std::fmt::Display, out: &mut Vec<u8>) {
    use std::io::Write as _;
    // Writing to memory does not fail.
    let _ = write!(out, "{value}");
}

fn sized<const N: usize>(name: &str, bytes: &[u8]) -> Result<[u8; N], String> {
    bytes
        .try_into()
        .map_err(|_| format!("Size of data received by {name} is not {N}"))
}

fn push_decoded(bytes: &[u8], charset: Charset, out: &mut Vec<u8>) {
    match charset {
        Charset::Utf8 => java_text::push_decoded(bytes, out),
        Charset::Latin1 => push_display(
            bytes.iter().map(|byte| char::from(*byte)).collect::<String>(),
            out,
        ),
        Charset::Ascii => {
            let text = bytes.iter().map(|byte| {
                if byte.is_ascii() {
                    char::from(*byte)
                } else {
                    '\u{fffd}'
                }
            });
            push_display(text.collect::<String>(), out);
        }
    }
}

/// Java's `Bytes.toString`.
fn push_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b' '..=b'~' if *byte != b'\\' => out.push(*byte),
            other => push_display(format_args!("\\x{other:02X}"), out),
        }
    }
}

/// `UUID.fromString` is generous: five groups of hexadecimal digits, of which the last ones count.
fn push_uuid(bytes: &[u8], charset: Charset, out: &mut Vec<u8>) -> Result<(), String> {
    let problem = || "Error parsing data into UUID".to_owned();
    let mut text = Vec::new();
    push_decoded(bytes, charset, &mut text);
    let text = String::from_utf8(text).map_err(|_| problem())?;
    let groups: Vec<&str> = text.split('-').collect();
    let &[low, mid, high, sequence, node] = groups.as_slice() else {
        return Err(problem());
    };
    if text.len() > 36 {
        return Err(problem());
    }
    let number = |group: &str, bits: u32| {
        let is_hex = !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = u64::from_str_radix(group, 16).ok().filter(|_| is_hex);
        value
            .map(|value| value & (u64::MAX >> (64 - bits)))
            .ok_or_else(problem)
    };
    let (low, mid, high) = (number(low, 32)?, number(mid, 16)?, number(high, 16)?);
    let (sequence, node) = (number(sequence, 16)?, number(node, 48)?);
    push_display(
        format_args!("{low:08x}-{mid:04x}-{high:04x}-{sequence:04x}-{node:012x}"),
        out,
    );
    Ok(())
}

/// Stands for an object's identity, which Java prints for an array.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(1, |hash: u32, byte| {
        hash.wrapping_mul(31).wrapping_add(u32::from(*byte))
    }) & 0x7fff_ffff
}

/// Java's `Float.toString`: at least one digit after the point, an exponent below a thousandth and from ten million.
fn float(value: f32) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 {
            "Infinity".into()
        } else {
            "-Infinity".into()
        };
    }
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        let text = format!("{value}");
        return if text.contains('.') {
            text
        } else {
            format!("{text}.0")
        };
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(name: &str, bytes: &[u8]) -> Result<String, String> {
        let class = format!("org.apache.kafka.common.serialization.{name}Deserializer");
        let deserializer = Deserializer::of_class(&class, &|_| None).unwrap();
        let mut out = Vec::new();
        deserializer.write(bytes, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn numbers_are_printed_as_java_prints_them() {
        assert_eq!(printed("Integer", b"key1").unwrap(), "1801812273");
        assert_eq!(printed("Long", b"abcdefgh").unwrap(), "7017280452245743464");
        assert_eq!(printed("Double", b"abcdefgh").unwrap(), "1.2926117907728089E161");
        assert_eq!(printed("Float", &1.0f32.to_be_bytes()).unwrap(), "1.0");
        assert_eq!(printed("Float", &1.0e7f32.to_be_bytes()).unwrap(), "1.0E7");
        assert_eq!(printed("Float", &0.001f32.to_be_bytes()).unwrap(), "0.001");
        assert_eq!(printed("Float", &1.5e-4f32.to_be_bytes()).unwrap(), "1.5E-4");
        assert_eq!(printed("Float", &(-0.0f32).to_be_bytes()).unwrap(), "-0.0");
    }

    #[test]
    fn complaints_are_javas() {
        assert_eq!(
            printed("Long", b"abc").unwrap_err(),
            "Size of data received by LongDeserializer is not 8"
        );
        assert_eq!(
            printed("Double", b"abc").unwrap_err(),
            "Size of data received by Deserializer is not 8"
        );
        assert!(printed("Void", b"").is_err());
        assert!(printed("UUID", b"x").is_err());
    }

    #[test]
    fn texts_uuids_and_bytes() {
        assert_eq!(printed("String", b"a\xff").unwrap(), "a\u{fffd}");
        assert_eq!(printed("Bytes", b"a\\\n").unwrap(), "a\\x5C\\x0A");
        assert_eq!(
            printed("UUID", b"1-2-3-4-5").unwrap(),
            "00000001-0002-0003-0004-000000000005"
        );
        assert_eq!(printed("Boolean", &[1]).unwrap(), "true");
    }
}
