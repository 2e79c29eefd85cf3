//! The nodes of a cluster as they reach each other: those that run and are not paused.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use kafka_protocol::ResponseError;
use tokio::sync::watch;

use super::Node;
use crate::broker::coordinator::share::{OtherShareCoordinators, ShareCoordinator};
use crate::broker::coordinator::transaction::events::Markers;
use crate::broker::coordinator::transaction::markers::{OtherNodes, Written};
use crate::broker::timers::now_ms;
use crate::topic_partition::TopicPartition;

/// When a node was last seen, and how much of the metadata it had.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct Left {
    /// Milliseconds since 1970.
    pub(in crate::broker) at_ms: i64,
    /// The end offset of the metadata log then.
    pub(in crate::broker) metadata_end_offset: i64,
}

/// Every node that runs in this process.
#[derive(Debug)]
pub(in crate::broker) struct Peers {
    nodes: RwLock<BTreeMap<i32, Weak<Node>>>,
    /// Nodes that have run and ended.
    left: RwLock<BTreeMap<i32, Left>>,
    /// Counts the changes.
    changes: watch::Sender<u64>,
    /// Counts losses: batches that a coordinator appended and that may be gone.
    losses: AtomicU64,
}

impl Default for Peers {
    fn default() -> Self {
        Self {
            nodes: RwLock::default(),
            left: RwLock::default(),
            changes: watch::Sender::new(0),
            losses: AtomicU64::new(0),
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

    /// The nodes that run, paused or not.
    pub(in crate::broker) fn ids(&self) -> Vec<i32> {
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        nodes.keys().copied().collect()
    }

    /// Adds a node that has started.
    pub(in crate::broker) fn add(&self, node: &Arc<Node>) {
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        nodes.insert(node.id, Arc::downgrade(node));
        drop(nodes);
        self.changed();
    }

    /// Removes a node that has ended.
    pub(in crate::broker) fn remove(&self, id: i32) {
        self.count_losses(id);
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        let gone = nodes.remove(&id);
        drop(nodes);
        if let Some(node) = gone.and_then(|gone| gone.upgrade()) {
            let left = Left {
                at_ms: now_ms(),
                metadata_end_offset: node.cluster.metadata_end_offset(),
            };
            let mut all = self.left.write().unwrap_or_else(PoisonError::into_inner);
            all.insert(id, left);
        }
        self.changed();
    }

    /// When a node that has ended was last seen.
    pub(in crate::broker) fn left(&self, id: i32) -> Option<Left> {
        let left = self.left.read().unwrap_or_else(PoisonError::into_inner);
        left.get(&id).copied()
    }

    /// Counts the losses of a node that was paused.
    pub(in crate::broker) fn paused(&self, id: i32) {
        self.count_losses(id);
        self.changed();
    }

    /// Counts a loss if coordinators on this node have batches that are not committed: no answer waits for those.
    fn count_losses(&self, id: i32) {
        let node = {
            let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
            nodes.get(&id).and_then(Weak::upgrade)
        };
        if node.is_some_and(|node| !node.replicas.unreplicated.is_empty()) {
            self.note_loss();
        }
    }

    /// Counts a loss.
    pub(super) fn note_loss(&self) {
        self.losses.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn losses(&self) -> u64 {
        self.losses.load(Ordering::Acquire)
    }

    /// Announces that a node can be reached, or cannot any more.
    pub(in crate::broker) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Changes whenever nodes come and go.
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
