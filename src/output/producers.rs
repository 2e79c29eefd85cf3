//! The producers of partitions, and hanging transactions (KIP-664).

use serde_json::Value;

use super::Printer;
use super::table::{Cell, Table, age, numbers, words};
use crate::client::admin::producers::ProducerState;
use crate::error::Result;
use crate::topic_partition::TopicPartition;

/// One producer of one partition a row; `now_ms` is now, in milliseconds since 1970.
pub fn list(
    printer: &mut Printer,
    producers: &[(TopicPartition, Vec<ProducerState>)],
    now_ms: i64,
) -> Result<()> {
    let mut table = Table::new(&[
        words("TOPIC", "topic"),
        numbers("PARTITION", "partition"),
        numbers("PRODUCER", "producer_id"),
        numbers("EPOCH", "producer_epoch"),
        numbers("LAST SEQUENCE", "last_sequence"),
        numbers("LAST WRITE", "last_write_ms"),
        numbers("TRANSACTION FROM", "transaction_start"),
        numbers("COORDINATOR EPOCH", "coordinator_epoch"),
    ]);
    for (partition, states) in producers {
        for state in states {
            table.row(vec![
                Cell::text(&partition.topic),
                Cell::number(partition.partition),
                Cell::number(state.producer_id),
                Cell::number(state.producer_epoch),
                Cell::or_unknown((state.last_sequence >= 0).then(|| Cell::number(state.last_sequence))),
                since(state.last_timestamp, now_ms),
                Cell::or_unknown(state.transaction_start.map(Cell::number)),
                Cell::or_unknown(state.coordinator_epoch.map(Cell::number)),
            ]);
        }
    }
    table.print(printer)
}

/// A transaction that its coordinator does not know, or in which it no longer counts this partition.
#[derive(Clone, Debug)]
pub struct HangingTransaction {
    pub partition: TopicPartition,
    pub producer: ProducerState,
    /// The producer's, where a coordinator knows it.
    pub transactional_id: Option<String>,
}

/// One transaction in one partition a row; `now_ms` is now, in milliseconds since 1970.
pub fn hanging(printer: &mut Printer, transactions: &[HangingTransaction], now_ms: i64) -> Result<()> {
    let mut table = Table::new(&[
        words("TOPIC", "topic"),
        numbers("PARTITION", "partition"),
        numbers("FROM", "transaction_start"),
        numbers("LAST WRITE", "last_write_ms"),
        numbers("PRODUCER", "producer_id"),
        numbers("EPOCH", "producer_epoch"),
        numbers("COORDINATOR EPOCH", "coordinator_epoch"),
        words("TRANSACTIONAL ID", "transactional_id"),
    ]);
    for transaction in transactions {
        let producer = &transaction.producer;
        table.row(vec![
            Cell::text(&transaction.partition.topic),
            Cell::number(transaction.partition.partition),
            Cell::or_unknown(producer.transaction_start.map(Cell::number)),
            since(producer.last_timestamp, now_ms),
            Cell::number(producer.producer_id),
            Cell::number(producer.producer_epoch),
            Cell::or_unknown(producer.coordinator_epoch.map(Cell::number)),
            Cell::or_unknown(transaction.transactional_id.as_ref().map(Cell::text)),
        ]);
    }
    table.print(printer)
}

/// A time as an age for a table, as a timestamp for JSON.
fn since(then_ms: i64, now_ms: i64) -> Cell {
    if then_ms < 0 {
        return Cell::unknown();
    }
    let ago = age(now_ms.saturating_sub(then_ms));
    Cell::both(format!("{ago} ago"), Value::from(then_ms))
}
