//! Between the protocol's requests and the transaction coordinator: what the handlers of transactions share.

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::ProducerId;

use crate::broker::coordinator::transaction::events::{AddPartitions, Generation, ProducerIdentity};
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;
use crate::topic_partition::TopicPartition;

/// A producer as requests name it.
pub(super) fn producer(id: ProducerId, epoch: i16) -> ProducerIdentity {
    ProducerIdentity { id: id.0, epoch }
}

/// Requests below `first` do not know `PRODUCER_FENCED`; they get the older `INVALID_PRODUCER_EPOCH`.
pub(super) fn known_to(version: i16, first: i16, error: ResponseError) -> ResponseError {
    match error {
        ResponseError::ProducerFenced if version < first => ResponseError::InvalidProducerEpoch,
        error => error,
    }
}

/// How a request that writes in a transaction makes sure that the coordinator knows of its partitions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admission {
    /// The request adds its partitions by itself (KIP-890); otherwise they must have been added.
    pub(super) adds: bool,
    /// The client knows `TRANSACTION_ABORTABLE`, where older ones get `INVALID_TXN_STATE`.
    pub(super) knows_abortable: bool,
}

impl Admission {
    /// The partitions to which this producer may not write in its transaction, each with the reason. The coordinator must
    /// know of a partition before a record is written there, or the partition would get no marker.
    pub(super) fn refused(
        self,
        node: &Node,
        transactional_id: &str,
        producer: ProducerIdentity,
        partitions: BTreeSet<TopicPartition>,
    ) -> Vec<(TopicPartition, ResponseError)> {
        let all_refused = |error: ResponseError| {
            let error = match error {
                ResponseError::ProducerFenced => ResponseError::InvalidProducerEpoch,
                // The client asks again without asking who leads: the leader is the same.
                ResponseError::NotCoordinator
                | ResponseError::CoordinatorLoadInProgress
                | ResponseError::CoordinatorNotAvailable => ResponseError::NotEnoughReplicas,
                error => error,
            };
            partitions.iter().cloned().map(|name| (name, error)).collect()
        };
        let coordinator = match node.coordinator_of_transactions(transactional_id) {
            Ok(coordinator) => coordinator,
            Err(error) => return all_refused(error),
        };
        if self.adds {
            let request = AddPartitions {
                producer,
                partitions: partitions.clone(),
                generation: Generation::Second,
            };
            let added = coordinator.add(transactional_id, steady_ms(), request);
            return added.err().map_or_else(Vec::new, all_refused);
        }
        if !node.transactions.config().verifies_partitions {
            return Vec::new();
        }
        match coordinator.verify(transactional_id, producer, &partitions) {
            Err(error) => all_refused(error),
            Ok(known) => {
                let error = if self.knows_abortable {
                    ResponseError::TransactionAbortable
                } else {
                    ResponseError::InvalidTxnState
                };
                let unknown = partitions.difference(&known).cloned();
                unknown.map(|name| (name, error)).collect()
            }
        }
    }
}

/// Whether the partition's log has the producer's transaction open: then the coordinator knows of it.
pub(super) fn is_open(node: &Node, partition: &TopicPartition, producer: ProducerIdentity) -> bool {
    let replica = node.partition(&partition.topic, partition.partition);
    replica.is_some_and(|replica| {
        replica
            .log()
            .producers()
            .has_open_transaction(producer.id, producer.epoch)
    })
}
