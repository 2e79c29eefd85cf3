//! The flags that select a part of each partition, for commands that read up to the present end.

use clap::Args;

use super::offset_words;
use super::times::parse_time;
use crate::client::record_source::Position;
use crate::commands::batch_reading::Part;
use crate::commands::consume::Start;
use crate::error::Result;

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Which part of each partition")]
pub(super) struct PartArgs {
    /// Where to start: earliest, latest, an offset, -N for N before the end, +N for N after the beginning, @TIME; or
    /// A..B, from A up to B (B not included)
    #[arg(
        long,
        value_name = "OFFSET",
        allow_hyphen_values = true,
        conflicts_with = "since"
    )]
    offset: Option<String>,

    /// Start with the first record at or after this time: 10m (ago), RFC 3339, a date
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    since: Option<i64>,

    /// Stop before the first record at or after this time
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    until: Option<i64>,

    /// These partitions only, as 0,3,5-7; -1 is all
    #[arg(short, long, value_name = "LIST", allow_negative_numbers = true)]
    partition: Option<String>,
}

impl PartArgs {
    pub(super) fn into_part(self) -> Result<Part> {
        let offset = self.offset.as_deref();
        let start = match self.since {
            Some(time) => Start::At(Position::Time(time)),
            None => offset.map_or(Ok(Start::At(Position::Beginning)), offset_words::start)?,
        };
        Ok(Part {
            start,
            before: offset.map_or(Ok(None), offset_words::before)?,
            until: self.until,
            partitions: self
                .partition
                .as_deref()
                .map_or(Ok(None), offset_words::partitions)?,
        })
    }
}
