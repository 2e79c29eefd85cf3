//! Writing the end of a transaction to partitions: a control batch each, which lets readers of committed records pass
//! or leave the records out. (KIP-98)

use std::collections::BTreeSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;

use super::super::group::GroupCoordinator;
use super::events::Markers;
use crate::broker::internal_topics::CONSUMER_OFFSETS;
use crate::broker::node::replica_manager::ReplicaManager;
use crate::records::control_record::EndTransactionMarker;
use crate::storage::producer_state::ProducerError;
use crate::storage::{AppendError, Origin};
use crate::topic_partition::TopicPartition;

/// Writes markers to the partitions of this node, and lets the groups know.
#[derive(Debug)]
pub struct MarkerWriter {
    replicas: Arc<ReplicaManager>,
    groups: Arc<GroupCoordinator>,
}

/// What became of the markers of one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The partitions without theirs.
    pub left: BTreeSet<TopicPartition>,
    /// Another coordinator or producer has taken over: it is no use to try again.
    pub fenced: bool,
}

impl MarkerWriter {
    pub fn new(replicas: Arc<ReplicaManager>, groups: Arc<GroupCoordinator>) -> Self {
        Self { replicas, groups }
    }

    /// Writes every marker. A partition that does not exist any more needs none.
    pub fn write_all(&self, markers: &Markers, coordinator_epoch: i32, now_ms: i64) -> Outcome {
        let mut outcome = Outcome::default();
        for partition in &markers.partitions {
            match self.write(markers, partition, coordinator_epoch, now_ms) {
                Ok(()) | Err(ResponseError::UnknownTopicOrPartition) => {}
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

    /// Writes one marker.
    pub fn write(
        &self,
        markers: &Markers,
        partition: &TopicPartition,
        coordinator_epoch: i32,
        now_ms: i64,
    ) -> Result<(), ResponseError> {
        let replica = self
            .replicas
            .partition(&partition.topic, partition.partition)
            .ok_or(ResponseError::UnknownTopicOrPartition)?;
        let marker = EndTransactionMarker {
            committed: markers.commits,
            coordinator_epoch,
        };
        let (id, epoch) = (markers.producer.id, markers.producer.epoch);
        let origin = Origin::Marker {
            raises_epoch: markers.raises_epoch,
        };
        replica
            .append(&mut marker.to_batch(id, epoch, now_ms), origin, now_ms)
            .map_err(|error| match error {
                AppendError::Producer(ProducerError::CoordinatorFenced { .. }) => {
                    ResponseError::TransactionCoordinatorFenced
                }
                AppendError::Producer(_) => ResponseError::InvalidProducerEpoch,
                _ => ResponseError::KafkaStorageError,
            })?;
        if partition.topic == CONSUMER_OFFSETS.name {
            self.groups
                .end_transaction(partition.partition, id, markers.commits);
        }
        Ok(())
    }
}
