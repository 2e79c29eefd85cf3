//! How many records there are: counted batch by batch, or estimated as the number of offsets.

use std::time::Duration;

use super::batch_reading::{BatchFlow, BatchReading, BatchVisitor, Part, RecordFields, Slice, read_all};
use super::command::{Command, Needs};
use super::context::Context;
use super::topic_selection::{self, Selection};
use crate::error::Result;
use crate::filter::Expression;
use crate::interrupt::{Grace, Interrupt};
use crate::output::record_count::{self as output, Row};

/// What the user asked for.
#[derive(Debug)]
pub struct Action {
    pub selection: Selection,
    pub part: Part,
    pub filter: Option<Expression>,
    /// Whether nothing is read, and offsets are counted as records.
    pub by_offsets: bool,
    pub by_partition: bool,
    pub patience: Duration,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::RECORDS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        context.note_settings();
        let interrupt = Interrupt::install_with_watchdog(Grace::OF_LOOKS)?;
        let topics = topic_selection::find(&self.selection, context)?;
        let mut partitions = Vec::new();
        for topic in &topics {
            let numbers = topic.partitions.iter().map(|partition| partition.partition);
            let wanted = numbers.filter(|partition| self.part.takes(*partition));
            partitions.extend(wanted.map(|partition| (topic.name.clone(), partition)));
        }
        let mut reading = BatchReading::open(context.client.settings(), self.patience, &interrupt)?;
        let ranges = reading.ranges(&partitions, &self.part, self.patience)?;
        let counts = if self.by_offsets {
            let spans = ranges
                .iter()
                .map(|range| range.end.unwrap_or(range.from) - range.from);
            spans.map(i64::unsigned_abs).collect()
        } else {
            let mut counter = Counter {
                counts: vec![0; ranges.len()],
                filter: self.filter.as_ref(),
                scratch: Vec::new(),
            };
            reading.add(ranges)?;
            read_all(&mut reading, &interrupt, &mut counter)?;
            for notice in reading.take_notices() {
                context.printer.warning(notice);
            }
            counter.counts
        };
        let rows = rows(&partitions, &counts, self.by_partition);
        if rows.is_empty() {
            return Err(self.selection.nothing_matches());
        }
        output::list(&mut context.printer, &rows, self.by_partition, self.by_offsets)
    }
}

fn rows(partitions: &[(String, i32)], counts: &[u64], by_partition: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for ((topic, partition), count) in partitions.iter().zip(counts) {
        match rows.last_mut() {
            Some(last) if !by_partition && last.topic == *topic => last.records += count,
            _ => rows.push(Row {
                topic: topic.clone(),
                partition: *partition,
                records: *count,
            }),
        }
    }
    rows
}

/// Counts records: by the headers of batches that are wanted as a whole.
struct Counter<'a> {
    counts: Vec<u64>,
    filter: Option<&'a Expression>,
    scratch: Vec<u8>,
}

impl BatchVisitor for Counter<'_> {
    fn batch(&mut self, place: usize, slice: &Slice<'_>) -> Result<()> {
        let Some(count) = self.counts.get_mut(place) else {
            return Ok(());
        };
        if self.filter.is_none() && slice.is_whole() {
            *count += u64::try_from(slice.batch.header.records_count).unwrap_or_default();
            return Ok(());
        }
        let filter = self.filter;
        slice.each_record(&mut self.scratch, |record| {
            let fields = RecordFields {
                topic: slice.topic,
                partition: slice.partition,
                record,
            };
            *count += u64::from(filter.is_none_or(|filter| filter.is_met(&fields)));
            Ok(())
        })
    }
}
