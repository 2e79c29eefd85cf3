//! `ShareAcknowledge`, versions 1–2: a member of a share group acknowledges records that it was given (KIP-932).
//!
//! - It belongs to the member's share session; the final epoch closes the session.
//! - v2: it can renew locks, and the answer has their duration (KIP-1222).
//!
//! <https://kafka.apache.org/protocol#The_Messages_ShareAcknowledge>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::share_acknowledge_response::{PartitionData, ShareAcknowledgeTopicResponse};
use kafka_protocol::messages::{ShareAcknowledgeRequest, ShareAcknowledgeResponse};

use super::share_words::{Batch, Outcomes, acknowledge_all, session_key};
use super::{check_share_groups, text};
use crate::broker::call::RequestContext;
use crate::broker::newer_versions::NewerFields;
use crate::broker::node::Node;
use crate::broker::share::share_session::{FINAL_EPOCH, PartitionId, SessionKey};
use crate::broker::timers::steady_ms;

/// The response, and the bytes of its newer field: the duration of locks.
pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: ShareAcknowledgeRequest,
) -> (ShareAcknowledgeResponse, Vec<u8>) {
    let renews = NewerFields::new(&context.newer_fields).bool();
    let (response, lock_ms) = match acknowledge(node, &request, renews) {
        Ok((session, outcomes)) => {
            let lock_ms = node.share.config_of(&session.group).limits.lock_ms;
            (response(outcomes), i32::try_from(lock_ms).unwrap_or(i32::MAX))
        }
        Err(error) => (
            ShareAcknowledgeResponse::default().with_error_code(error.code()),
            0,
        ),
    };
    (response, lock_ms.to_be_bytes().to_vec())
}

fn acknowledge(
    node: &Arc<Node>,
    request: &ShareAcknowledgeRequest,
    renews: bool,
) -> Result<(SessionKey, Outcomes), ResponseError> {
    check_share_groups(node)?;
    let session = session_key(request.group_id.as_ref(), request.member_id.as_ref())?;
    let epoch = request.share_session_epoch;
    node.share.sessions.acknowledge(&session, epoch)?;
    let mut acknowledged: Vec<(PartitionId, Vec<Batch>)> = Vec::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let batches = partition.acknowledgement_batches.iter();
            let batches = batches.map(|batch| {
                (
                    batch.first_offset,
                    batch.last_offset,
                    batch.acknowledge_types.clone(),
                )
            });
            acknowledged.push(((topic.topic_id, partition.partition_index), batches.collect()));
        }
    }
    let outcomes = acknowledge_all(node, &session, &acknowledged, renews);
    if epoch == FINAL_EPOCH {
        node.share.close_session(&session, steady_ms());
    }
    Ok((session, outcomes))
}

fn response(outcomes: Outcomes) -> ShareAcknowledgeResponse {
    let mut topics: Vec<ShareAcknowledgeTopicResponse> = Vec::new();
    for ((topic, partition), outcome) in outcomes {
        let data = PartitionData::default().with_partition_index(partition);
        let data = match outcome {
            Ok(()) => data,
            Err((error, words)) => data
                .with_error_code(error.code())
                .with_error_message(words.map(text)),
        };
        match topics.last_mut() {
            Some(last) if last.topic_id == topic => last.partitions.push(data),
            _ => topics.push(
                ShareAcknowledgeTopicResponse::default()
                    .with_topic_id(topic)
                    .with_partitions(vec![data]),
            ),
        }
    }
    ShareAcknowledgeResponse::default().with_responses(topics)
}
