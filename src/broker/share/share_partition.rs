//! One partition in one share group (KIP-932): which of its records are in flight, and their states.
//!
//! A pure state machine: events with the time go in, and what has to be stored comes out (`Transition`) before it
//! is applied. It has two cursors: every record below `start` is processed, and no record from `end` on was fetched.
//! `acquire.rs` has the rules of delivery, `acknowledge.rs` those of the end of a delivery. Owns no record, clock,
//! lock or file.

use std::collections::BTreeMap;

use super::in_flight_batch::{InFlightBatch, Run};
use crate::broker::coordinator::share::record_state::{RecordState, StateBatch};

/// The limits of one group, from its configs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareLimits {
    /// `share.partition.max.record.locks`: the most records in flight.
    pub max_in_flight: i64,
    /// `share.delivery.count.limit`: the most deliveries of a record.
    pub max_delivery_count: i16,
    /// `share.record.lock.duration.ms`
    pub lock_ms: i64,
}

/// A partition's state at the share coordinator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredPartition {
    /// Every record below is processed; -1 before the group has begun to read.
    pub start: i64,
    /// Later ranges that were ever delivered, in ascending order.
    pub batches: Vec<StateBatch>,
}

/// The state of one partition in one share group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharePartition {
    /// The first offset that is not processed.
    pub(super) start: i64,
    /// The first offset that was never fetched.
    pub(super) end: i64,
    /// By first offset, without overlaps; offsets between them do not exist in the log.
    pub(super) batches: BTreeMap<i64, InFlightBatch>,
}

impl SharePartition {
    /// A partition that was never read, starting at `start`.
    pub fn new(start: i64) -> Self {
        Self {
            start,
            end: start,
            batches: BTreeMap::new(),
        }
    }

    /// Restores a stored state. `start` is the start offset if the group has not begun to read.
    ///
    /// Offsets between stored ranges were in flight when the broker stopped: acquired records are not stored, and can
    /// be delivered again.
    pub fn restored(stored: &StoredPartition, start: impl FnOnce() -> i64) -> Self {
        let start = if stored.start < 0 { start() } else { stored.start };
        let mut partition = Self::new(start);
        for batch in &stored.batches {
            let first = batch.first.max(partition.end);
            if first > batch.last {
                continue;
            }
            if first > partition.end {
                partition.put(Run {
                    first: partition.end,
                    last: first - 1,
                    state: RecordState::Available,
                    delivery_count: 0,
                    lock: None,
                });
            }
            partition.put(Run {
                first,
                last: batch.last,
                state: match batch.state {
                    RecordState::Acquired => RecordState::Available,
                    state => state,
                },
                delivery_count: batch.delivery_count,
                lock: None,
            });
            partition.end = batch.last.saturating_add(1);
        }
        partition.advance();
        partition
    }

    pub(super) fn put(&mut self, run: Run) {
        self.batches.insert(run.first, InFlightBatch::of(run));
    }

    /// The first offset that is not processed.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// The first offset that was never fetched.
    pub fn end(&self) -> i64 {
        self.end
    }

    pub(super) fn runs(&self) -> impl Iterator<Item = &Run> {
        self.batches.values().flat_map(|batch| &batch.runs)
    }

    /// The states in flight, in the form in which they are stored, with acquired records.
    pub fn in_flight(&self) -> impl Iterator<Item = StateBatch> + '_ {
        self.runs().map(Run::stored)
    }

    /// The number of offsets from the first that is not processed to the end.
    pub fn in_flight_count(&self) -> i64 {
        if self.batches.is_empty() {
            0
        } else {
            self.end - self.start
        }
    }

    /// The number of processed offsets from `start` on.
    pub fn delivery_complete_count(&self) -> i64 {
        let terminal = self.runs().filter(|run| run.state.is_terminal());
        terminal.map(Run::len).sum()
    }

    /// The offset to fetch from: the first that can be delivered again, or the first that was never fetched.
    pub fn next_fetch_offset(&self) -> i64 {
        let available = self.runs().find(|run| run.state == RecordState::Available);
        available.map_or(self.end, |run| run.first)
    }

    /// Whether a fetch could acquire anything.
    pub fn can_acquire(&self, limits: &ShareLimits) -> bool {
        self.next_fetch_offset() != self.end || self.in_flight_count() < limits.max_in_flight
    }

    /// When the next acquisition lock expires; `None` if there is none.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        let locks = self.runs().filter_map(|run| run.lock.as_ref());
        locks.map(|lock| lock.until_ms).min()
    }

    /// Records below `log_start` were deleted.
    pub fn log_start_moved(&mut self, log_start: i64) {
        if log_start > self.start {
            self.start = log_start;
            self.end = self.end.max(log_start);
            self.forget_below_start();
            self.advance();
        }
    }

    pub(super) fn forget_below_start(&mut self) {
        let kept = self.batches.split_off(&self.start);
        // The batch that contains the start begins before it.
        let straddling = self.batches.pop_last().map(|(_, batch)| batch);
        self.batches = kept;
        if let Some(mut batch) = straddling {
            batch.cut_below(self.start);
            if !batch.runs.is_empty() {
                self.batches.insert(batch.first, batch);
            }
        }
    }

    /// Changes the runs between two offsets, both inclusive.
    pub(super) fn change(&mut self, first: i64, last: i64, change: impl Fn(&mut Run)) {
        let from = self.batches.range(..=first).next_back();
        let from = from.map_or(first, |(key, _)| *key);
        for batch in self
            .batches
            .range_mut(from..=last.max(from))
            .map(|(_, batch)| batch)
        {
            batch.change(first, last, &change);
        }
    }

    /// Moves the start past processed records.
    pub(super) fn advance(&mut self) {
        let pending = self.runs().find(|run| !run.state.is_terminal());
        match pending.map(|run| run.first) {
            Some(first) => self.start = self.start.max(first),
            None if self.batches.is_empty() => return,
            None => self.start = self.end,
        }
        self.forget_below_start();
    }
}
