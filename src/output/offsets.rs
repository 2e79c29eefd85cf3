//! The first and the next offset of partitions.

use super::Printer;
use super::table::{Cell, Table, numbers, words};
use crate::error::Result;
use crate::topic_partition::{Offset, TopicPartition};

/// A partition's offsets; `None` where its leader could not be asked.
#[derive(Debug)]
pub struct Row {
    pub partition: TopicPartition,
    /// The log start offset.
    pub first: Option<Offset>,
    /// The offset of the next record to be written.
    pub next: Option<Offset>,
    /// The first offset at or after the time that was asked for; `None` where there is none.
    pub at: Option<Offset>,
}

/// One partition a row; with the offset at a time where one was asked for.
pub fn list(printer: &mut Printer, rows: &[Row], with_time: bool) -> Result<()> {
    let mut columns = vec![
        words("TOPIC", "topic"),
        numbers("PARTITION", "partition"),
        numbers("FIRST", "first"),
        numbers("NEXT", "next"),
        numbers("OFFSETS", "offsets"),
    ];
    if with_time {
        columns.push(numbers("AT TIME", "at_time"));
    }
    let mut table = Table::new(&columns);
    for row in rows {
        let offsets = row.first.zip(row.next).map(|(first, next)| next - first);
        let mut cells = vec![
            Cell::text(&row.partition.topic),
            Cell::number(row.partition.partition),
            Cell::or_unknown(row.first.map(Cell::number)),
            Cell::or_unknown(row.next.map(Cell::number)),
            Cell::or_unknown(offsets.map(Cell::number)),
        ];
        if with_time {
            cells.push(Cell::or_unknown(row.at.map(Cell::number)));
        }
        table.row(cells);
    }
    table.print(printer)
}
