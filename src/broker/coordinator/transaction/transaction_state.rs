//! The states of a transactional id, with Kafka's numbers and names. Owns no transition: those are in
//! `transaction_machine.rs`.

use std::fmt;

/// The state of a transactional id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionState {
    /// No transaction has begun since the producer was initialized.
    Empty,
    /// A transaction is open: partitions are being added.
    ///
    /// *Becomes* `PrepareCommit` or `PrepareAbort` by EndTxn; `PrepareAbort` by a timeout, or when another producer
    /// of the same id is initialized.
    Ongoing,
    /// The decision to commit is on disk; markers are being written.
    PrepareCommit,
    /// The decision to abort is on disk; markers are being written.
    PrepareAbort,
    /// Every partition has its commit marker.
    CompleteCommit,
    /// Every partition has its abort marker.
    CompleteAbort,
    /// Expired and deleted: a request that still holds the id looks it up again. Never written.
    Dead,
    /// An epoch that fences the producer is being written. Never written itself: it becomes `PrepareAbort`.
    PrepareEpochFence,
}

impl TransactionState {
    /// Every state, in the order of Kafka's numbers.
    pub const ALL: [Self; 8] = [
        Self::Empty,
        Self::Ongoing,
        Self::PrepareCommit,
        Self::PrepareAbort,
        Self::CompleteCommit,
        Self::CompleteAbort,
        Self::Dead,
        Self::PrepareEpochFence,
    ];

    /// Kafka's number, as it is written.
    pub fn id(self) -> i8 {
        self as i8
    }

    /// The state of this number; `None` if there is none.
    pub fn from_id(id: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(id).ok()?).copied()
    }

    /// The state of this name, which is case sensitive.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Kafka's name, as ListTransactions and DescribeTransactions print it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Ongoing => "Ongoing",
            Self::PrepareCommit => "PrepareCommit",
            Self::PrepareAbort => "PrepareAbort",
            Self::CompleteCommit => "CompleteCommit",
            Self::CompleteAbort => "CompleteAbort",
            Self::Dead => "Dead",
            Self::PrepareEpochFence => "PrepareEpochFence",
        }
    }

    /// Whether the decision is made and markers are being written.
    pub fn is_prepared(self) -> bool {
        matches!(self, Self::PrepareCommit | Self::PrepareAbort)
    }

    /// Whether no transaction is open.
    pub fn is_idle(self) -> bool {
        matches!(self, Self::Empty | Self::CompleteCommit | Self::CompleteAbort)
    }
}

impl fmt::Display for TransactionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
