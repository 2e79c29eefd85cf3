//! OffsetCommit, versions 2–10: stores the committed offsets of a group.
//!
//! - Each partition is checked by itself: it must exist (error 3), and its metadata have a bounded length (12),
//!   measured in UTF-16 units as Java does.
//! - A member commits in its generation; a client without one (-1) only to a group without members.
//! - v2–4 can say how long the offset is kept.
//! - v9 answers `GROUP_ID_NOT_FOUND` where older versions answer `ILLEGAL_GENERATION`. v10 names topics by their ids.
//!
//! <https://kafka.apache.org/protocol#The_Messages_OffsetCommit>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse, TopicName};

use super::commits::{Commits, Wanted};
use super::group_words::{error_code, member};
use super::topic_ids::{KnownTopic, known_topic, name_topics};
use crate::broker::call::RequestContext;
use crate::broker::coordinator::group::stored_records::StoredOffset;
use crate::broker::node::Node;
use crate::broker::timers::{now_ms, steady_ms};

/// From this version on topics are named by their ids.
const BY_ID: i16 = 10;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: OffsetCommitRequest,
) -> OffsetCommitResponse {
    let now_ms = now_ms();
    let mut commits = Commits::new(now_ms, expiry(now_ms, request.retention_time_ms));
    let mut request = request;
    let ids = (context.version >= BY_ID).then(|| {
        let names = request.topics.iter_mut().map(|topic| &mut topic.name);
        name_topics(node, &context.newer_fields, names)
    });
    for topic in &request.topics {
        let wanted = topic.partitions.iter().map(|partition| Wanted {
            partition: partition.partition_index,
            offset: partition.committed_offset,
            leader_epoch: partition.committed_leader_epoch,
            metadata: partition.committed_metadata.as_deref(),
        });
        commits.check(node, &topic.name, wanted);
    }
    let outcome = commit(node, context, &request, commits.taken()).err();
    let topics = commits
        .into_answers(outcome)
        .into_iter()
        .map(|(name, partitions)| {
            let id = ids
                .as_ref()
                .map_or(KnownTopic::NONE, |ids| known_topic(ids, &name));
            let partitions = partitions.into_iter().map(|(index, error)| {
                let error = if id.exists {
                    error
                } else {
                    Some(ResponseError::UnknownTopicId)
                };
                OffsetCommitResponsePartition::default()
                    .with_partition_index(index)
                    .with_error_code(error_code(error))
            });
            OffsetCommitResponseTopic::default()
                .with_name(if ids.is_some() { TopicName::default() } else { name })
                .with_topic_id(id.id)
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

/// When the offset expires; -1 to follow the broker's `offsets.retention.minutes`.
fn expiry(now_ms: i64, retention_ms: i64) -> i64 {
    if retention_ms < 0 {
        -1
    } else {
        now_ms.saturating_add(retention_ms)
    }
}
