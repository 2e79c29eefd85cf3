//! The coordinator: group id → group, one lock a group. Owns finding, creating and forgetting groups, and what is
//! asked of a group from outside; what a group does about it is `classic_group.rs`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use kafka_protocol::ResponseError;
use uuid::Uuid;

use super::super::deadlines::Deadlines;
use super::super::loading::partitions;
use super::super::lock;
use super::super::log::{CoordinatorLog, KeyValue, TransactionalProducer};
use super::super::ownership::Ownership;
use super::assignor::Assignor;
use super::classic_group::{ClassicGroup, GroupLimits};
use super::consumer_group::ConsumerGroupSettings;
use super::consumer_group::conversion::MigrationPolicy;
use super::environment::Environment;
use super::events::{
    GroupEvent, JoinAnswer, JoinGroup, LeavingMember, MemberIdentity, SyncAnswer, SyncGroup,
};
use super::group_kind::{GroupKind, GroupType};
use super::group_state::GroupState;
use super::live_group::{LeaveOutcomes, LiveGroup};
use super::loading::{self, LoadedGroup};
use super::member::Member;
use super::offsets::GroupOffsets;
use super::offsets_writer::OffsetsWriter;
use super::open_transactions::OpenTransactions;
use super::share_group::{ShareGroup, ShareGroupSettings};
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
    /// Whether `group.coordinator.rebalance.protocols` has the consumer protocol.
    pub has_consumer_protocol: bool,
    /// `group.consumer.*`
    pub consumer: ConsumerGroupSettings,
    /// `group.share.*`
    pub share: ShareGroupSettings,
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
            has_consumer_protocol: config.value("group.coordinator.rebalance.protocols").is_some_and(
                |list| {
                    list.split(',')
                        .any(|name| name.trim() == GroupType::Consumer.name())
                },
            ),
            consumer: ConsumerGroupSettings {
                session_timeout_ms: int("group.consumer.session.timeout.ms"),
                heartbeat_interval_ms: int("group.consumer.heartbeat.interval.ms"),
                assignment_interval_ms: int("group.consumer.assignment.interval.ms"),
                max_size: size("group.consumer.max.size"),
                assignors: assignors(config.value("group.consumer.assignors").unwrap_or_default()),
                migration: MigrationPolicy::named(
                    config
                        .value("group.consumer.migration.policy")
                        .unwrap_or_default(),
                ),
                classic_max_size: size("group.max.size"),
                regex_refresh_interval_ms: int("group.consumer.regex.refresh.interval.ms"),
            },
            share: ShareGroupSettings {
                session_timeout_ms: int("group.share.session.timeout.ms"),
                heartbeat_interval_ms: int("group.share.heartbeat.interval.ms"),
                assignment_interval_ms: int("group.share.assignment.interval.ms"),
                max_size: size("group.share.max.size"),
            },
        }
    }
}

/// The assignors of a list of names; names of Java classes are none that could run here.
fn assignors(list: &str) -> Vec<Assignor> {
    let named: Vec<Assignor> = list
        .split(',')
        .filter_map(|name| Assignor::named(name.trim()))
        .collect();
    if named.is_empty() {
        vec![Assignor::Uniform, Assignor::Range]
    } else {
        named
    }
}

/// A group in a list.
#[derive(Clone, Debug)]
pub struct GroupListing {
    pub id: String,
    /// Empty for a group that only commits.
    pub protocol_type: String,
    pub group_type: GroupType,
    /// Kafka's name of the state.
    pub state: &'static str,
}

/// A group of the classic protocol in detail.
#[derive(Clone, Debug)]
pub struct GroupDescription {
    pub state: GroupState,
    pub protocol_type: String,
    /// The chosen protocol; empty while none is.
    pub protocol_name: String,
    pub members: Vec<Member>,
}

/// What becomes of a JoinGroup.
enum Joined {
    At(JoinAnswer),
    Later(tokio::sync::oneshot::Receiver<JoinAnswer>),
}

/// Every group of the broker.
#[derive(Debug)]
pub struct GroupCoordinator {
    config: GroupConfig,
    environment: Arc<dyn Environment>,
    groups: Mutex<HashMap<String, Arc<Mutex<LiveGroup>>>>,
    pub(super) writer: OffsetsWriter,
    pub(super) deadlines: Deadlines,
    open_transactions: Mutex<OpenTransactions>,
}

