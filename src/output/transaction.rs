//! Transactional ids: the list, and each with its transaction.

use serde_json::Value;

use super::Printer;
use super::table::{Cell, Table, age, numbers, span, words};
use crate::client::admin::transactions::{TransactionDescription, TransactionListing};
use crate::error::Result;

/// One transactional id a row.
pub fn list(printer: &mut Printer, transactions: &[TransactionListing]) -> Result<()> {
    printer.note_empty(transactions.is_empty(), "transactions");
    let mut table = Table::new(&[
        words("TRANSACTIONAL ID", "transactional_id"),
        words("STATE", "state"),
        numbers("PRODUCER", "producer_id"),
        numbers("COORDINATOR", "coordinator"),
    ]);
    for transaction in transactions {
        table.row(vec![
            Cell::text(&transaction.id),
            Cell::text(&transaction.state),
            Cell::number(transaction.producer_id),
            Cell::number(transaction.coordinator),
        ]);
    }
    table.print(printer)
}

/// One transactional id a row, with its producer and the partitions in its open transaction; `now_ms` is now, in
/// milliseconds since 1970.
pub fn describe(printer: &mut Printer, transactions: &[TransactionDescription], now_ms: i64) -> Result<()> {
    let mut table = Table::new(&[
        words("TRANSACTIONAL ID", "transactional_id"),
        words("STATE", "state"),
        numbers("PRODUCER", "producer_id"),
        numbers("EPOCH", "producer_epoch"),
        numbers("TIMEOUT", "timeout_ms"),
        numbers("OPEN FOR", "open_ms"),
        words("PARTITIONS", "partitions"),
    ]);
    for transaction in transactions {
        let partitions: Vec<String> = transaction.partitions.iter().map(ToString::to_string).collect();
        let open_ms = transaction
            .started_ms
            .filter(|_| transaction.state == "Ongoing")
            .map(|started_ms| now_ms.saturating_sub(started_ms).max(0));
        table.row(vec![
            Cell::text(&transaction.id),
            Cell::text(&transaction.state),
            Cell::number(transaction.producer_id),
            Cell::number(transaction.producer_epoch),
            Cell::both(
                span(transaction.timeout_ms.into()),
                Value::from(transaction.timeout_ms),
            ),
            Cell::or_unknown(open_ms.map(|open_ms| Cell::both(age(open_ms), Value::from(open_ms)))),
            Cell::both(partitions.join(","), Value::from(partitions)),
        ]);
    }
    table.print(printer)
}
