//! The stored state of a transactional id: plain data, as in its last record in `__transaction_state`.

use std::collections::BTreeSet;

use super::events::{Generation, ProducerIdentity};
use super::transaction_state::TransactionState;
use crate::topic_partition::TopicPartition;

/// No producer id.
pub const NO_PRODUCER_ID: i64 = -1;
/// No epoch.
pub const NO_EPOCH: i16 = -1;
/// The last epoch of clients; a producer with it gets another id. 32 767 is reserved for the coordinator.
pub const LAST_CLIENT_EPOCH: i16 = i16::MAX - 1;

/// One transactional id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    pub producer: ProducerIdentity,
    /// The producer id before the present one; -1 if there was none.
    pub previous_producer_id: i64,
    /// The producer id after the transaction has ended; -1 if it stays.
    pub next_producer_id: i64,
    /// The epoch before the present one; -1 if unknown. Not stored: a retry after a restart is refused.
    pub last_epoch: i16,
    /// `transaction.timeout.ms` of the producer.
    pub timeout_ms: i32,
    pub state: TransactionState,
    /// The partitions in the transaction.
    pub partitions: BTreeSet<TopicPartition>,
    /// When the transaction began, in milliseconds since 1970; -1 before the first.
    pub started_ms: i64,
    /// When the last change was made, in milliseconds since 1970.
    pub updated_ms: i64,
    /// The protocol of the client's last request, which decides how the transaction is completed.
    pub generation: Generation,
}

impl Transaction {
    /// An id without a producer.
    pub fn new(now_ms: i64) -> Self {
        Self {
            producer: ProducerIdentity {
                id: NO_PRODUCER_ID,
                epoch: NO_EPOCH,
            },
            previous_producer_id: NO_PRODUCER_ID,
            next_producer_id: NO_PRODUCER_ID,
            last_epoch: NO_EPOCH,
            timeout_ms: 0,
            state: TransactionState::Empty,
            partitions: BTreeSet::new(),
            started_ms: -1,
            updated_ms: now_ms,
            generation: Generation::First,
        }
    }

    /// When the open transaction is aborted; `None` if none is open.
    pub fn times_out_at_ms(&self) -> Option<i64> {
        (self.state == TransactionState::Ongoing)
            .then(|| self.started_ms.saturating_add(i64::from(self.timeout_ms)))
    }
}
