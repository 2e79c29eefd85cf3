//! Lines to records as the console producer's `LineMessageReader` does it: headers, key and value in one line.
//!
//! Owns its properties, the meanings of its separators and its error messages, word for word.

use std::borrow::Cow;

use crate::input::{BadInput, Bytes, ParsedRecord, RecordParser, find};
use crate::internal_records::java_text;

/// The reader's properties.
#[derive(Clone, Debug)]
pub struct JavaLineReader {
    parses_key: bool,
    key_separator: String,
    parses_headers: bool,
    headers_delimiter: String,
    headers_separator: fancy_regex::Regex,
    headers_key_separator: String,
    ignores_errors: bool,
    null_marker: Option<String>,
    /// A line that was not UTF-8, with replacement characters.
    decoded: String,
}

impl JavaLineReader {
    /// Parses the properties; of one given several times the last counts.
    pub fn new(properties: &[(String, String)]) -> Result<Self, BadInput> {
        let get = |name: &str| {
            let found = properties.iter().rev().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        let is_true = |name: &str| get(name).is_some_and(|value| is_true(&value));
        let separator = get("headers.separator").unwrap_or_else(|| ",".into());
        let reader = Self {
            parses_key: is_true("parse.key"),
            key_separator: get("key.separator").unwrap_or_else(|| "\t".into()),
            parses_headers: is_true("parse.headers"),
            headers_delimiter: get("headers.delimiter").unwrap_or_else(|| "\t".into()),
            headers_separator: separator_pattern(&separator)?,
            headers_key_separator: get("headers.key.separator").unwrap_or_else(|| ":".into()),
            ignores_errors: is_true("ignore.error"),
            null_marker: get("null.marker"),
            decoded: String::new(),
        };
        reader.check(&separator)?;
        Ok(reader)
    }

    fn check(&self, headers_separator: &str) -> Result<(), BadInput> {
        let headers = [
            (
                "headers.delimiter",
                self.headers_delimiter.as_str(),
                "headers.separator",
                headers_separator,
            ),
            (
                "headers.delimiter",
                self.headers_delimiter.as_str(),
                "headers.key.separator",
                self.headers_key_separator.as_str(),
            ),
            (
                "headers.separator",
                headers_separator,
                "headers.key.separator",
                self.headers_key_separator.as_str(),
            ),
        ];
        let marker = self.null_marker.as_deref();
        let nulls = [
            ("key.separator", self.key_separator.as_str()),
            ("headers.separator", headers_separator),
            ("headers.delimiter", self.headers_delimiter.as_str()),
            ("headers.key.separator", self.headers_key_separator.as_str()),
        ];
        let nulls = nulls
            .into_iter()
            .filter_map(|(name, value)| marker.map(|marker| ("null.marker", marker, name, value)));
        for (left, left_value, right, right_value) in headers.into_iter().chain(nulls) {
            if left_value == right_value {
                return Err(BadInput::new(format!("{left} and {right} may not be equal")));
            }
        }
        Ok(())
    }

    /// The part of the line before `separator`, from `start` on.
    fn part<'a>(
        &self,
        line: &'a str,
        start: usize,
        separator: &str,
        name: &str,
        number: u64,
    ) -> Result<Option<&'a str>, BadInput> {
        match find(line.as_bytes(), separator.as_bytes(), start) {
            Some(end) => Ok(line.get(start..end)),
            None if self.ignores_errors => Ok(None),
            None => Err(BadInput::new(format!(
                "No {name} found on line number {number}: '{line}'"
            ))),
        }
    }

    fn bytes<'a>(&self, text: &'a str) -> Bytes<'a> {
        (self.null_marker.as_deref() != Some(text)).then_some(Cow::Borrowed(text.as_bytes()))
    }

    fn headers<'a>(
        &self,
        block: &'a str,
        number: u64,
        headers: &mut Vec<(Cow<'a, str>, Bytes<'a>)>,
    ) -> Result<(), BadInput> {
        for pair in split(&self.headers_separator, block) {
            let Some(end) = find(pair.as_bytes(), self.headers_key_separator.as_bytes(), 0) else {
                if self.ignores_errors {
                    headers.push((pair.into(), None));
                    continue;
                }
                return Err(BadInput::new(format!(
                    "No header key separator found in pair '{pair}' on line number {number}"
                )));
            };
            let name = pair.get(..end).unwrap_or_default();
            if let Some(marker) = self.null_marker.as_deref().filter(|marker| *marker == name) {
                return Err(BadInput::new(format!(
                    "Header keys should not be equal to the null marker '{marker}' as they can't be null"
                )));
            }
            let value = pair
                .get(end + self.headers_key_separator.len()..)
                .unwrap_or_default();
            headers.push((name.into(), self.bytes(value)));
        }
        Ok(())
    }
}