impl GroupCoordinator {
    /// The coordinator of the groups that `log` keeps; reads them all if there is no other node.
    pub fn load(
        config: GroupConfig,
        log: Arc<CoordinatorLog>,
        environment: Arc<dyn Environment>,
        now_ms: i64,
    ) -> crate::error::Result<Self> {
        let coordinator = Self {
            config,
            environment,
            groups: Mutex::default(),
            writer: OffsetsWriter::new(log),
            deadlines: Deadlines::default(),
            open_transactions: Mutex::default(),
        };
        if coordinator.ownership().is_everything() {
            for partition in partitions(coordinator.writer.log()) {
                coordinator.load_partition(partition, 0, now_ms)?;
            }
        }
        Ok(coordinator)
    }

    /// The partitions of `__consumer_offsets` whose groups are coordinated here.
    pub(in crate::broker) fn ownership(&self) -> &Ownership {
        self.writer.log().ownership()
    }

    /// Whether a group is coordinated here.
    ///
    /// # Errors
    ///
    /// What a client is answered with otherwise.
    pub fn check_owner(&self, group: &str) -> Result<(), ResponseError> {
        self.writer.log().check_owner(group)
    }

    /// Takes charge of the groups that a partition keeps, which this node leads since `epoch`.
    pub(in crate::broker) fn load_partition(
        &self,
        partition: i32,
        epoch: i32,
        now_ms: i64,
    ) -> crate::error::Result<()> {
        let loaded = loading::read_groups(self.writer.log(), partition)?;
        self.unload_partition(partition);
        lock(&self.open_transactions).merge(loaded.open_transactions);
        for (id, stored) in loaded.groups {
            let mut group = self.restored(&id, stored, now_ms);
            self.reset_alarm(&mut group);
            lock(&self.groups).insert(id, Arc::new(Mutex::new(group)));
        }
        if !self.ownership().loaded(partition, epoch) {
            self.unload_partition(partition);
        }
        Ok(())
    }

    fn restored(&self, id: &str, stored: LoadedGroup, now_ms: i64) -> LiveGroup {
        let limits = self.limits();
        let kind = match (stored.consumer, stored.metadata) {
            _ if stored.share.is_some() => {
                let mut group = stored.share.unwrap_or_else(|| ShareGroup::new(id));
                let settings = self.share_settings(id);
                group.start_timers(self.share_surroundings(now_ms, &settings));
                GroupKind::Share(Box::new(group))
            }
            (Some(mut group), _) => {
                let settings = self.consumer_settings(id);
                group.start_timers(self.surroundings(now_ms, &settings));
                GroupKind::Consumer(Box::new(group))
            }
            (None, Some(metadata)) => {
                GroupKind::Classic(Box::new(ClassicGroup::restored(limits, now_ms, &metadata)))
            }
            (None, None) => GroupKind::Classic(Box::new(ClassicGroup::new(limits, now_ms))),
        };
        let mut group = LiveGroup::with(id, kind, stored.offsets);
        group.kept = true;
        group
    }

    /// Forgets the groups that a partition keeps: another node coordinates them, or nobody. Who waits for an answer is
    /// told so.
    pub(in crate::broker) fn unload_partition(&self, partition: i32) {
        lock(&self.open_transactions).forget(partition);
        let mut gone = Vec::new();
        lock(&self.groups).retain(|id, group| {
            let stays = !self.writer.log().keeps(partition, id);
            if !stays {
                gone.push(Arc::clone(group));
            }
            stays
        });
        for group in gone {
            let mut group = lock(&group);
            self.deadlines.set(&group.id, group.alarm_ms, None);
            group.alarm_ms = None;
            group.kind.die();
            group.drop_waiters();
        }
    }

    /// Why a request that waited gets no answer.
    fn gave_up(&self, group: &str) -> ResponseError {
        let moved = self.check_owner(group).err();
        moved.unwrap_or(ResponseError::CoordinatorNotAvailable)
    }

