//! What coordinators have appended and other replicas do not have yet: answers that say so wait for it.
//!
//! What is lost when a coordinator moves is counted: a request that began before must not be answered as if it had been kept.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Node;
use super::replica::{Replica, Role};
use crate::topic_partition::Offset;

/// How long an answer waits at most: Kafka's `offsets.commit.timeout.ms`.
const PATIENCE: Duration = Duration::from_secs(5);

impl Node {
    /// How often something that a coordinator had appended was lost, on any node. To be asked before a request is looked
    /// at, for [`Node::coordinators_are_replicated`].
    pub(in crate::broker) fn coordinator_losses(&self) -> u64 {
        self.peers.losses()
    }

    /// Waits until what coordinators have appended so far, on any node, is committed. False if something was lost since
    /// `losses` were counted, or it takes too long.
    pub(in crate::broker) async fn coordinators_are_replicated(&self, losses: u64) -> bool {
        if self.groups.ownership().is_everything() {
            return true;
        }
        // No node is held meanwhile: one that ends is waited for.
        let mut waiting = self.replicas.unreplicated.pending();
        for node in self.peers.all().iter().filter(|node| node.id != self.id) {
            waiting.append(&mut node.replicas.unreplicated.pending());
        }
        let deadline = Instant::now() + PATIENCE;
        for written in waiting {
            let committed = written.replica.wait_until_committed(written.end, written.epoch);
            if !matches!(timeout_at(deadline, committed).await, Ok(Ok(()))) {
                return false;
            }
        }
        self.peers.losses() == losses
    }
}

#[derive(Clone, Debug)]
struct Written {
    replica: Arc<Replica>,
    end: Offset,
    epoch: i32,
}

impl Written {
    fn is_waited_for(&self) -> bool {
        self.replica.high_watermark() < self.end
    }
}

/// The batches, newest last. None of a cluster with one node.
#[derive(Debug, Default)]
pub(in crate::broker) struct Unreplicated(Mutex<Vec<Written>>);

impl Unreplicated {
    /// Everything before `end` was appended.
    pub(in crate::broker) fn note(&self, replica: &Arc<Replica>, end: Offset) {
        let Role::Leader { epoch } = replica.role() else {
            return;
        };
        let written = Written {
            replica: Arc::clone(replica),
            end,
            epoch,
        };
        if !written.is_waited_for() {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Only the newest of a partition matters.
        all.retain(|known| known.is_waited_for() && !Arc::ptr_eq(&known.replica, replica));
        all.push(written);
    }

    /// What is not committed yet.
    fn pending(&self) -> Vec<Written> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(Written::is_waited_for);
        all.clone()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending().is_empty()
    }

    /// The replica of a partition does not lead it any more, or leads in another epoch: what it had not committed by then
    /// may be lost. Answers whether there was anything.
    pub(super) fn lose(&self, topic: &str, partition: i32) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.len();
        all.retain(|written| {
            let replica = &written.replica;
            let is_of_it = replica.topic == topic && replica.index == partition;
            !is_of_it || replica.role() == (Role::Leader { epoch: written.epoch })
        });
        all.len() < before
    }
}
