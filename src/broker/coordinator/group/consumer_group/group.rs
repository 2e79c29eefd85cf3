//! One group of the consumer protocol: its members, epochs and assignments, and how records change them.
//!
//! The state is the sum of the group's records: [`ConsumerGroup::apply`] is the only way to change it, while the
//! broker runs and when it reads `__consumer_offsets` at the start. Only timers are kept beside the records. Owns no
//! rule; those are in `heartbeat.rs` and the files that it names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use kafka_protocol::ResponseError;
use uuid::Uuid;

use super::conversion::{Downgrade, MigrationPolicy};
use super::member::{ConsumerMember, CurrentAssignment, MemberState};
use super::record::{GroupEpoch, GroupRecord, ResolvedRegex, TargetEpoch};
use super::topics::{self, TopicCatalog};
use crate::broker::coordinator::group::assignor::{Assignor, TopicPartitions};

/// A refusal: the error, and Kafka's message.
pub type Refused = (ResponseError, String);

/// The epoch of a group that was just created, and of its target assignment. It is never written.
pub const FIRST_EPOCH: i32 = 1;

/// The states of a group of the consumer protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerGroupState {
    /// It has no members. Offsets may remain.
    Empty,
    /// Something has changed since the assignor ran last.
    Assigning,
    /// Members have not reached the target assignment yet.
    Reconciling,
    Stable,
    /// Deleted: a request that still holds the group looks it up again.
    Dead,
}

impl ConsumerGroupState {
    /// Kafka's name of the state.
    pub fn name(self) -> &'static str {
        match self {
            ConsumerGroupState::Empty => "Empty",
            ConsumerGroupState::Assigning => "Assigning",
            ConsumerGroupState::Reconciling => "Reconciling",
            ConsumerGroupState::Stable => "Stable",
            ConsumerGroupState::Dead => "Dead",
        }
    }
}

/// The settings of one group: its own configs before the broker's.
#[derive(Clone, Debug)]
pub struct ConsumerGroupSettings {
    /// The session timeout.
    pub session_timeout_ms: i32,
    /// How often members are to send heartbeats.
    pub heartbeat_interval_ms: i32,
    /// The shortest time between two runs of the assignor, in ms.
    pub assignment_interval_ms: i32,
    /// The most members.
    pub max_size: usize,
    /// The assignors that members may choose; the first is the default.
    pub assignors: Vec<Assignor>,
    /// Whether a group with members may change its protocol.
    pub migration: MigrationPolicy,
    /// The most members of a group of the classic protocol.
    pub classic_max_size: usize,
    /// After this time regular expressions are matched again, in ms.
    pub regex_refresh_interval_ms: i32,
}

/// The conditions of an event.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Milliseconds since 1970 on the coordinator's clock.
    pub now_ms: i64,
    pub settings: &'a ConsumerGroupSettings,
    pub catalog: &'a dyn TopicCatalog,
}

/// One event that is being handled: its conditions, and the records so far.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) around: Surroundings<'a>,
    records: Vec<GroupRecord>,
    /// The group before its first record.
    before: Option<Box<ConsumerGroup>>,
    /// Set if the group becomes a classic one.
    pub(super) downgrade: Option<Downgrade>,
}

/// The changes of an event: to be written, or else to be undone.
#[derive(Debug, Default)]
pub struct Change {
    pub records: Vec<GroupRecord>,
    /// Set if the records end the group, and a classic one takes its place.
    pub downgrade: Option<Downgrade>,
    before: Option<Box<ConsumerGroup>>,
}

/// When a member must have revoked partitions, and its epoch when the coordinator asked for that.
#[derive(Clone, Copy, Debug)]
pub(super) struct RevocationDeadline {
    pub(super) at_ms: i64,
    pub(super) member_epoch: i32,
}

/// One group of the consumer protocol.
#[derive(Clone, Debug)]
pub struct ConsumerGroup {
    pub(super) id: String,
    pub(super) dead: bool,
    pub(super) epoch: GroupEpoch,
    pub(super) target_epoch: TargetEpoch,
    pub(super) members: BTreeMap<String, Arc<ConsumerMember>>,
    /// Instance id → member id.
    pub(super) static_members: BTreeMap<String, String>,
    pub(super) targets: BTreeMap<String, Arc<TopicPartitions>>,
    pub(super) regexes: BTreeMap<String, Arc<ResolvedRegex>>,
    /// The owner of each partition, also while it is to revoke it.
    pub(super) holders: HashMap<(Uuid, i32), String>,
    /// The session deadline of each member.
    pub(super) sessions: BTreeMap<String, i64>,
    pub(super) revocations: BTreeMap<String, RevocationDeadline>,
    /// When members of the classic protocol must have joined again, or asked for their assignment.
    pub(super) classic_deadlines: BTreeMap<String, i64>,
    /// The version of the topics when the hash was last compared.
    pub(super) seen_topics: Option<i64>,
    /// Whether regular expressions have to be matched now.
    pub(super) matching_is_due: bool,
}

