//! The ends of a delivery: acknowledgements, members that leave, and acquisition locks that expire (KIP-932,
//! KIP-1222).
//!
//! Each is planned first, without a change, as a [`Transition`]. The caller stores it and then applies it; what
//! cannot be stored has not happened.

use kafka_protocol::ResponseError;

use super::acknowledge_type::AcknowledgeType;
use super::in_flight_batch::Run;
use super::share_partition::{ShareLimits, SharePartition};
use crate::broker::coordinator::share::record_state::{RecordState, StateBatch, push_merged};

/// A member's acknowledgement of a range of offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    pub first: i64,
    /// The last offset, inclusive.
    pub last: i64,
    /// One type for the whole range, or one for each offset.
    pub types: Vec<AcknowledgeType>,
}

/// The error of a refused acknowledgement, with Kafka's message.
pub type Refusal = (ResponseError, &'static str);

/// Changes that are planned and not applied yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transition {
    /// The new states to store, in ascending order.
    pub changes: Vec<StateBatch>,
    /// Ranges whose locks are renewed.
    renewals: Vec<(i64, i64)>,
    /// The number of processed offsets from the start on, before the start moves.
    pub delivery_complete_count: i64,
}

impl Transition {
    /// Whether nothing has to be stored.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    fn last_planned(&self) -> Option<i64> {
        let changed = self.changes.last().map(|change| change.last);
        changed.max(self.renewals.last().map(|(_, last)| *last))
    }

    fn plan(&mut self, first: i64, last: i64, state: RecordState, delivery_count: i16) {
        let change = StateBatch {
            first,
            last,
            state,
            delivery_count,
        };
        if state.is_terminal() {
            self.delivery_complete_count += change.count();
        }
        push_merged(&mut self.changes, change);
    }
}

impl SharePartition {
    fn nothing_planned(&self) -> Transition {
        Transition {
            delivery_complete_count: self.delivery_complete_count(),
            ..Transition::default()
        }
    }

    /// Plans the changes of a member's acknowledgements; all of them or none.
    ///
    /// # Errors
    ///
    /// A record is not acquired by this member, or was never fetched. Offsets below the start are ignored.
    pub fn plan_acknowledgement(
        &self,
        member: &str,
        acknowledgements: &[Acknowledgement],
        limits: &ShareLimits,
    ) -> Result<Transition, Refusal> {
        let mut transition = self.nothing_planned();
        for acknowledgement in acknowledgements {
            if acknowledgement.last >= self.start {
                self.plan_one(&mut transition, member, acknowledgement, limits)?;
            }
        }
        Ok(transition)
    }

    fn plan_one(
        &self,
        transition: &mut Transition,
        member: &str,
        acknowledgement: &Acknowledgement,
        limits: &ShareLimits,
    ) -> Result<(), Refusal> {
        let (first, last) = (acknowledgement.first, acknowledgement.last);
        let from = self.first_batch(first, last)?;
        if transition
            .last_planned()
            .is_some_and(|planned| planned >= first.max(self.start))
        {
            return Err(NOT_ACQUIRED);
        }
        for batch in self.batches.range(from..=last).map(|(_, batch)| batch) {
            for run in batch.parts(first.max(self.start), last) {
                check_holder(&run, member, batch.is_split())?;
                plan_run(transition, &run, acknowledgement, limits);
            }
        }
        Ok(())
    }

    /// The key of the first batch that overlaps the range.
    fn first_batch(&self, first: i64, last: i64) -> Result<i64, Refusal> {
        let floor = |offset: i64| self.batches.range(..=offset).next_back().map(|(key, _)| *key);
        let from = floor(first).or_else(|| {
            if first < self.start {
                floor(self.start)
            } else {
                None
            }
        });
        let from = from.ok_or((
            ResponseError::InvalidRecordState,
            "Batch record not found. The request batch offsets are not found in the cache.",
        ))?;
        let known = self.batches.range(from..=last.max(from)).next_back();
        let known = known.map_or(i64::MIN, |(_, batch)| batch.last);
        if known < first {
            let words = "Batch record not found. The first offset in request is past acquired records.";
            return Err((ResponseError::InvalidRequest, words));
        }
        if known < last {
            let words = "Batch record not found. The last offset in request is past acquired records.";
            return Err((ResponseError::InvalidRequest, words));
        }
        Ok(from)
    }

