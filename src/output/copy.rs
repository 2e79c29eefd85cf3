//! A copy in words: its size before it is made, its progress, and its result.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::table::{Cell, Table, numbers, words};
use super::{Printer, grouped, plural, progress, size};
use crate::error::Result;

/// A topic that would be copied.
#[derive(Debug)]
pub struct PlanRow {
    pub source: String,
    pub target: String,
    pub partitions: usize,
    pub target_partitions: usize,
    /// Offsets to copy: an upper bound on the number of records.
    pub offsets: i64,
    pub is_new: bool,
}

/// The size of a copy, one topic a row.
pub fn plan(printer: &mut Printer, rows: &[PlanRow]) -> Result<()> {
    let mut table = Table::new(&[
        words("TOPIC", "topic"),
        numbers("PARTITIONS", "partitions"),
        numbers("OFFSETS", "offsets"),
        words("TO", "to"),
        numbers("TO PARTITIONS", "to_partitions"),
        words("TARGET", "target"),
    ]);
    for row in rows {
        table.row(vec![
            Cell::text(&row.source),
            Cell::number(row.partitions as i64),
            Cell::number(row.offsets),
            Cell::text(&row.target),
            Cell::number(row.target_partitions as i64),
            Cell::text(if row.is_new { "would be created" } else { "exists" }),
        ]);
    }
    table.print(printer)
}

/// The result of a copy.
#[derive(Debug)]
pub struct Summary {
    pub records: u64,
    pub source: String,
    /// `None` where several topics have several targets.
    pub target: Option<String>,
    /// Bytes read, as they were in the source.
    pub bytes: u64,
    pub time: Duration,
}

/// One line: `5 000 records from orders to orders-copy, 1.2 MB in 0.4 s`.
pub fn summary(printer: &mut Printer, summary: &Summary) {
    let records = plural(summary.records, "record");
    let target = summary
        .target
        .as_ref()
        .map_or_else(String::new, |target| format!(" to {target}"));
    let (source, bytes, seconds) = (&summary.source, size(summary.bytes), summary.time.as_secs_f64());
    printer.note(format_args!(
        "{records} from {source}{target}, {bytes} in {seconds:.1} s"
    ));
}

/// The bar of a copy, on a terminal; its length counts offsets.
#[derive(Debug)]
pub struct Progress {
    bar: Option<(ProgressBar, Arc<Shown>)>,
}

#[derive(Debug, Default)]
struct Shown {
    records: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    pub fn new(name: &str, offsets: i64, is_quiet: bool) -> Self {
        if is_quiet || !std::io::stderr().is_terminal() {
            return Self { bar: None };
        }
        let total = u64::try_from(offsets).unwrap_or_default();
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
        let shown = Arc::new(Shown::default());
        let seen = Arc::clone(&shown);
        let style = progress::style_of(
            name.to_owned(),
            move |_| {
                Some(format!(
                    "{} records",
                    grouped(seen.records.load(Ordering::Relaxed))
                ))
            },
            {
                let seen = Arc::clone(&shown);
                move |state| {
                    let seconds = state.elapsed().as_secs_f64().max(0.001);
                    (seen.bytes.load(Ordering::Relaxed) as f64 / seconds) as u64
                }
            },
        );
        if let Some(style) = style {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar: Some((bar, shown)),
        }
    }

    /// `done` offsets are settled, `records` of them delivered; `bytes` were read.
    pub fn show(&mut self, done: i64, records: u64, bytes: u64) {
        if let Some((bar, shown)) = &self.bar {
            shown.records.store(records, Ordering::Relaxed);
            shown.bytes.store(bytes, Ordering::Relaxed);
            bar.set_position(u64::try_from(done).unwrap_or_default());
        }
    }

    /// Hides the bar while `write` writes to the screen.
    pub fn aside(&self, write: impl FnOnce()) {
        match &self.bar {
            Some((bar, _)) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        if let Some((bar, _)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
