//! Offsets that a transaction committed count from its marker on, and never if it was aborted: what a reader of
//! `__consumer_offsets` must hold back.

use std::collections::HashMap;

use super::super::loading::Replayed;
use super::super::log::KeyValue;

/// Records of open transactions, by producer id.
#[derive(Debug, Default)]
pub(super) struct PendingTransactions {
    held: HashMap<(i32, i64), Vec<KeyValue>>,
}

impl PendingTransactions {
    /// Shows a record now, or when its transaction is committed.
    pub(super) fn see(
        &mut self,
        partition: i32,
        step: Replayed<'_>,
        mut visit: impl FnMut(&[u8], Option<&[u8]>),
    ) {
        match step {
            Replayed::Marker {
                producer_id,
                committed,
            } => {
                let held = self.held.remove(&(partition, producer_id)).unwrap_or_default();
                for (key, value) in held.iter().filter(|_| committed) {
                    visit(key, value.as_deref());
                }
            }
            Replayed::Record {
                key,
                value,
                transaction_of: Some(producer_id),
                ..
            } => {
                let held = self.held.entry((partition, producer_id)).or_default();
                held.push((key.to_vec(), value.map(<[u8]>::to_vec)));
            }
            Replayed::Record { key, value, .. } => visit(key, value),
        }
    }
}