    pub(super) fn environment(&self) -> &dyn Environment {
        &*self.environment
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
        if let Err(error) = self.check_owner(group) {
            return JoinAnswer::refused(member_id, error);
        }
        if !timeouts.contains(&request.session_timeout_ms) {
            return JoinAnswer::refused(member_id, ResponseError::InvalidSessionTimeout);
        }
        let enter = |group: &mut LiveGroup| {
            self.become_classic_group(group, now_ms)?;
            if group.kind.share().is_some() {
                return Err(ResponseError::InconsistentGroupProtocol);
            }
            if group.kind.consumer().is_some() {
                return Ok(Joined::At(self.join_consumer_group(group, now_ms, &request)));
            }
            let (ticket, answer) = group.join_ticket();
            group.handle(&self.writer, now_ms, GroupEvent::Join(ticket, request));
            Ok(Joined::Later(answer))
        };
        // Who comes with an id comes to a group that exists.
        let answer = if member_id.is_empty() {
            Some(self.enter_or_create(group, now_ms, enter))
        } else {
            self.enter(group, enter)
        };
        match answer {
            None => JoinAnswer::refused(member_id, ResponseError::UnknownMemberId),
            Some(Err(error)) => JoinAnswer::refused(member_id, error),
            Some(Ok(Joined::At(answer))) => answer,
            Some(Ok(Joined::Later(answer))) => answer
                .await
                .unwrap_or_else(|_| JoinAnswer::refused(member_id, self.gave_up(group))),
        }
    }

    /// Asks for the assignment: answered when the leader has sent it.
    pub async fn sync(&self, group: &str, now_ms: i64, request: SyncGroup) -> SyncAnswer {
        if group.is_empty() {
            return SyncAnswer::refused(ResponseError::InvalidGroupId);
        }
        if let Err(error) = self.check_owner(group) {
            return SyncAnswer::refused(error);
        }
        let answer = self.enter(group, |group| {
            if group.kind.share().is_some() {
                return Err(SyncAnswer::refused(ResponseError::InconsistentGroupProtocol));
            }
            if let Some(answer) = self.sync_consumer_group(group, now_ms, &request) {
                return Err(answer);
            }
            let (ticket, answer) = group.sync_ticket();
            group.handle(&self.writer, now_ms, GroupEvent::Sync(ticket, request));
            Ok(answer)
        });
        match answer {
            None => SyncAnswer::refused(ResponseError::UnknownMemberId),
            Some(Err(answer)) => answer,
            Some(Ok(answer)) => answer
                .await
                .unwrap_or_else(|_| SyncAnswer::refused(self.gave_up(group))),
        }
    }

