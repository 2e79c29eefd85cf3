//! One share group: its members, epochs and assignments, and how records change them.
//!
//! The state is the sum of the group's records: [`ShareGroup::apply`] is the only way to change it, while the broker
//! runs and when it reads `__consumer_offsets` at the start. Only timers are kept beside the records. Owns no rule;
//! those are in `heartbeat.rs` and `initialization.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kafka_protocol::ResponseError;

use super::initialization::InitializationState;
use super::member::{ShareAssignment, ShareMember};
use super::record::ShareGroupRecord;
use crate::broker::coordinator::group::assignor::TopicPartitions;
use crate::broker::coordinator::group::consumer_group::group::{FIRST_EPOCH, Refused};
use crate::broker::coordinator::group::consumer_group::record::{GroupEpoch, TargetEpoch};
use crate::broker::coordinator::group::consumer_group::topics::{self, TopicCatalog};

/// The states of a share group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareGroupState {
    /// It has no members. Its share states are kept.
    Empty,
    Stable,
    /// Deleted: a request that still holds the group looks it up again.
    Dead,
}

impl ShareGroupState {
    /// Kafka's name of the state.
    pub fn name(self) -> &'static str {
        match self {
            ShareGroupState::Empty => "Empty",
            ShareGroupState::Stable => "Stable",
            ShareGroupState::Dead => "Dead",
        }
    }
}

/// The settings of one group: its own configs before the broker's.
#[derive(Clone, Debug)]
pub struct ShareGroupSettings {
    /// The session timeout.
    pub session_timeout_ms: i32,
    /// How often members are to send heartbeats.
    pub heartbeat_interval_ms: i32,
    /// The shortest time between two runs of the assignor, in ms.
    pub assignment_interval_ms: i32,
    /// The most members.
    pub max_size: usize,
}

/// The conditions of an event.
#[derive(Clone, Copy, Debug)]
pub struct ShareSurroundings<'a> {
    /// Milliseconds since 1970 on the coordinator's clock.
    pub now_ms: i64,
    pub settings: &'a ShareGroupSettings,
    pub catalog: &'a dyn TopicCatalog,
}

/// One event that is being handled: its conditions, and the records so far.
#[derive(Debug)]
pub(super) struct ShareStep<'a> {
    pub(super) around: ShareSurroundings<'a>,
    records: Vec<ShareGroupRecord>,
    /// The group before its first record.
    before: Option<Box<ShareGroup>>,
}

/// The changes of an event: to be written, or else to be undone.
#[derive(Debug, Default)]
pub struct ShareChange {
    pub records: Vec<ShareGroupRecord>,
    before: Option<Box<ShareGroup>>,
}

impl ShareChange {
    /// Adds the changes of the next event.
    pub fn append(&mut self, mut next: ShareChange) {
        self.records.append(&mut next.records);
        self.before = self.before.take().or(next.before);
    }
}

/// One share group.
#[derive(Clone, Debug)]
pub struct ShareGroup {
    pub(super) id: String,
    dead: bool,
    pub(super) epoch: GroupEpoch,
    pub(super) target_epoch: TargetEpoch,
    pub(super) members: BTreeMap<String, Arc<ShareMember>>,
    pub(super) targets: BTreeMap<String, Arc<TopicPartitions>>,
    pub(super) initialization: InitializationState,
    /// The session deadline of each member.
    pub(super) sessions: BTreeMap<String, i64>,
    /// The version of the topics when the hash was last compared.
    pub(super) seen_topics: Option<i64>,
}

