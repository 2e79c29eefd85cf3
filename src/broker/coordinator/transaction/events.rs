//! What happens to a transactional id, and what the coordinator must do about it: the vocabulary of the state machine.
//! Owns no behaviour.

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;

use super::transaction_data::Transaction;
use crate::topic_partition::TopicPartition;

/// Stands for a request that waits for its answer. The machine hands every ticket back exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// A producer id with the epoch that keeps older producers of the same id out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerIdentity {
    pub id: i64,
    pub epoch: i16,
}

/// Something that happens to a transactional id.
#[derive(Clone, Debug)]
pub enum Event {
    Init(Ticket, InitProducer),
    Add(Ticket, AddPartitions),
    End(Ticket, EndTransaction),
    /// What [`Effect::Write`] asked for is on disk.
    Written,
    /// It is not, and never will be.
    NotWritten(ResponseError),
    /// Markers were sent. `left` are the partitions that did not take theirs; with `fenced` because another
    /// coordinator has taken over, so that it is no use to try again.
    MarkersSent {
        left: BTreeSet<TopicPartition>,
        fenced: bool,
    },
    /// Time passed: whatever is due by now happens.
    DeadlinePassed,
}

/// An InitProducerId request.
#[derive(Clone, Debug)]
pub struct InitProducer {
    /// Who the producer is already; `None` for a new one.
    pub expected: Option<ProducerIdentity>,
    /// Milliseconds after which a transaction is aborted.
    pub timeout_ms: i32,
}

/// Partitions that join the transaction: AddPartitionsToTxn, AddOffsetsToTxn, or the first records in one.
#[derive(Clone, Debug)]
pub struct AddPartitions {
    pub producer: ProducerIdentity,
    pub partitions: BTreeSet<TopicPartition>,
    pub generation: Generation,
}

/// An EndTxn request.
#[derive(Clone, Debug)]
pub struct EndTransaction {
    pub producer: ProducerIdentity,
    pub commits: bool,
    pub generation: Generation,
}

/// Which of Kafka's two ways of ending transactions the client follows; the version of its request decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// The epoch changes with InitProducerId alone (KIP-98).
    First,
    /// The end of each transaction raises the epoch, so that what is still on its way cannot join the next (KIP-890).
    Second,
}

impl Generation {
    /// Kafka's number of the client's transaction version, as it is stored.
    pub fn transaction_version(self) -> i16 {
        match self {
            Self::First => 0,
            Self::Second => 2,
        }
    }

    /// The generation of a `transaction.version`.
    pub fn of_transaction_version(version: i16) -> Self {
        if version >= 2 { Self::Second } else { Self::First }
    }
}

/// What the coordinator must do after an event, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// This must be on disk; then comes [`Event::Written`] or [`Event::NotWritten`].
    Write(Transaction),
    /// The id is to be forgotten: a tombstone, with the same events after it.
    WriteTombstone,
    /// These partitions get their markers; then comes [`Event::MarkersSent`].
    SendMarkers(Markers),
    /// The request is answered: who the producer is from now on.
    Answer(Ticket, Result<ProducerIdentity, ResponseError>),
}

/// The markers that end a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markers {
    pub producer: ProducerIdentity,
    pub commits: bool,
    /// The producer's epoch was raised for them.
    pub raises_epoch: bool,
    pub partitions: BTreeSet<TopicPartition>,
}
