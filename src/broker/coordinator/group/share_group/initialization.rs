//! Which partitions a share group can read: a partition is assigned only when the share coordinator has a state for
//! it.
//!
//! The group records a partition as initializing, then its state is created, then the group records it as
//! initialized. Each step begins once the one before is on all in-sync replicas. A broker that stops between two
//! steps continues with the first heartbeat after its start.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::group::{ShareChange, ShareGroup, ShareSurroundings};
use super::record::ShareGroupRecord;
use crate::broker::coordinator::group::assignor::TopicPartitions;

/// The partitions of one topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicState {
    pub name: String,
    pub partitions: BTreeSet<i32>,
}

/// The partitions of a group by progress and topic id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitializationState {
    /// Their state is being created.
    pub initializing: BTreeMap<Uuid, TopicState>,
    /// They can be read.
    pub initialized: BTreeMap<Uuid, TopicState>,
    /// Their states are being deleted; with the names of the topics.
    pub deleting: BTreeMap<Uuid, String>,
}

impl InitializationState {
    /// Whether the group can read this partition.
    pub fn has(&self, topic: Uuid, partition: i32) -> bool {
        let topic = self.initialized.get(&topic);
        topic.is_some_and(|topic| topic.partitions.contains(&partition))
    }

    /// Every partition with a state, or with one that is being created.
    pub fn all(&self) -> impl Iterator<Item = (Uuid, i32)> + '_ {
        let topics = self.initialized.iter().chain(&self.initializing);
        topics.flat_map(|(id, topic)| topic.partitions.iter().map(|partition| (*id, *partition)))
    }

    fn add(topics: &mut BTreeMap<Uuid, TopicState>, id: Uuid, name: &str, partitions: &BTreeSet<i32>) {
        let topic = topics.entry(id).or_default();
        name.clone_into(&mut topic.name);
        topic.partitions.extend(partitions);
    }
}

impl ShareGroup {
    pub fn initialization(&self) -> &InitializationState {
        &self.initialization
    }

    /// The partitions of subscribed topics that have no state yet, by topic id.
    pub fn uninitialized(&self, around: ShareSurroundings<'_>) -> BTreeMap<Uuid, TopicState> {
        let mut missing = BTreeMap::new();
        for name in self.subscribed_topics() {
            let Some(topic) = around.catalog.topic(&name) else {
                continue;
            };
            let known = self.initialization.initialized.get(&topic.id);
            let is_known = |partition: &i32| known.is_some_and(|known| known.partitions.contains(partition));
            let partitions: BTreeSet<i32> = (0..topic.partition_count())
                .filter(|partition| !is_known(partition))
                .collect();
            if !partitions.is_empty() {
                missing.insert(topic.id, TopicState { name, partitions });
            }
        }
        missing
    }

    /// Records these partitions as initializing.
    pub fn begin_initialization(
        &mut self,
        around: ShareSurroundings<'_>,
        topics: &BTreeMap<Uuid, TopicState>,
    ) -> ShareChange {
        self.change_initialization(around, |state| {
            for (id, topic) in topics {
                InitializationState::add(&mut state.initializing, *id, &topic.name, &topic.partitions);
            }
        })
    }

    /// Records these partitions as initialized, as far as they are still initializing.
    pub fn end_initialization(
        &mut self,
        around: ShareSurroundings<'_>,
        topics: &BTreeMap<Uuid, TopicState>,
    ) -> ShareChange {
        self.change_initialization(around, |state| {
            for (id, topic) in topics {
                let Some(initializing) = state.initializing.get_mut(id) else {
                    continue;
                };
                let made: BTreeSet<i32> = &initializing.partitions & &topic.partitions;
                initializing
                    .partitions
                    .retain(|partition| !made.contains(partition));
                InitializationState::add(&mut state.initialized, *id, &topic.name, &made);
            }
            state.initializing.retain(|_, topic| !topic.partitions.is_empty());
        })
    }

    /// Records that the states of topics are being deleted: no member may read them any more.
    pub fn begin_deletion(
        &mut self,
        around: ShareSurroundings<'_>,
        topics: &BTreeMap<Uuid, String>,
    ) -> ShareChange {
        self.change_initialization(around, |state| {
            for (id, name) in topics {
                state.initializing.remove(id);
                state.initialized.remove(id);
                state.deleting.insert(*id, name.clone());
            }
        })
    }

    /// Records that the states of topics were deleted.
    pub fn end_deletion(
        &mut self,
        around: ShareSurroundings<'_>,
        topics: &BTreeMap<Uuid, String>,
    ) -> ShareChange {
        self.change_initialization(around, |state| {
            for id in topics.keys() {
                state.initializing.remove(id);
                state.initialized.remove(id);
                state.deleting.remove(id);
            }
        })
    }

    fn change_initialization(
        &mut self,
        around: ShareSurroundings<'_>,
        change: impl FnOnce(&mut InitializationState),
    ) -> ShareChange {
        let mut state = self.initialization.clone();
        change(&mut state);
        let event = |group: &mut Self, step: &mut super::group::ShareStep<'_>| {
            if state != group.initialization {
                group.write(step, ShareGroupRecord::Initialization(Some(state)));
            }
            Ok(())
        };
        self.happen(around, event).1
    }

    /// The partitions of subscribed topics that can be read.
    pub(super) fn readable(&self, around: ShareSurroundings<'_>) -> TopicPartitions {
        let mut readable = TopicPartitions::new();
        for name in self.subscribed_topics() {
            let Some(topic) = around.catalog.topic(&name) else {
                continue;
            };
            if let Some(known) = self.initialization.initialized.get(&topic.id) {
                let count = topic.partition_count();
                let partitions = known
                    .partitions
                    .iter()
                    .copied()
                    .filter(|partition| *partition < count);
                readable.insert(topic.id, partitions.collect());
            }
        }
        readable
    }
}
