//! What a log knows of its idempotent and transactional producers: the next sequence number, recent batches, open
//! transactions. Kafka's rules (KIP-98); no file is touched here.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;

use super::producer_snapshot::ProducerSnapshotEntry;
use super::transaction_index::AbortedTransaction;
use crate::records::batch_header::{BatchHeader, decrement_sequence};
use crate::records::control_record::EndTransactionMarker;
use crate::topic_partition::Offset;

/// Batches of a producer that are remembered to recognize duplicates: as many as a producer may have in flight.
const REMEMBERED_BATCHES: usize = 5;
const NO_EPOCH: i16 = -1;

/// A data batch that was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchMetadata {
    pub last_sequence: i32,
    pub last_offset: Offset,
    /// Last offset less first offset.
    pub offset_delta: i32,
    /// The batch's largest timestamp, in milliseconds.
    pub timestamp: i64,
}

impl BatchMetadata {
    pub fn first_sequence(&self) -> i32 {
        decrement_sequence(self.last_sequence, self.offset_delta)
    }

    pub fn first_offset(&self) -> Offset {
        self.last_offset - i64::from(self.offset_delta)
    }
}

/// One producer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerEntry {
    pub producer_epoch: i16,
    pub coordinator_epoch: i32,
    /// Milliseconds; of the last batch or marker.
    pub last_timestamp: i64,
    pub current_transaction_first_offset: Option<Offset>,
    /// The newest last.
    batches: VecDeque<BatchMetadata>,
}

impl ProducerEntry {
    fn new() -> Self {
        Self {
            producer_epoch: NO_EPOCH,
            coordinator_epoch: -1,
            last_timestamp: -1,
            current_transaction_first_offset: None,
            batches: VecDeque::new(),
        }
    }

    /// -1 if the producer wrote no data since its epoch began.
    pub fn last_sequence(&self) -> i32 {
        self.batches.back().map_or(-1, |batch| batch.last_sequence)
    }

    /// The last offset of its last batch of records; `None` if it wrote no records in this epoch, or none that are known.
    pub fn last_data_offset(&self) -> Option<Offset> {
        self.batches.back().map(|batch| batch.last_offset)
    }

    fn set_epoch(&mut self, epoch: i16) {
        if self.producer_epoch != epoch {
            self.producer_epoch = epoch;
            self.batches.clear();
        }
    }
}

/// Why a producer's batch is refused; each has its own error code in the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProducerError {
    /// `OUT_OF_ORDER_SEQUENCE_NUMBER`.
    OutOfOrderSequence {
        producer_id: i64,
        expected: i32,
        found: i32,
    },
    /// `INVALID_PRODUCER_EPOCH`.
    InvalidEpoch {
        producer_id: i64,
        current: i16,
        found: i16,
    },
    /// `INVALID_TXN_STATE`: a plain batch while the producer's transaction is open.
    InvalidTransactionState { producer_id: i64 },
    /// `TRANSACTION_COORDINATOR_FENCED`: a marker of a coordinator that was replaced.
    CoordinatorFenced { current: i32, found: i32 },
}

impl fmt::Display for ProducerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfOrderSequence {
                producer_id,
                expected,
                found,
            } => write!(
                f,
                "out of order sequence number for producer {producer_id}: {found} (incoming), {expected} (expected)"
            ),
            Self::InvalidEpoch {
                producer_id,
                current,
                found,
            } => write!(
                f,
                "epoch {found} of producer {producer_id} is older than its current epoch {current}"
            ),
            Self::InvalidTransactionState { producer_id } => {
                write!(
                    f,
                    "producer {producer_id} has an open transaction but wrote outside of it"
                )
            }
            Self::CoordinatorFenced { current, found } => {
                write!(
                    f,
                    "coordinator epoch {found} of a transaction marker is older than {current}"
                )
            }
        }
    }
}

impl std::error::Error for ProducerError {}

/// All producers of a log.
#[derive(Clone, Debug, Default)]
pub struct ProducerState {
    producers: HashMap<i64, ProducerEntry>,
    /// First offset → producer id of the transactions without a marker.
    open: BTreeMap<Offset, i64>,
    /// First offset → marker's offset of the transactions whose marker is not below the high watermark yet.
    unreplicated: BTreeMap<Offset, Offset>,
    /// Of every producer that wrote to the log, expired ones included.
    largest_id: Option<i64>,
}

impl ProducerState {
    /// The largest producer id so far, also of producers that have expired since; `None` without any.
    pub fn largest_id(&self) -> Option<i64> {
        self.largest_id
    }

