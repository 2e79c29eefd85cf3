//! One group of the consumer protocol: its members, epochs and assignments, and how records change them.
//!
//! The state is the sum of the group's records: [`ConsumerGroup::apply`] is the only way to change it, while the
//! broker runs and when it reads `__consumer_offsets` at start. Beside the records are only timers. Owns no rule;
//! those are in `heartbeat.rs` and the files that it names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use kafka_protocol::ResponseError;
use uuid::Uuid;

use super::conversion::{Downgrade, MigrationPolicy};
use super::member::{ConsumerMember, CurrentAssignment, MemberState};
use super::record::{GroupEpoch, GroupRecord, ResolvedRegex, TargetEpoch};
use super::topics::{self, TopicCatalog};
use crate::broker::coordinator::group::assignor::{Assignor, TopicPartitions};

/// A refusal: the error, and what Kafka says about it.
pub type Refused = (ResponseError, String);

/// The epoch of a group that was just made, of the group itself as of its target assignment. It is never written.
pub const FIRST_EPOCH: i32 = 1;

/// The states of a group of the consumer protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerGroupState {
    /// It has no members. Offsets may remain.
    Empty,
    /// Something has changed since the assignor ran last.
    Assigning,
    /// Members are on their way to the target assignment.
    Reconciling,
    Stable,
    /// Deleted: whoever still holds the group looks it up again.
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

/// What configuration says about one group; the group's own configs count before the broker's.
#[derive(Clone, Debug)]
pub struct ConsumerGroupSettings {
    /// How long a member may be silent.
    pub session_timeout_ms: i32,
    /// How often members are to send heartbeats.
    pub heartbeat_interval_ms: i32,
    /// The assignor does not run again so soon after its last run.
    pub assignment_interval_ms: i32,
    /// How many members there may be.
    pub max_size: usize,
    /// What members may choose; the first one serves where nobody chooses.
    pub assignors: Vec<Assignor>,
    /// Whether a group with members may change its protocol.
    pub migration: MigrationPolicy,
    /// How many members a group of the classic protocol may have.
    pub classic_max_size: usize,
    /// After so long regular expressions are matched anew.
    pub regex_refresh_interval_ms: i32,
}

/// What an event happens amid.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Milliseconds since 1970 on the coordinator's clock.
    pub now_ms: i64,
    pub settings: &'a ConsumerGroupSettings,
    pub catalog: &'a dyn TopicCatalog,
}

/// One event being handled: what it happens amid, and the records so far.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) around: Surroundings<'a>,
    records: Vec<GroupRecord>,
    /// The group before its first record.
    before: Option<Box<ConsumerGroup>>,
    /// The group becomes a classic one.
    pub(super) downgrade: Option<Downgrade>,
}

/// What an event has changed: to be written, or else to be undone.
#[derive(Debug, Default)]
pub struct Change {
    pub records: Vec<GroupRecord>,
    /// The records end the group, and a classic one takes its place.
    pub downgrade: Option<Downgrade>,
    before: Option<Box<ConsumerGroup>>,
}

/// Until when a member must have given partitions back, and which epoch it had when it was told.
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
    /// Who holds a partition, also if it is to give it back.
    pub(super) holders: HashMap<(Uuid, i32), String>,
    /// Until when each member must be heard of.
    pub(super) sessions: BTreeMap<String, i64>,
    pub(super) revocations: BTreeMap<String, RevocationDeadline>,
    /// Until when members of the classic protocol must have joined again, or asked for their assignment.
    pub(super) classic_deadlines: BTreeMap<String, i64>,
    /// The version of the topics at the last comparison of the hash.
    pub(super) seen_topics: Option<i64>,
    /// Regular expressions are to be matched now.
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
    /// A group that has never had a member.
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

    /// What one record changes.
    pub fn apply(&mut self, record: &GroupRecord) {
        match record {
            GroupRecord::Epoch(Some(epoch)) => self.epoch = *epoch,
            GroupRecord::TargetEpoch(Some(target)) => self.target_epoch = *target,
            // Tombstones of these come with the end of the group.
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

    /// The member holds nothing any more.
    fn release(&mut self, id: &str) {
        if let Some(member) = self.members.get(id) {
            for (topic, partition, _) in member.current.held() {
                // In a log that was compacted another member may have got it before this one's record is seen.
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

    /// Makes `record` part of the event.
    pub(super) fn write(&mut self, step: &mut Step<'_>, record: GroupRecord) {
        if step.before.is_none() {
            step.before = Some(Box::new(self.clone()));
        }
        self.apply(&record);
        step.records.push(record);
    }

    /// Lets something happen; what is refused changes nothing.
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

    /// Takes back what could not be written.
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

    /// The epoch that the target assignment is for.
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

    /// What the member shall have.
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

    /// Whether nothing would be lost with the group: it has no members, and never had one.
    pub fn is_untouched(&self) -> bool {
        self.members.is_empty() && self.epoch.epoch == FIRST_EPOCH
    }

    /// How many members subscribe to this regular expression.
    pub(super) fn subscribers_of_regex(&self, regex: &str) -> usize {
        let members = self.members.values();
        members.filter(|member| member.metadata.regex == regex).count()
    }

    /// The names of the topics that a member subscribes to; its regular expression counts once it is resolved.
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

    /// The assignor that most members ask for; of several the one that is configured first, as where nobody asks.
    pub fn preferred_assignor(&self, configured: &[Assignor]) -> Assignor {
        let wanted = |assignor: &Assignor| {
            let members = self.members.values();
            members
                .filter(|member| member.metadata.assignor.as_deref() == Some(assignor.name()))
                .count()
        };
        // The last of the largest is taken.
        let most = configured.iter().rev().max_by_key(|assignor| wanted(assignor));
        most.copied().unwrap_or(Assignor::Uniform)
    }

    /// The records that end the group; only an empty one may be deleted.
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

    /// The group is gone.
    pub fn die(&mut self) {
        self.dead = true;
    }
}
