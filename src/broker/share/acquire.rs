//! Which records a fetch of a share group delivers (KIP-932, KIP-1206).
//!
//! - In batch mode whole batches are delivered, even if that is more than was asked for; in record limit mode exactly
//!   as many records as were asked for.
//! - Records that were delivered often are delivered in smaller and smaller portions, and alone at the last time, so
//!   that one bad record does not archive its neighbours.

use std::sync::Arc;

use super::in_flight_batch::{AcquisitionLock, InFlightBatch, Run};
use super::share_partition::{ShareLimits, SharePartition};
use crate::broker::coordinator::share::record_state::RecordState;

/// How a fetch is limited (KIP-1206).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcquireMode {
    /// Up to the end of the record batch in which the limit is reached.
    Batches,
    /// At most as many records as the limit.
    RecordLimit,
}

impl AcquireMode {
    /// The mode of this number.
    pub fn of(number: i8) -> Option<Self> {
        match number {
            0 => Some(AcquireMode::Batches),
            1 => Some(AcquireMode::RecordLimit),
            _ => None,
        }
    }
}

/// A record batch of the log: its first and its last offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSpan {
    pub base: i64,
    pub last: i64,
}

/// A member's fetch from a partition.
#[derive(Clone, Debug)]
pub struct Acquisition<'a> {
    pub member: &'a str,
    pub mode: AcquireMode,
    /// The most records in one acquired range, as far as record batches allow.
    pub batch_size: i64,
    pub max_records: i64,
    /// The offset that the log was read from: [`SharePartition::next_fetch_offset`].
    pub fetch_offset: i64,
    /// The batches that were read there, in ascending order.
    pub spans: &'a [BatchSpan],
    pub now_ms: i64,
}

/// A range of delivered records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcquiredRecords {
    pub first: i64,
    /// The last offset, inclusive.
    pub last: i64,
    /// The number of deliveries, with this one.
    pub delivery_count: i16,
}

impl AcquiredRecords {
    /// The number of offsets.
    pub fn count(&self) -> i64 {
        self.last - self.first + 1
    }
}

/// The number of deliveries from which on portions become smaller.
fn throttle_from(limits: &ShareLimits) -> i16 {
    let half = limits.max_delivery_count.saturating_add(1) / 2;
    half.max(2)
}

/// Collects the records that one fetch acquires.
struct Collector<'a> {
    wanted: &'a Acquisition<'a>,
    limits: &'a ShareLimits,
    lock: AcquisitionLock,
    /// The number of records that may still be acquired.
    left: i64,
    acquired: Vec<AcquiredRecords>,
}

impl Collector<'_> {
    fn take(&mut self, batch: &mut InFlightBatch, part: &Run) {
        let lock = &self.lock;
        batch.change(part.first, part.last, |run| {
            run.state = RecordState::Acquired;
            run.delivery_count = run.delivery_count.saturating_add(1);
            run.lock = Some(lock.clone());
        });
        let next = AcquiredRecords {
            first: part.first,
            last: part.last,
            delivery_count: part.delivery_count.saturating_add(1),
        };
        self.left -= next.count();
        self.acquired.push(next);
    }

    /// Acquires available records of a batch between two offsets. Returns false if nothing after them may be
    /// acquired.
    fn take_available(&mut self, batch: &mut InFlightBatch, first: i64, last: i64) -> bool {
        let available: Vec<Run> = batch
            .parts(first, last)
            .filter(|run| run.state == RecordState::Available)
            .collect();
        let throttle_from = throttle_from(self.limits);
        let is_throttled = available.iter().any(|run| run.delivery_count >= throttle_from);
        if is_throttled && !self.acquired.is_empty() {
            return false;
        }
        let mut portion = match self.wanted.mode {
            AcquireMode::RecordLimit => self.left,
            AcquireMode::Batches => i64::MAX,
        };
        let mut throttle = None;
        let mut taken = 0;
        for run in &available {
            let is_last_time = self.limits.max_delivery_count > 2
                && run.delivery_count == self.limits.max_delivery_count - 1;
            if is_last_time && taken > 0 {
                break;
            }
            if run.delivery_count >= throttle_from && throttle.is_none() {
                let halvings = u32::try_from(run.delivery_count - throttle_from).unwrap_or(0) + 1;
                let most = batch.len().checked_shr(halvings).unwrap_or(0).max(1);
                throttle = Some(most);
                portion = portion.min(most);
            }
            let count = if is_last_time {
                1
            } else {
                run.len().min(portion - taken)
            };
            if count <= 0 {
                break;
            }
            let last = run.first + count - 1;
            self.take(batch, &Run { last, ..run.clone() });
            taken += count;
            if is_last_time {
                break;
            }
        }
        !(is_throttled && taken > 0)
    }
}

