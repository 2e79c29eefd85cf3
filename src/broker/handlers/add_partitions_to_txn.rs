//! AddPartitionsToTxn, versions 0–5: adds partitions to a producer's transaction before it writes to them.
//!
//! - A partition that does not exist is refused with its own error, and the others are not attempted.
//! - Only v2 and later are answered with `PRODUCER_FENCED`. v4 is for brokers: many transactions at once, and
//!   `verify_only`, which adds nothing and answers for each partition whether it is in the transaction (KIP-890).
//!
//! <https://kafka.apache.org/protocol#The_Messages_AddPartitionsToTxn>

use std::collections::BTreeSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::{AddPartitionsToTxnRequest, AddPartitionsToTxnResponse};

use super::transaction_words::{known_to, producer};
use crate::broker::call::RequestContext;
use crate::broker::coordinator::transaction::events::{AddPartitions, Generation, ProducerIdentity};
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;
use crate::topic_partition::TopicPartition;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: AddPartitionsToTxnRequest,
) -> AddPartitionsToTxnResponse {
    let version = context.version;
    if version < 4 {
        let producer = producer(
            request.v3_and_below_producer_id,
            request.v3_and_below_producer_epoch,
        );
        let id = request.v3_and_below_transactional_id.as_str();
        let topics = request.v3_and_below_topics;
        let outcomes = add(node, id, producer, &topics, Generation::First);
        let outcome = |partition: &TopicPartition| {
            outcomes(partition).map_or(0, |error| known_to(version, 2, error).code())
        };
        return AddPartitionsToTxnResponse::default()
            .with_results_by_topic_v3_and_below(results(&topics, outcome));
    }
    let transactions = request.transactions.into_iter().map(|transaction| {
        let topics = if transaction.verify_only {
            verify(node, &transaction)
        } else {
            let producer = producer(transaction.producer_id, transaction.producer_epoch);
            let (id, topics) = (transaction.transactional_id.as_str(), &transaction.topics);
            let outcomes = add(node, id, producer, topics, Generation::Second);
            results(topics, |partition| {
                outcomes(partition).map_or(0, |error| error.code())
            })
        };
        AddPartitionsToTxnResult::default()
            .with_transactional_id(transaction.transactional_id)
            .with_topic_results(topics)
    });
    AddPartitionsToTxnResponse::default().with_results_by_transaction(transactions.collect())
}

fn named(topics: &[AddPartitionsToTxnTopic]) -> BTreeSet<TopicPartition> {
    topics
        .iter()
        .flat_map(|topic| {
            let partitions = topic.partitions.iter();
            partitions.map(|index| TopicPartition::new(topic.name.as_str(), *index))
        })
        .collect()
}

/// Adds every partition, or none. Returns the outcome for each.
fn add(
    node: &Node,
    id: &str,
    producer: ProducerIdentity,
    topics: &[AddPartitionsToTxnTopic],
    generation: Generation,
) -> impl Fn(&TopicPartition) -> Option<ResponseError> {
    let partitions = named(topics);
    let image = node.cluster.image();
    let missing: BTreeSet<TopicPartition> = partitions
        .iter()
        .filter(|name| image.partition(&name.topic, name.partition).is_none())
        .cloned()
        .collect();
    let outcome = if missing.is_empty() {
        let request = AddPartitions {
            producer,
            partitions,
            generation,
        };
        node.transactions.add(id, steady_ms(), request).err()
    } else {
        Some(ResponseError::OperationNotAttempted)
    };
    move |partition| {
        if missing.contains(partition) {
            Some(ResponseError::UnknownTopicOrPartition)
        } else {
            outcome
        }
    }
}

fn verify(node: &Node, transaction: &AddPartitionsToTxnTransaction) -> Vec<AddPartitionsToTxnTopicResult> {
    let producer = producer(transaction.producer_id, transaction.producer_epoch);
    let known = node.transactions.verify(
        &transaction.transactional_id,
        producer,
        &named(&transaction.topics),
    );
    results(&transaction.topics, |partition| match &known {
        Err(error) => error.code(),
        Ok(known) if known.contains(partition) => 0,
        Ok(_) => ResponseError::TransactionAbortable.code(),
    })
}

fn results(
    topics: &[AddPartitionsToTxnTopic],
    code: impl Fn(&TopicPartition) -> i16,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let results = topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|index| {
            let name = TopicPartition::new(topic.name.as_str(), *index);
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(*index)
                .with_partition_error_code(code(&name))
        });
        AddPartitionsToTxnTopicResult::default()
            .with_name(topic.name.clone())
            .with_results_by_partition(partitions.collect())
    });
    results.collect()
}
