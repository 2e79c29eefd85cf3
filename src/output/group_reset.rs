//! How committed offsets of a group move: from, to, and the first record that is read afterwards.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Printer;
use super::table::{Cell, Table, numbers, words};
use crate::client::admin::groups::CommittedOffset;
use crate::error::Result;
use crate::topic_partition::{Offset, TopicPartition};

/// How many characters of a value are shown.
const SHOWN: usize = 32;

/// One partition that moves.
#[derive(Debug)]
pub struct Move {
    pub partition: TopicPartition,
    /// `None` where nothing is committed yet.
    pub from: Option<CommittedOffset>,
    /// `None` where the committed offset is deleted.
    pub to: Option<CommittedOffset>,
    /// The offset of the next record to be written.
    pub end: Offset,
    /// The first record that is read afterwards; `None` where there is none or it could not be read.
    pub record: Option<Landing>,
}

impl Move {
    /// Whether the committed offset is already the wanted one.
    pub fn is_none(&self) -> bool {
        let offset = |commit: &Option<CommittedOffset>| commit.as_ref().map(|commit| commit.offset);
        offset(&self.from) == offset(&self.to)
    }
}

/// The record at the new position of a partition.
#[derive(Debug)]
pub struct Landing {
    pub offset: Offset,
    /// Milliseconds since 1970; -1 without a time.
    pub timestamp: i64,
    /// The first bytes of the value.
    pub value: Option<Vec<u8>>,
}

/// One partition a row.
pub fn moves(printer: &mut Printer, moves: &[Move]) -> Result<()> {
    let mut table = Table::new(&[
        words("TOPIC", "topic"),
        numbers("PARTITION", "partition"),
        numbers("FROM", "from"),
        numbers("TO", "to"),
        numbers("MOVES", "moves"),
        numbers("LAG", "lag"),
        words("FIRST RECORD THERE", "record"),
    ]);
    for moved in moves {
        let from = moved.from.as_ref().map(|from| from.offset);
        let to = moved.to.as_ref().map(|to| to.offset);
        let moves = from.zip(to).map(|(from, to)| to - from);
        table.row(vec![
            Cell::text(&moved.partition.topic),
            Cell::number(moved.partition.partition),
            Cell::or_unknown(from.map(Cell::number)),
            match to {
                Some(to) => Cell::number(to),
                None => Cell::both("none", Value::Null),
            },
            Cell::or_unknown(moves.map(signed)),
            Cell::or_unknown(to.map(|to| Cell::number((moved.end - to).max(0)))),
            landing(moved, to),
        ]);
    }
    table.print(printer)
}

fn signed(moves: i64) -> Cell {
    Cell::both(
        if moves > 0 {
            format!("+{moves}")
        } else {
            moves.to_string()
        },
        Value::from(moves),
    )
}

fn landing(moved: &Move, to: Option<Offset>) -> Cell {
    match &moved.record {
        Some(record) => Cell::both(
            format!("{}  {}", time(record.timestamp), excerpt(record.value.as_deref())),
            json!({
                "offset": record.offset,
                "timestamp": record.timestamp,
                "value": record.value.as_deref().map(String::from_utf8_lossy),
            }),
        ),
        None if to.is_some_and(|to| to >= moved.end) => Cell::both("the next to come", Value::Null),
        None => Cell::unknown(),
    }
}

/// The committed offsets, one partition a row.
pub fn commits(printer: &mut Printer, commits: &BTreeMap<TopicPartition, CommittedOffset>) -> Result<()> {
    let mut table = Table::new(&[
        words("TOPIC", "topic"),
        numbers("PARTITION", "partition"),
        numbers("COMMITTED", "committed"),
    ]);
    for (partition, commit) in commits {
        table.row(vec![
            Cell::text(&partition.topic),
            Cell::number(partition.partition),
            Cell::number(commit.offset),
        ]);
    }
    table.print(printer)
}

/// `2026-11-21 09:21:07` in the user's time zone.
fn time(milliseconds: i64) -> String {
    let time = Timestamp::from_millisecond(milliseconds).ok();
    match time.filter(|_| milliseconds >= 0) {
        Some(time) => time.to_zoned(TimeZone::system()).strftime("%F %T").to_string(),
        None => "-".to_owned(),
    }
}

/// The beginning of a value, without control characters that a terminal would obey.
fn excerpt(value: Option<&[u8]>) -> String {
    let Some(value) = value else {
        return "null".to_owned();
    };
    // The value was cut somewhere, perhaps within a character.
    let text = match std::str::from_utf8(value) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => value
            .get(..error.valid_up_to())
            .and_then(|valid| std::str::from_utf8(valid).ok())
            .unwrap_or_default(),
        Err(_) => return "(not text)".to_owned(),
    };
    let visible = |letter: char| if letter.is_control() { ' ' } else { letter };
    let mut shown: String = text.chars().take(SHOWN).map(visible).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_as_far_as_a_terminal_takes_it() {
        for (value, shown) in [
            (None, "null"),
            (Some(&b""[..]), ""),
            (Some(b"a\x1b[2Jb\n"), "a [2Jb "),
            (Some(b"\xff\xfe"), "(not text)"),
            (Some("Grüße".as_bytes()), "Grüße"),
            (Some(&"é".as_bytes()[..1]), ""),
            (
                Some(b"0123456789012345678901234567890123456789"),
                "01234567890123456789012345678901…",
            ),
        ] {
            assert_eq!(excerpt(value), shown);
        }
        assert_eq!(time(-1), "-");
    }
}
