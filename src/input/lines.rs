//! Lines to records, kafkit's own way: a key before a separator or from a regular expression, bytes unchanged.

use std::borrow::Cow;

use super::{BadInput, ParsedRecord, RecordParser, find};

/// Where a line has its key.
#[derive(Clone, Debug)]
pub enum KeyIn {
    /// Nowhere: the whole line is the value.
    Nothing,
    /// Before the first separator; the value is the rest.
    Before(Vec<u8>),
    /// The match of the first group (or the whole match); the line stays the value.
    Match(regex::bytes::Regex),
}

/// What to do with a line that has no separator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unseparated {
    #[default]
    Refuse,
    /// The line is the value and the key is null.
    IsValue,
    /// The line is the key and the value is null.
    IsKey,
}

/// Parses lines.
#[derive(Clone, Debug)]
pub struct LineParser {
    pub key: KeyIn,
    pub unseparated: Unseparated,
    /// Whether empty keys and values are null.
    pub empty_is_null: bool,
}

impl LineParser {
    fn bytes<'a>(&self, bytes: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        (!self.empty_is_null || !bytes.is_empty()).then_some(Cow::Borrowed(bytes))
    }
}

impl RecordParser for LineParser {
    fn takes_all_as_values(&self) -> bool {
        matches!(self.key, KeyIn::Nothing) && !self.empty_is_null
    }

    fn parse<'a>(&'a mut self, text: &'a [u8], _number: u64) -> Result<Option<ParsedRecord<'a>>, BadInput> {
        let (key, value) = match &self.key {
            KeyIn::Nothing => (None, self.bytes(text)),
            KeyIn::Before(separator) => match find(text, separator, 0) {
                Some(end) => {
                    let value = text.get(end + separator.len()..).unwrap_or_default();
                    (text.get(..end).and_then(|key| self.bytes(key)), self.bytes(value))
                }
                None => match self.unseparated {
                    Unseparated::IsValue => (None, self.bytes(text)),
                    Unseparated::IsKey => (self.bytes(text), None),
                    Unseparated::Refuse => {
                        return Err(BadInput {
                            message: format!("no key separator ({}) in {}", shown(separator), excerpt(text)),
                            hint: Some(
                                "send it anyway with --no-separator=value, or collect such lines with --rejects FILE",
                            ),
                        });
                    }
                },
            },
            KeyIn::Match(pattern) => {
                let key = pattern
                    .captures(text)
                    .and_then(|found| found.get(1).or(found.get(0)))
                    .and_then(|key| self.bytes(key.as_bytes()));
                (key, self.bytes(text))
            }
        };
        Ok(Some(ParsedRecord {
            key,
            value,
            ..ParsedRecord::default()
        }))
    }
}

/// A separator in the form for messages.
fn shown(separator: &[u8]) -> String {
    match separator {
        b"\t" => "tab".to_owned(),
        b" " => "space".to_owned(),
        other => format!("{:?}", String::from_utf8_lossy(other)),
    }
}

/// The beginning of a text, in quotes.
pub(super) fn excerpt(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}
