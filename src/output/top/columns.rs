//! The columns of `top`: headings, JSON names, formats of values, and which are left out first on a narrow screen.

use serde_json::Value;

use crate::monitor::field::{Field, Figure, Health};
use crate::monitor::page::Listing;
use crate::output::health::{NO_LEADER, UNDER_REPLICATED};
use crate::output::progress::clock;
use crate::output::table::{Cell, Column, numbers, size, words};

/// The status of a broker that is not in the cluster's metadata.
pub(super) const DOWN: &str = "DOWN";

/// The column of a field.
pub(super) fn column(field: Field) -> Column {
    match field {
        Field::Broker => numbers("BROKER", "broker"),
        Field::Address => words("ADDRESS", "address"),
        Field::Rack => words("RACK", "rack").hides(),
        Field::Leads => numbers("LEADS", "leads"),
        Field::Replicas => words("REPLICAS", "replicas"),
        Field::OutOfSync => numbers("NOT IN SYNC", "not_in_sync"),
        Field::Topic => words("TOPIC", "topic"),
        Field::Partitions => numbers("PARTITIONS", "partitions"),
        Field::Offsets => numbers("OFFSETS", "offsets"),
        Field::Partition => numbers("PARTITION", "partition"),
        Field::Leader => numbers("LEADER", "leader"),
        Field::InSync => words("ISR", "isr"),
        Field::First => numbers("FIRST", "first"),
        Field::Next => numbers("NEXT", "next"),
        Field::Written => numbers("RECORDS/S", "written_per_second"),
        Field::Bytes => numbers("BYTES/S", "bytes_per_second"),
        Field::Size => numbers("SIZE", "size"),
        Field::Free => numbers("FREE", "free"),
        Field::Group => words("GROUP", "group"),
        Field::State => words("STATE", "state"),
        Field::Members => numbers("MEMBERS", "members"),
        Field::Lag => numbers("LAG", "lag"),
        Field::Read => numbers("READ/S", "read_per_second"),
        Field::CaughtUpIn => numbers("CAUGHT UP IN", "caught_up_in_ms"),
        Field::Committed => numbers("COMMITTED", "committed"),
        Field::End => numbers("END", "end"),
        Field::Member => words("MEMBER", "member"),
        Field::Health => words("STATUS", "status").hides(),
    }
}

/// The heading of a field on a page: pages of groups show what is read and what is written side by side.
pub(super) fn heading(field: Field, listing: &Listing) -> &'static str {
    match (field, listing) {
        (Field::Written, Listing::Groups | Listing::OfGroup(_)) => "WRITTEN/S",
        (Field::Partitions, _) => "PARTS",
        (Field::Partition, _) => "PART",
        (Field::CaughtUpIn, _) => "LEFT",
        (Field::OutOfSync, _) => "LAGGING",
        _ => column(field).heading,
    }
}

/// Whether the values line up right.
pub(super) fn is_number(field: Field, listing: &Listing) -> bool {
    column(field).is_number || (field == Field::Replicas && *listing == Listing::Brokers)
}

/// How soon a column is left out: the highest first, those of 0 never.
pub(super) fn rank(field: Field) -> u8 {
    match field {
        Field::Broker | Field::Topic | Field::Partition | Field::Group => 0,
        Field::Written | Field::Lag | Field::Health => 1,
        Field::Read | Field::Bytes | Field::Leader => 2,
        Field::State | Field::CaughtUpIn | Field::OutOfSync => 3,
        // The trend ranks between these two: see `TREND_RANK`.
        Field::Leads | Field::InSync | Field::Members | Field::Member | Field::Size => 5,
        Field::Address | Field::Partitions | Field::Committed => 6,
        Field::Next | Field::End | Field::Offsets | Field::Free => 7,
        Field::Replicas => 8,
        Field::First | Field::Rack => 9,
    }
}

/// Columns of this rank and above make room for the trend.
pub(super) const TREND_RANK: u8 = 5;

/// The value on the screen.
pub(super) fn text(figure: &Figure) -> String {
    match figure {
        Figure::Unknown => "-".to_owned(),
        Figure::Word(word) => word.clone(),
        Figure::Number(number) => number.to_string(),
        Figure::Ids(ids) => Cell::list(ids).human().into_owned(),
        Figure::Bytes(bytes) => size(*bytes),
        Figure::Rate(rate) => per_second(*rate),
        Figure::ByteRate(rate) => size(rate.round() as i64),
        Figure::Seconds(seconds) => time_left(*seconds),
        Figure::Health(health) => status(*health),
    }
}

/// The value in a pipe.
pub(super) fn cell(figure: &Figure) -> Cell {
    let exact = match figure {
        Figure::Unknown => return Cell::unknown(),
        Figure::Ids(ids) => return Cell::list(ids),
        Figure::Word(word) => Value::from(word.as_str()),
        Figure::Number(number) | Figure::Bytes(number) => Value::from(*number),
        // One decimal place is enough.
        Figure::Rate(rate) | Figure::ByteRate(rate) => Value::from((rate * 10.0).round() / 10.0),
        Figure::Seconds(seconds) => Value::from((seconds * 1000.0).round() as i64),
        Figure::Health(health) => Value::from(status(*health)),
    };
    Cell::both(text(figure), exact)
}

/// Records a second: exact while there is space, then thousands and millions.
pub(super) fn per_second(rate: f64) -> String {
    match rate {
        rate if rate > 0.0 && rate < 9.95 => format!("{rate:.1}"),
        rate if rate < 999_999.5 => format!("{rate:.0}"),
        rate if rate < 99_950_000.0 => format!("{:.1}M", rate / 1e6),
        rate => format!("{:.0}M", rate / 1e6),
    }
}

/// A time left as on a clock; `now` for zero.
pub(super) fn time_left(seconds: f64) -> String {
    match seconds {
        seconds if seconds <= 0.0 => "now".to_owned(),
        seconds if seconds >= 86_400.0 * 100.0 => "-".to_owned(),
        seconds if seconds >= 86_400.0 => format!("{:.0} d", seconds / 86_400.0),
        seconds => clock(seconds.ceil() as u64),
    }
}

/// The worst problem; empty when there is none.
pub(super) fn status(health: Health) -> String {
    let (word, ill) = match health {
        health if health.is_down => return DOWN.to_owned(),
        health if health.without_leader > 0 => (NO_LEADER, health.without_leader),
        health if health.under_replicated > 0 => (UNDER_REPLICATED, health.under_replicated),
        _ => return String::new(),
    };
    match health.partitions {
        1 => word.to_owned(),
        all => format!("{word} {ill}/{all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_as_exact_as_there_is_room() {
        for (rate, shown) in [
            (0.0, "0"),
            (0.25, "0.2"),
            (9.94, "9.9"),
            (9.96, "10"),
            (123_456.4, "123456"),
            (1_234_567.0, "1.2M"),
            (250_000_000.0, "250M"),
        ] {
            assert_eq!(per_second(rate), shown);
        }
    }

    #[test]
    fn the_worst_is_named() {
        let health = |without_leader, under_replicated, partitions| Health {
            is_down: false,
            without_leader,
            under_replicated,
            partitions,
        };
        assert_eq!(status(health(0, 0, 3)), "");
        assert_eq!(status(health(0, 2, 3)), "UNDER-REPLICATED 2/3");
        assert_eq!(status(health(1, 2, 3)), "NO LEADER 1/3");
        assert_eq!(status(health(1, 0, 1)), "NO LEADER");
    }
}