impl RecordParser for JavaLineReader {
    fn parse<'a>(&'a mut self, text: &'a [u8], number: u64) -> Result<Option<ParsedRecord<'a>>, BadInput> {
        let line = match java_text::decode(text) {
            Cow::Borrowed(line) => line,
            Cow::Owned(line) => {
                self.decoded = line;
                self.decoded.as_str()
            }
        };
        let mut record = ParsedRecord::default();
        let mut start = 0;
        if self.parses_headers
            && let Some(block) = self.part(line, 0, &self.headers_delimiter, "headers delimiter", number)?
        {
            start = block.len() + self.headers_delimiter.len();
            // Java reports errors in headers after it has looked for the key.
            let key = self
                .parses_key
                .then(|| self.part(line, start, &self.key_separator, "key separator", number));
            key.transpose()?;
            if self.null_marker.as_deref() != Some(block) {
                self.headers(block, number, &mut record.headers)?;
            }
        }
        if self.parses_key
            && let Some(key) = self.part(line, start, &self.key_separator, "key separator", number)?
        {
            record.key = self.bytes(key);
            start += key.len() + self.key_separator.len();
        }
        record.value = self.bytes(line.get(start..).unwrap_or_default());
        Ok(Some(record))
    }
}

/// Java's test of a boolean property.
fn is_true(value: &str) -> bool {
    value.trim().eq_ignore_ascii_case("true")
}

fn separator_pattern(separator: &str) -> Result<fancy_regex::Regex, BadInput> {
    fancy_regex::Regex::new(separator)
        .map_err(|_| BadInput::new(format!("headers.separator is no regular expression: {separator}")))
}

/// Java's `Pattern.split`: no empty piece at the end, nor one before an empty match at the beginning.
fn split<'a>(pattern: &fancy_regex::Regex, text: &'a str) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for found in pattern.find_iter(text).flatten() {
        if found.end() == 0 || (found.start() == found.end() && found.start() == text.len()) {
            continue;
        }
        pieces.extend(text.get(start..found.start()));
        start = found.end();
    }
    if pieces.is_empty() {
        return vec![text];
    }
    pieces.extend(text.get(start..));
    while pieces.last().is_some_and(|piece| piece.is_empty()) {
        pieces.pop();
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(properties: &[(&str, &str)]) -> Result<JavaLineReader, BadInput> {
        let properties: Vec<_> = properties
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        JavaLineReader::new(&properties)
    }

    #[test]
    fn separators_are_cut_as_java_cuts_them() {
        let comma = separator_pattern(",").unwrap();
        assert_eq!(split(&comma, "a,b,,"), ["a", "b"]);
        assert_eq!(split(&comma, ",a"), ["", "a"]);
        assert_eq!(split(&comma, ""), [""]);
        assert!(split(&comma, ",").is_empty());
        assert_eq!(
            split(&separator_pattern("\\s*;\\s*").unwrap(), "a ; b"),
            ["a", "b"]
        );
        assert_eq!(split(&separator_pattern("|").unwrap(), "ab"), ["a", "b"]);
    }

    #[test]
    fn complaints_are_javas() {
        let mut keys = reader(&[("parse.key", " TRUE "), ("key.separator", ":")]).unwrap();
        assert_eq!(
            keys.parse(b"no separator", 2).unwrap_err().message,
            "No key separator found on line number 2: 'no separator'"
        );
        let mut headers = reader(&[("parse.headers", "true"), ("null.marker", "N")]).unwrap();
        for (line, message) in [
            ("x", "No headers delimiter found on line number 7: 'x'"),
            (
                "h1\tv",
                "No header key separator found in pair 'h1' on line number 7",
            ),
            (
                "N:1\tv",
                "Header keys should not be equal to the null marker 'N' as they can't be null",
            ),
        ] {
            assert_eq!(headers.parse(line.as_bytes(), 7).unwrap_err().message, message);
        }
        assert_eq!(
            reader(&[("null.marker", ","), ("key.separator", ",")])
                .unwrap_err()
                .message,
            "null.marker and key.separator may not be equal"
        );
    }

    #[test]
    fn the_null_marker_stands_for_key_value_header_value_and_all_headers() {
        let properties = [
            ("parse.key", "true"),
            ("parse.headers", "true"),
            ("null.marker", "N"),
        ];
        let mut reader = reader(&properties).unwrap();
        let record = reader.parse(b"a:N,b:1\tN\tN", 1).unwrap().unwrap();
        assert_eq!((record.key, record.value), (None, None));
        assert_eq!(record.headers.first().map(|header| &header.1), Some(&None));
        assert!(reader.parse(b"N\tk\tv", 1).unwrap().unwrap().headers.is_empty());
    }
}
