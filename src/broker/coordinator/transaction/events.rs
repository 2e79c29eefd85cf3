//! Events of a transactional id, and the effects that the coordinator has to carry out: the vocabulary of the state
//! machine. Owns no behaviour.

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;

use super::transaction_data::Transaction;
use crate::topic_partition::TopicPartition;

/// Stands for a request that waits for its answer. The state machine hands every ticket back exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// A producer id and its epoch, which fences older producers with the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerIdentity {
    pub id: i64,
    pub epoch: i16,
}

/// An event of a transactional id.
#[derive(Clone, Debug)]
pub enum Event {
    Init(Ticket, InitProducer),
    Add(Ticket, AddPartitions),
    End(Ticket, EndTransaction),
    /// The write of [`Effect::Write`] has succeeded.
    Written,
    /// It has failed for good.
    NotWritten(ResponseError),
    /// Markers were sent. `left` are the partitions without theirs; `fenced` if another coordinator has taken over,
    /// so that retrying is useless.
    MarkersSent {
        left: BTreeSet<TopicPartition>,
        fenced: bool,
    },
    /// Time has passed: deadlines may be due.
    DeadlinePassed,
}

/// An InitProducerId request.
#[derive(Clone, Debug)]
pub struct InitProducer {
    /// The present id and epoch of the producer; `None` for a new one.
    pub expected: Option<ProducerIdentity>,
    /// `transaction.timeout.ms` of the producer.
    pub timeout_ms: i32,
}

/// Partitions to add to a transaction: by AddPartitionsToTxn, AddOffsetsToTxn, or the first records in it.
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

/// Which of Kafka's two transaction protocols the client uses; the version of its request decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// Only InitProducerId changes the epoch (KIP-98).
    First,
    /// The end of each transaction raises the epoch, so that late requests cannot join the next one (KIP-890).
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

/// What the coordinator has to do after an event, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write this; [`Event::Written`] or [`Event::NotWritten`] follows.
    Write(Transaction),
    /// Delete the id with a tombstone; the same events follow.
    WriteTombstone,
    /// Send these markers; [`Event::MarkersSent`] follows.
    SendMarkers(Markers),
    /// Answer the request with the producer's id and epoch, or an error.
    Answer(Ticket, Result<ProducerIdentity, ResponseError>),
}

/// The markers that end a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markers {
    pub producer: ProducerIdentity,
    pub commits: bool,
    /// Whether the producer's epoch was raised for them.
    pub raises_epoch: bool,
    pub partitions: BTreeSet<TopicPartition>,
}
