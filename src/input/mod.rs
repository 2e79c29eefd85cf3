//! Text to records: the input of `produce`, and how a line becomes a record.
//!
//! Owns separators, line ends, JSON and CSV on the way in, and the line numbers of bad input. Owns no socket, and no
//! files except those it reads.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod chunks;
pub mod csv;
pub mod json;
pub mod lines;
mod raw_bytes;
pub mod splitter;

use std::borrow::Cow;

/// Bytes of a key, a value or a header; `None` is Kafka's null.
pub type Bytes<'a> = Option<Cow<'a, [u8]>>;

/// A record with the fields in its text; missing ones are left to the command's flags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedRecord<'a> {
    pub topic: Option<Cow<'a, str>>,
    pub partition: Option<i32>,
    pub key: Bytes<'a>,
    pub value: Bytes<'a>,
    pub headers: Vec<(Cow<'a, str>, Bytes<'a>)>,
    /// Milliseconds since 1970.
    pub timestamp: Option<i64>,
}

/// Text that is not a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadInput {
    /// The problem, without the place.
    pub message: String,
    /// What to try.
    pub hint: Option<&'static str>,
}

impl BadInput {
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }
}

/// Parses records from pieces of text.
pub trait RecordParser {
    /// The record in `text`, which is piece `number` (from 1) of the input; `None` for a piece without a record, such
    /// as a heading.
    fn parse<'a>(&'a mut self, text: &'a [u8], number: u64) -> Result<Option<ParsedRecord<'a>>, BadInput>;

    /// Whether every piece is unchanged the value of a record without other fields.
    fn takes_all_as_values(&self) -> bool {
        false
    }
}

/// The text after a UTF-8 byte order mark, which some programs write at the start of a file.
fn without_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// The index of `needle` in `text`, from `start` on.
pub fn find(text: &[u8], needle: &[u8], start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let found = match needle {
        [byte] => memchr::memchr(*byte, rest),
        _ => memchr::memmem::find(rest, needle),
    };
    found.map(|position| start + position)
}