    /// Ignores ids from the upper half, which no broker assigns: a client made them up, and they must not use up the
    /// rest.
    fn note_id(&mut self, producer_id: i64) {
        if producer_id <= i64::MAX / 2 {
            self.largest_id = self.largest_id.max(Some(producer_id));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.producers.is_empty()
    }

    /// Every producer with its id, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &ProducerEntry)> {
        self.producers.iter().map(|(id, entry)| (*id, entry))
    }

    /// The appended batch that this one duplicates, if there is one.
    pub fn duplicate_of(&self, header: &BatchHeader) -> Option<BatchMetadata> {
        let entry = self.producers.get(&header.producer_id)?;
        let last_sequence = header.last_sequence();
        let same = |batch: &&BatchMetadata| {
            batch.first_sequence() == header.base_sequence && batch.last_sequence == last_sequence
        };
        if entry.producer_epoch != header.producer_epoch || header.base_sequence < 0 {
            return None;
        }
        entry.batches.iter().find(same).copied()
    }

    /// Fails if the producer's epoch is older than the one in the log.
    pub fn check_epoch(&self, header: &BatchHeader) -> Result<(), ProducerError> {
        self.producers
            .get(&header.producer_id)
            .map_or(Ok(()), |entry| check_epoch(entry, header))
    }

    /// Whether a transaction of this producer and epoch is open.
    pub fn has_open_transaction(&self, producer_id: i64, producer_epoch: i16) -> bool {
        self.producers.get(&producer_id).is_some_and(|entry| {
            entry.producer_epoch == producer_epoch && entry.current_transaction_first_offset.is_some()
        })
    }

    /// Whether a data batch may follow what its producer wrote before. An unknown producer may have expired, so it may
    /// begin at any sequence number, but with `from_zero` only at 0.
    pub fn check_data(&self, header: &BatchHeader, from_zero: bool) -> Result<(), ProducerError> {
        let producer_id = header.producer_id;
        let Some(entry) = self.producers.get(&producer_id) else {
            check_epoch(&ProducerEntry::new(), header)?;
            if from_zero && header.base_sequence != 0 {
                return Err(ProducerError::OutOfOrderSequence {
                    producer_id,
                    expected: 0,
                    found: header.base_sequence,
                });
            }
            return Ok(());
        };
        check_epoch(entry, header)?;
        let expected = if header.producer_epoch == entry.producer_epoch {
            entry.last_sequence().wrapping_add(1) & i32::MAX
        } else {
            0
        };
        if header.base_sequence != expected && entry.producer_epoch != NO_EPOCH {
            return Err(ProducerError::OutOfOrderSequence {
                producer_id,
                expected,
                found: header.base_sequence,
            });
        }
        if entry.current_transaction_first_offset.is_some() && !header.is_transactional() {
            return Err(ProducerError::InvalidTransactionState { producer_id });
        }
        Ok(())
    }

    /// Whether the marker of a transaction's end may be written. With `raises_epoch` (KIP-890) its epoch must be above
    /// the one in the log; an equal one repeats an earlier marker, which is allowed if no transaction is open, or at
    /// the largest epoch.
    pub fn check_marker(
        &self,
        header: &BatchHeader,
        marker: EndTransactionMarker,
        raises_epoch: bool,
    ) -> Result<(), ProducerError> {
        let Some(entry) = self.producers.get(&header.producer_id) else {
            return Ok(());
        };
        check_epoch(entry, header)?;
        let is_repeated =
            entry.current_transaction_first_offset.is_none() || header.producer_epoch == i16::MAX;
        if raises_epoch && header.producer_epoch == entry.producer_epoch && !is_repeated {
            return Err(ProducerError::InvalidEpoch {
                producer_id: header.producer_id,
                current: entry.producer_epoch,
                found: header.producer_epoch,
            });
        }
        if entry.coordinator_epoch > marker.coordinator_epoch {
            return Err(ProducerError::CoordinatorFenced {
                current: entry.coordinator_epoch,
                found: marker.coordinator_epoch,
            });
        }
        Ok(())
    }

    /// Takes any batch of the log into account; returns the transaction that it aborted, for the transaction index.
    pub fn record(
        &mut self,
        header: &BatchHeader,
        marker: Option<EndTransactionMarker>,
    ) -> Option<AbortedTransaction> {
        let aborts = self.aborts(header, marker);
        if let Some(marker) = marker {
            self.record_marker(header, marker);
        } else if header.has_producer_id() && !header.is_control() {
            self.record_data(header);
        }
        aborts
    }

