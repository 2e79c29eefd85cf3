//! What must hold for a whole cluster after any events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::clients::{Client, PARTITIONS, TOPIC};
use super::cluster::{ClusterWorld, NODES};
use super::log_content::{Content, batches, committed, committed_by_markers, everything};
use super::transactional_client::{Outcome, TransactionalClient};
use crate::broker::cluster::partition_image::NO_LEADER;
use crate::broker::internal_topics::{CONSUMER_OFFSETS, TRANSACTION_STATE};
use crate::broker::node::replica::{Replica, Role};
use crate::topic_partition::Offset;

pub(super) type Place = (&'static str, i32);

/// What was seen before.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The leader of each partition in each epoch.
    leaders: BTreeMap<(Place, i32), i32>,
    /// The high watermark of each replica since its node started.
    high_watermarks: BTreeMap<(i32, Place), Offset>,
    /// The records that read-committed consumers have got, by partition.
    read: BTreeMap<i32, Content>,
}

impl History {
    /// A node starts anew, with the high watermarks of its checkpoint.
    pub(super) fn restarted(&mut self, id: i32) {
        self.high_watermarks.retain(|(node, _), _| *node != id);
    }
}

impl ClusterWorld {
    pub(super) fn replica(&self, id: i32, place: Place) -> Option<Arc<Replica>> {
        self.nodes[&id].node.as_ref()?.partition(place.0, place.1)
    }

    /// The leader's replica, if its node runs.
    pub(super) fn leader(&self, place: Place) -> Option<Arc<Replica>> {
        let leader = self.partition(place.0, place.1).leader;
        (leader != NO_LEADER)
            .then(|| self.replica(leader, place))
            .flatten()
    }

    /// The checks after each step.
    pub(super) fn check_step(&mut self) {
        for place in self.places() {
            let partition = self.partition(place.0, place.1);
            assert!(partition.isr.iter().all(|id| partition.replicas.contains(id)));
            assert!(partition.leader == NO_LEADER || partition.isr.contains(&partition.leader));
            for id in NODES {
                let Some(replica) = self.replica(id, place) else {
                    continue;
                };
                self.check_offsets(id, place, &replica);
                let Role::Leader { epoch } = replica.role() else {
                    continue;
                };
                let first = *self.history.leaders.entry((place, epoch)).or_insert(id);
                assert_eq!(first, id, "two leaders of {} in epoch {epoch}", replica.name);
                if partition.leader_epoch == epoch {
                    self.check_followers(place, &partition.isr, replica.high_watermark());
                }
            }
        }
    }

    fn check_offsets(&mut self, id: i32, place: Place, replica: &Replica) {
        let high_watermark = replica.high_watermark();
        let end = replica.log().log_end_offset();
        assert!(replica.log_start_offset() <= replica.last_stable_offset());
        assert!(replica.last_stable_offset() <= high_watermark && high_watermark <= end);
        let before = self.history.high_watermarks.insert((id, place), high_watermark);
        assert!(
            before.is_none_or(|before| before <= high_watermark),
            "the high watermark of {} on {id} fell from {before:?} to {high_watermark}",
            replica.name
        );
    }

    /// Every in-sync replica has all committed records.
    fn check_followers(&self, place: Place, isr: &[i32], high_watermark: Offset) {
        for id in isr {
            if let Some(replica) = self.replica(*id, place) {
                let end = replica.log().log_end_offset();
                assert!(
                    end >= high_watermark,
                    "{} on {id} is in sync and ends at {end}, below the high watermark {high_watermark}",
                    replica.name
                );
            }
        }
    }

    /// Occasional checks: logs, and what consumers read.
    pub(super) fn check_views(&mut self) {
        for place in self.places() {
            let live: Vec<_> = NODES.iter().filter_map(|id| self.replica(*id, place)).collect();
            for (first, one) in live.iter().enumerate() {
                for other in &live[first + 1..] {
                    let end = one.high_watermark().min(other.high_watermark());
                    assert_eq!(batches(one, end), batches(other, end), "logs differ below {end}");
                }
            }
        }
        for index in 0..PARTITIONS {
            if let Some(leader) = self.leader((TOPIC, index)) {
                let has = everything(&leader);
                let read = committed(&leader);
                assert_eq!(read, committed_by_markers(&leader), "{}", leader.name);
                self.check_records(index, &has);
                self.check_read(&read);
                self.check_shares(index, &has, &read);
                self.history.read.insert(index, read);
            }
        }
    }