impl SharePartition {
    /// Acquires records for a member, for the lock duration of the group.
    pub fn acquire(&mut self, wanted: &Acquisition<'_>, limits: &ShareLimits) -> Vec<AcquiredRecords> {
        let (Some(first), Some(last)) = (wanted.spans.first(), wanted.spans.last()) else {
            return Vec::new();
        };
        self.archive_what_compaction_removed(wanted.fetch_offset, first.base);
        let Some((left, last)) = self.capacity(wanted, limits, last.last) else {
            return Vec::new();
        };
        let mut collector = Collector {
            wanted,
            limits,
            lock: AcquisitionLock {
                member: Arc::from(wanted.member),
                until_ms: wanted.now_ms.saturating_add(limits.lock_ms),
            },
            left,
            acquired: Vec::new(),
        };
        let first = first.base.max(wanted.fetch_offset);
        let from = self
            .batches
            .range(..=first)
            .next_back()
            .map_or(first, |(key, _)| *key);
        for batch in self
            .batches
            .range_mut(from..=last.max(from))
            .map(|(_, batch)| batch)
        {
            if collector.left <= 0 || !collector.take_available(batch, first, last) {
                return collector.acquired;
            }
        }
        let new = self.end.max(first);
        if collector.left > 0 && new <= last {
            self.take_new(&mut collector, new, last);
        }
        collector.acquired
    }

    /// Records between the fetch offset and the first one found are not in the log any more.
    fn archive_what_compaction_removed(&mut self, fetch_offset: i64, found: i64) {
        if found > fetch_offset {
            self.change(fetch_offset, found - 1, |run| {
                if run.state == RecordState::Available {
                    run.state = RecordState::Archived;
                }
            });
            self.advance();
        }
    }

    /// The number of records that may be acquired, and up to which offset; `None` if there are none.
    fn capacity(&self, wanted: &Acquisition<'_>, limits: &ShareLimits, last: i64) -> Option<(i64, i64)> {
        let room = wanted
            .max_records
            .min(limits.max_in_flight - self.in_flight_count());
        if room > 0 {
            return Some((room, last));
        }
        // There is no room for new records, but released ones before the end can be delivered again.
        let again = wanted.max_records.min(self.end - wanted.fetch_offset);
        (again > 0).then_some((again, last.min(self.end - 1)))
    }

    /// Acquires records that were never fetched before.
    fn take_new(&mut self, collector: &mut Collector<'_>, first: i64, last: i64) {
        let wanted = collector.wanted;
        let mut batch_last = last;
        if collector.left < last - first + 1 {
            let limit = first + collector.left - 1;
            let span = wanted.spans.iter().find(|span| span.last >= limit);
            batch_last = span.map_or(limit, |span| span.last.min(last));
        }
        if self.batches.is_empty() {
            self.start = first;
        }
        let mut cuts = vec![first];
        if wanted.mode == AcquireMode::Batches && batch_last - first + 1 > wanted.batch_size {
            let bases = wanted.spans.iter().map(|span| span.base);
            for base in bases.filter(|base| *base > first && *base <= batch_last) {
                if cuts.last().is_some_and(|cut| base - cut >= wanted.batch_size) {
                    cuts.push(base);
                }
            }
        }
        let ends = cuts.iter().skip(1).map(|cut| cut - 1).chain([batch_last]);
        for (first, last) in cuts.iter().copied().zip(ends) {
            let mut batch = InFlightBatch::of(Run {
                first,
                last,
                state: RecordState::Available,
                delivery_count: 0,
                lock: None,
            });
            collector.take_available(&mut batch, first, last);
            self.batches.insert(first, batch);
        }
        self.end = batch_last + 1;
    }
}
