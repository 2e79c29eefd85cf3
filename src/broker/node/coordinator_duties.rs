//! Coordinators move with the partitions of their topics: whoever comes to lead one reads it, whoever does not lead it any
//! more forgets what it holds.
//!
//! That a partition changes hands counts at once; reading and forgetting are done one after the other, beside everything
//! else.

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

/// What is still to be done.
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
    /// The coordinators of the partitions that this node leads are to be read, if they have not been.
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

    /// The coordinator of a transactional id, which may be on another node.
    ///
    /// # Errors
    ///
    /// It is out of reach, or has not read the id yet.
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

    /// A replica has another role, or is gone.
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
        // After that: whoever is answered here from now on does not know of it.
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

    /// What this node's coordinators are to do next, if there is anything.
    pub(in crate::broker) fn next_duty(&self) -> Option<RoleChange> {
        self.duties.next()
    }

    pub(in crate::broker) fn do_duty(&self, change: &RoleChange) {
        let (index, now_ms) = (change.index, steady_ms());
        if self.ownership(&change.topic).is_none() {
            // A replica that is gone leaves a folder.
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

/// Does what is to be done, for ever. Reading a large partition takes a while: it runs on a blocking thread.
pub(in crate::broker) async fn run(node: Arc<Node>) {
    loop {
        while let Some(change) = node.next_duty() {
            let at_work = Arc::clone(&node);
            let _ = tokio::task::spawn_blocking(move || at_work.do_duty(&change)).await;
        }
        node.duties.added.notified().await;
    }
}
