//! Many groups at work, one row each: lag, records read and written per second, and the time until the lag is gone.
//!
//! Owns the memory of earlier looks. A terminal shows the last look only, a pipe all of them.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use serde_json::{Value, json};

use super::group_list::members;
use super::group_watch::lines_on_screen;
use super::progress::clock;
use super::table::{Cell, Column, Table, fitted, grouped, numbers, words};
use super::{Format, Printer};
use crate::client::admin::group_overview::{GroupSummary, Place};
use crate::error::Result;
use crate::monitor::figures::seconds_left;
use crate::topic_partition::TopicPartition;

/// How many looks a rate is calculated from.
const LOOKS: usize = 10;

const COLUMNS: [Column; 7] = [
    words("GROUP", "group"),
    words("STATE", "state"),
    numbers("MEMBERS", "members"),
    numbers("LAG", "lag"),
    numbers("READ/S", "read_per_second"),
    numbers("WRITTEN/S", "written_per_second"),
    numbers("CAUGHT UP IN", "caught_up_in_ms"),
];

/// What was seen of each group so far.
#[derive(Debug, Default)]
pub struct Rates {
    groups: HashMap<String, Seen>,
    looks: u64,
    /// Lines that the last look took on the screen.
    lines: usize,
}

/// What was seen of one group.
#[derive(Debug, Default)]
struct Seen {
    /// Its offsets at the last look.
    places: HashMap<TopicPartition, Place>,
    /// The time of each look, and how many records had been read and written since the first one.
    sums: VecDeque<(Instant, i64, i64)>,
}

/// Records a second.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Speed {
    read: f64,
    written: f64,
}

impl Seen {
    fn remember(&mut self, group: &GroupSummary, now: Instant) {
        let (mut read, mut written) = self
            .sums
            .back()
            .map_or((0, 0), |(_, read, written)| (*read, *written));
        for (partition, place) in group.places.iter().flatten() {
            // A partition that was not there at the last look counts neither as read nor as written.
            if let Some(before) = self.places.get(partition) {
                // A group that is reset moves back; that is not reading.
                read += (place.committed - before.committed).max(0);
                let ends = place.end.zip(before.end);
                written += ends.map_or(0, |(end, before)| (end - before).max(0));
            }
        }
        self.places = group.places.clone().unwrap_or_default().into_iter().collect();
        self.sums.push_back((now, read, written));
        if self.sums.len() > LOOKS {
            self.sums.pop_front();
        }
    }

    /// The speed over the looks remembered; `None` after the first.
    fn speed(&self) -> Option<Speed> {
        let ((then, read_then, written_then), (now, read, written)) = (self.sums.front()?, self.sums.back()?);
        let seconds = now.duration_since(*then).as_secs_f64();
        (seconds > 0.0).then(|| Speed {
            read: (read - read_then) as f64 / seconds,
            written: (written - written_then) as f64 / seconds,
        })
    }
}

impl Rates {
    /// Shows one more look: in the place of the last one on a terminal, below it elsewhere.
    pub fn show(&mut self, printer: &mut Printer, groups: &[GroupSummary], now: Instant) -> Result<()> {
        self.groups
            .retain(|name, _| groups.iter().any(|group| group.listing.id == *name));
        for group in groups {
            let seen = self.groups.entry(group.listing.id.clone()).or_default();
            seen.remember(group, now);
        }
        self.looks += 1;
        let table = self.table(groups);
        match printer.format() {
            Format::Table => self.redraw(printer, groups, &table)?,
            // One document a look would make several documents in all.
            Format::Json | Format::Jsonl => {
                for object in table.objects() {
                    printer.line(object)?;
                }
            }
            Format::Tsv if self.looks > 1 => table.print_rows(printer)?,
            Format::Tsv | Format::Name => table.print(printer)?,
        }
        printer.flush()
    }

    fn redraw(&mut self, printer: &mut Printer, groups: &[GroupSummary], table: &Table) -> Result<()> {
        if printer.is_terminal() {
            if self.lines > 0 {
                // To the first line of the last look, and clear everything below.
                printer.text(format_args!("\x1b[{}A\x1b[J", self.lines))?;
            }
        } else if self.looks > 1 {
            printer.line("")?;
        }
        let text = if groups.is_empty() {
            "no groups".to_owned()
        } else {
            table.aligned()
        };
        self.lines = lines_on_screen(&fitted(&text));
        printer.block(&text)
    }

    fn table(&self, groups: &[GroupSummary]) -> Table {
        let mut table = Table::new(&COLUMNS);
        for group in groups {
            // Without known offsets there is no known speed.
            let seen = self.groups.get(&group.listing.id);
            let speed = seen.filter(|_| group.places.is_some()).and_then(Seen::speed);
            let left = speed
                .zip(group.lag())
                .and_then(|(speed, lag)| seconds_left(lag, speed.read, speed.written));
            table.row(vec![
                Cell::text(&group.listing.id),
                Cell::text(group.listing.state.to_lowercase()),
                Cell::or_unknown(members(group).map(Cell::number)),
                Cell::or_unknown(group.lag().map(Cell::number)),
                Cell::or_unknown(speed.map(|speed| rate(speed.read))),
                Cell::or_unknown(speed.map(|speed| rate(speed.written))),
                Cell::or_unknown(left.map(time_left)),
            ]);
        }
        table
    }
}

fn rate(records: f64) -> Cell {
    Cell::both(grouped(records.round() as i64), json!(records))
}

fn time_left(seconds: f64) -> Cell {
    let human = match seconds {
        seconds if seconds <= 0.0 => "now".to_owned(),
        // More than a year is not worth showing.
        seconds if seconds > 31_536_000.0 => "-".to_owned(),
        seconds => clock(seconds.ceil() as u64),
    };
    Cell::both(human, Value::from((seconds * 1000.0).round() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::time::Duration;

    use crate::client::admin::groups::GroupListing;

    fn group(places: &[(i32, i64, i64)]) -> GroupSummary {
        let place = |&(partition, committed, end): &(i32, i64, i64)| {
            let end = Some(end);
            (TopicPartition::new("t", partition), Place { committed, end })
        };
        GroupSummary {
            listing: GroupListing::default(),
            members: Some(1),
            places: Some(places.iter().map(place).collect::<BTreeMap<_, _>>()),
            stated_lag: None,
        }
    }

    #[test]
    fn a_rate_is_that_of_all_looks_remembered() {
        let begin = Instant::now();
        let mut seen = Seen::default();
        let mut look = |second, places: &[(i32, i64, i64)]| {
            seen.remember(&group(places), begin + Duration::from_secs(second));
            seen.speed()
        };
        assert_eq!(look(0, &[(0, 100, 1000)]), None);
        let speed = Speed {
            read: 100.0,
            written: 50.0,
        };
        assert_eq!(look(2, &[(0, 300, 1100)]), Some(speed));
        // Another partition appears with records, none of which was read since; the first one is reset.
        let slower = Speed {
            read: 50.0,
            written: 25.0,
        };
        assert_eq!(look(4, &[(0, 0, 1100), (1, 5000, 9000)]), Some(slower));
    }
}
