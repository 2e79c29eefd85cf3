//! Writing transaction markers to partitions: a control batch each, after which read-committed consumers get the
//! transaction's records or skip them (KIP-98).

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use kafka_protocol::ResponseError;

use super::super::group::GroupCoordinator;
use super::events::Markers;
use crate::broker::cluster::Cluster;
use crate::broker::internal_topics::CONSUMER_OFFSETS;
use crate::broker::node::replica::Replica;
use crate::broker::node::replica_manager::ReplicaManager;
use crate::records::control_record::EndTransactionMarker;
use crate::storage::producer_state::ProducerError;
use crate::storage::{AppendError, Origin};
use crate::topic_partition::{Offset, TopicPartition};

/// Writes markers on other nodes.
pub trait OtherNodes: Debug + Send + Sync {
    /// Writes a marker on the node `leader`.
    ///
    /// # Errors
    ///
    /// Those of that node; `NOT_LEADER_OR_FOLLOWER` if it is out of reach.
    fn write_marker(
        &self,
        leader: i32,
        markers: &Markers,
        partition: &TopicPartition,
        coordinator_epoch: i32,
        now_ms: i64,
    ) -> Result<Written, ResponseError>;
}

/// Writes markers to partitions, and tells the groups whose offsets are in the transaction.
#[derive(Debug)]
pub struct MarkerWriter {
    node: i32,
    replicas: Arc<ReplicaManager>,
    cluster: Arc<Cluster>,
    groups: Arc<GroupCoordinator>,
    others: Arc<dyn OtherNodes>,
}

/// A marker in the log of its partition's leader.
#[derive(Clone, Debug)]
pub struct Written {
    replica: Arc<Replica>,
    end: Offset,
    epoch: i32,
}

/// The outcome for the markers of one transaction.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The partitions without their marker.
    pub left: BTreeSet<TopicPartition>,
    /// Another coordinator or producer has taken over: retrying is useless.
    pub fenced: bool,
    written: Vec<(TopicPartition, Written)>,
}

impl Outcome {
    /// The outcome once every marker is on the in-sync replicas; the partition of a marker that may be lost is left.
    pub async fn replicated(mut self) -> Self {
        for (partition, written) in std::mem::take(&mut self.written) {
            let committed = written.replica.wait_until_committed(written.end, written.epoch);
            if committed.await.is_err() {
                self.left.insert(partition);
            }
        }
        self
    }
}

impl MarkerWriter {
    pub(in crate::broker) fn new(
        node: i32,
        replicas: Arc<ReplicaManager>,
        cluster: Arc<Cluster>,
        groups: Arc<GroupCoordinator>,
        others: Arc<dyn OtherNodes>,
    ) -> Self {
        Self {
            node,
            replicas,
            cluster,
            groups,
            others,
        }
    }

    /// Writes every marker. A partition that does not exist any more needs none.
    pub fn write_all(&self, markers: &Markers, coordinator_epoch: i32, now_ms: i64) -> Outcome {
        let mut outcome = Outcome::default();
        for partition in &markers.partitions {
            match self.send(markers, partition, coordinator_epoch, now_ms) {
                Ok(written) => outcome.written.push((partition.clone(), written)),
                Err(ResponseError::UnknownTopicOrPartition) => {}
                Err(error) => {
                    outcome.fenced |= matches!(
                        error,
                        ResponseError::InvalidProducerEpoch | ResponseError::TransactionCoordinatorFenced
                    );
                    outcome.left.insert(partition.clone());
                }
            }
        }
        outcome
    }

    /// Writes one marker, on this node or on the partition's leader.
    fn send(
        &self,
        markers: &Markers,
        partition: &TopicPartition,
        coordinator_epoch: i32,
        now_ms: i64,
    ) -> Result<Written, ResponseError> {
        let image = self.cluster.image();
        let leader = image.partition(&partition.topic, partition.partition);
        let leader = leader.ok_or(ResponseError::UnknownTopicOrPartition)?.leader;
        drop(image);
        if leader == self.node {
            return self.write(markers, partition, coordinator_epoch, now_ms);
        }
        let written = self
            .others
            .write_marker(leader, markers, partition, coordinator_epoch, now_ms);
        // The partition exists: its replica is only not created yet.
        written.map_err(|error| match error {
            ResponseError::UnknownTopicOrPartition => ResponseError::NotLeaderOrFollower,
            error => error,
        })
    }

    /// Writes one marker to a partition that this node leads.
    pub fn write(
        &self,
        markers: &Markers,
        partition: &TopicPartition,
        coordinator_epoch: i32,
        now_ms: i64,
    ) -> Result<Written, ResponseError> {
        let replica = self
            .replicas
            .partition(&partition.topic, partition.partition)
            .ok_or(ResponseError::UnknownTopicOrPartition)?;
        if partition.topic == CONSUMER_OFFSETS.name {
            // A partition that is being loaded would never see the marker, and take the transaction for open.
            let loaded = self.groups.ownership().check(partition.partition);
            loaded.map_err(|_| ResponseError::NotLeaderOrFollower)?;
        }
        let marker = EndTransactionMarker {
            committed: markers.commits,
            coordinator_epoch,
        };
        let (id, epoch) = (markers.producer.id, markers.producer.epoch);
        let origin = Origin::Marker {
            raises_epoch: markers.raises_epoch,
        };
        let leader_epoch = replica.leader_epoch();
        let appended = replica
            .append(&mut marker.to_batch(id, epoch, now_ms), origin, now_ms)
            .map_err(|error| match error {
                AppendError::Producer(ProducerError::CoordinatorFenced { .. }) => {
                    ResponseError::TransactionCoordinatorFenced
                }
                AppendError::Producer(_) => ResponseError::InvalidProducerEpoch,
                AppendError::NotLeader => ResponseError::NotLeaderOrFollower,
                _ => ResponseError::KafkaStorageError,
            })?;
        if partition.topic == CONSUMER_OFFSETS.name {
            self.groups
                .end_transaction(partition.partition, id, markers.commits);
        }
        Ok(Written {
            end: appended.last_offset.saturating_add(1),
            epoch: leader_epoch,
            replica,
        })
    }
}
