//! What must hold for the groups of a simulated cluster after any events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cast::{Cast, data_partitions, topic_id, topic_named};
use super::clients::{Client, PARTITIONS, TOPIC};
use super::cluster::{ClusterWorld, NODES};
use super::consumer_group_member::{Partition, SUBSCRIPTION};
use super::log_content::{Content, committed, everything};
use super::member_requests::{CONSUMER_GROUP, SHARE_GROUP};
use crate::broker::clock::steady_ms;
use crate::broker::coordinator::group::coordinator::GroupCoordinator;
use crate::broker::coordinator::share::StateKey;
use crate::broker::internal_topics::CONSUMER_OFFSETS;
use crate::topic_partition::Offset;

fn state_key(index: i32) -> StateKey {
    StateKey {
        group: SHARE_GROUP.to_owned(),
        topic: topic_id(TOPIC),
        partition: index,
    }
}

impl ClusterWorld {
    /// After each step: no partition has two owners.
    pub(super) fn check_owners(&self) {
        if self.cast == Cast::Transactions {
            return;
        }
        let now_ms = steady_ms();
        let mut owners: BTreeMap<Partition, String> = BTreeMap::new();
        for client in &self.clients {
            let Client::Consumer(member) = &client.client else {
                continue;
            };
            for partition in member.holds(now_ms) {
                let other = owners.insert(partition, member.id());
                assert!(
                    other.is_none(),
                    "{partition:?} is held by {} and by {other:?}",
                    member.id()
                );
            }
        }
    }

    /// Records what a node has delivered to share groups.
    pub(super) fn watch_shares(&self, id: i32) {
        let Some(node) = &self.nodes[&id].node else { return };
        if self.cast == Cast::Transactions {
            return;
        }
        let mut ledger = self.ledgers.shares.borrow_mut();
        node.share.look(|key, partition| {
            for batch in partition.in_flight() {
                for offset in batch.first..=batch.last {
                    ledger.count((key.partition, offset), batch.delivery_count);
                }
            }
        });
    }

    /// Occasional check: the share group has got only records in the log, and has skipped none. `has`: the records of
    /// the leader's log; `read`: the committed ones.
    pub(super) fn check_shares(&mut self, index: i32, has: &Content, read: &Content) {
        if self.cast == Cast::Transactions {
            return;
        }
        let ledger = self.ledgers.shares.borrow();
        let (delivered, reads_committed) = (ledger.delivered(index), ledger.reads_committed);
        for (offset, value) in &delivered {
            assert_eq!(
                has.get(offset),
                Some(value),
                "what was delivered is gone from {index}"
            );
        }
        let leader = self.partition(TOPIC, index).leader;
        let node = self.nodes[&leader].node.as_ref().unwrap();
        if let Some(state) = node.share.states().summary(&state_key(index)) {
            let wanted = if reads_committed { read } else { has };
            let passed = wanted.range(..state.start_offset.max(0));
            for (offset, _) in passed {
                assert!(
                    ledger.may_be_done((index, *offset)),
                    "the group begins at {} of {index}, behind {offset}",
                    state.start_offset
                );
            }
        }
        drop(ledger);
        if reads_committed {
            self.check_read(&delivered);
        }
    }

    /// Whether all members have their assignment, and have processed all records.
    pub(super) fn groups_are_settled(&self) -> bool {
        self.cast == Cast::Transactions || self.unsettled_groups().is_empty()
    }

    /// What the groups have not done yet.
    pub(super) fn unsettled_groups(&self) -> Vec<String> {
        if self.cast == Cast::Transactions {
            return Vec::new();
        }
        let mut consumed: Vec<Partition> = Vec::new();
        let mut shared: BTreeSet<i32> = BTreeSet::new();
        let mut unsettled = Vec::new();
        for client in &self.clients {
            match &client.client {
                Client::Consumer(member) => match member.settled() {
                    Some(owned) => consumed.extend(owned),
                    None => unsettled.push(format!("{member:?}")),
                },
                Client::Share(member) => match member.settled() {
                    Some(assigned) => shared.extend(assigned),
                    None => unsettled.push(format!("{member:?}")),
                },
                _ => {}
            }
        }
        consumed.sort_unstable();
        if consumed != subscribed() {
            unsettled.push(format!("consumers own {consumed:?}"));
        }
        if shared.iter().copied().ne(data_partitions()) {
            unsettled.push(format!("sharers read {shared:?}"));
        }
        if unsettled.is_empty() {
            unsettled = self.unshared();
        }
        unsettled
    }

