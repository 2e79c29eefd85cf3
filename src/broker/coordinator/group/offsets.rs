//! The committed offsets of one group, by partition, with the client's metadata and their expiry; and the pending
//! offsets of open transactions (KIP-447). Owns no storage: `offsets_writer.rs` writes them.

use std::collections::{BTreeMap, BTreeSet};

use super::group_state::GroupState;
use super::stored_records::StoredOffset;
use crate::topic_partition::Offset;

/// The committed offsets of a group by topic and partition, and the pending ones of open transactions.
#[derive(Clone, Debug, Default)]
pub struct GroupOffsets {
    topics: BTreeMap<String, BTreeMap<i32, Committed>>,
    /// By producer id: the pending offsets of its open transaction.
    pending: BTreeMap<i64, BTreeMap<(String, i32), Committed>>,
}

/// An offset, and the offset of its record in `__consumer_offsets`: of two the later record counts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Committed {
    record_offset: Offset,
    offset: StoredOffset,
}

/// The time from which the retention of a group's offsets counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryClock {
    /// The group has members: nothing expires.
    Stopped,
    /// Since the last member left (KIP-211).
    SinceEmpty(i64),
    /// Since each offset's commit, whether there are members or not.
    SinceCommit,
}

impl ExpiryClock {
    /// The clock of a group in `state` since `state_since_ms`; `has_protocol`: whether it ever had members.
    pub fn of(state: GroupState, state_since_ms: i64, has_protocol: bool) -> Self {
        match (state, has_protocol) {
            (GroupState::Empty, true) => ExpiryClock::SinceEmpty(state_since_ms),
            (GroupState::Empty, false) => ExpiryClock::SinceCommit,
            _ => ExpiryClock::Stopped,
        }
    }
}

