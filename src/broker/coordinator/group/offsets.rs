//! What one group has committed: an offset for each partition, with the words the client left beside it, and when
//! they expire. Owns no storage: `offsets_writer.rs` keeps them on disk.

use std::collections::BTreeMap;

use super::group_state::GroupState;
use super::stored_records::StoredOffset;

/// The offsets a group has committed, by topic and partition.
#[derive(Clone, Debug, Default)]
pub struct GroupOffsets {
    topics: BTreeMap<String, BTreeMap<i32, StoredOffset>>,
}

/// From when on a group's offsets grow old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryClock {
    /// Members are there: nothing expires.
    Stopped,
    /// Since the last member left (KIP-211).
    SinceEmpty(i64),
    /// Since each offset's commit: nobody but the commits ever used the group.
    SinceCommit,
}

impl ExpiryClock {
    /// The clock of a group in `state` since `state_since_ms`, managed by members or not.
    pub fn of(state: GroupState, state_since_ms: i64, has_protocol: bool) -> Self {
        match (state, has_protocol) {
            (GroupState::Empty, true) => ExpiryClock::SinceEmpty(state_since_ms),
            (GroupState::Empty, false) => ExpiryClock::SinceCommit,
            _ => ExpiryClock::Stopped,
        }
    }
}

impl GroupOffsets {
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    pub fn commit(&mut self, topic: &str, partition: i32, offset: StoredOffset) {
        if let Some(partitions) = self.topics.get_mut(topic) {
            partitions.insert(partition, offset);
        } else {
            self.topics
                .insert(topic.to_owned(), BTreeMap::from([(partition, offset)]));
        }
    }

    pub fn get(&self, topic: &str, partition: i32) -> Option<&StoredOffset> {
        self.topics.get(topic)?.get(&partition)
    }

    /// False: there was none.
    pub fn remove(&mut self, topic: &str, partition: i32) -> bool {
        let Some(partitions) = self.topics.get_mut(topic) else {
            return false;
        };
        let removed = partitions.remove(&partition).is_some();
        if partitions.is_empty() {
            self.topics.remove(topic);
        }
        removed
    }

    /// Every topic with its partitions, in order.
    pub fn topics(&self) -> impl Iterator<Item = (&str, &BTreeMap<i32, StoredOffset>)> {
        self.topics
            .iter()
            .map(|(topic, partitions)| (topic.as_str(), partitions))
    }

    /// Every partition with an offset.
    pub fn partitions(&self) -> impl Iterator<Item = (&str, i32, &StoredOffset)> {
        self.topics().flat_map(|(topic, partitions)| {
            partitions
                .iter()
                .map(move |(index, offset)| (topic, *index, offset))
        })
    }

    /// The partitions whose offsets have outlived `retention_ms` at `now_ms`, or the time their client gave them.
    pub fn expired(&self, now_ms: i64, retention_ms: i64, clock: ExpiryClock) -> Vec<(String, i32)> {
        let is_expired = |offset: &StoredOffset| {
            let since_ms = match clock {
                ExpiryClock::Stopped => return false,
                _ if offset.expire_timestamp_ms >= 0 => return now_ms >= offset.expire_timestamp_ms,
                // A commit after the last member left counts anew.
                ExpiryClock::SinceEmpty(since_ms) => since_ms.max(offset.commit_timestamp_ms),
                ExpiryClock::SinceCommit => offset.commit_timestamp_ms,
            };
            now_ms.saturating_sub(since_ms) >= retention_ms
        };
        self.partitions()
            .filter(|(_, _, offset)| is_expired(offset))
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
        offsets.commit("t", 0, committed_at(100));
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
        offsets.commit("t", 0, committed_at(100));
        offsets.commit("t", 1, committed_at(150));
        let clock = ExpiryClock::of(GroupState::Empty, 0, false);
        assert_eq!(offsets.expired(200, 100, clock), [("t".to_owned(), 0)]);
    }
}
