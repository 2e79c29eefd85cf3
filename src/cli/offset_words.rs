//! Offsets to read from and up to, as users type them: `latest`, `-10`, `A..B`, `@TIME`; and which partitions.

use super::partitions::partition_list;
use super::times::parse_time;
use crate::client::record_source::Position;
use crate::commands::consume::Start;
use crate::error::{Error, Result};

/// The offset that `A..B` ends at.
pub(super) fn before(text: &str) -> Result<Option<i64>> {
    let Some((from, to)) = text.split_once("..") else {
        return Ok(None);
    };
    let number = |text: &str| text.trim().parse::<i64>().ok().filter(|number| *number >= 0);
    match (number(from), number(to)) {
        (_, None) if to.is_empty() => Ok(None),
        (None, Some(to)) if from.is_empty() => Ok(Some(to)),
        (Some(from), Some(to)) if from <= to => Ok(Some(to)),
        _ => Err(Error::usage(format!(
            "--offset takes A..B with A no greater than B, A.. or ..B, not \"{from}..{to}\""
        ))),
    }
}

/// The partitions of `--partition`; `None` (all) for -1.
pub(super) fn partitions(text: &str) -> Result<Option<Vec<i32>>> {
    if text == "-1" {
        return Ok(None);
    }
    let list = partition_list(text).ok_or_else(|| {
        Error::usage(format!(
            "--partition takes numbers such as 0,3,5-7, not \"{text}\""
        ))
    })?;
    Ok(Some(list))
}

/// The start of `--offset`.
pub(super) fn start(text: &str) -> Result<Start> {
    match text {
        "earliest" | "beginning" | "start" => return Ok(Start::At(Position::Beginning)),
        "latest" | "end" => return Ok(Start::At(Position::End)),
        _ => {}
    }
    if let Some(time) = text.strip_prefix('@') {
        let time = parse_time(time).or_else(|_| parse_time(text));
        let time = time.map_err(|problem| Error::usage(format!("--offset {text}: {problem}")))?;
        return Ok(Start::At(Position::Time(time)));
    }
    let text = match text.split_once("..") {
        Some(("", _)) => "+0",
        Some((from, _)) => from,
        None => text,
    };
    match text.parse::<i64>() {
        Ok(count) if text.starts_with('+') => Ok(Start::FromBeginning(count)),
        Ok(count) if count < 0 || text == "-0" => Ok(Start::FromEnd(count.saturating_neg())),
        Ok(offset) => Ok(Start::At(Position::At(offset))),
        Err(_) => {
            let error = Error::usage(format!(
                "--offset takes earliest, latest, a number, -N, +N, A..B or @TIME, not \"{text}\""
            ));
            // In other commands -o is the output format.
            Err(match text {
                "json" | "jsonl" => error.hint("records as JSON: --json"),
                // kcat's words for a range of time.
                _ if text.starts_with("s@") => {
                    error.hint("the first record at or after a time: --since TIME")
                }
                _ if text.starts_with("e@") => error.hint("up to a time: --until TIME"),
                _ => error,
            })
        }
    }
}
