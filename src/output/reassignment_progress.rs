//! Bars for replicas that are being moved, on stderr and only on a terminal.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};

use super::progress::{Line, draw, message_style};
use super::reassignment::human_bytes;
use crate::reassignment::progress::Copied;

/// More bars than this would not fit on a screen.
const MOST_BARS: usize = 12;
/// The time that the rate is measured over.
const WINDOW: Duration = Duration::from_secs(10);
/// The progress of one partition.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub name: String,
    pub copied: Copied,
    pub is_done: bool,
}

/// The bars of one run.
#[derive(Debug)]
pub(crate) struct Bars {
    screen: MultiProgress,
    total: ProgressBar,
    partitions: BTreeMap<String, ProgressBar>,
    /// When, and how many bytes were done then, over the last seconds.
    samples: Vec<(Instant, u64)>,
}

impl Bars {
    pub(crate) fn new(is_quiet: bool) -> Self {
        let target = if is_quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let screen = MultiProgress::with_draw_target(target);
        let total = screen.add(ProgressBar::new(0).with_style(message_style()));
        Self {
            screen,
            total,
            partitions: BTreeMap::new(),
            samples: Vec::new(),
        }
    }

    /// Draws the progress of all; what has not begun has no bar of its own, but counts in the sum.
    pub(crate) fn show(&mut self, steps: &[Step], waiting: &[Copied]) {
        let begun = steps.iter().map(|step| step.copied);
        let total = begun
            .chain(waiting.iter().copied())
            .fold(Copied::default(), |sum, copied| sum + copied);
        let rate = self.rate(total.done);
        for step in steps.iter().filter(|step| step.is_done) {
            if let Some(bar) = self.partitions.remove(&step.name) {
                bar.finish_and_clear();
            }
        }
        for step in steps.iter().filter(|step| !step.is_done) {
            if self.partitions.len() >= MOST_BARS && !self.partitions.contains_key(&step.name) {
                continue;
            }
            let bar = self.partitions.entry(step.name.clone()).or_insert_with(|| {
                let bar = ProgressBar::new(0).with_style(message_style());
                self.screen.insert_before(&self.total, bar)
            });
            draw(bar, &line(&step.name, step.copied));
        }
        let done = steps.iter().filter(|step| step.is_done).count();
        let mut words = line("total", total);
        let moves = format!("{done} of {} moves", steps.len() + waiting.len());
        words.amount = words.amount.map(|amount| format!("{amount}  {moves}"));
        words.per_second = Some(rate);
        words.seconds_left = total.left().checked_div(rate);
        draw(&self.total, &words);
    }

    /// Bytes a second over the last seconds.
    fn rate(&mut self, done: u64) -> u64 {
        let now = Instant::now();
        self.samples
            .retain(|(when, _)| now.duration_since(*when) < WINDOW);
        self.samples.push((now, done));
        let Some((since, before)) = self.samples.first() else {
            return 0;
        };
        let seconds = now.duration_since(*since).as_secs_f64();
        if seconds < 0.1 {
            return 0;
        }
        (done.saturating_sub(*before) as f64 / seconds) as u64
    }

    /// Removes the bars from the screen.
    pub(crate) fn finish(&mut self) {
        for bar in self.partitions.values() {
            bar.finish_and_clear();
        }
        self.total.finish_and_clear();
        // A bar above the last one stays on the screen otherwise.
        let _ = self.screen.clear();
    }
}

fn line(name: &str, copied: Copied) -> Line<'_> {
    Line {
        name,
        done: copied.done,
        total: copied.total,
        amount: Some(format!(
            "{} of {}",
            human_bytes(copied.done),
            human_bytes(copied.total)
        )),
        ..Line::default()
    }
}
