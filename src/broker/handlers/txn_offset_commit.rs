//! TxnOffsetCommit, versions 0–5: a producer commits offsets of a group in its transaction; they are valid once that
//! is committed.
//!
//! - Each partition is checked by itself, as in OffsetCommit: it must exist (error 3), and its metadata have a
//!   bounded length (12).
//! - v3 has the member and its generation (KIP-447). v4 is answered with `TRANSACTION_ABORTABLE`.
//! - Up to v4 the group must have been added to the transaction (AddOffsetsToTxn); v5 adds it (KIP-890).
//!
//! <https://kafka.apache.org/protocol#The_Messages_TxnOffsetCommit>

use std::collections::BTreeSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};

use super::commits::{Commits, Wanted};
use super::group_words::{error_code, member};
use super::transaction_words::{Admission, is_open, producer};
use crate::broker::call::RequestContext;
use crate::broker::coordinator::group::stored_records::StoredOffset;
use crate::broker::coordinator::log::TransactionalProducer;
use crate::broker::internal_topics::CONSUMER_OFFSETS;
use crate::broker::node::Node;
use crate::broker::timers::{now_ms, steady_ms};
use crate::topic_partition::TopicPartition;

pub async fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: TxnOffsetCommitRequest,
) -> TxnOffsetCommitResponse {
    let losses = node.coordinator_losses();
    let mut commits = Commits::new(now_ms(), -1);
    for topic in &request.topics {
        let wanted = topic.partitions.iter().map(|partition| Wanted {
            partition: partition.partition_index,
            offset: partition.committed_offset,
            leader_epoch: partition.committed_leader_epoch,
            metadata: partition.committed_metadata.as_deref(),
        });
        commits.check(node, &topic.name, wanted);
    }
    let mut outcome = admit(node, context.version, &request, commits.taken());
    // The group must survive in the coordinator's log, whoever leads it, before its first offset is stored.
    if outcome == Ok(true) && !node.coordinators_are_replicated(losses).await {
        outcome = Err(ResponseError::CoordinatorNotAvailable);
    }
    let outcome = outcome.and_then(|_| commit(node, &request, commits.taken()));
    let outcome = outcome.err();
    let topics = commits
        .into_answers(outcome)
        .into_iter()
        .map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(|(index, error)| {
                TxnOffsetCommitResponsePartition::default()
                    .with_partition_index(index)
                    .with_error_code(error_code(error))
            });
            TxnOffsetCommitResponseTopic::default()
                .with_name(name)
                .with_partitions(partitions.collect())
        });
    TxnOffsetCommitResponse::default().with_topics(topics.collect())
}

/// Makes sure that the transaction coordinator knows the group. Returns whether it had to be asked.
fn admit(
    node: &Node,
    version: i16,
    request: &TxnOffsetCommitRequest,
    offsets: &[(String, i32, StoredOffset)],
) -> Result<bool, ResponseError> {
    if offsets.is_empty() {
        return Ok(false);
    }
    let identity = producer(request.producer_id, request.producer_epoch);
    let partition = node.groups.partition_of(&request.group_id)?;
    let partition = TopicPartition::new(CONSUMER_OFFSETS.name, partition);
    if is_open(node, &partition, identity) {
        return Ok(false);
    }
    let admission = Admission {
        adds: version >= 5,
        knows_abortable: version >= 4,
    };
    let id = request.transactional_id.as_str();
    let refused = admission.refused(node, id, identity, BTreeSet::from([partition]));
    match refused.into_iter().next() {
        Some((_, error)) => Err(error),
        None => Ok(true),
    }
}

fn commit(
    node: &Node,
    request: &TxnOffsetCommitRequest,
    offsets: &[(String, i32, StoredOffset)],
) -> Result<(), ResponseError> {
    let member = member(
        &request.member_id,
        request.group_instance_id.as_ref(),
        request.generation_id,
    );
    let producer = TransactionalProducer {
        id: request.producer_id.0,
        epoch: request.producer_epoch,
    };
    node.groups
        .commit_in_transaction(&request.group_id, steady_ms(), &member, producer, offsets)
}
