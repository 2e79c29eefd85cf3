//! The state of one partition in one group at the share coordinator, and how records change it.
//!
//! The state is the sum of its records: [`PartitionState::apply`] is the only way to change it, while the broker runs
//! and when it reads `__share_group_state` at the start. Pure.

use std::collections::BTreeMap;

use super::record::{Snapshot, StateRecord, Update};
use super::record_state::{StateBatch, push_merged};
use crate::topic_partition::Offset;

/// Updates before the next snapshot: `share.coordinator.snapshot.update.records.per.snapshot`.
const UPDATES_PER_SNAPSHOT: u32 = 500;

/// The state of one partition in one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionState {
    pub snapshot_epoch: i32,
    /// The epoch of the group when the state was created; a writer with a smaller one is fenced.
    pub state_epoch: i32,
    /// The largest leader epoch in any request.
    pub leader_epoch: i32,
    /// -1 before the group has begun to read.
    pub start_offset: i64,
    /// The number of processed offsets from the start on; -1 if unknown.
    pub delivery_complete_count: i32,
    pub created_ms: i64,
    /// When the last snapshot was written.
    pub written_ms: i64,
    /// When the last record was written, or, after a load, the last snapshot.
    pub(super) touched_ms: i64,
    /// By first offset, without overlaps.
    batches: BTreeMap<i64, StateBatch>,
    updates: u32,
    /// The offset of the last snapshot in the log: records before it are not needed for this partition.
    pub(super) snapshot_offset: Offset,
}

impl PartitionState {
    /// The state in a snapshot at this offset of the log.
    fn of(snapshot: &Snapshot, offset: Offset) -> Self {
        let mut state = Self {
            snapshot_epoch: snapshot.snapshot_epoch,
            state_epoch: snapshot.state_epoch,
            leader_epoch: snapshot.leader_epoch,
            start_offset: snapshot.start_offset,
            delivery_complete_count: snapshot.delivery_complete_count,
            created_ms: snapshot.created_ms,
            written_ms: snapshot.written_ms,
            touched_ms: snapshot.written_ms,
            batches: BTreeMap::new(),
            updates: 0,
            snapshot_offset: offset,
        };
        state.lay_over(&snapshot.batches);
        state
    }

    /// The state after a record at this offset of the log; `None` if there is none. An update without a snapshot
    /// before it is ignored.
    pub fn apply(state: Option<Self>, record: &StateRecord, offset: Offset) -> Option<Self> {
        match (state, record) {
            (_, StateRecord::Snapshot(Some(snapshot))) => Some(Self::of(snapshot, offset)),
            (_, StateRecord::Snapshot(None) | StateRecord::Update(None)) | (None, StateRecord::Update(_)) => {
                None
            }
            (Some(mut state), StateRecord::Update(Some(update))) => {
                state.update(update);
                Some(state)
            }
        }
    }

    fn update(&mut self, update: &Update) {
        self.leader_epoch = self.leader_epoch.max(update.leader_epoch);
        if update.start_offset >= 0 {
            self.start_offset = update.start_offset;
        }
        self.delivery_complete_count = update.delivery_complete_count;
        self.lay_over(&update.batches);
        self.forget_below_start();
        self.updates = self.updates.saturating_add(1);
    }

    /// Newer ranges replace older ones for the same offsets, unless those have a higher delivery count.
    fn lay_over(&mut self, newer: &[StateBatch]) {
        for batch in newer.iter().filter(|batch| batch.first <= batch.last) {
            let from = self.batches.range(..=batch.first).next_back();
            let from = from.map_or(batch.first, |(key, _)| *key);
            let touched: Vec<StateBatch> = self
                .batches
                .range(from..=batch.last)
                .map(|(_, known)| *known)
                .filter(|known| known.last >= batch.first)
                .collect();
            // The first offset of the newer range that is not placed yet.
            let mut next = Some(batch.first);
            for known in touched {
                self.batches.remove(&known.first);
                if known.first < batch.first {
                    self.insert(known, known.first, batch.first - 1);
                }
                if known.last > batch.last {
                    self.insert(known, batch.last + 1, known.last);
                }
                let (first, last) = (known.first.max(batch.first), known.last.min(batch.last));
                let weight = |batch: &StateBatch| (batch.delivery_count, batch.state.number());
                if weight(&known) > weight(batch) {
                    if let Some(next) = next.filter(|next| *next < first) {
                        self.insert(*batch, next, first - 1);
                    }
                    self.insert(known, first, last);
                    next = last.checked_add(1);
                }
            }
            if let Some(next) = next {
                self.insert(*batch, next, batch.last);
            }
        }
    }

    fn insert(&mut self, batch: StateBatch, first: i64, last: i64) {
        if first <= last {
            self.batches.insert(first, StateBatch { first, last, ..batch });
        }
    }

