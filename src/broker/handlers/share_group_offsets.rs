//! `DescribeShareGroupOffsets` (versions 0–1), `AlterShareGroupOffsets` (0) and `DeleteShareGroupOffsets` (0): the
//! share partition start offsets of groups (KIP-932).
//!
//! - Describe: null topics mean all that the group reads. A partition that the group does not read has the offset -1,
//!   as has one of a group that does not exist. v1 has the lag (KIP-1226): the records after the start offset that
//!   are not processed.
//! - Alter and delete need an empty group; alter creates it if it does not exist.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeShareGroupOffsets>

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_share_group_offsets_response as altered;
use kafka_protocol::messages::delete_share_group_offsets_response as deleted;
use kafka_protocol::messages::describe_share_group_offsets_request::DescribeShareGroupOffsetsRequestGroup;
use kafka_protocol::messages::describe_share_group_offsets_response::{
    DescribeShareGroupOffsetsResponseGroup, DescribeShareGroupOffsetsResponsePartition,
    DescribeShareGroupOffsetsResponseTopic,
};
use kafka_protocol::messages::{
    AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse, DeleteShareGroupOffsetsRequest,
    DeleteShareGroupOffsetsResponse, DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse,
};
use uuid::Uuid;

use super::{check_share_groups, text, topic_name};
use crate::broker::call::RequestContext;
use crate::broker::cluster::image::ClusterImage;
use crate::broker::coordinator::group::consumer_group::group::Refused;
use crate::broker::coordinator::group::share_group::initialization::TopicState;
use crate::broker::coordinator::share::StateKey;
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;

const NOT_HOSTED: &str = "This server does not host this topic-partition.";

/// The response, and the bytes of its newer fields: the lag of each partition.
pub fn describe(
    node: &Arc<Node>,
    _: &RequestContext,
    request: DescribeShareGroupOffsetsRequest,
) -> (DescribeShareGroupOffsetsResponse, Vec<u8>) {
    let mut lags = Vec::new();
    let groups = request
        .groups
        .into_iter()
        .map(|group| describe_group(node, group, &mut lags))
        .collect();
    let response = DescribeShareGroupOffsetsResponse::default().with_groups(groups);
    (response, lags)
}

fn describe_group(
    node: &Node,
    group: DescribeShareGroupOffsetsRequestGroup,
    lags: &mut Vec<u8>,
) -> DescribeShareGroupOffsetsResponseGroup {
    if let Err(error) = check_share_groups(node) {
        return DescribeShareGroupOffsetsResponseGroup::default()
            .with_group_id(group.group_id)
            .with_error_code(error.code());
    }
    let image = node.cluster.image();
    let wanted: Vec<(String, Uuid, Vec<i32>)> = match &group.topics {
        Some(topics) => topics
            .iter()
            .map(|topic| {
                let id = image
                    .topic(&topic.topic_name)
                    .map_or(Uuid::nil(), |topic| topic.id);
                (topic.topic_name.to_string(), id, topic.partitions.clone())
            })
            .collect(),
        None => all_of(node, &image, &group.group_id),
    };
    let topics = wanted.into_iter().map(|(name, id, partitions)| {
        let partitions = partitions.into_iter().map(|partition| {
            let key = StateKey {
                group: group.group_id.to_string(),
                topic: id,
                partition,
            };
            let (offset, lag) = offset_and_lag(node, &key);
            lags.extend(lag.to_be_bytes());
            offset
        });
        DescribeShareGroupOffsetsResponseTopic::default()
            .with_topic_name(topic_name(&name))
            .with_topic_id(id)
            .with_partitions(partitions.collect())
    });
    let topics = topics.collect();
    DescribeShareGroupOffsetsResponseGroup::default()
        .with_group_id(group.group_id)
        .with_topics(topics)
}

/// Every partition that a group reads, by topic.
fn all_of(node: &Node, image: &ClusterImage, group: &str) -> Vec<(String, Uuid, Vec<i32>)> {
    let mut topics: BTreeMap<Uuid, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in node.groups.share_partitions(group).unwrap_or_default() {
        topics.entry(topic).or_default().push(partition);
    }
    let named = topics.into_iter().filter_map(|(id, partitions)| {
        let name = image.topic_by_id(id)?.name.clone();
        Some((name, id, partitions))
    });
    named.collect()
}

fn offset_and_lag(node: &Node, key: &StateKey) -> (DescribeShareGroupOffsetsResponsePartition, i64) {
    let offset = DescribeShareGroupOffsetsResponsePartition::default().with_partition_index(key.partition);
    let Some(state) = node.share.states().summary(key) else {
        return (offset.with_start_offset(-1), -1);
    };
    let offset = offset
        .with_start_offset(state.start_offset)
        .with_leader_epoch(state.leader_epoch);
    let image = node.cluster.image();
    let topic = image.topic_by_id(key.topic);
    let leader = topic.and_then(|topic| node.leader(topic, key.partition).ok());
    let lag = match leader {
        Some((replica, _)) if state.start_offset >= 0 && state.delivery_complete_count >= 0 => {
            let after_start = replica.high_watermark().saturating_sub(state.start_offset);
            after_start.saturating_sub(i64::from(state.delivery_complete_count))
        }
        _ => -1,
    };
    (offset, lag)
}