    /// Plans the release of all records that a member has acquired.
    pub fn plan_release(&self, member: &str, limits: &ShareLimits) -> Transition {
        self.plan_giving_back(limits, |run| run.is_held_by(member))
    }

    /// Plans the release of records whose acquisition lock has expired.
    pub fn plan_expiry(&self, now_ms: i64, limits: &ShareLimits) -> Transition {
        self.plan_giving_back(limits, |run| {
            run.lock.as_ref().is_some_and(|lock| lock.until_ms <= now_ms)
        })
    }

    fn plan_giving_back(&self, limits: &ShareLimits, is_given_back: impl Fn(&Run) -> bool) -> Transition {
        let mut transition = self.nothing_planned();
        for run in self.runs().filter(|run| is_given_back(run)) {
            let state = released(run.delivery_count, limits);
            transition.plan(run.first, run.last, state, run.delivery_count);
        }
        transition
    }

    /// Applies a planned transition. The partition must not have changed since it was planned.
    pub fn apply(&mut self, transition: &Transition, now_ms: i64, limits: &ShareLimits) {
        for change in &transition.changes {
            self.change(change.first, change.last, |run| {
                run.state = change.state;
                run.lock = None;
            });
        }
        let until_ms = now_ms.saturating_add(limits.lock_ms);
        for (first, last) in &transition.renewals {
            self.change(*first, *last, |run| {
                if let Some(lock) = &mut run.lock {
                    lock.until_ms = until_ms;
                }
            });
        }
        self.advance();
    }

    /// Archives offsets that the group must not read, such as those of aborted transactions.
    pub fn archive(&mut self, first: i64, last: i64) {
        self.change(first, last, |run| {
            run.state = RecordState::Archived;
            run.lock = None;
        });
        self.advance();
    }
}

const NOT_ACQUIRED: Refusal = (
    ResponseError::InvalidRecordState,
    "The offset cannot be acknowledged. The offset is not acquired.",
);

/// `by_offset`: whether the offsets of the batch have had different states.
fn check_holder(run: &Run, member: &str, by_offset: bool) -> Result<(), Refusal> {
    if run.is_held_by(member) {
        return Ok(());
    }
    if run.state != RecordState::Acquired {
        return Err(if by_offset {
            NOT_ACQUIRED
        } else {
            let words = "The batch cannot be acknowledged. The batch is not in the acquired state.";
            (ResponseError::InvalidRecordState, words)
        });
    }
    let words = if by_offset {
        "Member is not the owner of offset"
    } else {
        "Member is not the owner of batch record"
    };
    Err((ResponseError::InvalidRecordState, words))
}

/// The new state of a record that was not accepted: it can be delivered again unless it was delivered too often.
fn released(delivery_count: i16, limits: &ShareLimits) -> RecordState {
    if delivery_count >= limits.max_delivery_count {
        RecordState::Archived
    } else {
        RecordState::Available
    }
}

/// Plans one acknowledgement of a run that lies within its range.
fn plan_run(transition: &mut Transition, run: &Run, acknowledgement: &Acknowledgement, limits: &ShareLimits) {
    let type_at = |offset: i64| match acknowledgement.types.as_slice() {
        [all] => Some(*all),
        each => each
            .get(usize::try_from(offset - acknowledgement.first).ok()?)
            .copied(),
    };
    let mut first = run.first;
    while first <= run.last {
        let Some(kind) = type_at(first) else { return };
        let mut last = first;
        if acknowledgement.types.len() == 1 {
            last = run.last;
        } else {
            while last < run.last && type_at(last + 1) == Some(kind) {
                last += 1;
            }
        }
        match kind.state() {
            None => transition.renewals.push((first, last)),
            Some(RecordState::Available) => {
                let state = released(run.delivery_count, limits);
                transition.plan(first, last, state, run.delivery_count);
            }
            Some(state) => transition.plan(first, last, state, run.delivery_count),
        }
        first = last + 1;
    }
}
