//! Records by a template: kcat's tokens (`%t %p %o %k %s …`) and named fields that kcat does not have.
//!
//! Owns the language; a template is compiled once, and a mistake in it is found before anything is read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::digits::{push_i32, push_i64};
use super::printable::make_printable;
use super::record::RecordFormatter;
use super::record_json::push_text;
use crate::client::record_source::{ConsumedRecord, TimestampType};
use crate::filter::json_path::{JsonPath, string_of};

/// A compiled template.
#[derive(Clone, Debug)]
pub struct Template {
    parts: Vec<Part>,
    zone: TimeZone,
    /// What a record brings is made printable.
    is_for_terminal: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Vec<u8>),
    Topic,
    Partition,
    Offset,
    Key(Encoding),
    Value(Encoding),
    /// A value inside the JSON of the key.
    InKey(JsonPath),
    /// A value inside the JSON of the value.
    InValue(JsonPath),
    KeyLength,
    ValueLength,
    /// The value's length as four bytes, big endian; -1 for null.
    BinaryValueLength,
    Timestamp,
    FormattedTimestamp(String),
    Headers,
    Header(String),
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Raw,
    Hex,
    Base64,
    Json,
}

impl Template {
    /// Compiles a template; the error names what is unknown in it.
    pub fn compile(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            let part = match first {
                '\\' => {
                    rest = push_escape(rest, &mut literal)?;
                    None
                }
                '%' => {
                    let (part, after) = token(rest)?;
                    rest = after;
                    part.or_else(|| {
                        literal.push(b'%');
                        None
                    })
                }
                other => {
                    literal.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
                    None
                }
            };
            if let Some(part) = part {
                if !literal.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                parts.push(part);
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self {
            parts,
            zone: TimeZone::system(),
            is_for_terminal: false,
        })
    }

    /// The value and what ends a record.
    pub fn value_and(end: &[u8]) -> Self {
        Self {
            parts: vec![Part::Value(Encoding::Raw), Part::Text(end.to_vec())],
            zone: TimeZone::UTC,
            is_for_terminal: false,
        }
    }

    /// The key, what separates it, the value and what ends a record.
    pub fn key_value_and(separator: &[u8], end: &[u8]) -> Self {
        Self {
            parts: vec![
                Part::Key(Encoding::Raw),
                Part::Text(separator.to_vec()),
                Part::Value(Encoding::Raw),
                Part::Text(end.to_vec()),
            ],
            zone: TimeZone::UTC,
            is_for_terminal: false,
        }
    }

    /// Escapes what comes from records and is not text as `\xHH`; the text of the template itself is unchanged.
    #[must_use]
    pub fn for_terminal(mut self, is_for_terminal: bool) -> Self {
        self.is_for_terminal = is_for_terminal;
        self
    }

    /// Ends each record with more bytes.
    pub fn push_end(&mut self, end: &[u8]) {
        self.parts.push(Part::Text(end.to_vec()));
    }

    fn write_time(&self, format: &str, milliseconds: i64, out: &mut Vec<u8>) -> Result<(), String> {
        let time = Timestamp::from_millisecond(milliseconds).map_err(|error| error.to_string())?;
        let text = strtime::format(format, &time.to_zoned(self.zone.clone()));
        out.extend_from_slice(text.map_err(|error| error.to_string())?.as_bytes());
        Ok(())
    }
}

/// A part of a template for a record whose key and value come piece by piece.
#[derive(Clone, Debug)]
pub(crate) enum Section {
    /// Everything that needs neither the key nor the value.
    Text(Template),
    Key(Encoding),
    Value(Encoding),
    KeyLength,
    ValueLength,
    BinaryValueLength,
}

impl Section {
    /// Whether it can be written without the whole key or value, and without headers.
    pub(crate) fn comes_in_pieces(&self) -> bool {
        match self {
            Self::Key(encoding) | Self::Value(encoding) => *encoding != Encoding::Json,
            Self::Text(template) => !template.wants_headers() && !template.looks_inside(),
            Self::KeyLength | Self::ValueLength | Self::BinaryValueLength => true,
        }
    }
}

