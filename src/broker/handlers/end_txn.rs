//! EndTxn, versions 0–5: a producer commits or aborts its transaction.
//!
//! - The decision and every marker are written before the answer, so that the next transaction can begin at once.
//! - Only v2 and later are answered with `PRODUCER_FENCED`. v5 raises the producer's epoch and returns it (KIP-890).
//!
//! <https://kafka.apache.org/protocol#The_Messages_EndTxn>

use std::sync::Arc;

use kafka_protocol::messages::{EndTxnRequest, EndTxnResponse, ProducerId};

use super::transaction_words::{known_to, producer};
use crate::broker::call::RequestContext;
use crate::broker::coordinator::transaction::events::{EndTransaction, Generation};
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;

pub fn handle(node: &Arc<Node>, context: &RequestContext, request: EndTxnRequest) -> EndTxnResponse {
    let version = context.version;
    let end = EndTransaction {
        producer: producer(request.producer_id, request.producer_epoch),
        commits: request.committed,
        generation: if version >= 5 {
            Generation::Second
        } else {
            Generation::First
        },
    };
    let response = EndTxnResponse::default();
    match node.transactions.end(&request.transactional_id, steady_ms(), end) {
        Ok(producer) if version >= 5 => response
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch),
        Ok(_) => response,
        Err(error) => response.with_error_code(known_to(version, 2, error).code()),
    }
}
