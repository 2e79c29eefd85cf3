//! What is deleted from partitions whose oldest records are deleted.

use super::Printer;
use super::table::{Cell, Table, numbers, words};
use crate::error::Result;
use crate::topic_partition::{Offset, TopicPartition};

/// One partition.
#[derive(Debug)]
pub struct Row {
    pub partition: TopicPartition,
    /// The log start offset before the deletion.
    pub first: Offset,
    /// The log start offset after it.
    pub to: Offset,
    /// The offset of the next record to be written.
    pub end: Offset,
}

impl Row {
    /// How many offsets are deleted.
    pub fn goes(&self) -> i64 {
        (self.to - self.first).max(0)
    }
}

/// One partition a row.
pub fn list(printer: &mut Printer, rows: &[Row]) -> Result<()> {
    let mut table = Table::new(&[
        words("TOPIC", "topic"),
        numbers("PARTITION", "partition"),
        numbers("FIRST", "first"),
        numbers("DELETE UP TO", "to"),
        numbers("NEXT", "next"),
        numbers("GOES", "goes"),
        numbers("STAYS", "stays"),
    ]);
    for row in rows {
        table.row(vec![
            Cell::text(&row.partition.topic),
            Cell::number(row.partition.partition),
            Cell::number(row.first),
            Cell::number(row.to),
            Cell::number(row.end),
            Cell::number(row.goes()),
            Cell::number((row.end - row.to).max(0)),
        ]);
    }
    table.print(printer)
}