impl Encoding {
    /// Appends a piece, a multiple of three bytes unless it is the last. JSON's text cannot be written in pieces.
    pub(crate) fn push_piece(self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        if self == Self::Json {
            return Err("too large for a JSON text".to_owned());
        }
        push_bytes(Some(piece), self, out);
        Ok(())
    }
}

impl Template {
    /// Whether it looks inside the key or value, which must be whole then.
    fn looks_inside(&self) -> bool {
        let is_inside = |part: &Part| matches!(part, Part::InKey(_) | Part::InValue(_));
        self.parts.iter().any(is_inside)
    }

    /// The template in the order of its parts.
    pub(crate) fn sections(&self) -> impl Iterator<Item = Section> {
        self.parts.iter().map(|part| match part {
            Part::Key(encoding) => Section::Key(*encoding),
            Part::Value(encoding) => Section::Value(*encoding),
            Part::KeyLength => Section::KeyLength,
            Part::ValueLength => Section::ValueLength,
            Part::BinaryValueLength => Section::BinaryValueLength,
            other => Section::Text(Self {
                parts: vec![other.clone()],
                zone: self.zone.clone(),
                is_for_terminal: self.is_for_terminal,
            }),
        })
    }
}

impl RecordFormatter for Template {
    fn write(&mut self, record: &ConsumedRecord<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        for part in &self.parts {
            let begin = out.len();
            match part {
                Part::Text(text) => match text.as_slice() {
                    // Mostly a space or the end of the line, for which a call to copy it would take longer.
                    [byte] => out.push(*byte),
                    text => out.extend_from_slice(text),
                },
                Part::Topic => out.extend_from_slice(record.topic.as_bytes()),
                Part::Partition => push_i32(record.partition, out),
                Part::Offset => push_i64(record.offset, out),
                Part::Key(encoding) => push_bytes(record.key, *encoding, out),
                Part::Value(encoding) => push_bytes(record.value, *encoding, out),
                Part::InKey(path) => push_found(path, record.key, out),
                Part::InValue(path) => push_found(path, record.value, out),
                Part::KeyLength => push_i64(length(record.key), out),
                Part::ValueLength => push_i64(length(record.value), out),
                Part::BinaryValueLength => {
                    out.extend_from_slice(&(length(record.value) as i32).to_be_bytes());
                }
                Part::Timestamp => push_i64(record.timestamp, out),
                Part::FormattedTimestamp(format) => {
                    if record.timestamp_type != TimestampType::None {
                        self.write_time(format, record.timestamp, out)?;
                    }
                }
                Part::Headers => push_headers(record, out),
                Part::Header(name) => {
                    // As Kafka's own lastHeader: of several headers with one name the last counts.
                    let found = record.headers.iter().rev().find(|header| header.name == name);
                    out.extend_from_slice(found.and_then(|header| header.value).unwrap_or_default());
                }
            }
            if self.is_for_terminal && !matches!(part, Part::Text(_)) {
                make_printable(begin, out);
            }
        }
        Ok(())
    }

    fn values_end(&self, _topic: &str) -> Option<&[u8]> {
        match self.parts.as_slice() {
            [Part::Value(Encoding::Raw), Part::Text(end)] if !self.is_for_terminal => Some(end),
            _ => None,
        }
    }

    fn wants_headers(&self) -> bool {
        let is_of_headers = |part: &Part| matches!(part, Part::Headers | Part::Header(_));
        self.parts.iter().any(is_of_headers)
    }
}

fn length(bytes: Option<&[u8]>) -> i64 {
    bytes.map_or(-1, |bytes| bytes.len() as i64)
}

