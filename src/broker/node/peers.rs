//! The nodes of a cluster as they reach each other: those that run and are not paused.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use kafka_protocol::ResponseError;
use tokio::sync::watch;

use super::Node;
use crate::broker::coordinator::share::{OtherShareCoordinators, ShareCoordinator};
use crate::broker::coordinator::transaction::events::Markers;
use crate::broker::coordinator::transaction::markers::{OtherNodes, Written};
use crate::topic_partition::TopicPartition;

/// Every node that runs in this process.
#[derive(Debug)]
pub(in crate::broker) struct Peers {
    nodes: RwLock<BTreeMap<i32, Weak<Node>>>,
    /// Counts the changes.
    changes: watch::Sender<u64>,
}

impl Default for Peers {
    fn default() -> Self {
        Self {
            nodes: RwLock::default(),
            changes: watch::Sender::new(0),
        }
    }
}

impl Peers {
    /// A node; `None` if it does not run, or is paused.
    pub(in crate::broker) fn reachable(&self, id: i32) -> Option<Arc<Node>> {
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        nodes.get(&id)?.upgrade().filter(|node| node.gate.is_open())
    }

    /// Every node that can be reached.
    pub(in crate::broker) fn all(&self) -> Vec<Arc<Node>> {
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        let running = nodes.values().filter_map(Weak::upgrade);
        running.filter(|node| node.gate.is_open()).collect()
    }

    /// A node has started.
    pub(in crate::broker) fn add(&self, node: &Arc<Node>) {
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        nodes.insert(node.id, Arc::downgrade(node));
        drop(nodes);
        self.changed();
    }

    /// A node has ended.
    pub(in crate::broker) fn remove(&self, id: i32) {
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        nodes.remove(&id);
        drop(nodes);
        self.changed();
    }

    /// A node can be reached, or cannot any more.
    pub(in crate::broker) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Tells when nodes come and go.
    pub(in crate::broker) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

impl OtherNodes for Peers {
    fn write_marker(
        &self,
        leader: i32,
        markers: &Markers,
        partition: &TopicPartition,
        coordinator_epoch: i32,
        now_ms: i64,
    ) -> Result<Written, ResponseError> {
        let node = self.reachable(leader).ok_or(ResponseError::NotLeaderOrFollower)?;
        node.transactions
            .write_marker(markers, partition, coordinator_epoch, now_ms)
    }
}

impl OtherShareCoordinators for Peers {
    fn share_coordinator(&self, leader: i32) -> Option<Arc<ShareCoordinator>> {
        Some(self.reachable(leader)?.share.shared_states())
    }
}
