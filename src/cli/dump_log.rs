//! `kafkit dump-log …` to `dump_log::Action`.

use std::path::PathBuf;

use clap::Args;

use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use crate::client::settings::Settings;
use crate::commands::dump_log::{Action, Range, Records, View};
use crate::error::{Error, Result};
use crate::output::Format;

/// Look into log segments, indexes, snapshots and checkpoints on disk
///
/// Shows one line a batch of every log, and the entries of every other file. A folder stands for all its files; `-`
/// for a log on stdin. Reads a running broker's files as well as a copy, and never writes to them.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit dump-log orders-0                         every file of a partition
  kafkit dump-log orders-0 -f '%o %T %k=%s\\n' --since 10m
  kafkit dump-log orders-0 --stats
  kafkit dump-log --verify orders-0                exit code 6 when something is corrupt
  kafkit dump-log orders-0/00000000000000000000.log --recover orders.log")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct DumpLogArgs {
    /// Files and folders; - reads a log from stdin
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,

    /// Show records instead of batches: their values, one a line
    #[arg(short, long, help_heading = "What to show")]
    records: bool,

    /// Show records by a template: %o offset, %k key, %s value, %T time … as in consume
    #[arg(short, long, value_name = "TEMPLATE", conflicts_with_all = ["json", "keys", "values"], help_heading = "What to show")]
    format: Option<String>,

    /// Show records as JSON lines that lose nothing; records of Kafka's own topics decoded
    #[arg(long, conflicts_with_all = ["keys", "values"], help_heading = "What to show")]
    json: bool,

    /// Show only the records' keys
    #[arg(long, help_heading = "What to show")]
    keys: bool,

    /// Show only the records' values
    #[arg(long, help_heading = "What to show")]
    values: bool,

    /// Show one line a batch (the default)
    #[arg(long, help_heading = "What to show")]
    batches: bool,

    /// Sum up: records, bytes, codecs, producers, times, gaps
    #[arg(long, conflicts_with_all = ["batches", "records", "format", "json", "keys", "values", "verify", "recover"], help_heading = "What to show")]
    stats: bool,

    /// Check everything against everything; exit code 6 when something is corrupt
    #[arg(long, conflicts_with_all = ["batches", "records", "format", "json", "keys", "values", "recover"], help_heading = "What to show")]
    verify: bool,

    /// Write the good batches of one log to a new file
    #[arg(long, value_name = "OUT", conflicts_with_all = ["batches", "records", "format", "json", "keys", "values"], help_heading = "What to show")]
    recover: Option<PathBuf>,

    /// Only these offsets: A..B (B not included), A.., ..B or A
    #[arg(long, value_name = "A..B", help_heading = "Which records")]
    offset: Option<String>,

    /// Only from this time on: 2026-11-21T09:00Z, milliseconds since 1970, or 10m ago
    #[arg(long, value_name = "TIME", help_heading = "Which records")]
    since: Option<String>,

    /// Only before this time
    #[arg(long, value_name = "TIME", help_heading = "Which records")]
    until: Option<String>,

    #[command(flatten)]
    output: OutputArgs,
}

impl IntoInvocation for DumpLogArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let range = self.range()?;
        let output = self.output.clone().into_options();
        let view = if let Some(out) = self.recover {
            View::Recover(out)
        } else if self.verify {
            View::Verify
        } else if self.stats {
            View::Stats
        } else if let Some(template) = self.format {
            View::Records(Records::Template(template))
        } else if self.json || (self.records && matches!(output.format, Format::Json | Format::Jsonl)) {
            View::Records(Records::Json)
        } else if self.keys && self.values {
            View::Records(Records::Template("%k\\t%s\\n".to_owned()))
        } else if self.keys {
            View::Records(Records::Template("%k\\n".to_owned()))
        } else if self.values || self.records {
            View::Records(Records::Template("%s\\n".to_owned()))
        } else {
            View::Batches
        };
        Ok(Invocation {
            command: Box::new(Action {
                paths: self.paths,
                view,
                range,
            }),
            settings: Settings::default(),
            output,
        })
    }
}

impl DumpLogArgs {
    fn range(&self) -> Result<Range> {
        let (from, to) = match &self.offset {
            Some(text) => offsets(text).ok_or_else(|| {
                bad_flag("--offset", format_args!("is A..B, A.., ..B or A, not \"{text}\""))
            })?,
            None => (i64::MIN, i64::MAX),
        };
        let time = |flag: &str, text: &Option<String>| match text {
            Some(text) => milliseconds(text).map(Some).ok_or_else(|| {
                bad_flag(
                    flag,
                    format_args!(
                        "is a date and time, milliseconds since 1970, or an age like 10m, not \"{text}\""
                    ),
                )
            }),
            None => Ok(None),
        };
        Ok(Range {
            from,
            to,
            since: time("--since", &self.since)?,
            until: time("--until", &self.until)?,
        })
    }
}

/// A usage error of a flag that clap cannot detect.
fn bad_flag(flag: &str, problem: impl std::fmt::Display) -> Error {
    Error::usage(format!("{flag} {problem}"))
}

fn offsets(text: &str) -> Option<(i64, i64)> {
    let Some((from, to)) = text.split_once("..") else {
        let offset: i64 = text.parse().ok()?;
        return Some((offset, offset.saturating_add(1)));
    };
    let from = if from.is_empty() {
        i64::MIN
    } else {
        from.parse().ok()?
    };
    let to = if to.is_empty() { i64::MAX } else { to.parse().ok()? };
    (from <= to).then_some((from, to))
}

/// A time in milliseconds since 1970.
fn milliseconds(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_millisecond());
    }
    let age = text.strip_prefix('-').unwrap_or(text);
    if let Ok(span) = age.parse::<jiff::SignedDuration>() {
        return Some(
            jiff::Timestamp::now()
                .as_millisecond()
                .saturating_sub(i64::try_from(span.as_millis()).ok()?),
        );
    }
    let time: jiff::civil::DateTime = text.parse().ok()?;
    Some(
        time.to_zoned(jiff::tz::TimeZone::system())
            .ok()?
            .timestamp()
            .as_millisecond(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offset_ranges_leave_out_their_end() {
        assert_eq!(offsets("3..7"), Some((3, 7)));
        assert_eq!(offsets("3.."), Some((3, i64::MAX)));
        assert_eq!(offsets("..7"), Some((i64::MIN, 7)));
        assert_eq!(offsets("5"), Some((5, 6)));
        assert_eq!(offsets("7..3"), None);
        assert_eq!(offsets("a..b"), None);
    }

    #[test]
    fn times_are_dates_and_numbers() {
        assert_eq!(milliseconds("1795225826539"), Some(1_795_225_826_539));
        assert_eq!(milliseconds("1970-01-01T00:00:01Z"), Some(1000));
        assert!(milliseconds("10m").is_some());
        assert_eq!(milliseconds("soon"), None);
    }
}
