//! One partition as one share group reads it (KIP-932): which of its records are on their way, in which state.
//!
//! A pure state machine: events with the time go in, and what has to be stored comes out ([`Transition`]) before it
//! counts. It has two cursors: `start`, below which every record is done with, and `end`, from which on nothing has been
//! fetched. `acquire.rs` has the rules of delivery, `acknowledge.rs` those of everything that ends a delivery. Owns no
//! record, clock, lock or file.

use std::collections::BTreeMap;

use super::in_flight_batch::{InFlightBatch, Run};
use crate::broker::coordinator::share::record_state::{RecordState, StateBatch};

/// What configuration says about the partitions of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareLimits {
    /// `share.partition.max.record.locks`: how many records may be on their way.
    pub max_in_flight: i64,
    /// `share.delivery.count.limit`: how often a record is delivered at most.
    pub max_delivery_count: i16,
    /// `share.record.lock.duration.ms`
    pub lock_ms: i64,
}

/// A partition's state as the share coordinator keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredPartition {
    /// Below it every record is done with; −1: the group has not begun to read.
    pub start: i64,
    /// Later offsets that differ from "never delivered", in ascending order.
    pub batches: Vec<StateBatch>,
}

/// One partition as one share group reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharePartition {
    /// The first offset that is not done with.
    pub(super) start: i64,
    /// The next offset that was never fetched.
    pub(super) end: i64,
    /// By first offset. They do not overlap; offsets between them do not exist in the log.
    pub(super) batches: BTreeMap<i64, InFlightBatch>,
}

impl SharePartition {
    /// A partition of which nothing has been read, from `start` on.
    pub fn new(start: i64) -> Self {
        Self {
            start,
            end: start,
            batches: BTreeMap::new(),
        }
    }

    /// The partition as it was stored. `start` is where to begin if the group has not begun yet.
    ///
    /// Offsets between stored ranges were on their way when the broker stopped: acquired records are not stored, and
    /// can be delivered again.
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

    /// The first offset that is not done with.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// The next offset that was never fetched.
    pub fn end(&self) -> i64 {
        self.end
    }

    pub(super) fn runs(&self) -> impl Iterator<Item = &Run> {
        self.batches.values().flat_map(|batch| &batch.runs)
    }

    /// What is on its way, as it would be stored, with the acquired records among it.
    pub fn in_flight(&self) -> impl Iterator<Item = StateBatch> + '_ {
        self.runs().map(Run::stored)
    }

    /// How many offsets are on their way, from the first that is not done with.
    pub fn in_flight_count(&self) -> i64 {
        if self.batches.is_empty() {
            0
        } else {
            self.end - self.start
        }
    }

    /// How many offsets from `start` on are done with.
    pub fn delivery_complete_count(&self) -> i64 {
        let terminal = self.runs().filter(|run| run.state.is_terminal());
        terminal.map(Run::len).sum()
    }

    /// The offset to fetch from: the first that can be delivered again, or else the first that was never fetched.
    pub fn next_fetch_offset(&self) -> i64 {
        let available = self.runs().find(|run| run.state == RecordState::Available);
        available.map_or(self.end, |run| run.first)
    }

    /// Whether a fetch could deliver anything.
    pub fn can_acquire(&self, limits: &ShareLimits) -> bool {
        self.next_fetch_offset() != self.end || self.in_flight_count() < limits.max_in_flight
    }

    /// When the next acquisition lock ends; None without one.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        let locks = self.runs().filter_map(|run| run.lock.as_ref());
        locks.map(|lock| lock.until_ms).min()
    }

    /// Records below `log_start` have been deleted.
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
        // The batch into which the start falls begins before it.
        let straddling = self.batches.pop_last().map(|(_, batch)| batch);
        self.batches = kept;
        if let Some(mut batch) = straddling {
            batch.cut_below(self.start);
            if !batch.runs.is_empty() {
                self.batches.insert(batch.first, batch);
            }
        }
    }

    /// Changes the runs between two offsets, both of them included.
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

    /// Moves the start over what is done with.
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
