//! Batches of coordinators that are not committed yet: answers that depend on them have to wait.
//!
//! A batch that is lost when a coordinator moves is counted: a request that began before must not be answered as if
//! it had been kept.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Node;
use super::replica::{Replica, Role};
use crate::topic_partition::Offset;

/// The longest wait of an answer: Kafka's `offsets.commit.timeout.ms`.
const PATIENCE: Duration = Duration::from_secs(5);

impl Node {
    /// The number of losses on any node so far. To be taken before a request is handled, for
    /// [`Node::coordinators_are_replicated`].
    pub(in crate::broker) fn coordinator_losses(&self) -> u64 {
        self.peers.losses()
    }

    /// Waits until all batches that coordinators on any node have appended so far are committed. `false` if there was
    /// a loss since `losses` was taken, or if it takes too long.
    pub(in crate::broker) async fn coordinators_are_replicated(&self, losses: u64) -> bool {
        if self.groups.ownership().is_everything() {
            return true;
        }
        // No node is kept alive meanwhile: its shutdown would wait for this.
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

/// The batches, newest last. Always empty in a cluster of one node.
#[derive(Debug, Default)]
pub(in crate::broker) struct Unreplicated(Mutex<Vec<Written>>);

impl Unreplicated {
    /// Adds a batch that ends before `end`.
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

    /// The batches that are not committed yet.
    fn pending(&self) -> Vec<Written> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(Written::is_waited_for);
        all.clone()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending().is_empty()
    }

    /// Removes a partition's batches after its replica has lost the leadership of their epoch: they may be lost.
    /// Returns whether there were any.
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
