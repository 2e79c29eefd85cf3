//! The coordinator: group id → group, one lock a group. Owns finding, creating and forgetting groups, and what is
//! asked of a group from outside; what a group does about it is `classic_group.rs`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use kafka_protocol::ResponseError;

use super::super::deadlines::Deadlines;
use super::super::lock;
use super::super::log::{CoordinatorLog, TransactionalProducer};
use super::classic_group::{ClassicGroup, GroupLimits};
use super::events::{
    GroupEvent, JoinAnswer, JoinGroup, LeavingMember, MemberIdentity, SyncAnswer, SyncGroup,
};
use super::group_state::GroupState;
use super::live_group::{LeaveOutcomes, LiveGroup};
use super::loading;
use super::member::Member;
use super::offsets::GroupOffsets;
use super::offsets_writer::OffsetsWriter;
use super::open_transactions::OpenTransactions;
use super::stored_records::{StoredKey, StoredOffset};
use super::subscription;
use crate::broker::config::BrokerConfig;

/// The broker configuration that groups obey; names are `server.properties`' own.
#[derive(Clone, Debug)]
pub struct GroupConfig {
    /// `group.min.session.timeout.ms`
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`
    pub max_session_timeout_ms: i32,
    /// `group.initial.rebalance.delay.ms`
    pub initial_rebalance_delay_ms: i64,
    /// `group.max.size`
    pub max_size: usize,
    /// `offsets.retention.minutes`, in milliseconds
    pub offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`
    pub offsets_retention_check_interval_ms: i64,
    /// `offset.metadata.max.bytes`
    pub offset_metadata_max_bytes: usize,
}

impl From<&BrokerConfig> for GroupConfig {
    fn from(config: &BrokerConfig) -> Self {
        let int = |name: &str| i32::try_from(config.number(name)).unwrap_or(i32::MAX);
        let size = |name: &str| usize::try_from(config.number(name)).unwrap_or(0);
        Self {
            min_session_timeout_ms: int("group.min.session.timeout.ms"),
            max_session_timeout_ms: int("group.max.session.timeout.ms"),
            initial_rebalance_delay_ms: config.number("group.initial.rebalance.delay.ms"),
            max_size: size("group.max.size"),
            offsets_retention_ms: config.number("offsets.retention.minutes").saturating_mul(60_000),
            offsets_retention_check_interval_ms: config.number("offsets.retention.check.interval.ms"),
            offset_metadata_max_bytes: size("offset.metadata.max.bytes"),
        }
    }
}

/// A group in a list.
#[derive(Clone, Debug)]
pub struct GroupListing {
    pub id: String,
    /// Empty for a group that only commits.
    pub protocol_type: String,
    pub state: GroupState,
}

/// A group in detail.
#[derive(Clone, Debug)]
pub struct GroupDescription {
    pub state: GroupState,
    pub protocol_type: String,
    /// The chosen protocol; empty while none is.
    pub protocol_name: String,
    pub members: Vec<Member>,
}

/// Every group of the broker.
#[derive(Debug)]
pub struct GroupCoordinator {
    config: GroupConfig,
    groups: Mutex<HashMap<String, Arc<Mutex<LiveGroup>>>>,
    pub(super) writer: OffsetsWriter,
    pub(super) deadlines: Deadlines,
    open_transactions: Mutex<OpenTransactions>,
}

impl GroupCoordinator {
    /// The coordinator of the groups that `log` keeps; reads them all.
    pub fn load(config: GroupConfig, log: Arc<CoordinatorLog>, now_ms: i64) -> crate::error::Result<Self> {
        let loaded = loading::read_groups(&log)?;
        let coordinator = Self {
            config,
            groups: Mutex::default(),
            writer: OffsetsWriter::new(log),
            deadlines: Deadlines::default(),
            open_transactions: Mutex::new(loaded.open_transactions),
        };
        for (id, stored) in loaded.groups {
            let limits = coordinator.limits();
            let machine = match &stored.metadata {
                Some(metadata) => ClassicGroup::restored(limits, now_ms, metadata),
                None => ClassicGroup::new(limits, now_ms),
            };
            let mut group = LiveGroup::with(&id, machine, stored.offsets);
            group.kept = true;
            coordinator.reset_alarm(&mut group);
            lock(&coordinator.groups).insert(id, Arc::new(Mutex::new(group)));
        }
        Ok(coordinator)
    }