    /// Takes a data batch of the log into account, whose offsets are in `header`.
    pub fn record_data(&mut self, header: &BatchHeader) {
        self.note_id(header.producer_id);
        let entry = self
            .producers
            .entry(header.producer_id)
            .or_insert_with(ProducerEntry::new);
        entry.set_epoch(header.producer_epoch);
        if entry.batches.len() == REMEMBERED_BATCHES {
            entry.batches.pop_front();
        }
        entry.batches.push_back(BatchMetadata {
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta,
            timestamp: header.max_timestamp,
        });
        entry.last_timestamp = header.max_timestamp;
        if header.is_transactional() && entry.current_transaction_first_offset.is_none() {
            entry.current_transaction_first_offset = Some(header.base_offset);
            self.open.insert(header.base_offset, header.producer_id);
        }
    }

    /// Takes a marker of the log into account.
    fn record_marker(&mut self, header: &BatchHeader, marker: EndTransactionMarker) {
        self.note_id(header.producer_id);
        let entry = self
            .producers
            .entry(header.producer_id)
            .or_insert_with(ProducerEntry::new);
        entry.set_epoch(header.producer_epoch);
        entry.coordinator_epoch = marker.coordinator_epoch;
        entry.last_timestamp = header.max_timestamp;
        if let Some(first_offset) = entry.current_transaction_first_offset.take() {
            self.open.remove(&first_offset);
            self.unreplicated.insert(first_offset, header.base_offset);
        }
    }

    /// The transaction that a batch aborts once it is appended, for the transaction index.
    pub fn aborts(
        &self,
        header: &BatchHeader,
        marker: Option<EndTransactionMarker>,
    ) -> Option<AbortedTransaction> {
        marker.filter(|marker| !marker.committed)?;
        let entry = self.producers.get(&header.producer_id)?;
        let first_offset = entry.current_transaction_first_offset?;
        let next_open = self.open.keys().find(|first| **first != first_offset).copied();
        Some(AbortedTransaction {
            producer_id: header.producer_id,
            first_offset,
            last_offset: header.base_offset,
            last_stable_offset: next_open.unwrap_or(header.base_offset + 1),
        })
    }

    /// The first offset that a `read_committed` reader must not reach; `None` if nothing limits it.
    pub fn first_unstable_offset(&self) -> Option<Offset> {
        let open = self.open.keys().next();
        let unreplicated = self.unreplicated.keys().next();
        open.into_iter().chain(unreplicated).min().copied()
    }

    /// Markers below the high watermark are final.
    pub fn high_watermark_moved(&mut self, high_watermark: Offset) {
        self.unreplicated
            .retain(|_, marker_offset| *marker_offset >= high_watermark);
    }

    /// Removes producers without an open transaction that wrote nothing for `expiration_ms`.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        self.producers.retain(|_, entry| {
            entry.current_transaction_first_offset.is_some()
                || now_ms.saturating_sub(entry.last_timestamp) < expiration_ms
        });
    }

    /// What a snapshot holds.
    pub fn snapshot_entries(&self) -> impl Iterator<Item = ProducerSnapshotEntry> {
        self.producers.iter().map(|(&producer_id, entry)| {
            let last = entry.batches.back();
            ProducerSnapshotEntry {
                producer_id,
                producer_epoch: entry.producer_epoch,
                last_sequence: entry.last_sequence(),
                last_offset: last.map_or(-1, |batch| batch.last_offset),
                offset_delta: last.map_or(0, |batch| batch.offset_delta),
                timestamp: entry.last_timestamp,
                coordinator_epoch: entry.coordinator_epoch,
                current_transaction_first_offset: entry.current_transaction_first_offset.unwrap_or(-1),
            }
        })
    }

    /// The state that a snapshot describes.
    pub fn from_snapshot(entries: impl IntoIterator<Item = ProducerSnapshotEntry>) -> Self {
        let mut state = Self::default();
        for snapshot in entries {
            let open = snapshot.current_transaction_first_offset;
            let mut entry = ProducerEntry {
                producer_epoch: snapshot.producer_epoch,
                coordinator_epoch: snapshot.coordinator_epoch,
                last_timestamp: snapshot.timestamp,
                current_transaction_first_offset: (open >= 0).then_some(open),
                batches: VecDeque::new(),
            };
            if snapshot.last_offset >= 0 {
                entry.batches.push_back(BatchMetadata {
                    last_sequence: snapshot.last_sequence,
                    last_offset: snapshot.last_offset,
                    offset_delta: snapshot.offset_delta,
                    timestamp: snapshot.timestamp,
                });
            }
            if open >= 0 {
                state.open.insert(open, snapshot.producer_id);
            }
            state.note_id(snapshot.producer_id);
            state.producers.insert(snapshot.producer_id, entry);
        }
        state
    }
}

