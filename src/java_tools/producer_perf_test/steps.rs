//! Sending records one after the other, and noting when they are acknowledged.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use super::stats::Stats;
use crate::client::engine::Engine;
use crate::client::record_sink::{DeliveryFailure, DeliveryListener, RecordSink, RecordView, SinkOptions};
use crate::client::settings::Settings;
use crate::commands::pace::Pace;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::java::regex::anywhere;
use crate::java::scanner::tokens;
use crate::java_tools::load_tools::splittable_random::SplittableRandom;
use crate::output::{Printer, stderr_line, stdout_line};

/// How many failures are listed on stderr; the rest are counted.
const NAMED: u64 = 20;
/// After this many records deliveries are polled.
const BETWEEN_POLLS: u64 = 256;

/// What to send.
#[derive(Debug)]
pub struct Load {
    pub topic: String,
    pub records: u64,
    /// The number of warm-up records before the steady state.
    pub warmup: u64,
    /// Records a second; negative for no limit.
    pub per_second: f64,
    pub interval_ms: u64,
    /// The duration of a transaction; `None` without transactions.
    pub transaction_ms: Option<u64>,
    pub payload: Payload,
}

/// The values of the records.
#[derive(Debug)]
pub enum Payload {
    /// This many random letters.
    Letters(usize),
    /// One of these.
    OneOf(Vec<String>),
    /// 0, 1, 2 …
    Numbers,
}

/// Reads a file of values; `delimiter` is a regular expression. The error is the message of Java's exception.
pub fn payload_file(file: &str, delimiter: &str) -> Result<Payload, String> {
    let path = std::path::absolute(Path::new(file)).unwrap_or_else(|_| file.into());
    stdout_line(format_args!("Reading payloads from: {}", path.display()));
    // Java finds nothing in a folder.
    let bytes = std::fs::read(file).unwrap_or_default();
    if bytes.is_empty() && !path.is_dir() {
        return Err("File does not exist or empty file provided.".to_owned());
    }
    let text = String::from_utf8_lossy(&bytes);
    let delimiter = if delimiter == "\\n" { "\n" } else { delimiter };
    let delimiter = anywhere(delimiter).ok_or_else(|| format!("{delimiter} is no regular expression"))?;
    let values: Vec<String> = tokens(&text, &delimiter).into_iter().map(str::to_owned).collect();
    stdout_line(format_args!("Number of records read: {}", values.len()));
    if values.is_empty() {
        return Err("no payload File Path or record Size or payload-monotonic option provided".to_owned());
    }
    Ok(Payload::OneOf(values))
}

/// A record in flight.
struct UnderWay {
    sent: Instant,
    bytes: usize,
    /// Whether it comes after those that are left out of the line about the steady state.
    is_steady: bool,
}

/// The records in flight, the oldest first, and the results of the others.
struct Ledger<'a> {
    under_way: VecDeque<UnderWay>,
    stats: Stats,
    steady: Option<Stats>,
    failed: u64,
    printer: &'a mut Printer,
    /// The first error in printing.
    unprinted: Option<Error>,
}

impl DeliveryListener for Ledger<'_> {
    /// `count` records were delivered. It is not known which: they count as the oldest.
    fn delivered(&mut self, count: u64) {
        for _ in 0..count {
            let Some(record) = self.under_way.pop_front() else {
                return;
            };
            let bytes = record.bytes;
            let latency = u32::try_from(record.sent.elapsed().as_millis()).unwrap_or(u32::MAX);
            let mut outcome = self.stats.record(latency, bytes, self.printer);
            if let Some(steady) = self.steady.as_mut().filter(|_| record.is_steady) {
                outcome = outcome.and_then(|()| steady.record(latency, bytes, self.printer));
            }
            if let Err(error) = outcome {
                self.unprinted.get_or_insert(error);
            }
        }
    }

    fn failed(&mut self, failure: &DeliveryFailure<'_>) {
        self.under_way.pop_front();
        self.failed += 1;
        if self.failed <= NAMED {
            stderr_line(format_args!(
                "record {} is not delivered: {}",
                failure.tag, failure.reason
            ));
        }
    }

    fn notice(&mut self, line: &str) {
        stderr_line(line);
    }
}