    pub fn config(&self) -> &GroupConfig {
        &self.config
    }

    /// Joins `group`: answered when the rebalance is over.
    pub async fn join(&self, group: &str, now_ms: i64, request: JoinGroup) -> JoinAnswer {
        let member_id = request.member_id.clone();
        let timeouts = self.config.min_session_timeout_ms..=self.config.max_session_timeout_ms;
        if group.is_empty() {
            return JoinAnswer::refused(member_id, ResponseError::InvalidGroupId);
        }
        if !timeouts.contains(&request.session_timeout_ms) {
            return JoinAnswer::refused(member_id, ResponseError::InvalidSessionTimeout);
        }
        let enter = |group: &mut LiveGroup| {
            let (ticket, answer) = group.join_ticket();
            group.handle(&self.writer, now_ms, GroupEvent::Join(ticket, request));
            answer
        };
        // Who comes with an id comes to a group that exists.
        let answer = if member_id.is_empty() {
            Some(self.enter_or_create(group, now_ms, enter))
        } else {
            self.enter(group, enter)
        };
        match answer {
            None => JoinAnswer::refused(member_id, ResponseError::UnknownMemberId),
            Some(answer) => answer
                .await
                .unwrap_or_else(|_| JoinAnswer::refused(member_id, ResponseError::CoordinatorNotAvailable)),
        }
    }

    /// Asks for the assignment: answered when the leader has sent it.
    pub async fn sync(&self, group: &str, now_ms: i64, request: SyncGroup) -> SyncAnswer {
        if group.is_empty() {
            return SyncAnswer::refused(ResponseError::InvalidGroupId);
        }
        let answer = self.enter(group, |group| {
            let (ticket, answer) = group.sync_ticket();
            group.handle(&self.writer, now_ms, GroupEvent::Sync(ticket, request));
            answer
        });
        match answer {
            None => SyncAnswer::refused(ResponseError::UnknownMemberId),
            Some(answer) => answer
                .await
                .unwrap_or_else(|_| SyncAnswer::refused(ResponseError::CoordinatorNotAvailable)),
        }
    }

    pub fn heartbeat(&self, group: &str, now_ms: i64, member: MemberIdentity) -> Result<(), ResponseError> {
        if group.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        let answer = self.enter(group, |group| {
            let (ticket, mut answer) = group.heartbeat_ticket();
            group.handle(&self.writer, now_ms, GroupEvent::Heartbeat(ticket, member));
            answer.try_recv()
        });
        match answer {
            None => Err(ResponseError::UnknownMemberId),
            Some(Ok(None)) => Ok(()),
            Some(Ok(Some(error))) => Err(error),
            Some(Err(_)) => Err(ResponseError::UnknownServerError),
        }
    }

    /// Takes members out; one outcome for each.
    pub fn leave(
        &self,
        group: &str,
        now_ms: i64,
        leaving: Vec<LeavingMember>,
    ) -> Result<LeaveOutcomes, ResponseError> {
        if group.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        let names = leaving.clone();
        let answer = self.enter(group, |group| {
            let (ticket, mut answer) = group.leave_ticket();
            group.handle(&self.writer, now_ms, GroupEvent::Leave(ticket, leaving));
            answer.try_recv()
        });
        match answer {
            Some(answer) => answer.map_err(|_| ResponseError::UnknownServerError),
            None => Ok(names
                .into_iter()
                .map(|name| (name, Some(ResponseError::UnknownMemberId)))
                .collect()),
        }
    }

