//! DescribeTopicPartitions, version 0: topics in pages (KIP-966).
//!
//! - Topics in order of their names, starting at the cursor; at most `response_partition_limit` partitions and never
//!   more than `max.request.partition.size.limit`. The next cursor points at the first one left out.
//! - No topics named: all of them. If topics are named, the cursor leaves out those before it.
//! - Each partition with its eligible leader replicas.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeTopicPartitions>

use std::collections::BTreeSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use kafka_protocol::messages::{BrokerId, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse};

use super::{broker_ids, topic_name};
use crate::broker::access::ResourceType;
use crate::broker::call::RequestContext;
use crate::broker::cluster::image::{ClusterImage, TopicImage};
use crate::broker::cluster::partition_image::NO_LEADER;
use crate::broker::node::Node;
use crate::broker::rights::Rights;
use crate::broker::topic_name::validate;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let (first_topic, mut first_partition) = match &request.cursor {
        Some(cursor) => (cursor.topic_name.to_string(), cursor.partition_index.max(0)),
        None => (String::new(), 0),
    };
    if let Some(refused) = refused(&request) {
        return refused;
    }
    let all = request.topics.is_empty();
    let image = node.cluster.image();
    let mut names: BTreeSet<String> = if all {
        image.topics().map(|topic| topic.name.clone()).collect()
    } else {
        request
            .topics
            .iter()
            .map(|topic| topic.name.to_string())
            .collect()
    };
    names.retain(|name| *name >= first_topic);
    let limit = node.config.number("max.request.partition.size.limit");
    let limit = limit.min(i64::from(request.response_partition_limit)).max(1);
    let mut room = usize::try_from(limit).unwrap_or(1);
    let mut response = DescribeTopicPartitionsResponse::default();
    for name in names {
        let from = if name == first_topic {
            std::mem::take(&mut first_partition)
        } else {
            0
        };
        let Some(topic) = image.topic(&name) else {
            if !all {
                response.topics.push(missing(&name));
            }
            continue;
        };
        if room == 0 {
            response.next_cursor = Some(cursor(&name, from));
            break;
        }
        let described = describe(&image, topic, from, room);
        let next = from + described.partitions.len() as i32;
        room -= described.partitions.len();
        response.topics.push(described);
        if next < topic.partition_count() {
            response.next_cursor = Some(cursor(&name, next));
            break;
        }
    }
    let rights = Rights::of(node, &image, context);
    for topic in &mut response.topics {
        let name = topic.name.as_ref().map_or("", |name| name.as_str());
        topic.topic_authorized_operations = rights.operations(true, ResourceType::Topic, name);
    }
    response
}

/// The answer to a cursor that no answer of ours can have contained: every topic has the error.
fn refused(request: &DescribeTopicPartitionsRequest) -> Option<DescribeTopicPartitionsResponse> {
    let cursor = request.cursor.as_ref()?;
    let names = &request.topics;
    let is_named = names.is_empty() || names.iter().any(|topic| topic.name == cursor.topic_name);
    if is_named && cursor.partition_index >= 0 {
        return None;
    }
    let topics = names.iter().map(|topic| {
        DescribeTopicPartitionsResponseTopic::default()
            .with_error_code(ResponseError::InvalidRequest.code())
            .with_name(Some(topic.name.clone()))
    });
    Some(DescribeTopicPartitionsResponse::default().with_topics(topics.collect()))
}

fn cursor(topic: &str, partition: i32) -> Cursor {
    Cursor::default()
        .with_topic_name(topic_name(topic))
        .with_partition_index(partition)
}

fn missing(name: &str) -> DescribeTopicPartitionsResponseTopic {
    let error = match validate(name) {
        Ok(()) => ResponseError::UnknownTopicOrPartition,
        Err(_) => ResponseError::InvalidTopicException,
    };
    DescribeTopicPartitionsResponseTopic::default()
        .with_error_code(error.code())
        .with_name(Some(topic_name(name)))
}

fn describe(
    image: &ClusterImage,
    topic: &TopicImage,
    from: i32,
    room: usize,
) -> DescribeTopicPartitionsResponseTopic {
    let partitions = topic.partitions.iter().filter(|(index, _)| *index >= from);
    let described = partitions.take(room).map(|(index, partition)| {
        let is_offline = |id: &i32| !image.is_active(*id);
        let offline: Vec<i32> = partition.replicas.iter().copied().filter(is_offline).collect();
        let error = (partition.leader == NO_LEADER).then_some(ResponseError::LeaderNotAvailable.code());
        DescribeTopicPartitionsResponsePartition::default()
            .with_partition_index(*index)
            .with_error_code(error.unwrap_or(0))
            .with_offline_replicas(broker_ids(&offline))
            .with_leader_id(BrokerId(partition.leader))
            .with_leader_epoch(partition.leader_epoch)
            .with_replica_nodes(broker_ids(&partition.replicas))
            .with_isr_nodes(broker_ids(&partition.isr))
            .with_eligible_leader_replicas(Some(broker_ids(&partition.eligible)))
            .with_last_known_elr(Some(broker_ids(&partition.last_known_eligible)))
    });
    DescribeTopicPartitionsResponseTopic::default()
        .with_name(Some(topic_name(&topic.name)))
        .with_topic_id(topic.id)
        .with_is_internal(topic.is_internal())
        .with_partitions(described.collect())
}