impl GroupOffsets {
    /// Whether nothing is committed or pending.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty() && self.pending.is_empty()
    }

    /// Commits an offset, whose record in the log is at `record_offset`.
    pub fn commit(&mut self, topic: &str, partition: i32, record_offset: Offset, offset: StoredOffset) {
        let committed = Committed {
            record_offset,
            offset,
        };
        if let Some(partitions) = self.topics.get_mut(topic) {
            partitions.insert(partition, committed);
        } else {
            self.topics
                .insert(topic.to_owned(), BTreeMap::from([(partition, committed)]));
        }
    }

    /// Adds a pending offset, which becomes valid when the producer's transaction is committed.
    pub fn commit_when_ended(
        &mut self,
        producer_id: i64,
        topic: &str,
        partition: i32,
        record_offset: Offset,
        offset: StoredOffset,
    ) {
        let pending = self.pending.entry(producer_id).or_default();
        let committed = Committed {
            record_offset,
            offset,
        };
        pending.insert((topic.to_owned(), partition), committed);
    }

    /// Ends the producer's transaction. An offset that was committed outside of it later stays.
    pub fn end_transaction(&mut self, producer_id: i64, commits: bool) {
        let ended = self.pending.remove(&producer_id).unwrap_or_default();
        for ((topic, partition), ended) in ended.into_iter().filter(|_| commits) {
            let is_later = self
                .committed(&topic, partition)
                .is_none_or(|committed| committed.record_offset < ended.record_offset);
            if is_later {
                self.commit(&topic, partition, ended.record_offset, ended.offset);
            }
        }
    }

    fn committed(&self, topic: &str, partition: i32) -> Option<&Committed> {
        self.topics.get(topic)?.get(&partition)
    }

    pub fn get(&self, topic: &str, partition: i32) -> Option<&StoredOffset> {
        self.committed(topic, partition)
            .map(|committed| &committed.offset)
    }

    /// Whether an open transaction has a pending offset for this partition.
    pub fn is_pending(&self, topic: &str, partition: i32) -> bool {
        let key = (topic.to_owned(), partition);
        self.pending.values().any(|pending| pending.contains_key(&key))
    }

    /// Removes the committed and the pending offsets of a partition. Returns whether there were any.
    pub fn remove(&mut self, topic: &str, partition: i32) -> bool {
        let key = (topic.to_owned(), partition);
        let mut removed = false;
        for pending in self.pending.values_mut() {
            removed |= pending.remove(&key).is_some();
        }
        self.pending.retain(|_, pending| !pending.is_empty());
        if let Some(partitions) = self.topics.get_mut(topic) {
            removed |= partitions.remove(&partition).is_some();
            if partitions.is_empty() {
                self.topics.remove(topic);
            }
        }
        removed
    }

    /// Every topic with its committed offsets, in order.
    pub fn topics(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = (i32, &StoredOffset)>)> {
        self.topics.iter().map(|(topic, partitions)| {
            let partitions = partitions
                .iter()
                .map(|(index, committed)| (*index, &committed.offset));
            (topic.as_str(), partitions)
        })
    }

    /// Every partition with a committed offset.
    pub fn partitions(&self) -> impl Iterator<Item = (&str, i32, &StoredOffset)> {
        self.topics()
            .flat_map(|(topic, partitions)| partitions.map(move |(index, offset)| (topic, index, offset)))
    }

    /// Every partition with a committed or a pending offset.
    pub fn all_partitions(&self) -> BTreeSet<(String, i32)> {
        let committed = self
            .partitions()
            .map(|(topic, index, _)| (topic.to_owned(), index));
        committed
            .chain(self.pending.values().flat_map(|pending| pending.keys().cloned()))
            .collect()
    }

    /// The partitions whose offsets have exceeded `retention_ms` at `now_ms`, or the expiry that their client set.
    pub fn expired(&self, now_ms: i64, retention_ms: i64, clock: ExpiryClock) -> Vec<(String, i32)> {
        let is_expired = |offset: &StoredOffset| {
            let since_ms = match clock {
                ExpiryClock::Stopped => return false,
                _ if offset.expire_timestamp_ms >= 0 => return now_ms >= offset.expire_timestamp_ms,
                // A commit after the last member left counts from its own time.
                ExpiryClock::SinceEmpty(since_ms) => since_ms.max(offset.commit_timestamp_ms),
                ExpiryClock::SinceCommit => offset.commit_timestamp_ms,
            };
            now_ms.saturating_sub(since_ms) >= retention_ms
        };
        self.partitions()
            .filter(|(topic, partition, offset)| is_expired(offset) && !self.is_pending(topic, *partition))
            .map(|(topic, partition, _)| (topic.to_owned(), partition))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed_at(commit_timestamp_ms: i64) -> StoredOffset {
        StoredOffset {
            offset: 1,
            leader_epoch: -1,
            metadata: String::new(),
            commit_timestamp_ms,
            expire_timestamp_ms: -1,
            topic_id: uuid::Uuid::nil(),
        }
    }

    #[test]
    fn offsets_of_an_empty_group_expire_after_the_last_member_left() {
        let mut offsets = GroupOffsets::default();
        offsets.commit("t", 0, 0, committed_at(100));
        let clock = ExpiryClock::of(GroupState::Empty, 500, true);
        assert!(offsets.expired(599, 100, clock).is_empty());
        assert_eq!(offsets.expired(600, 100, clock), [("t".to_owned(), 0)]);
        assert!(
            offsets
                .expired(600, 100, ExpiryClock::of(GroupState::Stable, 0, true))
                .is_empty()
        );
    }

    #[test]
    fn offsets_of_a_simple_group_expire_after_their_commit() {
        let mut offsets = GroupOffsets::default();
        offsets.commit("t", 0, 0, committed_at(100));
        offsets.commit("t", 1, 1, committed_at(150));
        let clock = ExpiryClock::of(GroupState::Empty, 0, false);
        assert_eq!(offsets.expired(200, 100, clock), [("t".to_owned(), 0)]);
    }

    #[test]
    fn a_transaction_commits_unless_a_later_record_did() {
        let mut offsets = GroupOffsets::default();
        offsets.commit_when_ended(7, "t", 0, 10, committed_at(1));
        offsets.commit_when_ended(7, "t", 1, 11, committed_at(1));
        offsets.commit("t", 0, 12, committed_at(2));
        offsets.commit("t", 1, 9, committed_at(2));
        assert!(offsets.is_pending("t", 0) && !offsets.is_pending("t", 2));
        offsets.end_transaction(7, true);
        let time = |partition| offsets.get("t", partition).unwrap().commit_timestamp_ms;
        assert_eq!((time(0), time(1)), (2, 1));
        assert!(!offsets.is_pending("t", 1));
    }

    #[test]
    fn what_is_deleted_does_not_come_back_with_the_marker() {
        let mut offsets = GroupOffsets::default();
        offsets.commit_when_ended(7, "t", 0, 10, committed_at(1));
        assert!(!offsets.is_empty());
        assert_eq!(offsets.all_partitions().len(), 1);
        assert!(offsets.remove("t", 0));
        offsets.end_transaction(7, true);
        assert!(offsets.is_empty());
    }
}