    /// Commits offsets of `(topic, partition)`; all of them or none.
    ///
    /// A commit of nobody (generation -1, no member) creates the group if need be: that is how a consumer keeps its
    /// place that assigns its partitions itself. `absent` is what a member of a group that is not there is told.
    pub fn commit(
        &self,
        group: &str,
        now_ms: i64,
        member: &MemberIdentity,
        offsets: &[(String, i32, StoredOffset)],
        absent: ResponseError,
    ) -> Result<(), ResponseError> {
        let commit = |group: &mut LiveGroup| {
            group.machine.check_offset_commit(member)?;
            let records: Vec<_> = offsets
                .iter()
                .map(|(topic, partition, offset)| {
                    (offset_key(&group.id, topic, *partition), Some(offset.encode()))
                })
                .collect();
            let first = self.writer.append(&group.id, now_ms, &records)?;
            group.kept |= !offsets.is_empty();
            for (record_offset, (topic, partition, offset)) in (first..).zip(offsets) {
                group
                    .offsets
                    .commit(topic, *partition, record_offset, offset.clone());
            }
            let member_id = member.member_id.clone();
            group.handle(&self.writer, now_ms, GroupEvent::OffsetsCommitted { member_id });
            Ok(())
        };
        if member.generation < 0 {
            self.enter_or_create(group, now_ms, commit)
        } else {
            self.enter(group, commit).unwrap_or(Err(absent))
        }
    }

    /// Commits offsets of `(topic, partition)` in the transaction of `producer`: they count once it is committed. A
    /// producer that does not say for which member it commits is not checked; with a generation the group must exist.
    pub fn commit_in_transaction(
        &self,
        group: &str,
        now_ms: i64,
        member: &MemberIdentity,
        producer: TransactionalProducer,
        offsets: &[(String, i32, StoredOffset)],
    ) -> Result<(), ResponseError> {
        let commit = |group: &mut LiveGroup| {
            group.machine.check_transactional_commit(member)?;
            let records: Vec<_> = offsets
                .iter()
                .map(|(topic, partition, offset)| {
                    (offset_key(&group.id, topic, *partition), Some(offset.encode()))
                })
                .collect();
            let (written_to, first) = self
                .writer
                .append_in_transaction(&group.id, now_ms, &records, producer)?;
            lock(&self.open_transactions).note(written_to, producer.id, &group.id);
            group.kept |= !offsets.is_empty();
            for (record_offset, (topic, partition, offset)) in (first..).zip(offsets) {
                let offset = offset.clone();
                group
                    .offsets
                    .commit_when_ended(producer.id, topic, *partition, record_offset, offset);
            }
            let member_id = member.member_id.clone();
            group.handle(&self.writer, now_ms, GroupEvent::OffsetsCommitted { member_id });
            Ok(())
        };
        if offsets.is_empty() {
            return Ok(());
        }
        if member.generation < 0 {
            self.enter_or_create(group, now_ms, commit)
        } else {
            self.enter(group, commit)
                .unwrap_or(Err(ResponseError::IllegalGeneration))
        }
    }

    /// A marker was written to a partition of `__consumer_offsets`: what the transaction committed there counts, or is
    /// forgotten.
    pub fn end_transaction(&self, partition: i32, producer_id: i64, commits: bool) {
        let concerned = lock(&self.open_transactions).take(partition, producer_id);
        for group in concerned {
            self.enter(&group, |group| {
                group.offsets.end_transaction(producer_id, commits);
            });
        }
    }

    /// The partition of `__consumer_offsets` that keeps `group`.
    pub fn partition_of(&self, group: &str) -> Result<i32, ResponseError> {
        self.writer.partition_of(group)
    }

    /// Looks at what `group` has committed; None when it does not exist.
    pub fn committed<R>(&self, group: &str, look: impl FnOnce(Option<&GroupOffsets>) -> R) -> R {
        match self.find(group) {
            None => look(None),
            Some(group) => look(Some(&lock(&group).offsets)),
        }
    }

