//! Bars for replicas on their way, on stderr and only on a terminal.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::reassignment::human_bytes;
use crate::reassignment::progress::Copied;

/// More bars than this would not fit on a screen.
const MOST_BARS: usize = 12;
/// The rate is measured over this long.
const WINDOW: Duration = Duration::from_secs(10);
/// Columns below which there is less to see: a bar that wraps is drawn anew in the wrong place. The terminal's own `^C`
/// behind the last bar must fit, too.
const WIDE: u16 = 120;
const WIDE_LINE: &str = "{prefix:20!} {bar:25.cyan/dim} {msg}";
const NARROW_LINE: &str = "{prefix:16!} {bar:6.cyan/dim} {msg}";

/// One partition on its way, or there.
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
    /// Bytes done at some moments of the last seconds.
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
        let total = screen.add(ProgressBar::new(0).with_style(style()).with_prefix("total"));
        Self {
            screen,
            total,
            partitions: BTreeMap::new(),
            samples: Vec::new(),
        }
    }

    /// Draws how far everything is; what has not begun has no bar of its own.
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
                let bar = ProgressBar::new(0)
                    .with_style(style())
                    .with_prefix(step.name.clone());
                self.screen.insert_before(&self.total, bar)
            });
            draw(bar, step.copied, &amount(step.copied));
        }
        let done = steps.iter().filter(|step| step.is_done).count();
        let mut words = amount(total);
        if is_wide() {
            let _ = write!(words, "  {done} of {} moves", steps.len() + waiting.len());
        }
        let _ = write!(words, "  {}/s", human_bytes(rate));
        if let Some(left) = total.left().checked_div(rate) {
            let _ = write!(words, "  {} left", clock(left));
        }
        draw(&self.total, total, &words);
    }

    /// Bytes a second lately.
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

    /// Takes the bars off the screen.
    pub(crate) fn finish(&mut self) {
        for bar in self.partitions.values() {
            bar.finish_and_clear();
        }
        self.total.finish_and_clear();
        // A bar above the last one stays on the screen otherwise.
        let _ = self.screen.clear();
    }
}

/// Seconds as `03:09`, and from an hour on as `1:03:09`.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 {
        format!("{minutes:02}:{seconds:02}")
    } else {
        format!("{hours}:{minutes:02}:{seconds:02}")
    }
}

fn is_wide() -> bool {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    size.is_none_or(|(width, _)| width.0 >= WIDE)
}

fn style() -> ProgressStyle {
    let line = if is_wide() { WIDE_LINE } else { NARROW_LINE };
    let style = ProgressStyle::with_template(line).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("━╸━")
}

fn draw(bar: &ProgressBar, copied: Copied, message: &str) {
    bar.set_length(copied.total.max(1));
    bar.set_position(copied.done);
    bar.set_message(message.to_owned());
}

fn amount(copied: Copied) -> String {
    format!(
        "{:3} %  {} of {}",
        copied.percent(),
        human_bytes(copied.done),
        human_bytes(copied.total)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_shown_where_there_are_any() {
        for (seconds, text) in [
            (0, "00:00"),
            (189, "03:09"),
            (3599, "59:59"),
            (3789, "1:03:09"),
            (360_000, "100:00:00"),
        ] {
            assert_eq!(clock(seconds), text);
        }
    }
}