fn check_epoch(entry: &ProducerEntry, header: &BatchHeader) -> Result<(), ProducerError> {
    if header.producer_epoch < entry.producer_epoch {
        return Err(ProducerError::InvalidEpoch {
            producer_id: header.producer_id,
            current: entry.producer_epoch,
            found: header.producer_epoch,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::batch_builder::{BatchBuilder, BatchOptions, Producer};

    fn batch(offset: Offset, epoch: i16, sequence: i32, records: usize, transactional: bool) -> BatchHeader {
        let mut builder = BatchBuilder::new(BatchOptions {
            base_offset: offset,
            producer: Some(Producer {
                id: 7,
                epoch,
                base_sequence: sequence,
            }),
            transactional,
            ..BatchOptions::default()
        });
        for _ in 0..records {
            builder.append(1000, None, None, &[]);
        }
        BatchHeader::parse(&builder.finish_uncompressed()).unwrap()
    }

    fn found(result: &Result<(), ProducerError>) -> Option<i32> {
        match result {
            Err(ProducerError::OutOfOrderSequence { expected, .. }) => Some(*expected),
            _ => None,
        }
    }

    #[test]
    fn sequences_follow_each_other_and_repeats_are_known() {
        let mut state = ProducerState::default();
        let first = batch(0, 0, 40, 3, false);
        assert_eq!(
            state.check_data(&first, false),
            Ok(()),
            "an unknown producer may start anywhere"
        );
        state.record_data(&first);
        assert_eq!(
            found(&state.check_data(&batch(3, 0, 42, 1, false), false)),
            Some(43)
        );
        for n in 0..5 {
            let next = batch(3 + n, 0, 43 + n as i32, 1, false);
            assert_eq!(state.check_data(&next, false), Ok(()));
            state.record_data(&next);
        }
        let again = state.duplicate_of(&batch(0, 0, 45, 1, false)).unwrap();
        assert_eq!((again.first_offset(), again.last_offset), (5, 5));
        assert_eq!(state.duplicate_of(&first), None, "only five are remembered");
        assert_eq!(
            found(&state.check_data(&batch(8, 1, 48, 1, false), false)),
            Some(0),
            "a new epoch starts at 0"
        );
        state.record_data(&batch(8, 1, 0, 1, false));
        assert!(matches!(
            state.check_data(&batch(9, 0, 48, 1, false), false),
            Err(ProducerError::InvalidEpoch { current: 1, .. })
        ));
    }

    #[test]
    fn sequences_go_on_at_zero_after_the_largest() {
        let mut state = ProducerState::default();
        state.record_data(&batch(0, 0, i32::MAX - 1, 3, false));
        assert_eq!(state.check_data(&batch(3, 0, 1, 1, false), false), Ok(()));
        assert!(state.duplicate_of(&batch(0, 0, i32::MAX - 1, 3, false)).is_some());
    }

    #[test]
    fn a_transaction_holds_readers_back_until_its_marker_is_replicated() {
        let mut state = ProducerState::default();
        state.record_data(&batch(10, 0, 0, 2, true));
        assert_eq!(state.first_unstable_offset(), Some(10));
        assert!(matches!(
            state.check_data(&batch(12, 0, 2, 1, false), false),
            Err(ProducerError::InvalidTransactionState { .. })
        ));
        let marker = EndTransactionMarker {
            committed: false,
            coordinator_epoch: 3,
        };
        let mut bytes = marker.to_batch(7, 0, 2000);
        crate::records::batch_header::set_base_offset(&mut bytes, 12);
        let header = BatchHeader::parse(&bytes).unwrap();
        let expected = AbortedTransaction {
            producer_id: 7,
            first_offset: 10,
            last_offset: 12,
            last_stable_offset: 13,
        };
        assert_eq!(state.record(&header, Some(marker)), Some(expected));
        assert_eq!(state.first_unstable_offset(), Some(10));
        state.high_watermark_moved(13);
        assert_eq!(state.first_unstable_offset(), None);
        let older = EndTransactionMarker {
            committed: true,
            coordinator_epoch: 2,
        };
        assert!(matches!(
            state.check_marker(&header, older, false),
            Err(ProducerError::CoordinatorFenced { current: 3, found: 2 })
        ));
    }

    #[test]
    fn expiry_spares_open_transactions() {
        let mut state = ProducerState::default();
        state.record_data(&batch(0, 0, 0, 1, true));
        state.expire(i64::MAX, 1);
        assert!(!state.is_empty());
        let mut state = ProducerState::default();
        state.record_data(&batch(0, 0, 0, 1, false));
        state.expire(1500, 501);
        assert!(!state.is_empty());
        state.expire(1500, 500);
        assert!(state.is_empty());
    }
}
