//! InitProducerId, versions 0–5: a new id for an idempotent producer.
//!
//! - Without a transactional id every call gives a new id with epoch 0, whatever id the producer had (v3).
//!
//! Not done: transactions (`COORDINATOR_NOT_AVAILABLE`).
//!
//! <https://kafka.apache.org/protocol#The_Messages_InitProducerId>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};

use crate::broker::Broker;
use crate::broker::call::RequestContext;

pub fn handle(
    broker: &Arc<Broker>,
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
        Some(_) => return refused(ResponseError::CoordinatorNotAvailable),
        None => {}
    }
    match broker.metadata.new_producer_id() {
        Ok(id) => InitProducerIdResponse::default()
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(0),
        Err(_) => refused(ResponseError::KafkaStorageError),
    }
}
