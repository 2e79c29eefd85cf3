//! OffsetDelete, version 0: deletes committed offsets of a group, except of topics that a member is subscribed to.
//!
//! <https://kafka.apache.org/protocol#The_Messages_OffsetDelete>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse, TopicName};

use super::group_words::error_code;
use super::partition_errors::PartitionErrors;
use crate::broker::call::RequestContext;
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;

pub fn handle(
    node: &Arc<Node>,
    _context: &RequestContext,
    request: OffsetDeleteRequest,
) -> OffsetDeleteResponse {
    let image = node.cluster.image();
    let exists = |topic: &TopicName, index: i32| image.partition(topic, index).is_some();
    let asked = request.topics.iter().flat_map(|topic| {
        topic
            .partitions
            .iter()
            .map(move |partition| (&topic.name, partition.partition_index))
    });
    let known: Vec<_> = asked
        .filter(|(topic, index)| exists(topic, *index))
        .map(|(topic, index)| (topic.to_string(), index))
        .collect();
    if request.group_id.is_empty() {
        return OffsetDeleteResponse::default().with_error_code(ResponseError::InvalidGroupId.code());
    }
    let outcomes = match node.groups.delete_offsets(&request.group_id, steady_ms(), &known) {
        Ok(outcomes) => outcomes,
        Err(error) => return OffsetDeleteResponse::default().with_error_code(error.code()),
    };
    // One for each partition that existed when the group was asked.
    let mut outcomes = known.iter().zip(outcomes).peekable();
    let mut answers = PartitionErrors::default();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let index = partition.partition_index;
            let is_next =
                |((name, next), _): &(&(String, i32), _)| name == topic.name.as_str() && *next == index;
            match outcomes.next_if(is_next) {
                Some((_, error)) => answers.known(&topic.name, index, error),
                None => answers.unknown(&topic.name, index),
            }
        }
        answers.end_topic();
    }
    let topics = answers.into_topics().into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(index, error)| {
            OffsetDeleteResponsePartition::default()
                .with_partition_index(index)
                .with_error_code(error_code(error))
        });
        OffsetDeleteResponseTopic::default()
            .with_name(name)
            .with_partitions(partitions.collect())
    });
    OffsetDeleteResponse::default().with_topics(topics.collect())
}
