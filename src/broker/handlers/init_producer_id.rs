//! InitProducerId, versions 0–5: an id for an idempotent producer, or the next epoch for a transactional one.
//!
//! - Without a transactional id every request returns a new id with epoch 0, whatever id the producer had (v3).
//! - With one, producers of the same id with an older epoch are fenced. An open transaction is aborted first: the
//!   answer is `CONCURRENT_TRANSACTIONS`, and the client asks again.
//! - v3 has the id and epoch of the producer (KIP-360). Only v4 and later are answered with `PRODUCER_FENCED`.
//!
//! <https://kafka.apache.org/protocol#The_Messages_InitProducerId>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};

use super::transaction_words::{known_to, producer};
use crate::broker::call::RequestContext;
use crate::broker::coordinator::transaction::events::{InitProducer, ProducerIdentity};
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    match init(node, &request) {
        Ok(producer) => InitProducerIdResponse::default()
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch),
        Err(error) => InitProducerIdResponse::default()
            .with_error_code(known_to(context.version, 4, error).code())
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1),
    }
}

fn init(node: &Node, request: &InitProducerIdRequest) -> Result<ProducerIdentity, ResponseError> {
    let said = producer(request.producer_id, request.producer_epoch);
    if (said.id == -1) != (said.epoch == -1) {
        return Err(ResponseError::InvalidRequest);
    }
    let Some(id) = &request.transactional_id else {
        let id = node.cluster.new_producer_id();
        return id
            .map(|id| ProducerIdentity { id, epoch: 0 })
            .map_err(|_| ResponseError::KafkaStorageError);
    };
    let config = node.transactions.config();
    if id.is_empty() {
        return Err(ResponseError::InvalidRequest);
    }
    if request.enable_2_pc && !config.allows_two_phase_commit {
        return Err(ResponseError::TransactionalIdAuthorizationFailed);
    }
    if request.keep_prepared_txn {
        return Err(ResponseError::UnsupportedVersion);
    }
    if !request.enable_2_pc && !(1..=config.max_timeout_ms).contains(&request.transaction_timeout_ms) {
        return Err(ResponseError::InvalidTransactionTimeout);
    }
    let request = InitProducer {
        expected: (said.id != -1).then_some(said),
        timeout_ms: if request.enable_2_pc {
            i32::MAX
        } else {
            request.transaction_timeout_ms
        },
    };
    node.transactions.init(id, steady_ms(), request)
}
