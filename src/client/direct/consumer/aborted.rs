//! Which batches belong to aborted transactions, for `read_committed` (KIP-98).
//!
//! The broker lists producers and where their aborted transactions begin; a producer's marker ends its transaction.

use std::collections::HashSet;

use crate::records::control_record::ControlType;
use crate::topic_partition::Offset;

/// The aborted transactions of one answer for one partition, followed along its batches.
#[derive(Clone, Debug, Default)]
pub(super) struct Aborted {
    /// Not yet begun, the next one last.
    to_come: Vec<(i64, Offset)>,
    /// Producers within an aborted transaction.
    open: HashSet<i64>,
}

impl Aborted {
    /// Takes the broker's list, whatever its order.
    pub(super) fn new(mut list: Vec<(i64, Offset)>) -> Self {
        list.sort_unstable_by_key(|(_, first)| std::cmp::Reverse(*first));
        Self {
            to_come: list,
            open: HashSet::new(),
        }
    }

    /// Whether a batch of a transaction is left out; batches come in the order of the log.
    pub(super) fn leaves_out(&mut self, producer_id: i64, last_offset: Offset) -> bool {
        self.go_to(last_offset);
        self.open.contains(&producer_id)
    }

    /// A producer's marker: its transaction has ended.
    pub(super) fn marker(&mut self, producer_id: i64, kind: Option<ControlType>, last_offset: Offset) {
        self.go_to(last_offset);
        if kind == Some(ControlType::Abort) {
            self.open.remove(&producer_id);
        }
    }

    fn go_to(&mut self, last_offset: Offset) {
        while let Some((producer_id, first)) = self.to_come.last().copied()
            && first <= last_offset
        {
            self.to_come.pop();
            self.open.insert(producer_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_left_out_from_its_first_offset_to_its_marker() {
        // Not in order, as some brokers send it.
        let mut aborted = Aborted::new(vec![(7, 20), (7, 5), (8, 6)]);
        assert!(!aborted.leaves_out(7, 4), "before the transaction");
        assert!(aborted.leaves_out(7, 5));
        assert!(aborted.leaves_out(8, 7));
        assert!(!aborted.leaves_out(9, 8), "another producer");
        aborted.marker(9, Some(ControlType::Abort), 9);
        aborted.marker(7, Some(ControlType::Abort), 10);
        assert!(!aborted.leaves_out(7, 11), "the next transaction is committed");
        assert!(aborted.leaves_out(8, 12), "a marker ends its own producer's only");
        assert!(aborted.leaves_out(7, 25), "and the one after it is aborted");
    }
}
