//! FindCoordinator, versions 0–6: which broker keeps a group or a transactional id. This one does.
//!
//! - v1 says what kind of key it is: 0 a group, 1 a transactional id, 2 a share group, which are not kept here yet.
//! - v4 asks for many keys at once.
//! - The topic of the coordinator is created with the first question, so that it is there for the first record.
//!
//! <https://kafka.apache.org/protocol#The_Messages_FindCoordinator>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::StrBytes;

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::internal_topics::{CONSUMER_OFFSETS, TRANSACTION_STATE};
use crate::broker::node::Node;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let refusal = refusal(node, request.key_type);
    let listener = &context.listener;
    let (id, host, port) = match refusal {
        None => (
            node.id,
            listener.advertised_host.clone(),
            listener.advertised_port.into(),
        ),
        Some(_) => (-1, String::new(), -1),
    };
    let code = refusal.map_or(0, |error| error.code());
    let message = Some(text(words(refusal, context.version)));
    if context.version < 4 {
        return FindCoordinatorResponse::default()
            .with_error_code(code)
            .with_error_message(message)
            .with_node_id(BrokerId(id))
            .with_host(text(host))
            .with_port(port);
    }
    let coordinator = |key: StrBytes| {
        Coordinator::default()
            .with_key(key)
            .with_error_code(code)
            .with_error_message(message.clone())
            .with_node_id(BrokerId(id))
            .with_host(text(host.as_str()))
            .with_port(port)
    };
    FindCoordinatorResponse::default()
        .with_coordinators(request.coordinator_keys.into_iter().map(coordinator).collect())
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
        _ => return Some(ResponseError::InvalidRequest),
    };
    let created = node.replicas.internal_topic(topic);
    created.err().map(|_| ResponseError::CoordinatorNotAvailable)
}
