//! DescribeProducers, version 0: the producers that partitions know, with their open transactions.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeProducers>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_producers_response::{
    PartitionResponse, ProducerState, TopicResponse,
};
use kafka_protocol::messages::{DescribeProducersRequest, DescribeProducersResponse, ProducerId, TopicName};

use super::{text, words_of};
use crate::broker::call::RequestContext;
use crate::broker::cluster::image::ClusterImage;
use crate::broker::node::Node;
use crate::broker::node::replica::Replica;
use crate::broker::topic_name;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: DescribeProducersRequest,
) -> DescribeProducersResponse {
    let image = node.cluster.image();
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partition_indexes.iter().map(|index| {
            let response = PartitionResponse::default().with_partition_index(*index);
            match find(node, &image, &topic.name, *index) {
                Ok(replica) => response.with_active_producers(producers(&replica)),
                Err((error, words)) => response
                    .with_error_code(error.code())
                    .with_error_message(words.map(text)),
            }
        });
        TopicResponse::default()
            .with_partitions(partitions.collect())
            .with_name(topic.name.clone())
    });
    DescribeProducersResponse::default().with_topics(topics.collect())
}

/// The replica of the partition on this node, or why there is none, with Kafka's message if it has one.
fn find(
    node: &Node,
    image: &ClusterImage,
    topic: &TopicName,
    partition: i32,
) -> Result<Arc<Replica>, (ResponseError, Option<String>)> {
    topic_name::validate(topic).map_err(|words| (ResponseError::InvalidTopicException, Some(words)))?;
    let unknown = ResponseError::UnknownTopicOrPartition;
    let found = image
        .topic(topic)
        .ok_or_else(|| (unknown, Some(words_of(unknown).to_owned())))?;
    node.readable(found, partition).map_err(|error| (error, None))
}

fn producers(replica: &Replica) -> Vec<ProducerState> {
    let log = replica.log();
    let mut producers: Vec<_> = log
        .producers()
        .iter()
        .map(|(id, entry)| {
            ProducerState::default()
                .with_producer_id(ProducerId(id))
                .with_producer_epoch(entry.producer_epoch.into())
                .with_last_sequence(entry.last_sequence())
                .with_last_timestamp(entry.last_timestamp)
                .with_coordinator_epoch(entry.coordinator_epoch)
                .with_current_txn_start_offset(entry.current_transaction_first_offset.unwrap_or(-1))
        })
        .collect();
    producers.sort_by_key(|producer| producer.producer_id.0);
    producers
}
