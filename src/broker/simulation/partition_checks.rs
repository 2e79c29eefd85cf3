//! What must hold for one partition's replicas after any events.

use std::collections::{BTreeMap, BTreeSet};

use super::log_content::{batches, everything};
use super::partition::{NODES, PartitionWorld};
use crate::broker::cluster::partition_image::NO_LEADER;
use crate::broker::node::replica::Replica;
use crate::topic_partition::Offset;

/// What was seen before.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The leader in each epoch.
    leaders: BTreeMap<i32, i32>,
    /// The high watermark of each replica since its node started.
    high_watermarks: BTreeMap<i32, Offset>,
}

impl History {
    /// A node starts anew, with the high watermark of its checkpoint.
    pub(super) fn restarted(&mut self, id: i32) {
        self.high_watermarks.remove(&id);
    }
}

impl PartitionWorld {
    /// The checks after each step.
    pub(super) fn check_step(&mut self) {
        let partition = self.partition();
        assert!(partition.isr.iter().all(|id| partition.replicas.contains(id)));
        assert!(partition.leader == NO_LEADER || partition.isr.contains(&partition.leader));
        let partition = partition.clone();
        for (id, node) in &self.nodes {
            let Some(replica) = &node.replica else { continue };
            let (end, high_watermark) = (replica.log().log_end_offset(), replica.high_watermark());
            assert!(high_watermark <= end);
            let before = self.history.high_watermarks.insert(*id, high_watermark);
            assert!(
                before.is_none_or(|before| before <= high_watermark),
                "the high watermark of node {id} fell from {before:?} to {high_watermark}"
            );
            let Some(epoch) = Self::leads(replica) else {
                continue;
            };
            let first = *self.history.leaders.entry(epoch).or_insert(*id);
            assert_eq!(first, *id, "two leaders in epoch {epoch}");
            if partition.leader_epoch == epoch {
                self.check_followers(&partition.isr, high_watermark);
            }
        }
    }

    /// Every in-sync replica has all committed records.
    fn check_followers(&self, isr: &[i32], high_watermark: Offset) {
        for id in isr {
            if let Some(replica) = &self.nodes[id].replica {
                let end = replica.log().log_end_offset();
                assert!(
                    end >= high_watermark,
                    "node {id} is in sync and ends at {end}, below the high watermark {high_watermark}"
                );
            }
        }
    }

    /// Occasional checks.
    pub(super) fn check_logs(&self) {
        let nodes = self.nodes.values();
        let live: Vec<&Replica> = nodes.filter_map(|node| node.replica.as_ref()).collect();
        for (place, one) in live.iter().enumerate() {
            for other in &live[place + 1..] {
                let end = one.high_watermark().min(other.high_watermark());
                assert_eq!(batches(one, end), batches(other, end), "logs differ below {end}");
            }
        }
        // A leader that the controller has elected, and that knows it, has everything that was acknowledged.
        let partition = self.partition();
        let leader = self.nodes.get(&partition.leader);
        let leader = leader.and_then(|node| node.replica.as_ref());
        let leader = leader.filter(|leader| Self::leads(leader) == Some(partition.leader_epoch));
        if let Some(leader) = leader {
            let has = everything(leader);
            for sent in &self.acknowledged {
                assert_eq!(
                    has.get(&sent.offset),
                    Some(&sent.value),
                    "an acknowledged record is lost"
                );
            }
        }
    }

    /// After the cluster was healthy for a while: all replicas in sync, all logs equal, every acknowledged record
    /// there once.
    pub(super) fn check_end(&self) {
        let partition = self.partition();
        let isr: BTreeSet<i32> = partition.isr.iter().copied().collect();
        assert_eq!(isr, BTreeSet::from(NODES), "{partition:?}");
        let leader = self.awake(partition.leader).unwrap();
        let end = leader.log().log_end_offset();
        for id in NODES {
            let replica = self.awake(id).unwrap();
            assert_eq!(
                (replica.high_watermark(), replica.log().log_end_offset()),
                (end, end),
                "node {id}"
            );
        }
        self.check_logs();
        let values: Vec<String> = everything(leader).into_values().collect();
        let distinct: BTreeSet<&String> = values.iter().collect();
        assert_eq!(values.len(), distinct.len(), "a record is there twice");
    }
}
