//! Tracks in a walk from the log's start which transactions were aborted, and which still have batches.
//!
//! Records of an aborted transaction are removed at once. The marker is kept as long as a walk still finds a
//! batch of its transaction: a reader of committed records needs it to tell aborted batches from committed
//! ones.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::records::BatchHeader;
use crate::records::control_record::EndTransactionMarker;
use crate::storage::transaction_index::AbortedTransaction;
use crate::topic_partition::Offset;

/// The state of a walk.
#[derive(Debug)]
pub(super) struct Transactions {
    /// Those that the walk has not reached yet, by first offset.
    upcoming: VecDeque<AbortedTransaction>,
    /// By producer: the aborted transaction that the walk is in, and whether a batch of it was found.
    aborted: HashMap<i64, (AbortedTransaction, bool)>,
    /// Producers of which a batch was found that is not aborted.
    committed: HashSet<i64>,
}

/// What a control batch turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MarkerOf {
    /// A transaction that still has batches; for an aborted one its row of the transaction index.
    Present(Option<AbortedTransaction>),
    /// A transaction without any batch left, or the batch has no record itself.
    Gone,
    /// No transaction: another kind of control record.
    Other,
}

impl Transactions {
    pub(super) fn new(mut aborted: Vec<AbortedTransaction>) -> Self {
        aborted.sort_by_key(|transaction| transaction.first_offset);
        Self {
            upcoming: aborted.into(),
            aborted: HashMap::new(),
            committed: HashSet::new(),
        }
    }

    fn advance(&mut self, offset: Offset) {
        while let Some(next) = self
            .upcoming
            .front()
            .copied()
            .filter(|next| next.first_offset <= offset)
        {
            self.upcoming.pop_front();
            self.aborted.entry(next.producer_id).or_insert((next, false));
        }
    }

    /// Takes a batch of records; returns whether it is part of an aborted transaction.
    pub(super) fn meet_data(&mut self, header: &BatchHeader) -> bool {
        self.advance(header.last_offset());
        if !header.is_transactional() {
            return false;
        }
        let aborted = self.aborted.get_mut(&header.producer_id);
        if let Some((_, met)) = aborted {
            *met = true;
            return true;
        }
        self.committed.insert(header.producer_id);
        false
    }

    /// Takes a control batch. `is_empty`: it has no record; `marker`: its record, if that ends a transaction.
    pub(super) fn meet_control(
        &mut self,
        header: &BatchHeader,
        is_empty: bool,
        marker: Option<EndTransactionMarker>,
    ) -> MarkerOf {
        self.advance(header.last_offset());
        match marker {
            _ if is_empty => MarkerOf::Gone,
            None => MarkerOf::Other,
            Some(EndTransactionMarker { committed: true, .. }) => {
                if self.committed.remove(&header.producer_id) {
                    MarkerOf::Present(None)
                } else {
                    MarkerOf::Gone
                }
            }
            Some(_) => match self.aborted.remove(&header.producer_id) {
                Some((transaction, true)) => MarkerOf::Present(Some(transaction)),
                _ => MarkerOf::Gone,
            },
        }
    }
}