fn push_bytes(bytes: Option<&[u8]>, encoding: Encoding, out: &mut Vec<u8>) {
    let Some(bytes) = bytes else {
        if encoding == Encoding::Json {
            out.extend_from_slice(b"null");
        }
        return;
    };
    match encoding {
        Encoding::Raw => out.extend_from_slice(bytes),
        Encoding::Base64 => out.extend_from_slice(STANDARD.encode(bytes).as_bytes()),
        Encoding::Json => push_text(&String::from_utf8_lossy(bytes), out),
        Encoding::Hex => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            for byte in bytes {
                let digits = [byte >> 4, byte & 15].map(|digit| DIGITS.get(usize::from(digit)).copied());
                out.extend(digits.into_iter().flatten());
            }
        }
    }
}

/// The value at a path: a string without its quotation marks, everything else as JSON; nothing where there is none.
fn push_found(path: &JsonPath, json: Option<&[u8]>, out: &mut Vec<u8>) {
    let found = json.and_then(|json| path.find(json));
    match found.map(|found| (found, string_of(found))) {
        Some((_, Some(text))) => out.extend_from_slice(text.as_bytes()),
        Some((found, None)) => out.extend_from_slice(found),
        None => {}
    }
}

fn push_headers(record: &ConsumedRecord<'_>, out: &mut Vec<u8>) {
    for (position, header) in record.headers.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        out.extend_from_slice(header.name.as_bytes());
        out.push(b'=');
        out.extend_from_slice(header.value.unwrap_or(b"NULL"));
    }
}

/// The part behind a `%` (none for `%%`), and what follows it.
fn token(text: &str) -> Result<(Option<Part>, &str), String> {
    let Some(letter) = text.chars().next() else {
        return Err("a single % at the end; write %% for a percent sign".into());
    };
    let rest = text.get(letter.len_utf8()..).unwrap_or_default();
    let part = match letter {
        '%' => return Ok((None, rest)),
        't' => Part::Topic,
        'p' => Part::Partition,
        'o' => Part::Offset,
        'k' => Part::Key(Encoding::Raw),
        's' => Part::Value(Encoding::Raw),
        'K' => Part::KeyLength,
        'S' => Part::ValueLength,
        'R' => Part::BinaryValueLength,
        'T' => Part::Timestamp,
        'h' => Part::Headers,
        '{' => {
            let Some((field, rest)) = rest.split_once('}') else {
                return Err("%{ without a closing }".into());
            };
            return Ok((Some(field_named(field)?), rest));
        }
        other => {
            return Err(format!(
                "unknown token %{other}; known are %t %p %o %k %s %K %S %R %T %h %% and %{{FIELD}}"
            ));
        }
    };
    Ok((Some(part), rest))
}

fn field_named(field: &str) -> Result<Part, String> {
    let (name, detail) = match field.split_once(':') {
        Some((name, detail)) => (name, Some(detail)),
        None => (field, None),
    };
    let encoding = || match detail {
        None => Ok(Encoding::Raw),
        Some("hex") => Ok(Encoding::Hex),
        Some("base64") => Ok(Encoding::Base64),
        Some("json") => Ok(Encoding::Json),
        Some(other) => Err(format!(
            "unknown form \"{other}\" of {name}; known are hex, base64, json and paths such as .user.id"
        )),
    };
    let path = |text: &str| match JsonPath::parse(text) {
        Ok((path, "")) => Ok(path),
        Ok((_, rest)) => Err(format!("\"{rest}\" makes no sense in the path {text}")),
        Err((_, problem)) => Err(format!("{problem} in \"{text}\"")),
    };
    match (name, detail) {
        ("topic", None) => Ok(Part::Topic),
        ("partition", None) => Ok(Part::Partition),
        ("offset", None) => Ok(Part::Offset),
        ("headers", None) => Ok(Part::Headers),
        ("timestamp", None) => Ok(Part::Timestamp),
        ("timestamp", Some(format)) => {
            strtime::format(format, &Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC))
                .map_err(|_| format!("\"{format}\" is no time format; %F %T%z is one"))?;
            Ok(Part::FormattedTimestamp(format.to_owned()))
        }
        ("header", Some(name)) => Ok(Part::Header(name.to_owned())),
        ("key", Some(detail)) if detail.starts_with('.') => path(detail).map(Part::InKey),
        ("value", Some(detail)) if detail.starts_with('.') => path(detail).map(Part::InValue),
        ("key", _) => Ok(Part::Key(encoding()?)),
        ("value", _) => Ok(Part::Value(encoding()?)),
        _ => Err(format!(
            "unknown field %{{{field}}}; known are topic, partition, offset, key, value, headers, header:NAME, \
             timestamp, timestamp:FORMAT"
        )),
    }
}

