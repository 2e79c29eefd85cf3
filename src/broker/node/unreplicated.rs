//! What coordinators of this node have appended and other replicas do not have yet: their answers wait for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Node;
use super::replica::{Replica, Role};
use crate::topic_partition::Offset;

/// How long an answer waits at most: Kafka's `offsets.commit.timeout.ms`.
const PATIENCE: Duration = Duration::from_secs(5);

impl Node {
    /// Waits until what coordinators have appended so far, on any node, is committed. False if it may be lost, or takes too
    /// long.
    pub(in crate::broker) async fn coordinators_are_replicated(&self) -> bool {
        if self.groups.ownership().is_everything() {
            return true;
        }
        for node in self.peers.all() {
            if !node.replicas.unreplicated.committed().await {
                return false;
            }
        }
        true
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

    /// Waits until what was appended so far is committed. False if it may be lost, or takes too long.
    pub(in crate::broker) async fn committed(&self) -> bool {
        let waiting = {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if all.is_empty() {
                return true;
            }
            all.clone()
        };
        let deadline = Instant::now() + PATIENCE;
        for written in waiting {
            let committed = written.replica.wait_until_committed(written.end, written.epoch);
            if !matches!(timeout_at(deadline, committed).await, Ok(Ok(()))) {
                return false;
            }
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(Written::is_waited_for);
        true
    }
}
