//! Java's `.properties` syntax as `java.util.Properties` reads it from a file: escapes, line joins, comments, and
//! the line of each key.
//!
//! Kafka's tools hand the raw bytes to `Properties.load(InputStream)`, which takes them as ISO-8859-1. So do we:
//! a byte beyond ASCII is the character with that number.

use std::fmt;

/// One key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    pub key: String,
    pub value: String,
    /// The line of the key, from 1.
    pub line: usize,
    /// Whether the line has bytes beyond ASCII, which Java may read as other characters than were written.
    pub beyond_ascii: bool,
}

/// An escape that Java refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedEscape {
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for MalformedEscape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: \\u wants four hexadecimal digits", self.line)
    }
}

impl std::error::Error for MalformedEscape {}

/// All properties in the order of the file; of two with the same key the later counts.
pub fn parse(bytes: &[u8]) -> Result<Vec<Property>, MalformedEscape> {
    LogicalLines::new(bytes).map(|line| property(&line)).collect()
}

/// [`parse`] for text, as Java reads it through a `Reader`.
pub(super) fn parse_text(text: &str) -> Result<Vec<Property>, MalformedEscape> {
    let mut ascii = Vec::with_capacity(text.len());
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => ascii.push(byte),
            _ => ascii.extend(format!("\\u{unit:04x}").bytes()),
        }
    }
    parse(&ascii)
}

/// A line with the lines that continue it, still escaped.
struct LogicalLine {
    bytes: Vec<u8>,
    number: usize,
}

struct LogicalLines<'a> {
    rest: &'a [u8],
    /// The number of the line that `rest` begins with.
    number: usize,
}

impl<'a> LogicalLines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            number: 1,
        }
    }

    /// The next line as it is written, without its end (`\n`, `\r` or `\r\n`); and that end.
    fn natural_line(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let Some(end) = self.rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            return Some((std::mem::take(&mut self.rest), &[]));
        };
        let (line, rest) = self.rest.split_at(end);
        let (line_end, rest) = rest.split_at(if rest.starts_with(b"\r\n") { 2 } else { 1 });
        self.rest = rest;
        Some((line, line_end))
    }
}

impl Iterator for LogicalLines<'_> {
    type Item = LogicalLine;

    fn next(&mut self) -> Option<LogicalLine> {
        let mut bytes = Vec::new();
        let mut first = self.number;
        while let Some((line, line_end)) = self.natural_line() {
            let line = line.trim_start_with_blanks();
            // As long as the logical line is empty, even after a lone backslash, the line may be a comment.
            if bytes.is_empty() {
                first = self.number - 1;
                if line.is_empty() || matches!(line.first(), Some(b'#' | b'!')) {
                    continue;
                }
            }
            bytes.extend_from_slice(line);
            if !ends_in_escape(line) {
                break;
            }
            bytes.pop();
            // Java counts a lone backslash at the very end as a property without key and value.
            if self.rest.is_empty() && line_end.len() < 2 {
                return Some(LogicalLine { bytes, number: first });
            }
        }
        (!bytes.is_empty()).then_some(LogicalLine { bytes, number: first })
    }
}

/// Whether the line ends in a backslash that is not itself escaped.
fn ends_in_escape(line: &[u8]) -> bool {
    line.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

trait Blanks {
    fn trim_start_with_blanks(&self) -> &[u8];
}

impl Blanks for [u8] {
    fn trim_start_with_blanks(&self) -> &[u8] {
        let first = self.iter().position(|byte| !is_blank(*byte));
        first.and_then(|first| self.get(first..)).unwrap_or_default()
    }
}

/// Java's white space within a line: blank, tab, form feed.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0c)
}

fn property(line: &LogicalLine) -> Result<Property, MalformedEscape> {
    let bytes = &line.bytes;
    let key_end = end_of_key(bytes);
    let key = bytes.get(..key_end).unwrap_or_default();
    let value = bytes.get(start_of_value(bytes, key_end)..).unwrap_or_default();
    let malformed = MalformedEscape { line: line.number };
    Ok(Property {
        key: unescape(key).ok_or_else(|| malformed.clone())?,
        value: unescape(value).ok_or(malformed)?,
        line: line.number,
        beyond_ascii: !bytes.is_ascii(),
    })
}

/// The key ends at the first separator or blank that is not escaped.
fn end_of_key(bytes: &[u8]) -> usize {
    let mut escaped = false;
    for (place, byte) in bytes.iter().enumerate() {
        if !escaped && (matches!(byte, b'=' | b':') || is_blank(*byte)) {
            return place;
        }
        escaped = *byte == b'\\' && !escaped;
    }
    bytes.len()
}

