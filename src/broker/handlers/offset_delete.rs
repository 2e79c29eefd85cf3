//! OffsetDelete, version 0: a group forgets how far it has read, unless a member is subscribed to the topic.
//!
//! <https://kafka.apache.org/protocol#The_Messages_OffsetDelete>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse, TopicName};

use super::group_words::error_code;
use crate::broker::Broker;
use crate::broker::call::RequestContext;
use crate::broker::timers::steady_ms;

pub fn handle(
    broker: &Arc<Broker>,
    _context: &RequestContext,
    request: OffsetDeleteRequest,
) -> OffsetDeleteResponse {
    let asked: Vec<(TopicName, i32)> = request
        .topics
        .into_iter()
        .flat_map(|topic| {
            let name = topic.name;
            topic
                .partitions
                .into_iter()
                .map(move |partition| (name.clone(), partition.partition_index))
        })
        .collect();
    let exists =
        |(topic, partition): &&(TopicName, i32)| broker.metadata.partition(topic, *partition).is_some();
    let known: Vec<_> = asked
        .iter()
        .filter(exists)
        .map(|(topic, partition)| (topic.to_string(), *partition))
        .collect();
    if request.group_id.is_empty() {
        return OffsetDeleteResponse::default().with_error_code(ResponseError::InvalidGroupId.code());
    }
    let outcomes = match broker
        .groups
        .delete_offsets(&request.group_id, steady_ms(), &known)
    {
        Ok(outcomes) => outcomes,
        Err(error) => return OffsetDeleteResponse::default().with_error_code(error.code()),
    };
    let mut outcomes = outcomes.into_iter();
    let mut topics: Vec<OffsetDeleteResponseTopic> = Vec::new();
    for asked in &asked {
        let error = if exists(&asked) {
            outcomes.next().flatten()
        } else {
            Some(ResponseError::UnknownTopicOrPartition)
        };
        let partition = OffsetDeleteResponsePartition::default()
            .with_partition_index(asked.1)
            .with_error_code(error_code(error));
        match topics.last_mut() {
            Some(topic) if topic.name == asked.0 => topic.partitions.push(partition),
            _ => topics.push(
                OffsetDeleteResponseTopic::default()
                    .with_name(asked.0.clone())
                    .with_partitions(vec![partition]),
            ),
        }
    }
    OffsetDeleteResponse::default().with_topics(topics)
}