    /// Deletes committed offsets, unless a member is subscribed to their topic: one outcome for each.
    pub fn delete_offsets(
        &self,
        group: &str,
        now_ms: i64,
        partitions: &[(String, i32)],
    ) -> Result<Vec<Option<ResponseError>>, ResponseError> {
        let delete = |group: &mut LiveGroup| {
            let machine = &group.machine;
            let subscribed = match machine.state() {
                GroupState::Dead => return Err(ResponseError::GroupIdNotFound),
                GroupState::Empty => Some(Vec::new()),
                _ if machine.protocol_type() != Some(subscription::CONSUMER) => {
                    return Err(ResponseError::NonEmptyGroup);
                }
                _ => subscription::topics(machine),
            };
            let in_use = |topic: &String| subscribed.as_ref().is_none_or(|topics| topics.contains(topic));
            let (mut outcomes, mut unused) = (Vec::new(), Vec::new());
            for (topic, partition) in partitions {
                let refusal = in_use(topic).then_some(ResponseError::GroupSubscribedToTopic);
                if refusal.is_none() {
                    unused.push((topic.clone(), *partition));
                }
                outcomes.push(refusal);
            }
            self.remove_offsets(group, now_ms, &unused)?;
            Ok(outcomes)
        };
        self.enter(group, delete)
            .unwrap_or(Err(ResponseError::GroupIdNotFound))
    }

    /// Every group, by id.
    pub fn list(&self) -> Vec<GroupListing> {
        let mut groups: Vec<_> = self
            .all()
            .into_iter()
            .filter_map(|group| {
                let group = lock(&group);
                (group.machine.state() != GroupState::Dead).then(|| GroupListing {
                    id: group.id.clone(),
                    protocol_type: group.machine.protocol_type().unwrap_or_default().to_owned(),
                    state: group.machine.state(),
                })
            })
            .collect();
        groups.sort_by(|left, right| left.id.cmp(&right.id));
        groups
    }

    /// The group in detail; None when it does not exist.
    pub fn describe(&self, group: &str) -> Option<GroupDescription> {
        self.enter(group, |group| {
            let machine = &group.machine;
            GroupDescription {
                state: machine.state(),
                protocol_type: machine.protocol_type().unwrap_or_default().to_owned(),
                protocol_name: machine.protocol_name().unwrap_or_default().to_owned(),
                members: machine.members().cloned().collect(),
            }
        })
    }

    /// Deletes an empty group with its offsets.
    pub fn delete(&self, group: &str, now_ms: i64) -> Result<(), ResponseError> {
        let deleted = self.enter(group, |group| self.delete_entered(group, now_ms));
        deleted.unwrap_or(Err(ResponseError::GroupIdNotFound))
    }

    fn delete_entered(&self, group: &mut LiveGroup, now_ms: i64) -> Result<(), ResponseError> {
        group.machine.clone().delete()?;
        let partitions = group.offsets.all_partitions().into_iter();
        let mut tombstones: Vec<_> = partitions
            .map(|(topic, partition)| (offset_key(&group.id, &topic, partition), None))
            .collect();
        tombstones.push((
            StoredKey::Group {
                group: group.id.clone(),
            },
            None,
        ));
        self.writer.append(&group.id, now_ms, &tombstones)?;
        group.offsets = GroupOffsets::default();
        group.machine.delete()
    }

    /// The topic is gone: so is what was committed for it.
    pub fn forget_topic(&self, topic: &str, now_ms: i64) {
        for group in self.all() {
            let mut group = lock(&group);
            let all = group.offsets.all_partitions().into_iter();
            let partitions: Vec<_> = all.filter(|(name, _)| *name == topic).collect();
            // What cannot be written now stays until it expires.
            let _ = self.remove_offsets(&mut group, now_ms, &partitions);
        }
    }

    /// Deletes the offsets that have expired, and the empty groups that have none left.
    pub(super) fn expire_offsets(&self, now_ms: i64) {
        let retention_ms = self.config.offsets_retention_ms;
        for shared in self.all() {
            let mut group = lock(&shared);
            let expired = group.offsets.expired(now_ms, retention_ms, group.expiry_clock());
            let removed = self.remove_offsets(&mut group, now_ms, &expired);
            let expects_nobody = group.machine.next_deadline_ms().is_none();
            if removed.is_ok()
                && group.machine.state() == GroupState::Empty
                && group.offsets.is_empty()
                && expects_nobody
                && self.delete_entered(&mut group, now_ms).is_ok()
            {
                let id = group.id.clone();
                drop(group);
                self.forget(&id, &shared);
            }
        }
    }