/// Appends what an escape means; returns the text after it.
fn push_escape<'a>(text: &'a str, out: &mut Vec<u8>) -> Result<&'a str, String> {
    let Some(letter) = text.chars().next() else {
        return Err("a single \\ at the end".into());
    };
    let rest = text.get(letter.len_utf8()..).unwrap_or_default();
    match letter {
        'n' => out.push(b'\n'),
        'r' => out.push(b'\r'),
        't' => out.push(b'\t'),
        '0' => out.push(0),
        'x' => {
            let byte = rest
                .get(..2)
                .and_then(|digits| u8::from_str_radix(digits, 16).ok());
            out.push(byte.ok_or("\\x wants two hexadecimal digits")?);
            return Ok(rest.get(2..).unwrap_or_default());
        }
        other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
    Ok(rest)
}

/// The bytes that a separator on the command line means (`\t`, `\x1f`).
pub fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(position) = rest.find('\\') {
        bytes.extend_from_slice(rest.get(..position).unwrap_or_default().as_bytes());
        rest = push_escape(rest.get(position + 1..).unwrap_or_default(), &mut bytes)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::record_sink::HeaderView;

    fn shown(template: &str) -> String {
        shown_of(template, b"v\xff")
    }

    fn shown_of(template: &str, value: &[u8]) -> String {
        let headers = [
            HeaderView {
                name: "a",
                value: Some(b"1"),
            },
            HeaderView {
                name: "a",
                value: None,
            },
        ];
        let record = ConsumedRecord {
            topic: "orders",
            partition: 3,
            offset: 42,
            timestamp: 1_000,
            timestamp_type: TimestampType::CreateTime,
            key: None,
            value: Some(value),
            headers: &headers,
        };
        let mut out = Vec::new();
        Template::compile(template)
            .unwrap()
            .write(&record, &mut out)
            .unwrap();
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn tokens_print_what_kcats_print() {
        assert_eq!(
            shown(r"%t/%p/%o %T %K %S [%h] %%\n"),
            "orders/3/42 1000 -1 2 [a=1,a=NULL] %\n"
        );
        assert_eq!(shown("%R"), "\0\0\0\u{2}");
    }

    #[test]
    fn named_fields_give_encodings_and_times() {
        assert_eq!(
            shown("%{value:hex} %{value:base64} %{key:json}"),
            "76ff dv8= null"
        );
        assert_eq!(shown("%{timestamp:%s} %{offset}"), "1 42");
        assert_eq!(shown(r"%{header:a}|\x41\0"), "|A\0");
    }

    #[test]
    fn a_path_shows_what_is_inside() {
        let json = br#"{"id":7,"user":{"name":"Z\u00fc\n","tags":["a", 1]},"gone":null}"#;
        assert_eq!(
            shown_of(
                "%{value:.id}|%{value:.user.name}|%{value:.user.tags}|%{value:.user.tags[1]}",
                json
            ),
            "7|Z\u{fc}\n|[\"a\", 1]|1"
        );
        assert_eq!(
            shown_of("%{value:.gone}|%{value:.nosuch}|%{key:.a}|", json),
            "null|||"
        );
        assert_eq!(shown("%{value:.id}|"), "|", "no JSON at all");
    }

    #[test]
    fn a_mistake_is_found_when_the_template_is_compiled() {
        for template in [
            "%q",
            "%",
            "%{nope}",
            "%{value:rot13}",
            "%{value:.a.}",
            "%{value:.a b}",
            "%{key",
            "\\",
            "\\xg1",
            "%{timestamp:%!}",
        ] {
            assert!(Template::compile(template).is_err(), "{template}");
        }
    }
}
