//! The cells of dump-log's rows: their content as text and as JSON.
//!
//! Owns their text, down to digits: a dump has ten cells a batch, and a cell allocates memory only where it must.

use serde_json::Value;

use crate::internal_records::json;
use crate::output::digits::{push_i64, push_u64};

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Number(i64),
    /// First and last offset.
    Offsets(i64, i64),
    /// Milliseconds since 1970, as text with date and time; see [`time`].
    Time(i64),
    Word(&'static str),
    Text(String),
    /// Words for a table, and their value in JSON.
    Both(Box<(String, Value)>),
    Bool(bool),
    /// No value: a dash in a table, null in JSON.
    Nothing,
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Cell {
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => push_i64(*number, out),
            Self::Offsets(first, last) => {
                push_i64(*first, out);
                out.push(b'-');
                push_i64(*last, out);
            }
            Self::Time(milliseconds) => push_time(*milliseconds, out),
            Self::Word(word) => out.extend_from_slice(word.as_bytes()),
            Self::Text(text) => push_line(text, out),
            Self::Both(both) => push_line(&both.0, out),
            Self::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Nothing => {}
        }
    }

    pub(super) fn push_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(_) | Self::Bool(_) => self.push(out),
            Self::Word(text) => json::write_text(text, out),
            Self::Text(text) => json::write_text(text, out),
            Self::Both(both) => out.extend_from_slice(both.1.to_string().as_bytes()),
            Self::Nothing => out.extend_from_slice(b"null"),
            Self::Offsets(..) | Self::Time(_) => {
                out.push(b'"');
                self.push(out);
                out.push(b'"');
            }
        }
    }
}

/// Text that stays within its line and column.
fn push_line(text: &str, out: &mut Vec<u8>) {
    out.extend(text.bytes().map(|byte| match byte {
        b'\t' | b'\n' => b' ',
        byte => byte,
    }));
}

/// A number with a space after each three digits, for a table.
pub fn grouped(number: u64) -> String {
    text(|out| push_grouped(number, out))
}

/// Milliseconds since 1970 as date and time in UTC; a dash for none.
pub fn time(milliseconds: i64) -> String {
    text(|out| push_time(milliseconds, out))
}

fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    push(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

fn push_grouped(number: u64, out: &mut Vec<u8>) {
    let start = out.len();
    push_u64(number, out);
    let mut at = out.len();
    while at > start + 3 {
        at -= 3;
        out.insert(at, b' ');
    }
}

fn push_time(milliseconds: i64, out: &mut Vec<u8>) {
    let time = match jiff::Timestamp::from_millisecond(milliseconds) {
        Ok(time) if milliseconds >= 0 => jiff::tz::Offset::UTC.to_datetime(time),
        Ok(_) => return out.push(b'-'),
        Err(_) if milliseconds < 0 => return out.push(b'-'),
        Err(_) => return push_i64(milliseconds, out),
    };
    // The same as `%Y-%m-%d %H:%M:%S%.3f`, at a tenth of its cost: a dump has a time in each row.
    push_digits(time.year().unsigned_abs(), 4, out);
    for (before, part) in [
        (b'-', time.month()),
        (b'-', time.day()),
        (b' ', time.hour()),
        (b':', time.minute()),
        (b':', time.second()),
    ] {
        out.push(before);
        push_digits(part.unsigned_abs().into(), 2, out);
    }
    out.push(b'.');
    push_digits(time.millisecond().unsigned_abs(), 3, out);
}

/// The last `digits` digits of a number.
fn push_digits(number: u16, digits: u32, out: &mut Vec<u8>) {
    out.extend(
        (0..digits)
            .rev()
            .map(|at| b'0' + (number / 10_u16.pow(at) % 10) as u8),
    );
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1 000"),
            (40_231_193, "40 231 193"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }

    proptest! {
        #[test]
        fn times_are_those_of_the_standard_format(milliseconds in 0_i64..253_402_207_200_000) {
            let stamp = jiff::Timestamp::from_millisecond(milliseconds).unwrap();
            let expected = stamp.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string();
            prop_assert_eq!(time(milliseconds), expected);
        }
    }
}
