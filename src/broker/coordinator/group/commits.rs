//! The committed offsets of groups: commits in and outside of transactions, reading, deletion, expiry.

use kafka_protocol::ResponseError;
use uuid::Uuid;

use super::super::lock;
use super::super::log::TransactionalProducer;
use super::coordinator::GroupCoordinator;
use super::events::{GroupEvent, MemberIdentity};
use super::group_kind::GroupKind;
use super::live_group::LiveGroup;
use super::offsets::GroupOffsets;
use super::stored_records::{StoredKey, StoredOffset};
use super::subscription;

impl GroupCoordinator {
    /// Commits offsets by `(topic, partition)`; all of them or none.
    ///
    /// A commit without a member (generation -1) creates the group if it does not exist: that is how consumers
    /// without group management store offsets. `version` is that of the request: from 9 on its generation is a member
    /// epoch, and a group may be reported as unknown.
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
            let records = stored(&group.id, offsets);
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

    /// Commits offsets by `(topic, partition)` in the transaction of `producer`: they are valid once it is committed.
    /// A producer that does not name a member is not checked; with a generation, the group must exist.
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
            let records = stored(&group.id, offsets);
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

    /// Applies a marker in a partition of `__consumer_offsets`: the pending offsets of the transaction become valid,
    /// or are dropped.
    pub fn end_transaction(&self, partition: i32, producer_id: i64, commits: bool) {
        let concerned = lock(&self.open_transactions).take(partition, producer_id);
        for group in concerned {
            self.enter(&group, |group| {
                group.offsets.end_transaction(producer_id, commits);
            });
        }
    }

    /// Reads the committed offsets of `group`; `None` if it does not exist.
    pub fn committed<R>(&self, group: &str, look: impl FnOnce(Option<&GroupOffsets>) -> R) -> R {
        match self.find(group) {
            None => look(None),
            Some(group) => look(Some(&lock(&group).offsets)),
        }
    }

    /// Deletes committed offsets, except those of a topic that a member is subscribed to: one outcome for each.
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

    /// Deletes the committed offsets of a topic that was deleted.
    pub fn forget_topic(&self, topic: &str, now_ms: i64) {
        for group in self.all() {
            let mut group = lock(&group);
            let all = group.offsets.all_partitions().into_iter();
            let partitions: Vec<_> = all.filter(|(name, _)| *name == topic).collect();
            // Offsets whose deletion cannot be written now stay until they expire.
            let _ = self.remove_offsets(&mut group, now_ms, &partitions);
            self.forget_share_topic(&mut group, topic, now_ms);
        }
    }

    /// Deletes the offsets that have expired, and the empty groups without any left.
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
            // The offsets of share groups do not expire.
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
}

fn partitions_of(offsets: &[(String, i32, StoredOffset)]) -> impl Iterator<Item = (Uuid, i32)> + '_ {
    offsets
        .iter()
        .map(|(_, partition, offset)| (offset.topic_id, *partition))
}

pub(super) fn offset_key(group: &str, topic: &str, partition: i32) -> StoredKey {
    StoredKey::Offset {
        group: group.to_owned(),
        topic: topic.to_owned(),
        partition,
    }
}

/// The records of committed offsets.
fn stored(group: &str, offsets: &[(String, i32, StoredOffset)]) -> Vec<(StoredKey, Option<Vec<u8>>)> {
    let record = |(topic, partition, offset): &(String, i32, StoredOffset)| {
        (offset_key(group, topic, *partition), Some(offset.encode()))
    };
    offsets.iter().map(record).collect()
}
