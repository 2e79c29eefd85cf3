//! Records that were fetched together, as ranges of offsets with the same state.
//!
//! Splits and joins the ranges; owns no rule.

use std::sync::Arc;

use crate::broker::coordinator::share::record_state::{RecordState, StateBatch};

/// The member that has acquired records, and when its lock expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AcquisitionLock {
    pub(super) member: Arc<str>,
    /// Milliseconds on the broker's steady clock.
    pub(super) until_ms: i64,
}

/// Offsets with the same state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) first: i64,
    /// The last offset, inclusive.
    pub(super) last: i64,
    pub(super) state: RecordState,
    pub(super) delivery_count: i16,
    /// `Some` if and only if the state is [`RecordState::Acquired`].
    pub(super) lock: Option<AcquisitionLock>,
}

impl Run {
    pub(super) fn len(&self) -> i64 {
        self.last - self.first + 1
    }

    pub(super) fn is_held_by(&self, member: &str) -> bool {
        self.lock.as_ref().is_some_and(|lock| &*lock.member == member)
    }

    pub(super) fn stored(&self) -> StateBatch {
        StateBatch {
            first: self.first,
            last: self.last,
            state: self.state,
            delivery_count: self.delivery_count,
        }
    }

    fn is_like(&self, other: &Run) -> bool {
        self.state == other.state && self.delivery_count == other.delivery_count && self.lock == other.lock
    }
}

/// Records that were fetched together. Ranges from the share coordinator count as fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InFlightBatch {
    pub(super) first: i64,
    /// The last offset, inclusive.
    pub(super) last: i64,
    /// In ascending order; they need not cover the whole batch.
    pub(super) runs: Vec<Run>,
}

impl InFlightBatch {
    /// A batch of one run.
    pub(super) fn of(run: Run) -> Self {
        Self {
            first: run.first,
            last: run.last,
            runs: vec![run],
        }
    }

    /// The number of offsets that were fetched together, whatever their states.
    pub(super) fn len(&self) -> i64 {
        self.last - self.first + 1
    }

    /// Whether its offsets have had different states.
    pub(super) fn is_split(&self) -> bool {
        !matches!(self.runs.as_slice(), [run] if run.first == self.first && run.last == self.last)
    }

    /// The parts of runs between two offsets, both inclusive.
    pub(super) fn parts(&self, first: i64, last: i64) -> impl Iterator<Item = Run> + '_ {
        self.runs.iter().filter_map(move |run| {
            let part = Run {
                first: run.first.max(first),
                last: run.last.min(last),
                ..run.clone()
            };
            (part.first <= part.last).then_some(part)
        })
    }

    /// Changes the runs between two offsets, both inclusive; runs that extend further are split there.
    pub(super) fn change(&mut self, first: i64, last: i64, change: impl Fn(&mut Run)) {
        let mut runs: Vec<Run> = Vec::with_capacity(self.runs.len() + 2);
        for run in self.runs.drain(..) {
            if run.last < first || run.first > last {
                push(&mut runs, run);
                continue;
            }
            if run.first < first {
                let last = first - 1;
                push(&mut runs, Run { last, ..run.clone() });
            }
            let mut inner = Run {
                first: run.first.max(first),
                last: run.last.min(last),
                ..run.clone()
            };
            change(&mut inner);
            push(&mut runs, inner);
            if run.last > last {
                let first = last + 1;
                push(&mut runs, Run { first, ..run });
            }
        }
        self.runs = runs;
    }

    /// Removes the offsets below `start`.
    pub(super) fn cut_below(&mut self, start: i64) {
        self.runs.retain_mut(|run| {
            run.first = run.first.max(start);
            run.first <= run.last
        });
    }
}

fn push(runs: &mut Vec<Run>, next: Run) {
    match runs.last_mut() {
        Some(last) if last.last + 1 == next.first && last.is_like(&next) => last.last = next.last,
        _ => runs.push(next),
    }
}
