//! Java's usual deserializers, as far as they show in output: bytes to the result of `toString`.

use super::list_deserializer::ListDeserializer;
use crate::internal_records::java_text;

/// Their package.
pub(super) const SERIALIZATION: &str = "org.apache.kafka.common.serialization.";

/// A deserializer of `org.apache.kafka.common.serialization`.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    List(Box<ListDeserializer>),
}

/// A character set of the string deserializers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    Latin1,
    Ascii,
    /// Big endian unless there is a byte order mark.
    Utf16,
    Utf16Big,
    Utf16Little,
}

impl Charset {
    /// `None` for an unknown character set.
    fn of_name(name: Option<&str>) -> Option<Self> {
        Some(match name.map(str::to_ascii_uppercase).as_deref() {
            None | Some("UTF-8" | "UTF8" | "UNICODE-1-1-UTF-8") => Self::Utf8,
            Some("ISO-8859-1" | "ISO8859_1" | "ISO8859-1" | "LATIN1" | "L1") => Self::Latin1,
            Some("US-ASCII" | "ASCII" | "ISO646-US") => Self::Ascii,
            Some("UTF-16" | "UTF_16" | "UTF16" | "UNICODE") => Self::Utf16,
            Some("UTF-16BE" | "UTF_16BE" | "UNICODEBIGUNMARKED") => Self::Utf16Big,
            Some("UTF-16LE" | "UTF_16LE" | "UNICODELITTLEUNMARKED") => Self::Utf16Little,
            Some(_) => return None,
        })
    }
}

impl Deserializer {
    /// The deserializer with this class name, and its own settings; `None` for an unknown class, or invalid settings.
    pub fn of_class(class: &str, setting: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let name = class.strip_prefix(SERIALIZATION)?;
        if name == "ListDeserializer" {
            return Some(Self::List(Box::new(ListDeserializer::new(setting)?)));
        }
        let charset = setting("deserializer.encoding");
        let charset = Charset::of_name(charset.as_deref());
        Self::of_name(name.strip_suffix("Deserializer")?, charset)
    }

    /// `String`, `Long` and so on.
    pub(super) fn of_name(name: &str, charset: Option<Charset>) -> Option<Self> {
        Some(match name {
            "String" => Self::String(charset?),
            "Short" => Self::Short,
            "Integer" => Self::Integer,
            "Long" => Self::Long,
            "Float" => Self::Float,
            "Double" => Self::Double,
            "Boolean" => Self::Boolean,
            "UUID" => Self::Uuid(charset?),
            "Bytes" => Self::Bytes,
            "ByteArray" => Self::ByteArray,
            "ByteBuffer" => Self::ByteBuffer,
            "Void" => Self::Void,
            _ => return None,
        })
    }

    /// Appends the text that Java prints for these bytes.
    pub fn write(&self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Self::String(charset) => push_decoded(bytes, *charset, out),
            Self::Short => push_display(i16::from_be_bytes(sized("ShortDeserializer", bytes)?), out),
            Self::Integer => push_display(i32::from_be_bytes(sized("IntegerDeserializer", bytes)?), out),
            Self::Long => push_display(i64::from_be_bytes(sized("LongDeserializer", bytes)?), out),
            // These two have this name in Java's message, too.
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
            Self::Uuid(charset) => push_uuid(bytes, *charset, out)?,
            Self::Bytes => push_escaped(bytes, out),
            Self::ByteArray => push_display(format_args!("[B@{:x}", hash(bytes)), out),
            Self::ByteBuffer => push_display(
                format_args!("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", bytes.len()),
                out,
            ),
            Self::List(list) => list.write(bytes, out)?,
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

/// Appends a text.
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
        Charset::Utf16 => match bytes {
            [0xff, 0xfe, rest @ ..] => push_utf16(rest, u16::from_le_bytes, out),
            [0xfe, 0xff, rest @ ..] => push_utf16(rest, u16::from_be_bytes, out),
            _ => push_utf16(bytes, u16::from_be_bytes, out),
        },
        Charset::Utf16Big => push_utf16(bytes, u16::from_be_bytes, out),
        Charset::Utf16Little => push_utf16(bytes, u16::from_le_bytes, out),
    }
}

/// Appends UTF-16; an unpaired surrogate becomes a replacement character.
fn push_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, out: &mut Vec<u8>) {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut units = pairs.iter().map(|pair| unit(*pair));
    let mut text = String::with_capacity(bytes.len());
    let mut is_cut = !rest.is_empty();
    while let Some(first) = units.next() {
        // A high surrogate takes the next unit with it, whatever that is, or else what is left.
        let is_high = matches!(first, 0xd800..0xdc00);
        let second = if is_high { units.next() } else { None };
        is_cut &= !is_high || second.is_some();
        let mut decoded = char::decode_utf16([first].into_iter().chain(second));
        text.push(match decoded.next() {
            Some(Ok(character)) => character,
            _ => char::REPLACEMENT_CHARACTER,
        });
    }
    if is_cut {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    push_display(text, out);
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

/// `UUID.fromString` is lenient: five groups of hexadecimal digits, of which the last ones count.
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

/// Stands in for an object's identity hash, which Java prints for an array.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(1, |hash: u32, byte| {
        hash.wrapping_mul(31).wrapping_add(u32::from(*byte))
    }) & 0x7fff_ffff
}

/// Java's `Float.toString`: at least one digit after the point; an exponent below 0.001 and from ten million on.
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
    fn a_character_set_is_kept_or_refused() {
        let printed = |encoding: &str, bytes: &[u8]| {
            let class = "org.apache.kafka.common.serialization.StringDeserializer";
            let deserializer = Deserializer::of_class(class, &|_| Some(encoding.to_owned())).unwrap();
            let mut out = Vec::new();
            deserializer.write(bytes, &mut out)?;
            Ok::<_, String>(String::from_utf8(out).unwrap())
        };
        assert_eq!(printed("utf-16", b"\0a\x20\xac").unwrap(), "a\u{20ac}");
        assert_eq!(printed("UTF-16", b"\xff\xfea\0").unwrap(), "a");
        assert_eq!(printed("UTF-16LE", b"a\0b").unwrap(), "a\u{fffd}");
        assert_eq!(printed("UTF-16BE", b"\xd8\0\0a").unwrap(), "\u{fffd}");
        assert_eq!(printed("UTF-16BE", b"\xfe\xff").unwrap(), "\u{feff}");
        assert_eq!(printed("latin1", b"\xe9").unwrap(), "\u{e9}");
        let class = "org.apache.kafka.common.serialization.StringDeserializer";
        assert_eq!(
            Deserializer::of_class(class, &|_| Some("no-such".to_owned())),
            None
        );
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
