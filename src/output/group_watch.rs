//! A group's progress as it goes on: redrawn in place on a terminal, with each partition's lag over time.
//!
//! Owns the memory of earlier looks; the layout of one look belongs to `group`.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use super::group::{self, Progress};
use super::progress::clock;
use super::spark::Bars;
use super::table::{fitted, grouped};
use super::{Format, Printer};
use crate::error::Result;
use crate::topic_partition::TopicPartition;

/// Looks remembered.
const LOOKS: usize = 20;

/// What was seen at each look so far; the last ones only.
#[derive(Debug, Default)]
pub struct Watched {
    /// The lag of each partition in records, oldest first.
    lags: HashMap<(String, TopicPartition), VecDeque<i64>>,
    /// The time of each look, and the lag of all partitions of a group together.
    sums: HashMap<String, VecDeque<(Instant, i64)>>,
    /// Lines that the last look took on the screen.
    lines: usize,
}

impl Watched {
    /// Shows one more look: in the place of the last one on a terminal, below it elsewhere.
    pub fn show(&mut self, printer: &mut Printer, groups: &[Progress], now: Instant) -> Result<()> {
        for progress in groups {
            self.remember(progress, now);
        }
        if printer.format() != Format::Table {
            group::describe(printer, groups)?;
            return printer.flush();
        }
        if printer.is_terminal() {
            if self.lines > 0 {
                // To the first line of the last look, and clear everything below.
                printer.text(format_args!("\x1b[{}A\x1b[J", self.lines))?;
            }
        } else if self.lines > 0 {
            printer.line("")?;
        }
        let blocks: Vec<String> = groups
            .iter()
            .map(|progress| group::block(progress, Some(self)))
            .collect();
        let text = blocks.join("\n\n");
        self.lines = lines_on_screen(&fitted(&text));
        printer.block(&text)?;
        printer.flush()
    }

    fn remember(&mut self, progress: &Progress, now: Instant) {
        let group = &progress.group.id;
        for row in &progress.rows {
            let key = (group.clone(), row.partition.clone());
            keep_last(self.lags.entry(key).or_default(), row.lag().unwrap_or(0));
        }
        keep_last(
            self.sums.entry(group.clone()).or_default(),
            (now, group::total(progress).unwrap_or(0)),
        );
    }

    /// `, shrinking 2 100/s (00:09 left)`; nothing after the first look.
    pub(super) fn trend(&self, group: &str) -> String {
        let sums = self.sums.get(group);
        let ends = sums.and_then(|sums| Some((sums.front()?, sums.back()?)));
        let Some(((then, before), (now, lag))) = ends else {
            return String::new();
        };
        let seconds = now.duration_since(*then).as_secs_f64();
        if seconds <= 0.0 {
            return String::new();
        }
        let rate = ((before - lag) as f64 / seconds).round() as i64;
        let speed = grouped(rate.abs());
        match rate {
            0 => ", steady".to_owned(),
            ..0 => format!(", growing {speed}/s"),
            _ if *lag == 0 => format!(", shrinking {speed}/s"),
            _ => format!(
                ", shrinking {speed}/s ({} left)",
                clock(lag.unsigned_abs() / rate.unsigned_abs())
            ),
        }
    }

    /// A bar for each look; the highest bar is the largest lag.
    pub(super) fn spark(&self, group: &str, partition: &TopicPartition) -> String {
        let Some(lags) = self.lags.get(&(group.to_owned(), partition.clone())) else {
            return String::new();
        };
        let lags: Vec<f64> = lags.iter().map(|lag| *lag as f64).collect();
        Bars::BLOCKS.draw(&lags, lags.len())
    }
}

fn keep_last<T>(looks: &mut VecDeque<T>, look: T) {
    looks.push_back(look);
    if looks.len() > LOOKS {
        looks.pop_front();
    }
}

/// How many lines of the screen a text takes: long lines take more than one.
pub(super) fn lines_on_screen(text: &str) -> usize {
    let width = terminal_size::terminal_size().map_or(usize::MAX, |(width, _)| usize::from(width.0).max(1));
    let lines = text.lines();
    lines
        .map(|line| line.chars().count().div_ceil(width).max(1))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_speed_is_that_of_all_looks_remembered() {
        let mut watched = Watched::default();
        let begin = Instant::now();
        assert_eq!(watched.trend("g"), "");
        for (second, lag, trend) in [
            (0, 100, ""),
            (2, 60, ", shrinking 20/s (00:03 left)"),
            (4, 140, ", growing 10/s"),
            (5, 100, ", steady"),
        ] {
            let now = begin + Duration::from_secs(second);
            keep_last(watched.sums.entry("g".into()).or_default(), (now, lag));
            assert_eq!(watched.trend("g"), trend, "after {second} s");
        }
    }

    #[test]
    fn the_highest_bar_is_the_largest_lag() {
        let mut watched = Watched::default();
        let partition = TopicPartition::new("t", 0);
        let lags = watched.lags.entry(("g".into(), partition.clone())).or_default();
        for lag in [0, 350, 700, 0] {
            keep_last(lags, lag);
        }
        assert_eq!(watched.spark("g", &partition), "▁▅█▁");
    }
}