    fn forget_below_start(&mut self) {
        let start = self.start_offset;
        let kept = self.batches.split_off(&start);
        let straddling = std::mem::replace(&mut self.batches, kept).pop_last();
        if let Some((_, batch)) = straddling {
            self.insert(batch, start, batch.last);
        }
    }

    /// The ranges that have ever been delivered, in ascending order.
    pub fn batches(&self) -> Vec<StateBatch> {
        let mut merged = Vec::new();
        for batch in self.batches.values() {
            push_merged(&mut merged, *batch);
        }
        merged
    }

    /// The record for `update`: an update, or a snapshot after many updates.
    pub fn record_of(&self, update: Update, now_ms: i64) -> StateRecord {
        if self.updates < UPDATES_PER_SNAPSHOT {
            return StateRecord::Update(Some(update));
        }
        let mut next = self.clone();
        next.update(&update);
        next.snapshot(now_ms)
    }

    /// The record of a new snapshot.
    pub fn snapshot(&self, now_ms: i64) -> StateRecord {
        StateRecord::Snapshot(Some(Snapshot {
            snapshot_epoch: self.snapshot_epoch.saturating_add(1),
            state_epoch: self.state_epoch,
            leader_epoch: self.leader_epoch,
            start_offset: self.start_offset,
            delivery_complete_count: self.delivery_complete_count,
            created_ms: self.created_ms,
            written_ms: now_ms,
            batches: self.batches(),
        }))
    }

    /// Whether there are updates since the last snapshot.
    pub fn has_updates(&self) -> bool {
        self.updates > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::coordinator::share::record_state::RecordState::{
        self, Acknowledged, Archived, Available,
    };

    fn batch(first: i64, last: i64, state: RecordState, delivery_count: i16) -> StateBatch {
        StateBatch {
            first,
            last,
            state,
            delivery_count,
        }
    }

    fn begun() -> PartitionState {
        let snapshot = Snapshot {
            snapshot_epoch: 1,
            state_epoch: 3,
            leader_epoch: 0,
            start_offset: 7,
            delivery_complete_count: 0,
            created_ms: 1,
            written_ms: 1,
            batches: Vec::new(),
        };
        PartitionState::apply(None, &StateRecord::Snapshot(Some(snapshot)), 4).unwrap()
    }

    fn updated(state: PartitionState, start_offset: i64, batches: &[StateBatch]) -> PartitionState {
        let update = Update {
            snapshot_epoch: 1,
            leader_epoch: 2,
            start_offset,
            delivery_complete_count: 0,
            batches: batches.to_vec(),
        };
        let record = state.record_of(update, 9);
        PartitionState::apply(Some(state), &record, 5).unwrap()
    }

    /// The ranges that Apache Kafka 4.3.1 read after the same writes.
    #[test]
    fn writes_lie_over_each_other_as_in_apache_kafka() {
        let state = updated(
            begun(),
            10,
            &[batch(10, 14, Acknowledged, 1), batch(20, 24, Available, 2)],
        );
        let state = updated(state, -1, &[batch(12, 22, Archived, 3)]);
        let expected = [
            batch(10, 11, Acknowledged, 1),
            batch(12, 22, Archived, 3),
            batch(23, 24, Available, 2),
        ];
        assert_eq!((state.start_offset, state.batches()), (10, expected.to_vec()));
        let state = updated(state, 21, &[]);
        let expected = [batch(21, 22, Archived, 3), batch(23, 24, Available, 2)];
        assert_eq!((state.leader_epoch, state.batches()), (2, expected.to_vec()));
    }

    #[test]
    fn what_was_delivered_more_often_stays() {
        let state = updated(begun(), 7, &[batch(10, 12, Available, 3)]);
        let state = updated(state, 7, &[batch(8, 14, Available, 2)]);
        let expected = [
            batch(8, 9, Available, 2),
            batch(10, 12, Available, 3),
            batch(13, 14, Available, 2),
        ];
        assert_eq!(state.batches(), expected);
    }

    #[test]
    fn after_many_updates_a_snapshot_says_everything() {
        let mut state = begun();
        for offset in 0..500 {
            state = updated(state, 7, &[batch(10 + offset, 10 + offset, Acknowledged, 1)]);
        }
        assert_eq!((state.snapshot_epoch, state.has_updates()), (1, true));
        let state = updated(state, 7, &[batch(510, 510, Acknowledged, 1)]);
        assert_eq!((state.snapshot_epoch, state.has_updates()), (2, false));
        assert_eq!(state.batches(), [batch(10, 510, Acknowledged, 1)]);
        assert_eq!(
            (state.state_epoch, state.leader_epoch, state.written_ms),
            (3, 2, 9)
        );
    }
}
