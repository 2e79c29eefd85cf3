//! FindCoordinator, versions 0–6: which broker coordinates a group or a transactional id: the leader of its partition
//! in the coordinator's topic.
//!
//! - v1 has the type of the key: 0 a group, 1 a transactional id, 2 (v6) a partition as a share group reads it.
//! - v4 has many keys at once.
//! - The first request creates the coordinator's topic, so that it exists before its first record.
//!
//! <https://kafka.apache.org/protocol#The_Messages_FindCoordinator>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::StrBytes;

use super::group_words::error_code;
use super::{text, words_of};
use crate::broker::call::RequestContext;
use crate::broker::coordinator::log::partition_of;
use crate::broker::internal_topics::{CONSUMER_OFFSETS, SHARE_GROUP_STATE, TRANSACTION_STATE};
use crate::broker::node::Node;
use crate::storage::partition_metadata::decode_id;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const SHARE: i8 = 2;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let place = |key: &str| match find(node, context, request.key_type, key) {
        Ok(found) => (None, found),
        Err(refusal) => (Some(refusal), (-1, text(""), -1)),
    };
    if context.version < 4 {
        let (refusal, (id, host, port)) = place(&request.key);
        return FindCoordinatorResponse::default()
            .with_error_code(error_code(refusal))
            .with_error_message(Some(text(words(refusal, context.version))))
            .with_node_id(BrokerId(id))
            .with_host(host)
            .with_port(port);
    }
    let coordinator = |key: StrBytes| {
        let (refusal, (id, host, port)) = place(&key);
        let words = match refusal {
            Some(ResponseError::InvalidRequest) if request.key_type == SHARE => "",
            refusal => words(refusal, context.version),
        };
        Coordinator::default()
            .with_key(key)
            .with_error_code(error_code(refusal))
            .with_error_message(Some(text(words)))
            .with_node_id(BrokerId(id))
            .with_host(host)
            .with_port(port)
    };
    FindCoordinatorResponse::default()
        .with_coordinators(request.coordinator_keys.into_iter().map(coordinator).collect())
}

/// `group:topicId:partition`; a group's name may contain colons.
fn is_share_key(key: &str) -> bool {
    let mut parts = key.rsplitn(3, ':');
    let is_partition = |number: &str| number.parse::<u32>().is_ok();
    parts.next().is_some_and(is_partition)
        && parts.next().is_some_and(|id| decode_id(id).is_some())
        && parts.next().is_some_and(|group| !group.is_empty())
}

/// Apache Kafka's message, also for success; ours where Apache Kafka has no such answer.
fn words(refusal: Option<ResponseError>, version: i16) -> &'static str {
    match refusal {
        None if version < 4 => "NONE",
        None => "",
        Some(ResponseError::CoordinatorNotAvailable) => "The coordinator is not available.",
        Some(_) => words_of(ResponseError::InvalidRequest),
    }
}

/// The id and address of the node that leads the partition of the key.
fn find(
    node: &Node,
    context: &RequestContext,
    key_type: i8,
    key: &str,
) -> Result<(i32, StrBytes, i32), ResponseError> {
    let topic = match key_type {
        GROUP => &CONSUMER_OFFSETS,
        TRANSACTION => &TRANSACTION_STATE,
        SHARE if context.version < 6 || !is_share_key(key) => return Err(ResponseError::InvalidRequest),
        SHARE => &SHARE_GROUP_STATE,
        _ => return Err(ResponseError::InvalidRequest),
    };
    let unavailable = ResponseError::CoordinatorNotAvailable;
    let created = node.replicas.internal_topic(topic).map_err(|_| unavailable)?;
    let partition = created.partition(partition_of(key, created.partition_count()));
    let image = node.cluster.image();
    let leader = partition.and_then(|partition| image.brokers().get(&partition.leader));
    let leader = leader.filter(|broker| !broker.is_fenced).ok_or(unavailable)?;
    let endpoint = leader.endpoint(&context.listener.name).ok_or(unavailable)?;
    Ok((leader.id, text(endpoint.host.as_str()), endpoint.port.into()))
}