    /// A leader has all records that were acknowledged or read.
    fn check_records(&mut self, index: i32, has: &Content) {
        let read = self.history.read.get(&index).cloned().unwrap_or_default();
        for (offset, value) in read {
            assert_eq!(
                has.get(&offset),
                Some(&value),
                "what was read is gone from {index}"
            );
        }
        for client in self.clients() {
            let acknowledged: Vec<(i32, Offset, String)> = match client {
                Client::Sender(sender) => sender.acknowledged.clone(),
                Client::Transactional(client) => client
                    .transactions
                    .iter()
                    .flat_map(|transaction| transaction.acknowledged.clone())
                    .map(|((index, offset), value)| (index, offset, value))
                    .collect(),
                Client::Committer(_) | Client::Consumer(_) | Client::Share(_) => Vec::new(),
            };
            for (_, offset, value) in acknowledged.iter().filter(|(its, _, _)| *its == index) {
                assert_eq!(
                    has.get(offset),
                    Some(value),
                    "an acknowledged record is lost from {index}"
                );
            }
        }
    }

    /// No record of a transaction is read that was not committed.
    pub(super) fn check_read(&mut self, read: &Content) {
        for client in self.clients() {
            let Client::Transactional(client) = client else {
                continue;
            };
            for (offset, value) in read {
                let Some(number) = client.transaction_of(value) else {
                    continue;
                };
                let outcome = client.transaction(number).outcome;
                assert!(
                    matches!(outcome, Outcome::Committed | Outcome::Asked { commits: true }),
                    "{value} is read at {offset}, and its transaction is {outcome:?}"
                );
            }
        }
    }

    /// The checks after the cluster was healthy for a while.
    pub(super) fn check_end(&mut self) {
        self.check_step();
        self.check_views();
        for place in self.places() {
            let leader = self.leader(place).unwrap();
            let end = leader.log().log_end_offset();
            for id in NODES {
                let replica = self.replica(id, place).unwrap();
                let ends = (replica.high_watermark(), replica.log().log_end_offset());
                assert_eq!(ends, (end, end), "{} on {id}", replica.name);
                assert_eq!(replica.last_stable_offset(), end, "{} on {id}", replica.name);
            }
        }
        self.check_transactions();
        self.check_coordinators();
        self.check_groups();
    }

    /// Each transaction is complete or absent.
    fn check_transactions(&mut self) {
        let mut read: BTreeMap<(i32, Offset), String> = BTreeMap::new();
        for index in 0..PARTITIONS {
            let leader = self.leader((TOPIC, index)).unwrap();
            let committed = committed(&leader).into_iter();
            read.extend(committed.map(|(offset, value)| ((index, offset), value)));
        }
        let groups = Arc::clone(&self.coordinator(CONSUMER_OFFSETS.name).groups);
        for client in self.clients() {
            let Client::Transactional(client) = client else {
                continue;
            };
            let offset = groups.committed(&client.id, |offsets| {
                let offset = offsets.and_then(|offsets| offsets.get(TOPIC, 0));
                offset.map_or(0, |offset| offset.offset)
            });
            client.check_offset(offset);
            let mut last_with_offset = 0;
            for number in 1..=client.transactions.len() {
                let is_there = check_whole(client, number, &read);
                if is_there && client.transaction(number).has_offset {
                    last_with_offset = number;
                }
            }
            assert_eq!(offset, i64::try_from(last_with_offset).unwrap(), "{}", client.id);
        }
    }

    pub(super) fn coordinator(&self, topic: &'static str) -> &Arc<crate::broker::node::Node> {
        let leader = self.partition(topic, 0).leader;
        self.awake(leader).unwrap()
    }

    /// No transaction is open, and coordinators have the state in their logs.
    fn check_coordinators(&self) {
        let node = self.coordinator(TRANSACTION_STATE.name);
        let epoch = self.partition(TRANSACTION_STATE.name, 0).leader_epoch;
        let before = node.transactions.list();
        for (id, transaction) in &before {
            assert!(transaction.state.is_idle(), "{id} is {transaction:?}");
        }
        node.transactions.load_partition(0, epoch, 0).unwrap();
        let mut after = node.transactions.list();
        for ((_, before), (_, after)) in before.iter().zip(&mut after) {
            // It is not stored.
            after.last_epoch = before.last_epoch;
        }
        assert_eq!(before, after);
    }
}

/// Whether the transaction is there: all its acknowledged records, or none.
fn check_whole(client: &TransactionalClient, number: usize, read: &BTreeMap<(i32, Offset), String>) -> bool {
    let transaction = client.transaction(number);
    let of_it = read
        .iter()
        .filter(|(_, value)| client.transaction_of(value) == Some(number));
    let found: BTreeMap<_, _> = of_it.map(|(place, value)| (*place, value.clone())).collect();
    let values: BTreeSet<&String> = found.values().collect();
    assert_eq!(values.len(), found.len(), "a record is there twice");
    let must_be = match transaction.outcome {
        Outcome::Committed => true,
        Outcome::Asked { commits: true } => !found.is_empty(),
        _ => false,
    };
    let expected = if must_be {
        transaction.acknowledged.clone()
    } else {
        BTreeMap::new()
    };
    assert_eq!(
        found, expected,
        "transaction {number} of {} is {:?}",
        client.id, transaction.outcome
    );
    must_be
}
