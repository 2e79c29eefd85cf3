//! Reading records, and measuring the time it takes.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use jiff::Zoned;

use crate::client::engine::Engine;
use crate::client::record_source::{ConsumedRecord, RecordSource, RecordVisitor, SourceOptions};
use crate::client::settings::Settings;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::java::date_format;
use crate::java::regex::JavaRegex;
use crate::output::{Printer, stderr_line};
use crate::topic_partition::{Offset, is_internal_topic};

/// How long one poll may take.
const POLL: Duration = Duration::from_millis(100);
/// How long topics are looked up.
const TOPICS: Duration = Duration::from_secs(10);

/// What to read.
#[derive(Debug)]
pub struct Load {
    pub topics: Topics,
    pub records: u64,
    pub timeout_ms: u64,
    pub interval_ms: u64,
    pub date_format: String,
    pub is_detailed: bool,
}

/// Which topics.
#[derive(Debug)]
pub enum Topics {
    Named(String),
    Matching(JavaRegex),
}

/// The counts so far.
struct Count {
    records: u64,
    bytes: u64,
    wanted: u64,
    /// Records since the last line.
    window_records: u64,
    window_bytes: u64,
    window_began: Instant,
    interval: Duration,
    is_due: bool,
}

impl RecordVisitor for Count {
    fn record(&mut self, record: &ConsumedRecord<'_>) -> Result<ControlFlow<()>> {
        let bytes = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
        self.records += 1;
        self.bytes += bytes as u64;
        self.is_due = self.window_began.elapsed() >= self.interval;
        let is_over = self.records >= self.wanted || self.is_due;
        Ok(if is_over {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }

    fn partition_end(&mut self, _: &str, _: i32, _: Offset) -> Result<ControlFlow<()>> {
        Ok(ControlFlow::Continue(()))
    }

    fn wants_headers(&self) -> bool {
        false
    }
}

/// Reads records, and prints the measures.
pub fn run(load: &Load, settings: &Settings, printer: &mut Printer) -> Result<()> {
    let interrupt = Interrupt::install()?;
    let options = SourceOptions {
        interrupt: interrupt.clone(),
        ..SourceOptions::default()
    };
    let mut source = Engine::for_reading(settings, &[]).open_source(settings, &options)?;
    let (began, start) = (Instant::now(), Zoned::now());
    let topics = topics(&load.topics, source.as_mut())?;
    source.subscribe(&topics)?;
    let mut count = Count {
        records: 0,
        bytes: 0,
        wanted: load.records,
        window_records: 0,
        window_bytes: 0,
        window_began: began,
        interval: Duration::from_millis(load.interval_ms),
        is_due: false,
    };
    let joined = read(load, source.as_mut(), &interrupt, &mut count, printer)?;
    let (took, end) = (began.elapsed(), Zoned::now());
    source.acknowledge();
    source.close();
    if count.records < load.records && !interrupt.is_raised() {
        printer.line(format_args!(
            "WARNING: Exiting before consuming the expected number of records: timeout ({} ms) exceeded. You can use the \
             --timeout option to increase the timeout.",
            load.timeout_ms
        ))?;
    }
    if load.is_detailed {
        return Ok(());
    }
    let date = |time: &Zoned| date_format::format(&load.date_format, time).map_err(Error::usage);
    let joined = joined.min(took);
    let fetching = took.saturating_sub(joined);
    let megabytes = megabytes(count.bytes);
    let per_second = |amount: f64, time: Duration| amount / (time.as_millis() as f64 / 1000.0);
    printer.line(format_args!(
        "{}, {}, {megabytes:.4}, {:.4}, {}, {:.4}, {}, {}, {:.4}, {:.4}",
        date(&start)?,
        date(&end)?,
        per_second(megabytes, took),
        count.records,
        per_second(count.records as f64, took),
        joined.as_millis(),
        fetching.as_millis(),
        per_second(megabytes, fetching),
        per_second(count.records as f64, fetching),
    ))
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

fn topics(topics: &Topics, source: &mut dyn RecordSource) -> Result<Vec<String>> {
    match topics {
        Topics::Named(topic) => Ok(vec![topic.clone()]),
        Topics::Matching(regex) => {
            let all = source.topics(None, TOPICS)?.into_iter().map(|topic| topic.name);
            Ok(all
                .filter(|topic| !is_internal_topic(topic) && regex.matches(topic))
                .collect())
        }
    }
}

/// Reads until the number is reached or no more records arrive; returns how long joining the group took.
fn read(
    load: &Load,
    source: &mut dyn RecordSource,
    interrupt: &Interrupt,
    count: &mut Count,
    printer: &mut Printer,
) -> Result<Duration> {
    let began = Instant::now();
    let mut joined = None;
    let mut last = Instant::now();
    let timeout = Duration::from_millis(load.timeout_ms);
    // The time that joining took, until it is part of a line.
    let mut unsaid = Duration::ZERO;
    while count.records < count.wanted && last.elapsed() <= timeout && !interrupt.is_raised() {
        let before = count.records;
        // A break means that the number is reached or a line is due.
        let _ = source.poll(POLL, count)?;
        for notice in source.take_notices() {
            stderr_line(notice);
        }
        if joined.is_none() && !source.assignment().is_empty() {
            unsaid = began.elapsed();
            joined = Some(unsaid);
        }
        if count.records > before {
            last = Instant::now();
        }
        if std::mem::take(&mut count.is_due) {
            if load.is_detailed {
                progress(load, count, unsaid, printer)?;
            }
            unsaid = Duration::ZERO;
            count.window_began = Instant::now();
            count.window_records = count.records;
            count.window_bytes = count.bytes;
        }
    }
    Ok(joined.unwrap_or_default())
}

/// Prints the line of an interval.
fn progress(load: &Load, count: &Count, joined: Duration, printer: &mut Printer) -> Result<()> {
    let milliseconds = |time: Duration| time.as_millis() as f64;
    let took = milliseconds(count.window_began.elapsed()).max(1.0);
    let joining = milliseconds(joined);
    let fetching = took - joining;
    let bytes = megabytes(count.bytes - count.window_bytes);
    let records = (count.records - count.window_records) as f64;
    let while_fetching = |amount: f64| {
        if fetching <= 0.0 {
            0.0
        } else {
            1000.0 * amount / fetching
        }
    };
    let now = date_format::format(&load.date_format, &Zoned::now()).map_err(Error::usage)?;
    printer.line(format_args!(
        "{now}, 0, {:.4}, {:.4}, {}, {:.4}, {joining:.0}, {fetching:.0}, {:.4}, {:.4}",
        megabytes(count.bytes),
        1000.0 * bytes / took,
        count.records,
        1000.0 * records / took,
        while_fetching(bytes),
        while_fetching(records),
    ))?;
    printer.flush()
}
