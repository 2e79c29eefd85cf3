//! Coordinators move with the partitions of their topics: a node that becomes leader of one loads it, a node that
//! stops leading it unloads it.
//!
//! The change of leader counts at once; loading and unloading run in the background, one at a time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use kafka_protocol::ResponseError;
use tokio::sync::Notify;

use super::Node;
use super::reconcile::RoleChange;
use super::replica::Role;
use crate::broker::coordinator::log::partition_of;
use crate::broker::coordinator::ownership::Ownership;
use crate::broker::coordinator::transaction::TransactionCoordinator;
use crate::broker::internal_topics::{
    CONSUMER_OFFSETS, INTERNAL_TOPICS, SHARE_GROUP_STATE, TRANSACTION_STATE,
};
use crate::broker::timers::steady_ms;

/// The changes that are not processed yet.
#[derive(Debug, Default)]
pub(in crate::broker) struct Duties {
    changes: Mutex<VecDeque<RoleChange>>,
    added: Notify,
}

impl Duties {
    fn add(&self, change: RoleChange) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.push_back(change);
        self.added.notify_one();
    }

    fn next(&self) -> Option<RoleChange> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.pop_front()
    }
}

impl Node {
    /// Queues the coordinators of all partitions that this node leads for loading, unless they are loaded.
    pub(in crate::broker) fn coordinate_what_it_leads(&self) {
        for topic in INTERNAL_TOPICS {
            for replica in self.replicas.of_topic_named(topic.name) {
                self.note_duty(RoleChange {
                    topic: replica.topic.clone(),
                    index: replica.index,
                    role: Some(replica.role()),
                });
            }
        }
    }

    /// The transaction coordinator of a transactional id, which may be on another node.
    ///
    /// # Errors
    ///
    /// `COORDINATOR_NOT_AVAILABLE`: the coordinator is out of reach, or the partition of the id has no leader.
    pub(in crate::broker) fn coordinator_of_transactions(
        &self,
        id: &str,
    ) -> Result<Arc<TransactionCoordinator>, ResponseError> {
        if self.transactions.ownership().is_everything() {
            return Ok(Arc::clone(&self.transactions));
        }
        let image = self.cluster.image();
        let unavailable = ResponseError::CoordinatorNotAvailable;
        let topic = image.topic(TRANSACTION_STATE.name).ok_or(unavailable)?;
        let partition = topic.partition(partition_of(id, topic.partition_count()));
        let leader = partition.ok_or(unavailable)?.leader;
        if leader == self.id {
            return Ok(Arc::clone(&self.transactions));
        }
        let node = self.peers.reachable(leader).ok_or(unavailable)?;
        Ok(Arc::clone(&node.transactions))
    }

    /// Handles the change of a replica's role, or its removal.
    pub(super) fn note_duty(&self, change: RoleChange) {
        let Some(ownership) = self.ownership(&change.topic) else {
            if change.role.is_none() {
                self.duties.add(change);
            }
            return;
        };
        let is_news = match change.role {
            Some(Role::Leader { epoch }) => ownership.elected(change.index, epoch),
            Some(Role::Follower { epoch, .. }) => ownership.resigned(change.index, epoch),
            None => ownership.forget(change.index),
        };
        // Only after that: a request that begins from here on counts this loss already.
        if self.replicas.unreplicated.lose(&change.topic, change.index) {
            self.peers.note_loss();
        }
        if is_news {
            self.duties.add(change);
        }
    }

    fn ownership(&self, topic: &str) -> Option<&Ownership> {
        if topic == CONSUMER_OFFSETS.name {
            Some(self.groups.ownership())
        } else if topic == TRANSACTION_STATE.name {
            Some(self.transactions.ownership())
        } else if topic == SHARE_GROUP_STATE.name {
            Some(self.share.states().ownership())
        } else {
            None
        }
    }

    /// The next change for this node's coordinators to process, if there is one.
    pub(in crate::broker) fn next_duty(&self) -> Option<RoleChange> {
        self.duties.next()
    }

    pub(in crate::broker) fn do_duty(&self, change: &RoleChange) {
        let (index, now_ms) = (change.index, steady_ms());
        if self.ownership(&change.topic).is_none() {
            // Only the folder of the removed replica is left.
            let _ = self.replicas.purge_deleted();
            return;
        }
        let outcome = match (change.topic.as_str(), change.role) {
            (topic, Some(Role::Leader { epoch })) if topic == CONSUMER_OFFSETS.name => {
                self.groups.load_partition(index, epoch, now_ms)
            }
            (topic, Some(Role::Leader { epoch })) if topic == TRANSACTION_STATE.name => {
                self.transactions.load_partition(index, epoch, now_ms)
            }
            (_, Some(Role::Leader { epoch })) => self.share.states().load_partition(index, epoch),
            (topic, _) if topic == CONSUMER_OFFSETS.name => {
                self.groups.unload_partition(index);
                Ok(())
            }
            (topic, _) if topic == TRANSACTION_STATE.name => {
                self.transactions.unload_partition(index);
                Ok(())
            }
            _ => {
                self.share.states().unload_partition(index);
                Ok(())
            }
        };
        if let Err(error) = outcome {
            self.notice(format_args!("cannot read {}-{index}: {error}", change.topic));
        }
    }
}

/// Processes changes forever. Loading a large partition takes a while: it runs on a blocking thread.
pub(in crate::broker) async fn run(node: Arc<Node>) {
    loop {
        while let Some(change) = node.next_duty() {
            let at_work = Arc::clone(&node);
            let _ = tokio::task::spawn_blocking(move || at_work.do_duty(&change)).await;
        }
        node.duties.added.notified().await;
    }
}
