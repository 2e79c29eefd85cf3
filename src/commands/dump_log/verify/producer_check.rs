//! What the logs of one folder say about producers and their transactions, for what else tells of them there.
//!
//! Owns what a snapshot or a transaction index may say. A cleaner takes batches and markers away: where offsets are
//! missing, only what cannot be so is called wrong.

use std::collections::BTreeMap;

use crate::records::batch_header::BatchHeader;
use crate::storage::producer_snapshot::ProducerSnapshotEntry;
use crate::storage::transaction_index::AbortedTransaction;

/// So many producers are followed.
const MOST_PRODUCERS: usize = 1 << 17;

/// One producer, as far as the logs have been walked.
#[derive(Clone, Copy, Debug)]
struct Producer {
    epoch: i16,
    last_sequence: i32,
    /// Of its last batch of data; -1 without one.
    last_offset: i64,
    /// The first batch of the transaction that no marker has ended yet.
    open_since: Option<i64>,
    /// Where the last marker of its transactions stands.
    last_marker: Option<i64>,
}

/// The producers of a folder, whose logs are walked in the order of their offsets.
#[derive(Debug, Default)]
pub(super) struct Producers {
    known: BTreeMap<i64, Producer>,
    /// From here on no offset is missing.
    whole_from: i64,
    next_offset: i64,
}

impl Producers {
    /// Takes note of a good batch. Answers where the transaction began that it ends, if it does and that is known.
    pub(super) fn see(&mut self, header: &BatchHeader) -> Option<i64> {
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

    /// Where the open transaction began that a batch of the same producer without one stands in; told once.
    pub(super) fn breaks_transaction(&mut self, header: &BatchHeader) -> Option<i64> {
        let is_plain = header.has_producer_id() && !header.is_control() && !header.is_transactional();
        let producer = self.known.get_mut(&header.producer_id).filter(|_| is_plain)?;
        producer.open_since.take_if(|began| *began >= self.whole_from)
    }

    /// What is wrong with the entry of a transaction whose first batch stands at `began`.
    pub(super) fn wrong_begin(&self, entry: &AbortedTransaction, began: i64) -> Option<String> {
        let early = entry.first_offset < began && entry.first_offset >= self.whole_from;
        (early || entry.first_offset > began).then(|| {
            format!(
                "says that the transaction of producer {} aborted at offset {} began at {}, in the log it began at \
                 {began}",
                entry.producer_id, entry.last_offset, entry.first_offset
            )
        })
    }

    /// What is wrong with a snapshot's entry, when the logs before its offset have been walked.
    pub(super) fn wrong_entry(&self, entry: &ProducerSnapshotEntry, snapshot_offset: i64) -> Option<String> {
        let id = entry.producer_id;
        if entry.last_offset >= snapshot_offset {
            return Some(format!(
                "producer {id} wrote offset {}, which is not before the snapshot's {snapshot_offset}",
                entry.last_offset
            ));
        }
        let known = self
            .known
            .get(&id)
            .filter(|_| self.next_offset <= snapshot_offset)?;
        let same_or_later = known.epoch >= entry.producer_epoch;
        if same_or_later && known.last_offset == entry.last_offset && known.last_offset >= 0 {
            let (here, there) = (
                (entry.producer_epoch, entry.last_sequence),
                (known.epoch, known.last_sequence),
            );
            if here != there {
                return Some(format!(
                    "producer {id} is at epoch {} and sequence {} here, at epoch {} and sequence {} in the log",
                    here.0, here.1, there.0, there.1
                ));
            }
        }
        if same_or_later && known.last_offset > entry.last_offset {
            return Some(format!(
                "producer {id} wrote last at offset {} here, at {} in the log",
                entry.last_offset, known.last_offset
            ));
        }
        self.wrong_transaction(entry, known)
    }

    fn wrong_transaction(&self, entry: &ProducerSnapshotEntry, known: &Producer) -> Option<String> {
        let id = entry.producer_id;
        let here = entry.current_transaction_first_offset;
        match known.open_since {
            Some(began) if here < 0 && began >= self.whole_from => Some(format!(
                "producer {id} has no open transaction here, one since offset {began} in the log"
            )),
            None if here >= 0 && known.last_marker.is_some_and(|marker| marker > here) => Some(format!(
                "producer {id} has a transaction open since offset {here} here, which the log has ended"
            )),
            _ => None,
        }
    }
}
