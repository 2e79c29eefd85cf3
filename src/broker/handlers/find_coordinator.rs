//! FindCoordinator, versions 0–6: which broker keeps a group or a transactional id. This one does.
//!
//! - v1 says what kind of key it is: 0 a group, 1 a transactional id, 2 (v6) a partition as a share group reads it.
//! - v4 asks for many keys at once.
//! - The topic of the coordinator is created with the first question, so that it is there for the first record.
//!
//! <https://kafka.apache.org/protocol#The_Messages_FindCoordinator>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::StrBytes;

use super::group_words::error_code;
use super::text;
use crate::broker::call::RequestContext;
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
    let refusal = refusal(node, request.key_type);
    let listener = &context.listener;
    let place = |refusal: Option<ResponseError>| match refusal {
        None => (
            node.id,
            text(listener.advertised_host.clone()),
            listener.advertised_port.into(),
        ),
        Some(_) => (-1, text(""), -1),
    };
    if context.version < 4 {
        let (id, host, port) = place(refusal);
        return FindCoordinatorResponse::default()
            .with_error_code(error_code(refusal))
            .with_error_message(Some(text(words(refusal, context.version))))
            .with_node_id(BrokerId(id))
            .with_host(host)
            .with_port(port);
    }
    let coordinator = |key: StrBytes| {
        let (refusal, words) = if request.key_type == SHARE && !is_share_key(&key) {
            (Some(ResponseError::InvalidRequest), "")
        } else {
            (refusal, words(refusal, context.version))
        };
        let (id, host, port) = place(refusal);
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

/// `group:topicId:partition`; a group's name may have colons in it.
fn is_share_key(key: &str) -> bool {
    let mut parts = key.rsplitn(3, ':');
    let is_partition = |number: &str| number.parse::<u32>().is_ok();
    parts.next().is_some_and(is_partition)
        && parts.next().is_some_and(|id| decode_id(id).is_some())
        && parts.next().is_some_and(|group| !group.is_empty())
}

/// Apache Kafka's words, also for what went well; ours where Apache Kafka has no such answer.
fn words(refusal: Option<ResponseError>, version: i16) -> &'static str {
    match refusal {
        None if version < 4 => "NONE",
        None => "",
        Some(ResponseError::CoordinatorNotAvailable) => "The coordinator is not available.",
        Some(_) => {
            "This most likely occurs because of a request being malformed by the client library or the message was \
             sent to an incompatible node. See the broker logs for more details."
        }
    }
}

fn refusal(node: &Node, key_type: i8) -> Option<ResponseError> {
    let topic = match key_type {
        GROUP => &CONSUMER_OFFSETS,
        TRANSACTION => &TRANSACTION_STATE,
        SHARE => &SHARE_GROUP_STATE,
        _ => return Some(ResponseError::InvalidRequest),
    };
    let created = node.replicas.internal_topic(topic);
    created.err().map(|_| ResponseError::CoordinatorNotAvailable)
}