    /// Records that the share group has not processed yet.
    fn unshared(&self) -> Vec<String> {
        let ledger = self.ledgers.shares.borrow();
        let mut left = Vec::new();
        for index in 0..PARTITIONS {
            let Some(leader) = self.leader((TOPIC, index)) else {
                continue;
            };
            let wanted = if ledger.reads_committed {
                committed(&leader)
            } else {
                everything(&leader)
            };
            let places = wanted.keys().map(|offset| (index, *offset));
            let undone = places.filter(|place| !ledger.may_be_done(*place));
            left.extend(undone.map(|place| format!("{place:?} is not done with")));
        }
        left
    }

    /// At the end: groups are stable, and coordinators have the state in their logs.
    pub(super) fn check_groups(&mut self) {
        if self.cast == Cast::Transactions {
            return;
        }
        self.check_owners();
        let node = Arc::clone(self.coordinator(CONSUMER_OFFSETS.name));
        let before = self.described(&node.groups);
        self.check_commits(&node.groups);
        let epoch = self.partition(CONSUMER_OFFSETS.name, 0).leader_epoch;
        node.groups.load_partition(0, epoch, steady_ms()).unwrap();
        assert_eq!(
            before,
            self.described(&node.groups),
            "the log says something else"
        );
        self.check_commits(&node.groups);
        self.check_states();
    }

    /// The descriptions of both groups, as text.
    fn described(&self, groups: &GroupCoordinator) -> [String; 2] {
        let consumers = groups
            .describe_consumer_group(CONSUMER_GROUP, steady_ms())
            .unwrap();
        let sharers = groups.describe_share_group(SHARE_GROUP).unwrap();
        let words = [format!("{consumers:?}"), format!("{sharers:?}")];
        assert_eq!(
            (consumers.state, sharers.state),
            ("Stable", "Stable"),
            "{words:?}"
        );
        let mut known: Vec<_> = consumers
            .members
            .iter()
            .map(|(id, member, _)| (id.clone(), member.current.epoch))
            .collect();
        known.sort();
        let members = self.clients.iter().filter_map(|client| match &client.client {
            Client::Consumer(member) => Some((member.id(), member.epoch())),
            _ => None,
        });
        assert_eq!(known, members.collect::<Vec<_>>());
        words
    }

    fn check_commits(&self, groups: &GroupCoordinator) {
        let mut ledger = self.ledgers.commits.borrow_mut();
        let partitions: Vec<Partition> = ledger.partitions().collect();
        for partition in partitions {
            let found: Offset = groups.committed(CONSUMER_GROUP, |offsets| {
                let offset = offsets.and_then(|offsets| offsets.get(topic_named(partition.0), partition.1));
                offset.map_or(0, |offset| offset.offset)
            });
            let floor = ledger.floor(partition);
            ledger.see(partition, found, floor);
        }
    }

    /// Acknowledgements that members were told have succeeded are stored.
    fn check_states(&self) {
        let ledger = self.ledgers.shares.borrow();
        for index in 0..PARTITIONS {
            let node = self.nodes[&self.partition(TOPIC, index).leader]
                .node
                .as_ref()
                .unwrap();
            let state = node.share.states().summary(&state_key(index)).unwrap();
            let batches = state.batches();
            for offset in ledger.delivered(index).keys() {
                let is_stored = *offset < state.start_offset
                    || batches.iter().any(|batch| {
                        (batch.first..=batch.last).contains(offset) && batch.state.is_terminal()
                    });
                assert!(
                    is_stored || !ledger.is_done((index, *offset)),
                    "{offset} of {index} is done with, and {state:?} is stored"
                );
            }
        }
        assert!(NODES.iter().all(|id| self.awake(*id).is_some()));
    }
}

/// The partitions that the consumer group reads.
fn subscribed() -> Vec<Partition> {
    let places = Cast::Groups.places().iter();
    let places = places.filter(|(topic, _)| SUBSCRIPTION.contains(topic));
    let mut all: Vec<_> = places.map(|(topic, index)| (topic_id(topic), *index)).collect();
    all.sort_unstable();
    all
}
