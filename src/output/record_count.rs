//! How many records topics or partitions have.

use super::Printer;
use super::table::{Cell, Column, Table, numbers, words};
use crate::error::Result;

/// A topic, or one of its partitions.
#[derive(Debug)]
pub struct Row {
    pub topic: String,
    pub partition: i32,
    pub records: u64,
}

/// One topic or partition a row; says whether records were counted, or offsets.
pub fn list(printer: &mut Printer, rows: &[Row], by_partition: bool, by_offsets: bool) -> Result<()> {
    let mut columns: Vec<Column> = vec![words("TOPIC", "topic")];
    if by_partition {
        columns.push(numbers("PARTITION", "partition"));
    }
    columns.push(if by_offsets {
        numbers("OFFSETS", "offsets")
    } else {
        numbers("RECORDS", "records")
    });
    let mut table = Table::new(&columns);
    for row in rows {
        let mut cells = vec![Cell::text(&row.topic)];
        if by_partition {
            cells.push(Cell::number(row.partition));
        }
        cells.push(Cell::number(i64::try_from(row.records).unwrap_or(i64::MAX)));
        table.row(cells);
    }
    table.print(printer)
}
