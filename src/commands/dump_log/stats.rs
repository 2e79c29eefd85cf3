//! A summary of a log: records, bytes, codecs, producers, times, gaps.
//!
//! Owns the counts. Memory grows with the number of producers only, up to a limit.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde_json::{Map, json};

use super::batches::tell_end;
use crate::error::Result;
use crate::output::log_dump::cells::{Cell, grouped, time};
use crate::output::log_dump::progress::FileProgress;
use crate::output::log_dump::rows::{Column, Rows, number, word};
use crate::output::{Format, Printer, plural};
use crate::records::StreamedRecord;
use crate::storage::read_only::LogDirFile;
use crate::storage::read_only::Range;
use crate::storage::read_only::log_walk::{LogWalk, WholeBatch};

/// This many producers are counted singly, the rest together.
const MOST_PRODUCERS: usize = 10_000;

#[derive(Debug, Default)]
struct Codec {
    batches: u64,
    stored: u64,
    inflated: u64,
}

#[derive(Debug, Default)]
struct Stats {
    batches: u64,
    records: u64,
    bytes: u64,
    control: u64,
    transactional: u64,
    corrupt: u64,
    nulls: u64,
    key_bytes: u64,
    value_bytes: u64,
    first_offset: Option<i64>,
    next_offset: i64,
    /// Offsets without a record between batches' records: compacted, or lost.
    missing: u64,
    oldest: Option<i64>,
    newest: Option<i64>,
    codecs: BTreeMap<&'static str, Codec>,
    producers: BTreeMap<i64, u64>,
    more_producers: u64,
}

/// Shows the summary of one log; returns the number of corrupt places in it.
pub(super) fn show(
    file: &LogDirFile,
    is_first: bool,
    range: Range,
    rows: &mut Rows,
    printer: &mut Printer,
) -> Result<u64> {
    let mut segment = LogWalk::open(file, range)?;
    let mut stats = Stats::default();
    let progress = FileProgress::new(segment.length, &segment.name, printer.is_quiet());
    let reader = || {
        let mut scratch = Vec::new();
        move |batch: &WholeBatch<'_>, stats: &mut Stats| {
            if batch.header.base_offset >= range.to {
                return ControlFlow::Break(());
            }
            stats.add(batch, range, &mut scratch);
            ControlFlow::Continue(())
        }
    };
    let end = segment.read_in_order(&progress, reader, |more| stats.append(more));
    progress.finish();
    let end = end?;
    if printer.format() == Format::Table {
        if !is_first {
            printer.line("")?;
        }
        people(&segment.name, &stats, printer)?;
    } else {
        rows.begin(&segment.name, None, COLUMNS, printer.out())?;
        rows.row(&cells(&stats), printer.out())?;
    }
    Ok(stats.corrupt + tell_end(&segment.name, &end, printer))
}

impl Stats {
    /// Adds the sums of a later part of the log.
    fn append(&mut self, more: Self) {
        self.batches += more.batches;
        self.records += more.records;
        self.bytes += more.bytes;
        self.control += more.control;
        self.transactional += more.transactional;
        self.corrupt += more.corrupt;
        self.nulls += more.nulls;
        self.key_bytes += more.key_bytes;
        self.value_bytes += more.value_bytes;
        if let Some(first) = more.first_offset {
            self.offset(first);
            self.missing += more.missing;
            self.next_offset = more.next_offset;
        }
        self.oldest = self.oldest.into_iter().chain(more.oldest).min();
        self.newest = self.newest.max(more.newest);
        for (name, codec) in more.codecs {
            let sums = self.codecs.entry(name).or_default();
            sums.batches += codec.batches;
            sums.stored += codec.stored;
            sums.inflated += codec.inflated;
        }
        for (producer_id, batches) in more.producers {
            self.producer(producer_id, batches);
        }
        self.more_producers += more.more_producers;
    }

    fn add(&mut self, batch: &WholeBatch<'_>, range: Range, scratch: &mut Vec<u8>) {
        let header = &batch.header;
        if header.last_offset() < range.from {
            return;
        }
        self.batches += 1;
        self.bytes += batch.bytes.len();
        self.control += u64::from(header.is_control());
        self.transactional += u64::from(header.is_transactional() && !header.is_control());
        if !batch.is_valid() {
            self.corrupt += 1;
            return;
        }
        if header.has_producer_id() {
            self.producer(header.producer_id, 1);
        }
        let codec = header.codec().map_or("?", |codec| codec.name());
        let stored = batch.bytes.len().saturating_sub(header.body_at() as u64);
        let counted = batch.bytes.each_record(header, scratch, |record| {
            // After an undecodable record nothing can be counted.
            self.record(&record.map_err(|_| ())?, range);
            Ok::<(), ()>(())
        });
        let inflated = counted.unwrap_or(if codec == "none" { stored } else { 0 });
        let sums = self.codecs.entry(codec).or_default();
        sums.batches += 1;
        sums.stored += stored;
        sums.inflated += inflated;
    }

    fn record(&mut self, record: &StreamedRecord<'_>, range: Range) {
        let timestamp = record.timestamp();
        if !range.has_offset(record.offset()) || !range.has_time(timestamp) {
            return;
        }
        self.records += 1;
        self.nulls += u64::from(record.value_size().is_none());
        self.key_bytes += record.key_size().unwrap_or(0);
        self.value_bytes += record.value_size().unwrap_or(0);
        self.offset(record.offset());
        self.oldest = Some(self.oldest.unwrap_or(timestamp).min(timestamp));
        self.newest = self.newest.max(Some(timestamp));
    }

