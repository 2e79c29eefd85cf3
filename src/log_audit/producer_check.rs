//! The producers and transactions in the logs of one folder, for the snapshots and transaction indexes that are
//! compared with them.
//!
//! Owns what those may contain. A cleaner removes batches and markers: where offsets are missing, only what is
//! impossible is reported.

use std::collections::BTreeMap;

use super::problem::{LogProblem, SnapshotProblem, TransactionProblem, WrongEntry};
use crate::records::batch_header::BatchHeader;
use crate::storage::producer_snapshot::ProducerSnapshotEntry;
use crate::storage::transaction_index::AbortedTransaction;

/// How many producers are tracked; the rest is not checked.
const MOST_PRODUCERS: usize = 1 << 17;

/// One producer, as far as the logs have been read.
#[derive(Clone, Copy, Debug)]
struct Producer {
    epoch: i16,
    last_sequence: i32,
    /// Of its last batch of data; -1 without one.
    last_offset: i64,
    /// The first batch of the transaction that no marker has ended yet.
    open_since: Option<i64>,
    /// The offset of the last marker of its transactions.
    last_marker: Option<i64>,
}

/// The producers of a folder, whose logs are read in the order of their offsets.
#[derive(Debug, Default)]
pub(super) struct Producers {
    known: BTreeMap<i64, Producer>,
    /// The offset from which on no offset is missing.
    whole_from: i64,
    next_offset: i64,
}

impl Producers {
    /// Adds a valid batch. If it ends a transaction, returns the offset where that began, if known.
    pub(super) fn add(&mut self, header: &BatchHeader) -> Option<i64> {
        let offset = header.base_offset;
        if self.known.is_empty() || offset != self.next_offset {
            self.whole_from = offset;
        }
        self.next_offset = header.next_offset();
        if !header.has_producer_id() {
            return None;
        }
        if self.known.len() >= MOST_PRODUCERS && !self.known.contains_key(&header.producer_id) {
            return None;
        }
        let producer = self.known.entry(header.producer_id).or_insert(Producer {
            epoch: header.producer_epoch,
            last_sequence: -1,
            last_offset: -1,
            open_since: None,
            last_marker: None,
        });
        if header.is_control() {
            producer.last_marker = Some(offset);
            return producer.open_since.take();
        }
        producer.epoch = header.producer_epoch;
        producer.last_sequence = header.last_sequence();
        producer.last_offset = header.last_offset();
        if header.is_transactional() && producer.open_since.is_none() {
            producer.open_since = Some(offset);
        }
        None
    }

    /// Whether a batch without a transaction is in an open one of the same producer. Reported once for each
    /// transaction.
    pub(super) fn breaks_transaction(&mut self, header: &BatchHeader) -> Option<LogProblem> {
        let is_plain = header.has_producer_id() && !header.is_control() && !header.is_transactional();
        let producer = self.known.get_mut(&header.producer_id).filter(|_| is_plain)?;
        let began = producer.open_since.take_if(|began| *began >= self.whole_from)?;
        Some(LogProblem::OutsideTransaction {
            batch: header.into(),
            producer_id: header.producer_id,
            began,
        })
    }

    /// What is wrong with the entry of a transaction whose first batch in the log has the offset `began`.
    pub(super) fn wrong_start(&self, entry: &AbortedTransaction, began: i64) -> Option<TransactionProblem> {
        let early = entry.first_offset < began && entry.first_offset >= self.whole_from;
        (early || entry.first_offset > began).then_some(TransactionProblem::WrongStart {
            producer_id: entry.producer_id,
            marker: entry.last_offset,
            stated: entry.first_offset,
            in_log: began,
        })
    }

    /// What is wrong with the entry of a snapshot, when the logs before the snapshot's offset have been read.
    pub(super) fn wrong_entry(
        &self,
        entry: &ProducerSnapshotEntry,
        snapshot_offset: i64,
    ) -> Option<SnapshotProblem> {
        let why = self.why_wrong(entry, snapshot_offset)?;
        Some(SnapshotProblem {
            producer_id: entry.producer_id,
            why,
        })
    }

    fn why_wrong(&self, entry: &ProducerSnapshotEntry, snapshot_offset: i64) -> Option<WrongEntry> {
        let last_offset = entry.last_offset;
        if last_offset >= snapshot_offset {
            return Some(WrongEntry::AfterSnapshot {
                last_offset,
                snapshot_offset,
            });
        }
        let known = self
            .known
            .get(&entry.producer_id)
            .filter(|_| self.next_offset <= snapshot_offset)?;
        let same_or_later = known.epoch >= entry.producer_epoch;
        let is_same_batch = known.last_offset == last_offset && known.last_offset >= 0;
        let is_same_sequence =
            (entry.producer_epoch, entry.last_sequence) == (known.epoch, known.last_sequence);
        if same_or_later && is_same_batch && !is_same_sequence {
            return Some(WrongEntry::OtherSequence {
                epoch: entry.producer_epoch,
                sequence: entry.last_sequence,
                epoch_in_log: known.epoch,
                sequence_in_log: known.last_sequence,
            });
        }
        if same_or_later && known.last_offset > last_offset {
            return Some(WrongEntry::TooOld {
                last_offset,
                in_log: known.last_offset,
            });
        }
        self.wrong_transaction(entry.current_transaction_first_offset, known)
    }

    /// `stated` is the first offset of the open transaction that the snapshot has, -1 without one.
    fn wrong_transaction(&self, stated: i64, known: &Producer) -> Option<WrongEntry> {
        match known.open_since {
            Some(began) if stated < 0 && began >= self.whole_from => {
                Some(WrongEntry::TransactionMissing { began })
            }
            None if stated >= 0 && known.last_marker.is_some_and(|marker| marker > stated) => {
                Some(WrongEntry::TransactionEnded { began: stated })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_audit::tests::header;

    fn entry(last_offset: i64, last_sequence: i32, open_since: i64) -> ProducerSnapshotEntry {
        ProducerSnapshotEntry {
            producer_id: 7,
            producer_epoch: 0,
            last_sequence,
            last_offset,
            offset_delta: 0,
            timestamp: 0,
            coordinator_epoch: 0,
            current_transaction_first_offset: open_since,
        }
    }

    #[test]
    fn the_entry_of_a_snapshot_is_compared_with_the_batches_before_its_offset() {
        let mut producers = Producers::default();
        for offset in 0..3 {
            let mut header = header(offset);
            header.producer_id = 7;
            header.producer_epoch = 0;
            header.base_sequence = i32::try_from(offset).unwrap();
            producers.add(&header);
        }
        let other = WrongEntry::OtherSequence {
            epoch: 0,
            sequence: 9,
            epoch_in_log: 0,
            sequence_in_log: 2,
        };
        for (entry, snapshot_offset, expected) in [
            (entry(2, 2, -1), 3, None),
            (entry(2, 9, -1), 3, Some(other)),
            (
                entry(1, 1, -1),
                3,
                Some(WrongEntry::TooOld {
                    last_offset: 1,
                    in_log: 2,
                }),
            ),
            (
                entry(3, 3, -1),
                3,
                Some(WrongEntry::AfterSnapshot {
                    last_offset: 3,
                    snapshot_offset: 3,
                }),
            ),
            // The logs have been read further than the snapshot: it cannot be compared.
            (entry(1, 9, -1), 2, None),
        ] {
            let found = producers.wrong_entry(&entry, snapshot_offset);
            assert_eq!(found.map(|found| found.why), expected, "{entry:?}");
        }
    }
}