    pub fn heartbeat(&self, group: &str, now_ms: i64, member: MemberIdentity) -> Result<(), ResponseError> {
        if group.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        self.check_owner(group)?;
        let answer = self.enter(group, |group| {
            if group.kind.share().is_some() {
                return Ok(Some(ResponseError::UnknownMemberId));
            }
            if let Some(outcome) = self.heartbeat_consumer_group(group, now_ms, &member) {
                return Ok(outcome.err());
            }
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
        self.check_owner(group)?;
        let names = leaving.clone();
        let answer = self.enter(group, |group| {
            if group.kind.share().is_some() {
                let unknown = |member| (member, Some(ResponseError::UnknownMemberId));
                return Ok(leaving.into_iter().map(unknown).collect());
            }
            if group.kind.consumer().is_some() {
                return Ok(self.leave_consumer_group(group, now_ms, leaving));
            }
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
    /// place that assigns its partitions itself. `version` is that of the request: from 9 on it speaks of epochs and of
    /// groups that are not there.
    pub fn commit(
        &self,
        group: &str,
        now_ms: i64,
        member: &MemberIdentity,
        offsets: &[(String, i32, StoredOffset)],
        version: i16,
    ) -> Result<(), ResponseError> {
        self.check_owner(group)?;
        let commit = |group: &mut LiveGroup| {
            match &group.kind {
                GroupKind::Classic(group) => group.check_offset_commit(member)?,
                GroupKind::Consumer(group) => {
                    let partitions = partitions_of(offsets);
                    group.check_offset_commit(&member.member_id, member.generation, version, partitions)?;
                }
                GroupKind::Share(_) => return Err(ResponseError::GroupIdNotFound),
            }
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
            let absent = if version >= 9 {
                ResponseError::GroupIdNotFound
            } else {
                ResponseError::IllegalGeneration
            };
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
        self.check_owner(group)?;
        let commit = |group: &mut LiveGroup| {
            match &group.kind {
                GroupKind::Classic(group) => group.check_transactional_commit(member)?,
                GroupKind::Consumer(group) => {
                    group.check_transactional_commit(member, partitions_of(offsets))?;
                }
                GroupKind::Share(_) => return Err(ResponseError::GroupIdNotFound),
            }
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
        self.check_owner(group)?;
        let delete = |group: &mut LiveGroup| {
            let subscribed = match &group.kind {
                kind if kind.is_dead() => return Err(ResponseError::GroupIdNotFound),
                GroupKind::Share(_) => return Err(ResponseError::GroupIdNotFound),
                kind if kind.is_empty() => Some(Vec::new()),
                GroupKind::Consumer(group) => Some(group.subscribed_topics().into_iter().collect()),
                GroupKind::Classic(group) if group.protocol_type() != Some(subscription::CONSUMER) => {
                    return Err(ResponseError::NonEmptyGroup);
                }
                GroupKind::Classic(group) => subscription::topics(group),
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
                (!group.kind.is_dead()).then(|| GroupListing {
                    id: group.id.clone(),
                    protocol_type: group.kind.protocol_type().to_owned(),
                    group_type: group.kind.group_type(),
                    state: group.kind.state_name(),
                })
            })
            .collect();
        groups.sort_by(|left, right| left.id.cmp(&right.id));
        groups
    }

    /// A group of the classic protocol in detail, or what Kafka says where there is none.
    pub fn describe(&self, group: &str) -> Result<GroupDescription, String> {
        let described = self.enter(group, |live| {
            let classic = live
                .kind
                .classic()
                .ok_or_else(|| format!("Group {group} is not a classic group."))?;
            Ok(GroupDescription {
                state: classic.state(),
                protocol_type: classic.protocol_type().unwrap_or_default().to_owned(),
                protocol_name: classic.protocol_name().unwrap_or_default().to_owned(),
                members: classic.members().cloned().collect(),
            })
        });
        described.unwrap_or_else(|| Err(format!("Group {group} not found.")))
    }

    /// Deletes an empty group with its offsets.
    pub fn delete(&self, group: &str, now_ms: i64) -> Result<(), ResponseError> {
        self.check_owner(group)?;
        let deleted = self.enter(group, |group| self.delete_entered(group, now_ms));
        deleted.unwrap_or(Err(ResponseError::GroupIdNotFound))
    }

    fn delete_entered(&self, group: &mut LiveGroup, now_ms: i64) -> Result<(), ResponseError> {
        self.delete_share_states(group, now_ms)?;
        let of_group: Vec<KeyValue> = match &group.kind {
            GroupKind::Classic(classic) => {
                classic.clone().delete()?;
                let key = StoredKey::Group {
                    group: group.id.clone(),
                };
                vec![(key.encode(), None)]
            }
            GroupKind::Consumer(consumer) => {
                let records = consumer.tombstones()?;
                records.iter().map(|record| record.encode(&group.id)).collect()
            }
            GroupKind::Share(share) => {
                let records = share.tombstones()?;
                records.iter().map(|record| record.encode(&group.id)).collect()
            }
        };
        let partitions = group.offsets.all_partitions().into_iter();
        let mut tombstones: Vec<KeyValue> = partitions
            .map(|(topic, partition)| (offset_key(&group.id, &topic, partition).encode(), None))
            .collect();
        tombstones.extend(of_group);
        self.writer.append_encoded(&group.id, now_ms, &tombstones)?;
        group.offsets = GroupOffsets::default();
        group.kind.die();
        Ok(())
    }

    /// The topic is gone: so is what was committed for it.
    pub fn forget_topic(&self, topic: &str, now_ms: i64) {
        for group in self.all() {
            let mut group = lock(&group);
            let all = group.offsets.all_partitions().into_iter();
            let partitions: Vec<_> = all.filter(|(name, _)| *name == topic).collect();
            // What cannot be written now stays until it expires.
            let _ = self.remove_offsets(&mut group, now_ms, &partitions);
            self.forget_share_topic(&mut group, topic, now_ms);
        }
    }

    /// Deletes the offsets that have expired, and the empty groups that have none left.
    pub(super) fn expire_offsets(&self, now_ms: i64) {
        let retention_ms = self.config.offsets_retention_ms;
        for shared in self.all() {
            let mut group = lock(&shared);
            let mut expired = group.offsets.expired(now_ms, retention_ms, group.expiry_clock());
            if let Some(consumer) = group.kind.consumer() {
                let subscribed = consumer.subscribed_topics();
                expired.retain(|(topic, _)| !subscribed.contains(topic));
            }
            let removed = self.remove_offsets(&mut group, now_ms, &expired);
            let expects_nobody = group.kind.next_deadline_ms().is_none();
            // What a share group has read does not expire.
            if group.kind.share().is_none()
                && removed.is_ok()
                && group.kind.is_empty()
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
    pub(in crate::broker) fn deadlines_passed(&self, now_ms: i64) {
        for id in self.deadlines.due(now_ms) {
            self.enter(&id, |group| {
                group.alarm_ms = None;
                group.handle(&self.writer, now_ms, GroupEvent::DeadlinePassed);
                self.consumer_deadlines_passed(group, now_ms);
                self.share_deadlines_passed(group, now_ms);
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

    /// An empty group of the consumer protocol becomes one of the classic protocol; its offsets stay.
    fn become_classic_group(&self, live: &mut LiveGroup, now_ms: i64) -> Result<(), ResponseError> {
        let Some(group) = live.kind.consumer() else {
            return Ok(());
        };
        let Ok(records) = group.tombstones() else {
            return Ok(());
        };
        if live.kept {
            let records: Vec<_> = records.iter().map(|record| record.encode(&live.id)).collect();
            self.writer.append_encoded(&live.id, now_ms, &records)?;
        }
        live.kind = GroupKind::Classic(Box::new(ClassicGroup::new(self.limits(), now_ms)));
        Ok(())
    }

    /// LeaveGroup takes members out of a group of the consumer protocol as well.
    fn leave_consumer_group(
        &self,
        live: &mut LiveGroup,
        now_ms: i64,
        leaving: Vec<LeavingMember>,
    ) -> LeaveOutcomes {
        let settings = self.consumer_settings(&live.id);
        let around = self.surroundings(now_ms, &settings);
        let outcomes = leaving.into_iter().map(|member| {
            let expelled = self.in_consumer_group(live, around, |group, around| group.expel(around, &member));
            (member, expelled.err().map(|(error, _)| error))
        });
        outcomes.collect()
    }

    pub(super) fn limits(&self) -> GroupLimits {
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
    pub(super) fn enter<R>(&self, id: &str, act: impl FnOnce(&mut LiveGroup) -> R) -> Option<R> {
        self.enter_shared(&self.find(id)?, act).ok()
    }

    /// Does something in a group, which is there by then.
    pub(super) fn enter_or_create<R>(
        &self,
        id: &str,
        now_ms: i64,
        mut act: impl FnOnce(&mut LiveGroup) -> R,
    ) -> R {
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
        let outcome = if group.kind.is_dead() {
            Err(act)
        } else {
            Ok(act(&mut group))
        };
        if group.is_forgettable() {
            group.kind.die();
        }
        self.reset_alarm(&mut group);
        if group.kind.is_dead() {
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
        let next_ms = group.kind.next_deadline_ms();
        if next_ms != group.alarm_ms {
            self.deadlines.set(&group.id, group.alarm_ms, next_ms);
            group.alarm_ms = next_ms;
        }
    }
}

fn partitions_of(offsets: &[(String, i32, StoredOffset)]) -> impl Iterator<Item = (Uuid, i32)> + '_ {
    offsets
        .iter()
        .map(|(_, partition, offset)| (offset.topic_id, *partition))
}

fn offset_key(group: &str, topic: &str, partition: i32) -> StoredKey {
    StoredKey::Offset {
        group: group.to_owned(),
        topic: topic.to_owned(),
        partition,
    }
}
