//! Partitions that need another leader, and what an election would bring.

use serde_json::Value;

use super::Printer;
use super::table::{Cell, Table, numbers, words};
use crate::error::Result;
use crate::topic_partition::{BrokerId, TopicPartition};

/// What an election would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prospect {
    /// One of these becomes the leader.
    Elects(Vec<BrokerId>),
    /// Nothing changes, and why.
    Stays(String),
}

/// One partition.
#[derive(Debug)]
pub struct Row {
    pub partition: TopicPartition,
    pub leader: Option<BrokerId>,
    /// The preferred leader first.
    pub replicas: Vec<BrokerId>,
    pub in_sync: Vec<BrokerId>,
    pub prospect: Prospect,
}

/// One partition a row.
pub fn list(printer: &mut Printer, rows: &[Row]) -> Result<()> {
    let mut table = Table::new(&[
        words("TOPIC", "topic"),
        numbers("PARTITION", "partition"),
        numbers("LEADER", "leader"),
        numbers("NEW LEADER", "new_leader"),
        words("REPLICAS", "replicas"),
        words("IN SYNC", "in_sync"),
        words("REASON", "reason").hides(),
    ]);
    let shows_reasons = has_several_reasons(rows);
    for row in rows {
        let (new_leader, reason) = match &row.prospect {
            Prospect::Elects(candidates) => (candidate(candidates), Cell::both("", Value::Null)),
            Prospect::Stays(why) if shows_reasons => (Cell::unknown(), Cell::text(why)),
            Prospect::Stays(why) => (Cell::unknown(), Cell::both("", Value::from(why.as_str()))),
        };
        table.row(vec![
            Cell::text(&row.partition.topic),
            Cell::number(row.partition.partition),
            Cell::or_unknown(row.leader.map(Cell::number)),
            new_leader,
            Cell::list(&row.replicas),
            Cell::list(&row.in_sync),
            reason,
        ]);
    }
    table.print(printer)
}

/// Whether the reasons of partitions differ; if not, the one reason is printed once, after the table.
fn has_several_reasons(rows: &[Row]) -> bool {
    let mut reasons = rows.iter().filter_map(|row| match &row.prospect {
        Prospect::Stays(why) => Some(why),
        Prospect::Elects(_) => None,
    });
    let first = reasons.next();
    reasons.any(|reason| Some(reason) != first)
}

/// The broker that will lead; the controller chooses one of several.
fn candidate(candidates: &[BrokerId]) -> Cell {
    match candidates {
        [one] => Cell::number(*one),
        several => {
            let words: Vec<String> = several.iter().map(ToString::to_string).collect();
            Cell::both(words.join(" or "), Value::from(several))
        }
    }
}