impl<'a> Step<'a> {
    fn new(around: Surroundings<'a>) -> Self {
        Self {
            around,
            records: Vec::new(),
            before: None,
            downgrade: None,
        }
    }
}

impl ConsumerGroup {
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
            static_members: BTreeMap::new(),
            targets: BTreeMap::new(),
            regexes: BTreeMap::new(),
            holders: HashMap::new(),
            sessions: BTreeMap::new(),
            revocations: BTreeMap::new(),
            classic_deadlines: BTreeMap::new(),
            seen_topics: None,
            matching_is_due: false,
        }
    }

    /// Applies one record.
    pub fn apply(&mut self, record: &GroupRecord) {
        match record {
            GroupRecord::Epoch(Some(epoch)) => self.epoch = *epoch,
            GroupRecord::TargetEpoch(Some(target)) => self.target_epoch = *target,
            // Tombstones of these are written when the group ends.
            GroupRecord::Epoch(None) | GroupRecord::TargetEpoch(None) | GroupRecord::NoPartitionMetadata => {}
            GroupRecord::Member(id, Some(metadata)) => {
                if let Some(instance_id) = &metadata.instance_id {
                    self.static_members.insert(instance_id.clone(), id.clone());
                }
                self.member_mut(id).metadata = metadata.clone();
            }
            GroupRecord::Member(id, None) => self.forget_member(id),
            GroupRecord::Target(id, Some(target)) => {
                self.targets.insert(id.clone(), Arc::new(target.clone()));
            }
            GroupRecord::Target(id, None) => {
                self.targets.remove(id);
            }
            GroupRecord::Current(id, Some(current)) => {
                self.release(id);
                for (topic, partition, _) in current.held() {
                    self.holders.insert((topic, partition), id.clone());
                }
                self.member_mut(id).current = current.clone();
            }
            GroupRecord::Current(id, None) => {
                self.release(id);
                if self.members.contains_key(id) {
                    self.member_mut(id).current = CurrentAssignment::default();
                }
            }
            GroupRecord::Regex(pattern, Some(resolved)) => {
                self.regexes.insert(pattern.clone(), Arc::new(resolved.clone()));
            }
            GroupRecord::Regex(pattern, None) => {
                self.regexes.remove(pattern);
            }
        }
    }

    fn member_mut(&mut self, id: &str) -> &mut ConsumerMember {
        Arc::make_mut(self.members.entry(id.to_owned()).or_default())
    }

    fn forget_member(&mut self, id: &str) {
        self.release(id);
        let member = self.members.remove(id);
        if let Some(instance_id) = member
            .as_ref()
            .and_then(|member| member.metadata.instance_id.as_ref())
            && self
                .static_members
                .get(instance_id)
                .is_some_and(|current| current == id)
        {
            self.static_members.remove(instance_id);
        }
        self.sessions.remove(id);
        self.revocations.remove(id);
        self.classic_deadlines.remove(id);
    }

    /// The member owns nothing any more.
    fn release(&mut self, id: &str) {
        if let Some(member) = self.members.get(id) {
            for (topic, partition, _) in member.current.held() {
                // In a compacted log, another member's record for the partition may come before this one's.
                if self
                    .holders
                    .get(&(topic, partition))
                    .is_some_and(|holder| holder == id)
                {
                    self.holders.remove(&(topic, partition));
                }
            }
        }
    }

    /// Adds `record` to the event, and applies it.
    pub(super) fn write(&mut self, step: &mut Step<'_>, record: GroupRecord) {
        if step.before.is_none() {
            step.before = Some(Box::new(self.clone()));
        }
        self.apply(&record);
        step.records.push(record);
    }

    /// Runs an event; one that is refused changes nothing.
    pub(super) fn happen<A>(
        &mut self,
        around: Surroundings<'_>,
        event: impl FnOnce(&mut Self, &mut Step<'_>) -> Result<A, Refused>,
    ) -> (Result<A, Refused>, Change) {
        let mut step = Step::new(around);
        let outcome = event(self, &mut step);
        let mut change = Change {
            records: step.records,
            downgrade: step.downgrade,
            before: step.before,
        };
        if outcome.is_err() {
            self.undo(std::mem::take(&mut change));
        }
        (outcome, change)
    }

    /// Undoes a change that could not be written.
    pub fn undo(&mut self, change: Change) {
        if let Some(before) = change.before {
            *self = *before;
        }
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn epoch(&self) -> i32 {
        self.epoch.epoch
    }

    /// The epoch of the target assignment.
    pub fn target_epoch(&self) -> i32 {
        self.target_epoch.epoch
    }

    /// The members by id.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&str, &ConsumerMember)> {
        self.members.iter().map(|(id, member)| (id.as_str(), &**member))
    }

    pub fn member(&self, id: &str) -> Option<&ConsumerMember> {
        self.members.get(id).map(|member| &**member)
    }

    /// The target assignment of a member.
    pub fn target(&self, id: &str) -> Arc<TopicPartitions> {
        self.targets.get(id).cloned().unwrap_or_default()
    }

    pub fn state(&self) -> ConsumerGroupState {
        let has_come = |member: &Arc<ConsumerMember>| {
            member.current.state == MemberState::Stable && member.current.epoch == self.target_epoch.epoch
        };
        if self.dead {
            ConsumerGroupState::Dead
        } else if self.members.is_empty() {
            ConsumerGroupState::Empty
        } else if self.epoch.epoch > self.target_epoch.epoch {
            ConsumerGroupState::Assigning
        } else if self.members.values().all(has_come) {
            ConsumerGroupState::Stable
        } else {
            ConsumerGroupState::Reconciling
        }
    }

    /// Whether nothing is lost without the group: it has no members, and never had one.
    pub fn is_untouched(&self) -> bool {
        self.members.is_empty() && self.epoch.epoch == FIRST_EPOCH
    }

    /// The number of members that subscribe to this regular expression.
    pub(super) fn subscribers_of_regex(&self, regex: &str) -> usize {
        let members = self.members.values();
        members.filter(|member| member.metadata.regex == regex).count()
    }

    /// The names of the topics that a member subscribes to; a regular expression counts once it was matched.
    pub(super) fn topics_of(&self, member: &ConsumerMember) -> BTreeSet<String> {
        let mut names = member.metadata.topics.clone();
        if let Some(resolved) = self.regexes.get(&member.metadata.regex) {
            names.extend(resolved.topics.iter().cloned());
        }
        names
    }

    /// The names of the topics that any member subscribes to.
    pub fn subscribed_topics(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for member in self.members.values() {
            names.extend(member.metadata.topics.iter().cloned());
        }
        for (pattern, resolved) in &self.regexes {
            if self.subscribers_of_regex(pattern) > 0 {
                names.extend(resolved.topics.iter().cloned());
            }
        }
        names
    }

    pub(super) fn hash_of_topics(&self, catalog: &dyn TopicCatalog) -> i64 {
        topics::metadata_hash(&self.subscribed_topics(), catalog)
    }

    /// The assignor that most members want; of several, or if no member wants one, the first that is configured.
    pub fn preferred_assignor(&self, configured: &[Assignor]) -> Assignor {
        let wanted = |assignor: &Assignor| {
            let members = self.members.values();
            members
                .filter(|member| member.metadata.assignor.as_deref() == Some(assignor.name()))
                .count()
        };
        // `max_by_key` returns the last of equals.
        let most = configured.iter().rev().max_by_key(|assignor| wanted(assignor));
        most.copied().unwrap_or(Assignor::Uniform)
    }

    /// The tombstones that end the group, which must be empty.
    pub fn tombstones(&self) -> Result<Vec<GroupRecord>, ResponseError> {
        match self.state() {
            ConsumerGroupState::Dead => Err(ResponseError::GroupIdNotFound),
            ConsumerGroupState::Empty => {
                let regexes = self
                    .regexes
                    .keys()
                    .map(|pattern| GroupRecord::Regex(pattern.clone(), None));
                let last = [
                    GroupRecord::TargetEpoch(None),
                    GroupRecord::NoPartitionMetadata,
                    GroupRecord::Epoch(None),
                ];
                Ok(regexes.chain(last).collect())
            }
            _ => Err(ResponseError::NonEmptyGroup),
        }
    }

    /// Marks the group as deleted.
    pub fn die(&mut self) {
        self.dead = true;
    }
}
