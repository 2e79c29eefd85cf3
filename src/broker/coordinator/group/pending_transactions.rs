//! Offsets that a transaction committed count from its marker on, and never if it was aborted: what a reader of
//! `__consumer_offsets` must hold back. This broker writes none yet; a directory that Apache Kafka wrote has them.

use std::collections::HashMap;

use super::offsets_topic::{KeyValue, RecordVisitor};
use crate::records::control_record::EndTransactionMarker;
use crate::records::{BatchHeader, Record};

/// Records of open transactions, by producer id.
#[derive(Debug, Default)]
pub(super) struct PendingTransactions {
    held: HashMap<i64, Vec<KeyValue>>,
}

impl PendingTransactions {
    /// Shows the records of one batch, now or when their transaction is committed.
    pub(super) fn see<'a>(
        &mut self,
        header: &BatchHeader,
        mut records: impl Iterator<Item = Record<'a>>,
        visit: &mut RecordVisitor<'_>,
    ) {
        if header.is_control() {
            let marker = records.next().as_ref().and_then(EndTransactionMarker::parse);
            let held = self.held.remove(&header.producer_id).unwrap_or_default();
            if marker.is_some_and(|marker| marker.committed) {
                for (key, value) in held {
                    visit(&key, value.as_deref());
                }
            }
            return;
        }
        for record in records {
            let Some(key) = record.key else { continue };
            if header.is_transactional() {
                let held = self.held.entry(header.producer_id).or_default();
                held.push((key.to_vec(), record.value.map(<[u8]>::to_vec)));
            } else {
                visit(key, record.value);
            }
        }
    }
}
