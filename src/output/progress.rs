//! The bar over a file that is being sent, and the layout that every bar of the program shares: on stderr, only on a
//! terminal, only for long work, and never wider than the screen, where it would be drawn anew below itself.

use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::{grouped, size};

/// The columns of the widest bar.
const MOST_OF_BAR: usize = 26;
/// A bar with fewer columns shows less than the percentage does.
const LEAST_OF_BAR: usize = 6;
/// A name with more characters loses its beginning: the end distinguishes files and partitions.
const MOST_OF_NAME: usize = 36;
/// Columns left free at the end: the terminal writes `^C` after the line.
const SPARE: usize = 3;

/// A bar over the bytes of the input.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    records: Arc<AtomicU64>,
}

impl Progress {
    /// A bar if these are regular files and stderr is a terminal.
    pub fn of_files(files: &[PathBuf], is_quiet: bool) -> Option<Self> {
        if is_quiet || !std::io::stderr().is_terminal() {
            return None;
        }
        let first = files.first()?;
        let mut total = 0;
        for file in files {
            let metadata = std::fs::metadata(file).ok().filter(std::fs::Metadata::is_file)?;
            total += metadata.len();
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
        let records = Arc::new(AtomicU64::new(0));
        let sent = Arc::clone(&records);
        let style = style(first.display().to_string(), move |_| {
            Some(format!("{} records", grouped(sent.load(Ordering::Relaxed))))
        })?;
        bar.set_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        Some(Self { bar, records })
    }

    /// `bytes` more were read; `records` were sent in all.
    pub fn advance(&mut self, bytes: u64, records: u64) {
        self.records.store(records, Ordering::Relaxed);
        self.bar.inc(bytes);
    }

    /// Takes the bar away.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// A bar over changes that are made in parts; none where they are few.
#[derive(Debug)]
pub struct Changes {
    bar: Option<ProgressBar>,
    done: u64,
    total: u64,
}

impl Changes {
    /// `total` changes; no bar up to `few` of them.
    pub fn new(total: usize, few: usize, is_quiet: bool) -> Self {
        let is_shown = total > few && !is_quiet && std::io::stderr().is_terminal();
        let changes = Self {
            bar: is_shown.then(|| ProgressBar::new(0).with_style(message_style())),
            done: 0,
            total: total as u64,
        };
        changes.draw();
        changes
    }

    /// `count` more changes were made.
    pub fn advance(&mut self, count: usize) {
        self.done += count as u64;
        self.draw();
    }

    /// `3 of 10 changes`, once some were made.
    pub fn begun(&self) -> Option<String> {
        (self.done > 0).then(|| self.so_far())
    }

    fn so_far(&self) -> String {
        format!("{} of {} changes", grouped(self.done), grouped(self.total))
    }

    fn draw(&self) {
        if let Some(bar) = &self.bar {
            let line = Line {
                done: self.done,
                total: self.total,
                amount: Some(self.so_far()),
                ..Line::default()
            };
            draw(bar, &line);
        }
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Draws a bar of [`message_style`].
pub(super) fn draw(bar: &ProgressBar, line: &Line<'_>) {
    bar.set_message(line.fitted(screen_width()));
    bar.tick();
}

/// The whole line is the message: it is laid out for the current width of the screen.
pub(super) fn message_style() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The style of a bar over bytes: its line is laid out again for the current width at each draw.
pub(super) fn style(
    name: String,
    amount: impl Fn(&ProgressState) -> Option<String> + Clone + Send + Sync + 'static,
) -> Option<ProgressStyle> {
    style_of(name, amount, |state| state.per_sec() as u64)
}

/// The same for a bar that does not count bytes, whose rate in bytes is measured elsewhere.
pub(super) fn style_of(
    name: String,
    amount: impl Fn(&ProgressState) -> Option<String> + Clone + Send + Sync + 'static,
    per_second: impl Fn(&ProgressState) -> u64 + Clone + Send + Sync + 'static,
) -> Option<ProgressStyle> {
    let draw = move |state: &ProgressState, text: &mut dyn Write| {
        let line = Line {
            name: &name,
            done: state.pos(),
            total: state.len().unwrap_or(0),
            amount: amount(state),
            per_second: Some(per_second(state)),
            seconds_left: Some(state.eta().as_secs()),
        };
        let _ = text.write_str(&line.fitted(screen_width()));
    };
    let style = ProgressStyle::with_template("{line}").ok()?;
    Some(style.with_key("line", draw))
}

/// The parts of a bar's line, from the most to the least important: percentage, time left, name, amount, rate.
#[derive(Debug, Default)]
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    /// Bytes.
    pub(super) done: u64,
    /// Bytes.
    pub(super) total: u64,
    pub(super) amount: Option<String>,
    /// Bytes.
    pub(super) per_second: Option<u64>,
    pub(super) seconds_left: Option<u64>,
}

impl Line<'_> {
    /// The line in at most `width` columns: the least important parts are left out first.
    pub(super) fn fitted(&self, width: usize) -> String {
        let percent = if self.total == 0 {
            0
        } else {
            u64::try_from(u128::from(self.done.min(self.total)) * 100 / u128::from(self.total)).unwrap_or(100)
        };
        let mut room = width;
        let mut take = |text: Option<String>| {
            let text = text?;
            let needs = text.chars().count() + 2;
            room = room.checked_sub(needs)?;
            Some(text)
        };
        let percent = take(Some(format!("{percent:>3} %")));
        let left = take(
            self.seconds_left
                .map(|seconds| format!("{} left", clock(seconds))),
        );
        let name = take(Some(end_of(self.name, MOST_OF_NAME.min(width / 3))));
        let amount = take(self.amount.clone());
        let speed = take(self.per_second.map(|bytes| format!("{}/s", size(bytes))));
        let bar = room.saturating_sub(2).min(MOST_OF_BAR);
        let bar = (bar >= LEAST_OF_BAR).then(|| bar_of(self.done, self.total, bar));
        let parts = [name, bar, percent, amount, speed, left];
        parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
    }
}

/// A bar of `columns` columns.
fn bar_of(done: u64, total: u64, columns: usize) -> String {
    let filled = u128::from(done.min(total)) * columns as u128 / u128::from(total.max(1));
    let filled = usize::try_from(filled).unwrap_or(columns);
    let mut bar = "━".repeat(filled);
    if filled < columns {
        bar.push('╸');
        bar.push_str(&"─".repeat(columns - filled - 1));
    }
    bar
}

/// The end of a name that is longer than `most` characters.
fn end_of(name: &str, most: usize) -> String {
    let length = name.chars().count();
    if length <= most {
        return name.to_owned();
    }
    let end = name.chars().skip(length + 1 - most.max(1));
    std::iter::once('…').chain(end).collect()
}

/// Columns that a line on stderr may take.
pub(super) fn screen_width() -> usize {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    let width = size.map_or(80, |(width, _)| usize::from(width.0));
    width.saturating_sub(SPARE)
}

/// Seconds as `03:09`, and from an hour on as `1:03:09`: every time left is shown like this.
pub(super) fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 {
        format!("{minutes:02}:{seconds:02}")
    } else {
        format!("{hours}:{minutes:02}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line<'static> {
        Line {
            name: "a/rather/long/way/to/the/folder/with/big.csv",
            done: 680,
            total: 1000,
            amount: Some("3 400 000 records".to_owned()),
            per_second: Some(210_000_000),
            seconds_left: Some(61),
        }
    }

    #[test]
    fn a_line_is_never_wider_than_the_screen() {
        for width in 0..200 {
            let text = line().fitted(width);
            assert!(text.chars().count() <= width, "{width}: {text}");
        }
    }

    #[test]
    fn the_most_important_stays_longest() {
        assert_eq!(
            line().fitted(120),
            "…long/way/to/the/folder/with/big.csv  ━━━━━━━━━━━━━━━━━╸────────   68 %  3 400 000 records  210.0 MB/s  01:01 left"
        );
        assert_eq!(
            line().fitted(57),
            "…older/with/big.csv   68 %  210.0 MB/s  01:01 left"
        );
        assert_eq!(line().fitted(20), " 68 %  01:01 left");
    }

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
