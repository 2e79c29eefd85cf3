//! Measures of sent records: number, bytes, and latencies; and the lines that print them.

use std::time::Instant;

use crate::error::Result;
use crate::output::Printer;

/// The most latencies that are kept for percentiles.
const SAMPLES: u64 = 500_000;

/// The measures of a run.
#[derive(Debug)]
pub struct Stats {
    began: Instant,
    window: Window,
    /// In milliseconds, one of every `sampling` records.
    latencies: Vec<u32>,
    sampling: u64,
    count: u64,
    bytes: u64,
    total_latency: u64,
    max_latency: u32,
    interval_ms: u64,
    /// Whether these are the measures after the warm-up.
    is_steady_state: bool,
    is_silent: bool,
}

/// The measures since the last line.
#[derive(Debug)]
struct Window {
    began: Instant,
    count: u64,
    bytes: u64,
    total_latency: u64,
    max_latency: u32,
}

impl Window {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            count: 0,
            bytes: 0,
            total_latency: 0,
            max_latency: 0,
        }
    }
}

impl Stats {
    pub fn new(records: u64, interval_ms: u64, is_steady_state: bool) -> Self {
        Self {
            began: Instant::now(),
            window: Window::new(),
            latencies: Vec::new(),
            sampling: records.div_ceil(SAMPLES).max(1),
            count: 0,
            bytes: 0,
            total_latency: 0,
            max_latency: 0,
            interval_ms,
            is_steady_state,
            is_silent: false,
        }
    }

    /// Prints no more lines except the last: another object prints the progress.
    pub fn silence(&mut self) {
        self.is_silent = true;
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// A record of `bytes` bytes was delivered after `latency` milliseconds.
    pub fn record(&mut self, latency: u32, bytes: usize, printer: &mut Printer) -> Result<()> {
        if self.count.is_multiple_of(self.sampling) {
            self.latencies.push(latency);
        }
        self.count += 1;
        self.bytes += bytes as u64;
        self.total_latency += u64::from(latency);
        self.max_latency = self.max_latency.max(latency);
        let window = &mut self.window;
        window.count += 1;
        window.bytes += bytes as u64;
        window.total_latency += u64::from(latency);
        window.max_latency = window.max_latency.max(latency);
        if window.began.elapsed().as_millis() < u128::from(self.interval_ms) {
            return Ok(());
        }
        if self.is_steady_state && self.count == self.window.count {
            printer.line("In steady state.")?;
        }
        if !self.is_silent {
            self.print_window(printer)?;
        }
        self.window = Window::new();
        Ok(())
    }

    fn print_window(&self, printer: &mut Printer) -> Result<()> {
        let window = &self.window;
        let (records, megabytes) = rates(window.began, window.count, window.bytes);
        printer.line(format_args!(
            "{} records sent, {records:.1} records/sec ({megabytes:.2} MB/sec), {:.1} ms avg latency, {:.1} ms max latency.",
            window.count,
            window.total_latency as f64 / window.count as f64,
            f64::from(window.max_latency),
        ))?;
        printer.flush()
    }

    /// Prints the last line.
    pub fn print_total(&mut self, printer: &mut Printer) -> Result<()> {
        let (records, megabytes) = rates(self.began, self.count, self.bytes);
        self.latencies.sort_unstable();
        let length = self.latencies.len();
        let percentile = |share: f64| {
            let place = (share * length as f64) as usize;
            self.latencies.get(place).copied().unwrap_or(0)
        };
        printer.line(format_args!(
            "{}{} records sent, {records:.6} records/sec ({megabytes:.2} MB/sec), {:.2} ms avg latency, {:.2} ms max \
             latency, {} ms 50th, {} ms 95th, {} ms 99th, {} ms 99.9th.",
            self.count,
            if self.is_steady_state { " steady state" } else { "" },
            self.total_latency as f64 / self.count as f64,
            f64::from(self.max_latency),
            percentile(0.5),
            percentile(0.95),
            percentile(0.99),
            percentile(0.999),
        ))
    }
}

/// Records and megabytes a second.
fn rates(began: Instant, count: u64, bytes: u64) -> (f64, f64) {
    let seconds = began.elapsed().as_millis().max(1) as f64 / 1000.0;
    (count as f64 / seconds, bytes as f64 / seconds / (1024.0 * 1024.0))
}
