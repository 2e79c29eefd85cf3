//! AddOffsetsToTxn, versions 0–4: adds the offsets of a group to a producer's transaction, that is, the group's
//! partition of `__consumer_offsets`.
//!
//! - Only v2 and later are answered with `PRODUCER_FENCED`; older ones get `INVALID_PRODUCER_EPOCH`.
//!
//! <https://kafka.apache.org/protocol#The_Messages_AddOffsetsToTxn>

use std::collections::BTreeSet;
use std::sync::Arc;

use kafka_protocol::messages::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};

use super::transaction_words::{known_to, producer};
use crate::broker::call::RequestContext;
use crate::broker::coordinator::transaction::events::{AddPartitions, Generation};
use crate::broker::internal_topics::CONSUMER_OFFSETS;
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;
use crate::topic_partition::TopicPartition;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: AddOffsetsToTxnRequest,
) -> AddOffsetsToTxnResponse {
    let added = node.groups.partition_of(&request.group_id).and_then(|partition| {
        let partition = TopicPartition::new(CONSUMER_OFFSETS.name, partition);
        let addition = AddPartitions {
            producer: producer(request.producer_id, request.producer_epoch),
            partitions: BTreeSet::from([partition]),
            generation: Generation::First,
        };
        node.transactions
            .add(&request.transactional_id, steady_ms(), addition)
    });
    let code = added
        .err()
        .map_or(0, |error| known_to(context.version, 2, error).code());
    AddOffsetsToTxnResponse::default().with_error_code(code)
}
