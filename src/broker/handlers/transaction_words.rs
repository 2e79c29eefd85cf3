//! What the handlers of transactions share: conversions, and the admission of partitions to a transaction.

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

/// The error for a request's version: below `first`, `PRODUCER_FENCED` becomes the older `INVALID_PRODUCER_EPOCH`.
pub(super) fn known_to(version: i16, first: i16, error: ResponseError) -> ResponseError {
    match error {
        ResponseError::ProducerFenced if version < first => ResponseError::InvalidProducerEpoch,
        error => error,
    }
}

/// How a request that writes in a transaction makes sure that the coordinator knows its partitions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admission {
    /// Whether the request adds its partitions (KIP-890); otherwise they must have been added.
    pub(super) adds: bool,
    /// Whether the answer may be `TRANSACTION_ABORTABLE`; otherwise it is `INVALID_TXN_STATE`.
    pub(super) knows_abortable: bool,
}

impl Admission {
    /// The partitions to which this producer may not write in its transaction, each with the reason. The coordinator
    /// must know a partition before a record is written to it: otherwise the partition would get no marker.
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
                // Clients retry after this error without refreshing their metadata: the partition's leader has not
                // changed.
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
        let image = node.cluster.image();
        let values = node.broker_values(&image);
        if !values.flag("transaction.partition.verification.enable") {
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

/// Whether the producer's transaction is open in the partition's log: then the coordinator knows the partition.
pub(super) fn is_open(node: &Node, partition: &TopicPartition, producer: ProducerIdentity) -> bool {
    let replica = node.partition(&partition.topic, partition.partition);
    replica.is_some_and(|replica| {
        replica
            .log()
            .producers()
            .has_open_transaction(producer.id, producer.epoch)
    })
}
