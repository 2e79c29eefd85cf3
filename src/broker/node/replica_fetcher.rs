//! Follows leaders: one task per other node copies the partitions that this node follows and the other leads.
//!
//! The tasks sleep while there is nothing to copy: the leader signals ([`FetchSignal`]) new records and a new high
//! watermark. A fetch that fails is repeated after `replica.fetch.backoff.ms`, by default after 100 ms.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::ResponseError;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Node;
use super::fetch_signal::FetchSignal;
use super::replica::Replica;
use super::replica_manager::ReplicaManager;
use super::replication::{FollowerAnswer, FollowerFetch, Taken};
use super::replication_quota::Throttle;
use crate::broker::cluster::elections::AlterPartition;
use crate::broker::timers::now_ms;

/// Kafka waits a second by default; here the leader is in the same process.
const BACKOFF: Duration = Duration::from_millis(100);

/// Copies from every other node, also from those that start later, forever.
pub(in crate::broker) async fn follow_everyone(node: Arc<Node>) {
    let mut peers = node.peers.changes();
    let mut known = BTreeSet::from([node.id]);
    let mut fetchers = JoinSet::new();
    loop {
        for leader in node.peers.ids() {
            if known.insert(leader) {
                fetchers.spawn(run(Arc::clone(&node), leader));
            }
        }
        if peers.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// `replica.fetch.backoff.ms` where it was set.
fn backoff(node: &Node) -> Duration {
    let given = node.config.given("replica.fetch.backoff.ms");
    given
        .and_then(|given| given.parse().ok())
        .map_or(BACKOFF, Duration::from_millis)
}

/// Copies from `leader` forever.
async fn run(node: Arc<Node>, leader: i32) {
    let signal = node.replicas.fetchers.of(leader);
    let backoff = backoff(&node);
    let mut peers = node.peers.changes();
    let mut again = BTreeSet::new();
    node.replicas.follow_all(leader);
    loop {
        let retry = async {
            if again.is_empty() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(backoff).await;
        };
        tokio::select! {
            () = signal.heard() => {}
            // The leader may be reachable again.
            _ = peers.changed() => node.replicas.follow_all(leader),
            () = retry => {}
        }
        node.gate.open().await;
        again.append(&mut signal.take());
        again = round(&node, leader, &signal, std::mem::take(&mut again)).await;
    }
}

/// Fetches each partition until nothing is left. Returns those that have to be fetched again later.
async fn round(
    node: &Node,
    leader: i32,
    signal: &Arc<FetchSignal>,
    mut partitions: BTreeSet<(Uuid, i32)>,
) -> BTreeSet<(Uuid, i32)> {
    let mut later = BTreeSet::new();
    while !partitions.is_empty() {
        let Some(other) = node.peers.reachable(leader) else {
            // Its return is signalled by `peers.changed`.
            return BTreeSet::new();
        };
        let mut more = BTreeSet::new();
        for (topic, index) in partitions {
            let Some(replica) = node.replicas.replica(topic, index) else {
                continue;
            };
            match fetch(node, &other, &replica, signal) {
                Taken::Nothing => {}
                Taken::More => {
                    more.insert((topic, index));
                }
                Taken::Later => {
                    later.insert((topic, index));
                }
            }
        }
        partitions = more;
        // Let other tasks run; either node may have been paused meanwhile.
        tokio::task::yield_now().await;
        node.gate.open().await;
    }
    later
}

/// Fetches once from one partition.
fn fetch(node: &Node, leader: &Node, replica: &Replica, signal: &Arc<FetchSignal>) -> Taken {
    let max_bytes = usize::try_from(node.config.number("replica.fetch.max.bytes")).unwrap_or(0);
    let broker_epoch = node.cluster.image().broker_epoch(node.id);
    let Some((asked, mut question)) = replica.next_fetch(broker_epoch, max_bytes) else {
        return Taken::Nothing;
    };
    if asked != leader.id {
        return Taken::Nothing;
    }
    let throttle = Throttle::of(node, leader, replica);
    if throttle.holds_back(node, leader) {
        return Taken::Later;
    }
    question.max_bytes = throttle.most_bytes(max_bytes);
    let Ok(answer) = leader
        .replicas
        .answer_follower(replica.topic_id, replica.index, &question, signal)
    else {
        return Taken::Later;
    };
    if let FollowerAnswer::Records { batches, .. } = &answer {
        let bytes = batches.iter().map(|batch| batch.as_slice().len()).sum();
        throttle.count(node, leader, bytes);
    }
    replica
        .take_answer(&question, answer, now_ms())
        .unwrap_or_else(|error| {
            node.notice_once(format_args!("cannot follow {}: {error}", replica.name));
            Taken::Later
        })
}

impl ReplicaManager {
    /// Answers a follower; one that has caught up is added to the ISR.
    pub(in crate::broker) fn answer_follower(
        &self,
        topic: Uuid,
        index: i32,
        question: &FollowerFetch,
        signal: &Arc<FetchSignal>,
    ) -> Result<FollowerAnswer, ResponseError> {
        // A node that is shutting down must not come back into the ISR, where the leader would wait for it.
        if !self.cluster.image().is_active(question.follower) {
            return Err(ResponseError::BrokerNotAvailable);
        }
        let replica = self
            .replica(topic, index)
            .ok_or(ResponseError::UnknownTopicOrPartition)?;
        let answer = replica.answer_follower(question, signal)?;
        if let Some(wanted) = replica.wider_isr(question) {
            self.alter_isr(&replica, &wanted);
        }
        Ok(answer)
    }

    fn alter_isr(&self, replica: &Replica, wanted: &AlterPartition) {
        if self.cluster.alter_partition(wanted).is_err() {
            // The partition has changed meanwhile; the change comes to the replica separately.
            replica.isr_refused();
        }
    }

    /// Removes followers from the ISR that lag for too long.
    pub(in crate::broker) fn shrink_isrs(&self) {
        for replica in self.all() {
            if let Some(wanted) = replica.narrower_isr() {
                self.alter_isr(&replica, &wanted);
            }
        }
    }
}