/// Between key and value there are blanks and at most one `=` or `:`.
fn start_of_value(bytes: &[u8], key_end: usize) -> usize {
    let mut separated = false;
    for (place, byte) in bytes.iter().enumerate().skip(key_end) {
        let separator = matches!(byte, b'=' | b':') && !separated;
        if !separator && !is_blank(*byte) {
            return place;
        }
        separated |= separator;
    }
    bytes.len()
}

/// Resolves the escapes; `None` for a malformed `\u`. Two `\u` may form a surrogate pair; half of such a pair
/// becomes `?`, as when Java sends it.
fn unescape(bytes: &[u8]) -> Option<String> {
    let mut units: Vec<u16> = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        let unit = match byte {
            b'\\' => match rest.next() {
                Some(b't') => u16::from(b'\t'),
                Some(b'n') => u16::from(b'\n'),
                Some(b'r') => u16::from(b'\r'),
                Some(b'f') => 0x0c,
                Some(b'u') => {
                    let (digits, after) = rest.as_slice().split_at_checked(4)?;
                    rest = after.iter();
                    hexadecimal(digits)?
                }
                Some(other) => u16::from(*other),
                None => break,
            },
            other => u16::from(*other),
        };
        units.push(unit);
    }
    Some(
        char::decode_utf16(units)
            .map(|character| character.unwrap_or('?'))
            .collect(),
    )
}

fn hexadecimal(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(value << 4 | digit as u16)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let properties = parse(text.as_bytes()).unwrap();
        properties
            .into_iter()
            .map(|property| (property.key, property.value))
            .collect()
    }

    fn one(text: &str) -> (String, String) {
        let [pair] = pairs(text).try_into().unwrap();
        pair
    }

    #[test]
    fn lines_are_numbered_as_an_editor_does() {
        let text = "# one\n\nfirst=1\r\nlong = a,\\\n   b,\\\r\n\tc\n  ! six\nlast:9";
        let lines: Vec<(String, usize)> = parse(text.as_bytes())
            .unwrap()
            .into_iter()
            .map(|property| (property.value, property.line))
            .collect();
        let expected = [("1", 3), ("a,b,c", 4), ("9", 8)];
        assert_eq!(lines, expected.map(|(value, line)| (value.to_owned(), line)));
    }

    #[test]
    fn bytes_beyond_ascii_are_latin_1() {
        let properties = parse("password=gr\u{fc}n".as_bytes()).unwrap();
        assert_eq!(properties[0].value, "gr\u{c3}\u{bc}n");
        assert!(properties[0].beyond_ascii);
    }

    #[test]
    fn a_malformed_escape_is_named_with_its_line() {
        assert_eq!(parse(b"a=1\nb=\\u00g1"), Err(MalformedEscape { line: 2 }));
        assert_eq!(parse(b"b=\\u00"), Err(MalformedEscape { line: 1 }));
    }

    #[test]
    fn surrogates_make_one_character() {
        assert_eq!(one("k=\\ud83d\\ude00\\ud83d").1, "\u{1f600}?");
    }

    fn from_hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }

    /// 600 files of difficult pieces; `Record.java` beside them has recorded how Java reads them.
    #[test]
    fn everything_means_what_it_means_to_java() {
        let recorded = include_str!("../../tests/golden/java_properties/cases.txt");
        for line in recorded.lines() {
            let (file, expected) = line.split_once(' ').unwrap();
            let file = from_hex(file);
            let ours = match parse(&file) {
                Ok(properties) => last_wins(properties),
                Err(_) => "refused".to_owned(),
            };
            assert_eq!(ours, expected, "{:?}", String::from_utf8_lossy(&file));
        }
        assert!(recorded.lines().count() > 600);
    }

    fn last_wins(properties: Vec<Property>) -> String {
        let pairs = properties
            .into_iter()
            .map(|property| (property.key, property.value));
        let pairs: BTreeMap<Vec<u8>, String> = pairs.map(|(key, value)| (key.into_bytes(), value)).collect();
        let shown = pairs
            .iter()
            .map(|(key, value)| format!("{}={},", to_hex(key), to_hex(value.as_bytes())));
        shown.collect::<Vec<_>>().concat()
    }

    fn to_hex(bytes: &[u8]) -> String {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .concat()
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn what_is_written_with_escapes_is_read_back(key in "[ -~]{1,20}", value in "\\PC{0,20}") {
            let escape = |text: &str| text.encode_utf16().fold(String::new(), |out, unit| out + &format!("\\u{unit:04x}"));
            prop_assert_eq!(one(&format!("{}={}", escape(&key), escape(&value))), (key, value));
        }
    }
}
