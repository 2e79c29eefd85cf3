//! InitProducerId, versions 0–5: a new id for an idempotent producer.
//!
//! - Without a transactional id every call gives a new id with epoch 0, whatever id the producer had (v3).
//!
//! Not done: transactions (`TRANSACTIONAL_ID_AUTHORIZATION_FAILED`).
//!
//! <https://kafka.apache.org/protocol#The_Messages_InitProducerId>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};

use crate::broker::call::RequestContext;
use crate::broker::node::Node;

/// The answer to a transactional producer. It is the one error that every client takes for final: Apache Kafka's,
/// librdkafka and franz-go repeat most others until they time out.
pub(super) const NO_TRANSACTIONS: ResponseError = ResponseError::TransactionalIdAuthorizationFailed;

/// Says why on the broker's side, where the words of that error would mislead.
pub(super) fn refuse_transaction(node: &Node) -> ResponseError {
    node.notice_once("refused a transactional producer: the mini broker has no transactions yet");
    NO_TRANSACTIONS
}

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let refused = |error: ResponseError| {
        InitProducerIdResponse::default()
            .with_error_code(error.code())
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1)
    };
    match &request.transactional_id {
        Some(id) if id.is_empty() => return refused(ResponseError::InvalidRequest),
        Some(_) => return refused(refuse_transaction(node)),
        None => {}
    }
    match node.metadata.new_producer_id() {
        Ok(id) => InitProducerIdResponse::default()
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(0),
        Err(_) => refused(ResponseError::KafkaStorageError),
    }
}
