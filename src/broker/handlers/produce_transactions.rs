//! What Produce asks the transaction coordinator before transactional records are appended (KIP-890): whether their
//! partitions are in the transaction. From v12 on the request adds them itself.

use std::collections::{BTreeSet, HashMap};

use kafka_protocol::ResponseError;

use super::transaction_words::{Admission, is_open};
use crate::broker::cluster::image::TopicImage;
use crate::broker::coordinator::transaction::events::ProducerIdentity;
use crate::broker::node::Node;
use crate::broker::produce::batch_check::Rejected;
use crate::broker::produce::produce_request::ProduceRequest;
use crate::records::BatchHeader;
use crate::topic_partition::TopicPartition;

/// From this version on a request adds its partitions to the transaction.
const ADDS_PARTITIONS: i16 = 12;
/// From this version on the answer may be `TRANSACTION_ABORTABLE`.
const KNOWS_ABORTABLE: i16 = 11;

/// The partitions of a request whose records are refused.
#[derive(Debug, Default)]
pub(super) struct TransactionCheck {
    /// Whether the coordinator was asked.
    has_asked: bool,
    refused: HashMap<TopicPartition, ResponseError>,
}

impl TransactionCheck {
    /// Asks about all partitions with transactional records at once. `topics` are those of the request, in its order;
    /// `None` for one that does not exist.
    pub(super) fn of(
        node: &Node,
        version: i16,
        request: &ProduceRequest,
        body: &[u8],
        topics: &[Option<std::sync::Arc<TopicImage>>],
    ) -> Self {
        let Some(id) = &request.transactional_id else {
            return Self::default();
        };
        let mut producers: Vec<(ProducerIdentity, BTreeSet<TopicPartition>)> = Vec::new();
        for (wanted, topic) in request.topics.iter().zip(topics) {
            let Some(topic) = topic else { continue };
            for records in &wanted.partitions {
                let header = body.get(records.records.clone()).map(BatchHeader::parse);
                let Some(Ok(header)) = header else { continue };
                let name = TopicPartition::new(topic.name.as_str(), records.index);
                let producer = ProducerIdentity {
                    id: header.producer_id,
                    epoch: header.producer_epoch,
                };
                let is_asked = header.is_transactional() && topic.partition(records.index).is_some();
                if !is_asked || is_open(node, &name, producer) {
                    continue;
                }
                match producers.iter_mut().find(|(known, _)| *known == producer) {
                    Some((_, partitions)) => {
                        partitions.insert(name);
                    }
                    None => producers.push((producer, BTreeSet::from([name]))),
                }
            }
        }
        let admission = Admission {
            adds: version >= ADDS_PARTITIONS,
            knows_abortable: version >= KNOWS_ABORTABLE,
        };
        let has_asked = !producers.is_empty();
        let refused = producers
            .into_iter()
            .flat_map(|(producer, partitions)| admission.refused(node, id, producer, partitions));
        Self {
            has_asked,
            refused: refused.collect(),
        }
    }

    /// Whether the coordinator may have added partitions.
    pub(super) fn has_asked(&self) -> bool {
        self.has_asked
    }

    /// Why the records of this partition are refused, with Apache Kafka's message.
    pub(super) fn refusal(&self, topic: &str, partition: i32, version: i16) -> Option<Rejected> {
        if self.refused.is_empty() {
            return None;
        }
        let error = *self.refused.get(&TopicPartition::new(topic, partition))?;
        Some(match error {
            ResponseError::InvalidTxnState => {
                Rejected::new(error, "Partition was not added to the transaction")
            }
            ResponseError::ConcurrentTransactions if version >= ADDS_PARTITIONS => Rejected::new(error, ""),
            // Clients retry after this error without refreshing their metadata.
            ResponseError::ConcurrentTransactions
            | ResponseError::CoordinatorLoadInProgress
            | ResponseError::CoordinatorNotAvailable
            | ResponseError::NotCoordinator => Rejected::new(
                ResponseError::NotEnoughReplicas,
                "Unable to verify the partition has been added to the transaction",
            ),
            error => Rejected::new(error, ""),
        })
    }

    /// Whether a producer that the log does not know has to start at sequence number 0.
    pub(super) fn begins_at_zero(version: i16, header: &BatchHeader) -> bool {
        version >= ADDS_PARTITIONS && header.is_transactional()
    }
}