impl ShareGroup {
    /// A group that never had a member.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            dead: false,
            epoch: GroupEpoch {
                epoch: FIRST_EPOCH,
                metadata_hash: 0,
            },
            target_epoch: TargetEpoch {
                epoch: FIRST_EPOCH,
                at_ms: 0,
            },
            members: BTreeMap::new(),
            targets: BTreeMap::new(),
            initialization: InitializationState::default(),
            sessions: BTreeMap::new(),
            seen_topics: None,
        }
    }

    /// Applies one record.
    pub fn apply(&mut self, record: &ShareGroupRecord) {
        match record {
            ShareGroupRecord::Epoch(Some(epoch)) => self.epoch = *epoch,
            ShareGroupRecord::TargetEpoch(Some(target)) => self.target_epoch = *target,
            // Tombstones of these are written when the group ends.
            ShareGroupRecord::Epoch(None) | ShareGroupRecord::TargetEpoch(None) => {}
            ShareGroupRecord::Member(id, Some(metadata)) => {
                self.member_mut(id).metadata = metadata.clone();
            }
            ShareGroupRecord::Member(id, None) => {
                self.members.remove(id);
                self.sessions.remove(id);
            }
            ShareGroupRecord::Target(id, Some(target)) => {
                self.targets.insert(id.clone(), Arc::new(target.clone()));
            }
            ShareGroupRecord::Target(id, None) => {
                self.targets.remove(id);
            }
            ShareGroupRecord::Current(id, Some(current)) => self.member_mut(id).current = current.clone(),
            ShareGroupRecord::Current(id, None) => {
                if self.members.contains_key(id) {
                    self.member_mut(id).current = ShareAssignment::default();
                }
            }
            ShareGroupRecord::Initialization(state) => {
                self.initialization = state.clone().unwrap_or_default();
            }
        }
    }

    fn member_mut(&mut self, id: &str) -> &mut ShareMember {
        Arc::make_mut(self.members.entry(id.to_owned()).or_default())
    }

    /// Adds `record` to the event, and applies it.
    pub(super) fn write(&mut self, step: &mut ShareStep<'_>, record: ShareGroupRecord) {
        if step.before.is_none() {
            step.before = Some(Box::new(self.clone()));
        }
        self.apply(&record);
        step.records.push(record);
    }

    /// Runs an event; one that is refused changes nothing.
    pub(super) fn happen<A>(
        &mut self,
        around: ShareSurroundings<'_>,
        event: impl FnOnce(&mut Self, &mut ShareStep<'_>) -> Result<A, Refused>,
    ) -> (Result<A, Refused>, ShareChange) {
        let mut step = ShareStep {
            around,
            records: Vec::new(),
            before: None,
        };
        let outcome = event(self, &mut step);
        let mut change = ShareChange {
            records: step.records,
            before: step.before,
        };
        if outcome.is_err() {
            self.undo(std::mem::take(&mut change));
        }
        (outcome, change)
    }

    /// Undoes a change that could not be written.
    pub fn undo(&mut self, change: ShareChange) {
        if let Some(before) = change.before {
            *self = *before;
        }
    }

    pub fn epoch(&self) -> i32 {
        self.epoch.epoch
    }

    /// The epoch of the target assignment.
    pub fn target_epoch(&self) -> i32 {
        self.target_epoch.epoch
    }

    /// The members by id.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&str, &ShareMember)> {
        self.members.iter().map(|(id, member)| (id.as_str(), &**member))
    }

    pub fn member(&self, id: &str) -> Option<&ShareMember> {
        self.members.get(id).map(|member| &**member)
    }

    /// The target assignment of a member.
    pub fn target(&self, id: &str) -> Arc<TopicPartitions> {
        self.targets.get(id).cloned().unwrap_or_default()
    }

    pub fn state(&self) -> ShareGroupState {
        if self.dead {
            ShareGroupState::Dead
        } else if self.members.is_empty() {
            ShareGroupState::Empty
        } else {
            ShareGroupState::Stable
        }
    }

    /// Whether nothing is lost without the group: it has no members, never had one, and reads nothing.
    pub fn is_untouched(&self) -> bool {
        self.members.is_empty()
            && self.epoch.epoch == FIRST_EPOCH
            && self.initialization == InitializationState::default()
    }

    /// The names of the topics that any member subscribes to.
    pub fn subscribed_topics(&self) -> BTreeSet<String> {
        let members = self.members.values();
        members
            .flat_map(|member| member.metadata.topics.iter().cloned())
            .collect()
    }

    pub(super) fn hash_of_topics(&self, catalog: &dyn TopicCatalog) -> i64 {
        topics::metadata_hash(&self.subscribed_topics(), catalog)
    }

    /// The tombstones that end the group, which must be empty.
    pub fn tombstones(&self) -> Result<Vec<ShareGroupRecord>, ResponseError> {
        match self.state() {
            ShareGroupState::Dead => Err(ResponseError::GroupIdNotFound),
            ShareGroupState::Stable => Err(ResponseError::NonEmptyGroup),
            ShareGroupState::Empty => Ok(vec![
                ShareGroupRecord::TargetEpoch(None),
                ShareGroupRecord::Initialization(None),
                ShareGroupRecord::Epoch(None),
            ]),
        }
    }

    /// Marks the group as deleted.
    pub fn die(&mut self) {
        self.dead = true;
    }

    /// The earliest deadline; `None` if there is none.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        self.sessions.values().copied().min()
    }

    /// Moves deadlines to `pause_ms` from now or later, because a change could not be written.
    pub fn postpone(&mut self, now_ms: i64, pause_ms: i64) {
        let later_ms = now_ms.saturating_add(pause_ms);
        for at_ms in self.sessions.values_mut() {
            *at_ms = later_ms.max(*at_ms);
        }
    }

    /// Starts the timers of a group that was read from disk: every member has a whole session timeout.
    pub fn start_timers(&mut self, around: ShareSurroundings<'_>) {
        let session_ms = i64::from(around.settings.session_timeout_ms);
        let until_ms = around.now_ms.saturating_add(session_ms);
        self.sessions = self.members.keys().map(|id| (id.clone(), until_ms)).collect();
    }
}