    /// Whatever is due by now happens in the groups that asked for it.
    pub(super) fn deadlines_passed(&self, now_ms: i64) {
        for id in self.deadlines.due(now_ms) {
            self.enter(&id, |group| {
                group.alarm_ms = None;
                group.handle(&self.writer, now_ms, GroupEvent::DeadlinePassed);
            });
        }
    }

    fn remove_offsets(
        &self,
        group: &mut LiveGroup,
        now_ms: i64,
        partitions: &[(String, i32)],
    ) -> Result<(), ResponseError> {
        let known: Vec<_> = partitions
            .iter()
            .filter(|(topic, partition)| {
                group.offsets.get(topic, *partition).is_some() || group.offsets.is_pending(topic, *partition)
            })
            .collect();
        if known.is_empty() {
            return Ok(());
        }
        let tombstones: Vec<_> = known
            .iter()
            .map(|(topic, partition)| (offset_key(&group.id, topic, *partition), None))
            .collect();
        self.writer.append(&group.id, now_ms, &tombstones)?;
        for (topic, partition) in known {
            group.offsets.remove(topic, *partition);
        }
        Ok(())
    }

    fn limits(&self) -> GroupLimits {
        GroupLimits {
            max_size: self.config.max_size,
            initial_rebalance_delay_ms: self.config.initial_rebalance_delay_ms,
        }
    }

    fn all(&self) -> Vec<Arc<Mutex<LiveGroup>>> {
        lock(&self.groups).values().cloned().collect()
    }

    fn find(&self, id: &str) -> Option<Arc<Mutex<LiveGroup>>> {
        lock(&self.groups).get(id).cloned()
    }

    /// Does something in a group that exists.
    fn enter<R>(&self, id: &str, act: impl FnOnce(&mut LiveGroup) -> R) -> Option<R> {
        self.enter_shared(&self.find(id)?, act).ok()
    }

    /// Does something in a group, which is there by then.
    fn enter_or_create<R>(&self, id: &str, now_ms: i64, mut act: impl FnOnce(&mut LiveGroup) -> R) -> R {
        loop {
            let shared = lock(&self.groups)
                .entry(id.to_owned())
                .or_insert_with(|| Arc::new(Mutex::new(LiveGroup::new(id, self.limits(), now_ms))))
                .clone();
            match self.enter_shared(&shared, act) {
                Ok(result) => return result,
                Err(not_done) => act = not_done,
            }
        }
    }

    /// Hands `act` back if the group died in the meantime.
    fn enter_shared<R, F: FnOnce(&mut LiveGroup) -> R>(
        &self,
        shared: &Arc<Mutex<LiveGroup>>,
        act: F,
    ) -> Result<R, F> {
        let mut group = lock(shared);
        let outcome = if group.machine.state() == GroupState::Dead {
            Err(act)
        } else {
            Ok(act(&mut group))
        };
        if group.is_forgettable() {
            // It is empty, so it can be deleted.
            let _ = group.machine.delete();
        }
        self.reset_alarm(&mut group);
        if group.machine.state() == GroupState::Dead {
            let id = group.id.clone();
            drop(group);
            self.forget(&id, shared);
        }
        outcome
    }

    fn forget(&self, id: &str, dead: &Arc<Mutex<LiveGroup>>) {
        let mut groups = lock(&self.groups);
        if groups.get(id).is_some_and(|group| Arc::ptr_eq(group, dead)) {
            groups.remove(id);
        }
    }

    fn reset_alarm(&self, group: &mut LiveGroup) {
        let next_ms = group.machine.next_deadline_ms();
        if next_ms != group.alarm_ms {
            self.deadlines.set(&group.id, group.alarm_ms, next_ms);
            group.alarm_ms = next_ms;
        }
    }
}

fn offset_key(group: &str, topic: &str, partition: i32) -> StoredKey {
    StoredKey::Offset {
        group: group.to_owned(),
        topic: topic.to_owned(),
        partition,
    }
}