pub async fn alter(
    node: &Arc<Node>,
    _: &RequestContext,
    request: AlterShareGroupOffsetsRequest,
) -> AlterShareGroupOffsetsResponse {
    if let Err(error) = check_share_groups(node) {
        return AlterShareGroupOffsetsResponse::default().with_error_code(error.code());
    }
    let asked = asked_for(node, &request);
    let outcome = begin_anew(node, &request.group_id, &asked).await;
    let responses = asked.responses;
    match outcome {
        Ok(()) => AlterShareGroupOffsetsResponse::default().with_responses(responses),
        Err((error, message)) => AlterShareGroupOffsetsResponse::default()
            .with_error_code(error.code())
            .with_error_message(Some(text(message))),
    }
}

/// The new start offsets of a group, and the answer for each topic.
struct Asked {
    topics: BTreeMap<Uuid, TopicState>,
    starts: BTreeMap<(Uuid, i32), i64>,
    responses: Vec<altered::AlterShareGroupOffsetsResponseTopic>,
}

/// Each step waits until the one before is replicated: group and share coordinator may lose their records separately.
async fn begin_anew(node: &Arc<Node>, group: &str, asked: &Asked) -> Result<(), Refused> {
    let lost = || (ResponseError::CoordinatorNotAvailable, String::new());
    let losses = node.coordinator_losses();
    let groups = &node.groups;
    let to_make = groups.begin_share_offsets(group, steady_ms(), &asked.topics)?;
    if asked.topics.is_empty() {
        return Ok(());
    }
    if !node.coordinators_are_replicated(losses).await {
        return Err(lost());
    }
    groups.make_share_states(group, steady_ms(), &to_make, Some(&asked.starts))?;
    if !node.coordinators_are_replicated(losses).await {
        return Err(lost());
    }
    groups.end_share_initialization(group, steady_ms(), &asked.topics)
}

/// The partitions of a request that exist.
fn asked_for(node: &Node, request: &AlterShareGroupOffsetsRequest) -> Asked {
    let image = node.cluster.image();
    let mut topics: BTreeMap<Uuid, TopicState> = BTreeMap::new();
    let mut starts = BTreeMap::new();
    let responses = request.topics.iter().map(|topic| {
        let known = image.topic(&topic.topic_name);
        let id = known.map_or(Uuid::nil(), |topic| topic.id);
        let partitions = topic.partitions.iter().map(|partition| {
            let index = partition.partition_index;
            let result =
                altered::AlterShareGroupOffsetsResponsePartition::default().with_partition_index(index);
            if known.and_then(|topic| topic.partition(index)).is_none() {
                return result
                    .with_error_code(ResponseError::UnknownTopicOrPartition.code())
                    .with_error_message(Some(text(NOT_HOSTED)));
            }
            let state = topics.entry(id).or_default();
            topic.topic_name.to_string().clone_into(&mut state.name);
            state.partitions.insert(index);
            starts.insert((id, index), partition.start_offset);
            result
        });
        altered::AlterShareGroupOffsetsResponseTopic::default()
            .with_topic_name(topic.topic_name.clone())
            .with_topic_id(id)
            .with_partitions(partitions.collect())
    });
    let responses = responses.collect();
    Asked {
        topics,
        starts,
        responses,
    }
}

pub fn delete(
    node: &Arc<Node>,
    _: &RequestContext,
    request: DeleteShareGroupOffsetsRequest,
) -> DeleteShareGroupOffsetsResponse {
    if let Err(error) = check_share_groups(node) {
        return DeleteShareGroupOffsetsResponse::default().with_error_code(error.code());
    }
    let image = node.cluster.image();
    let topic_id = |name: &str| image.topic(name).map(|topic| topic.id);
    let topics = request.topics.iter();
    let ids: Vec<Uuid> = topics.filter_map(|topic| topic_id(&topic.topic_name)).collect();
    let deleted = node
        .groups
        .delete_share_offsets(&request.group_id, steady_ms(), &ids);
    let deleted = match deleted {
        Ok(deleted) => deleted,
        Err((error, message)) => {
            return DeleteShareGroupOffsetsResponse::default()
                .with_error_code(error.code())
                .with_error_message(Some(text(message)));
        }
    };
    let responses = request.topics.iter().map(|topic| {
        let result = deleted::DeleteShareGroupOffsetsResponseTopic::default()
            .with_topic_name(topic.topic_name.clone());
        let refused = |words: &'static str| {
            let result = result.clone();
            result
                .with_error_code(ResponseError::UnknownTopicOrPartition.code())
                .with_error_message(Some(text(words)))
        };
        match topic_id(&topic.topic_name) {
            Some(id) if deleted.contains(&id) => result.with_topic_id(id),
            Some(_) => refused("There is no offset information to delete."),
            None => refused(NOT_HOSTED),
        }
    });
    DeleteShareGroupOffsetsResponse::default().with_responses(responses.collect())
}