    fn producer(&mut self, producer_id: i64, batches: u64) {
        let known = self.producers.len();
        match self.producers.get_mut(&producer_id) {
            Some(sum) => *sum += batches,
            None if known < MOST_PRODUCERS => _ = self.producers.insert(producer_id, batches),
            None => self.more_producers += batches,
        }
    }

    fn offset(&mut self, offset: i64) {
        if self.first_offset.is_none() {
            self.first_offset = Some(offset);
        } else if offset > self.next_offset {
            self.missing += offset.abs_diff(self.next_offset);
        }
        self.next_offset = offset.saturating_add(1);
    }
}

fn people(name: &str, stats: &Stats, printer: &mut Printer) -> Result<()> {
    printer.line(name)?;
    let lines = [sums(stats), codecs(stats), particulars(stats)];
    for (label, text) in lines.iter().flatten() {
        printer.line(format_args!("  {label:<10} {text}"))?;
    }
    Ok(())
}

/// A label and its text.
type Line = (&'static str, String);

fn sums(stats: &Stats) -> Vec<Line> {
    let offsets = match stats.first_offset {
        Some(first) => format!("{first}-{}", stats.next_offset.saturating_sub(1)),
        None => "none".to_owned(),
    };
    let (records, bytes) = (grouped(stats.records), grouped(stats.bytes));
    let (keys, values) = (grouped(stats.key_bytes), grouped(stats.value_bytes));
    let mut lines = vec![
        (
            "records",
            format!("{records} in {}, offsets {offsets}", batches(stats.batches, "")),
        ),
        ("bytes", format!("{bytes} stored; keys {keys}, values {values}")),
    ];
    if let (Some(oldest), Some(newest)) = (stats.oldest, stats.newest) {
        lines.push(("time", format!("{} to {}", time(oldest), time(newest))));
    }
    lines
}

fn codecs(stats: &Stats) -> Vec<Line> {
    let line = |(codec, sums): (&&str, &Codec)| {
        let ratio = sums.inflated as f64 / sums.stored.max(1) as f64;
        let (batches, stored, inflated) = (
            batches(sums.batches, ""),
            grouped(sums.stored),
            grouped(sums.inflated),
        );
        let text =
            format!("{codec}: {batches}, {stored} bytes stored, {inflated} inflated, ratio {ratio:.2}");
        ("codec", text)
    };
    stats.codecs.iter().map(line).collect()
}

/// Lines that not every log has.
fn particulars(stats: &Stats) -> Vec<Line> {
    let mut lines = Vec::new();
    let producers = stats.producers.len() as u64;
    if producers > 0 {
        let more = if stats.more_producers > 0 { " or more" } else { "" };
        lines.push(("producers", format!("{}{more}", grouped(producers))));
    }
    if stats.transactional + stats.control > 0 {
        let transactional = batches(stats.transactional, "transactional ");
        let text = format!("{transactional}, {}", batches(stats.control, "control "));
        lines.push(("special", text));
    }
    if stats.nulls > 0 {
        lines.push(("tombstones", grouped(stats.nulls)));
    }
    if stats.missing > 0 {
        let verb = if stats.missing == 1 { "has" } else { "have" };
        let missing = plural(stats.missing, "offset");
        let text = format!("{missing} between the first and the last record {verb} none");
        lines.push(("gaps", text));
    }
    if stats.corrupt > 0 {
        let corrupt = batches(stats.corrupt, "");
        lines.push(("CORRUPT", format!("{corrupt}; --verify says where")));
    }
    lines
}

/// `1 batch`, `2 control batches`
fn batches(count: u64, kind: &str) -> String {
    let noun = if count == 1 { "batch" } else { "batches" };
    format!("{} {kind}{noun}", grouped(count))
}

const COLUMNS: &[Column] = &[
    number("BATCHES", 0),
    number("RECORDS", 0),
    number("BYTES", 0),
    number("INFLATED_BYTES", 0),
    number("KEY_BYTES", 0),
    number("VALUE_BYTES", 0),
    number("FIRST_OFFSET", 0),
    number("LAST_OFFSET", 0),
    number("MISSING_OFFSETS", 0),
    number("OLDEST_TIMESTAMP", 0),
    number("NEWEST_TIMESTAMP", 0),
    word("CODECS", 0),
    number("PRODUCERS", 0),
    number("TRANSACTIONAL_BATCHES", 0),
    number("CONTROL_BATCHES", 0),
    number("TOMBSTONES", 0),
    number("CORRUPT_BATCHES", 0),
];

fn cells(stats: &Stats) -> [Cell; 17] {
    let maybe = |number: Option<i64>| number.map_or(Cell::Nothing, Cell::Number);
    let names: Vec<&str> = stats.codecs.keys().copied().collect();
    let sums = stats.codecs.iter().map(|(name, sums)| {
        let object = json!({
            "batches": sums.batches,
            "stored_bytes": sums.stored,
            "inflated_bytes": sums.inflated,
        });
        ((*name).to_owned(), object)
    });
    [
        stats.batches.into(),
        stats.records.into(),
        stats.bytes.into(),
        stats
            .codecs
            .values()
            .map(|codec| codec.inflated)
            .sum::<u64>()
            .into(),
        stats.key_bytes.into(),
        stats.value_bytes.into(),
        maybe(stats.first_offset),
        maybe(stats.first_offset.map(|_| stats.next_offset.saturating_sub(1))),
        stats.missing.into(),
        maybe(stats.oldest),
        maybe(stats.newest),
        Cell::Both(Box::new((names.join(","), sums.collect::<Map<_, _>>().into()))),
        (stats.producers.len() as u64).into(),
        stats.transactional.into(),
        stats.control.into(),
        stats.nulls.into(),
        stats.corrupt.into(),
    ]
}
