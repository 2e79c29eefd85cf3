//! OffsetCommit, versions 2–9: a group remembers how far it has read.
//!
//! - Each partition is checked by itself: it must exist (3), and its metadata be of bounded size (12), measured in
//!   UTF-16 units as Java does.
//! - A member commits in its generation; nobody (generation -1) only to a group without members.
//! - v2–4 may say how long the offset is to be kept.
//! - v9 answers `GROUP_ID_NOT_FOUND` where older versions say `ILLEGAL_GENERATION`.
//!
//! <https://kafka.apache.org/protocol#The_Messages_OffsetCommit>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};

use uuid::Uuid;

use super::group_words::{error_code, member};
use super::partition_errors::PartitionErrors;
use crate::broker::call::RequestContext;
use crate::broker::coordinator::group::stored_records::StoredOffset;
use crate::broker::node::Node;
use crate::broker::timers::{now_ms, steady_ms};

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: OffsetCommitRequest,
) -> OffsetCommitResponse {
    let now_ms = now_ms();
    let expire_timestamp_ms = expiry(now_ms, request.retention_time_ms);
    let image = node.cluster.image();
    let refusal = |topic: &OffsetCommitRequestTopic, partition: &OffsetCommitRequestPartition| {
        refusal(node, topic, partition)
    };
    let mut offsets = Vec::new();
    for topic in &request.topics {
        let topic_id = image.topic(&topic.name).map_or(Uuid::nil(), |topic| topic.id);
        for partition in topic
            .partitions
            .iter()
            .filter(|partition| refusal(topic, partition).is_none())
        {
            let offset = StoredOffset {
                offset: partition.committed_offset,
                leader_epoch: partition.committed_leader_epoch,
                metadata: partition
                    .committed_metadata
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                commit_timestamp_ms: now_ms,
                expire_timestamp_ms,
                topic_id,
            };
            offsets.push((topic.name.to_string(), partition.partition_index, offset));
        }
    }
    let outcome = commit(node, context, &request, &offsets).err();
    let mut answers = PartitionErrors::default();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let index = partition.partition_index;
            match refusal(topic, partition) {
                Some(ResponseError::UnknownTopicOrPartition) => answers.unknown(&topic.name, index),
                refused => answers.known(&topic.name, index, refused.or(outcome)),
            }
        }
        answers.end_topic();
    }
    let topics = answers.into_topics().into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(index, error)| {
            OffsetCommitResponsePartition::default()
                .with_partition_index(index)
                .with_error_code(error_code(error))
        });
        OffsetCommitResponseTopic::default()
            .with_name(name)
            .with_partitions(partitions.collect())
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

fn commit(
    node: &Node,
    context: &RequestContext,
    request: &OffsetCommitRequest,
    offsets: &[(String, i32, StoredOffset)],
) -> Result<(), ResponseError> {
    let generation = request.generation_id_or_member_epoch;
    let member = member(&request.member_id, request.group_instance_id.as_ref(), generation);
    node.groups
        .commit(&request.group_id, steady_ms(), &member, offsets, context.version)
}

/// Why this partition's offset is not taken, whatever the group says.
fn refusal(
    node: &Node,
    topic: &OffsetCommitRequestTopic,
    partition: &OffsetCommitRequestPartition,
) -> Option<ResponseError> {
    let metadata = partition.committed_metadata.as_deref();
    partition_refusal(node, &topic.name, partition.partition_index, metadata)
}

/// Why the offset of a partition is not taken, with the text that the client leaves beside it.
pub(super) fn partition_refusal(
    node: &Node,
    topic: &str,
    partition: i32,
    metadata: Option<&str>,
) -> Option<ResponseError> {
    let metadata = metadata.map_or(0, |metadata| metadata.encode_utf16().count());
    if node.cluster.image().partition(topic, partition).is_none() {
        Some(ResponseError::UnknownTopicOrPartition)
    } else if metadata > node.groups.config().offset_metadata_max_bytes {
        Some(ResponseError::OffsetMetadataTooLarge)
    } else {
        None
    }
}

/// When the offset is to expire; -1: when the broker's own retention says so.
fn expiry(now_ms: i64, retention_ms: i64) -> i64 {
    if retention_ms < 0 {
        -1
    } else {
        now_ms.saturating_add(retention_ms)
    }
}