/// Sends the records and prints the measures.
pub fn run(load: &Load, settings: &Settings, printer: &mut Printer) -> Result<()> {
    let interrupt = Interrupt::install()?;
    let options = SinkOptions {
        interrupt: interrupt.clone(),
        overrides: Vec::new(),
        defaults: Vec::new(),
    };
    let mut sink = Engine::for_sending(settings, &[]).open_sink(settings, options)?;
    sink.prepare_topic(&load.topic, Duration::from_secs(60))?;
    if load.warmup > 0 {
        printer.line(format_args!(
            "Warmup first {} records. Steady state results will print after the complete test summary.",
            load.warmup
        ))?;
    }
    let mut ledger = Ledger {
        under_way: VecDeque::new(),
        stats: Stats::new(load.records, load.interval_ms, false),
        steady: None,
        failed: 0,
        printer,
        unprinted: None,
    };
    let sent = send(load, sink.as_mut(), &interrupt, &mut ledger);
    let was_interrupted = interrupt.take();
    sink.flush(was_interrupted, &mut ledger)?;
    sent?;
    if let Some(error) = ledger.unprinted {
        return Err(error);
    }
    ledger.stats.print_total(ledger.printer)?;
    if let Some(mut steady) = ledger.steady {
        steady.print_total(ledger.printer)?;
    }
    match ledger.failed {
        0 => Ok(()),
        failed => Err(Error::failed(format!(
            "{failed} of {} records were not delivered",
            ledger.stats.count() + failed
        ))),
    }
}

fn send(
    load: &Load,
    sink: &mut dyn RecordSink,
    interrupt: &Interrupt,
    ledger: &mut Ledger<'_>,
) -> Result<()> {
    let mut random = SplittableRandom::new(0);
    let mut value = Vec::new();
    let pace = Pace::new(load.per_second);
    let mut transaction = Instant::now();
    for number in 0..load.records {
        if interrupt.is_raised() || ledger.unprinted.is_some() {
            return Ok(());
        }
        fill(&mut value, &load.payload, &mut random, number);
        if load.warmup > 0 && number == load.warmup {
            let rest = load.records - load.warmup;
            ledger.steady = Some(Stats::new(rest, load.interval_ms, true));
            ledger.stats.silence();
        }
        ledger.under_way.push_back(UnderWay {
            sent: Instant::now(),
            bytes: value.len(),
            is_steady: number >= load.warmup,
        });
        let record = RecordView {
            topic: &load.topic,
            partition: None,
            key: None,
            value: Some(&value),
            headers: &[],
            timestamp: None,
        };
        if let Err(error) = sink.send(&record, number, ledger) {
            ledger.under_way.pop_back();
            return Err(error);
        }
        let lasts = load.transaction_ms.map(Duration::from_millis);
        if lasts.is_some_and(|lasts| transaction.elapsed() >= lasts) {
            sink.flush(false, ledger)?;
            transaction = Instant::now();
        }
        if number % BETWEEN_POLLS == 0 {
            sink.poll(Duration::ZERO, ledger)?;
        }
        // Java leaves out the record that it has just sent, so that the first two follow each other at once.
        wait(&pace, number, sink, interrupt, ledger)?;
    }
    Ok(())
}

/// Waits until the next record is due, and handles deliveries meanwhile.
fn wait(
    pace: &Pace,
    sent: u64,
    sink: &mut dyn RecordSink,
    interrupt: &Interrupt,
    ledger: &mut Ledger<'_>,
) -> Result<()> {
    while let Some(wait) = pace.wait(sent) {
        if interrupt.is_raised() {
            return Ok(());
        }
        let until = Instant::now() + wait.min(Duration::from_millis(100));
        sink.dispatch(ledger)?;
        sink.poll(wait.min(Duration::from_millis(100)), ledger)?;
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

fn fill(value: &mut Vec<u8>, payload: &Payload, random: &mut SplittableRandom, number: u64) {
    value.clear();
    match payload {
        Payload::Letters(length) => {
            value.extend((0..*length).map(|_| b'A' + random.next_below(26) as u8));
        }
        Payload::OneOf(values) => {
            let bound = u32::try_from(values.len()).unwrap_or(u32::MAX);
            let chosen = values.get(random.next_below(bound) as usize);
            value.extend_from_slice(chosen.map_or(b"", |chosen| chosen.as_bytes()));
        }
        Payload::Numbers => value.extend_from_slice(number.to_string().as_bytes()),
    }
}
