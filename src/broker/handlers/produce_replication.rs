//! acks=all: the answer for a batch waits until every in-sync replica has it.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::produce_response::TopicProduceResponse;
use tokio::time::{Instant, timeout_at};

use crate::broker::node::held_batches::HeldBatch;
use crate::broker::node::replica::Replica;
use crate::topic_partition::Offset;

/// A batch that is appended and not committed yet.
#[derive(Debug)]
pub(super) struct Uncommitted {
    pub(super) replica: Arc<Replica>,
    /// The offset after its last record.
    pub(super) end: Offset,
    /// The epoch of the leader that appended it.
    pub(super) epoch: i32,
    /// The batch's bytes, if they are the same in the request as in the log.
    pub(super) held: Option<HeldBatch>,
    /// Which answer waits: the indexes of topic and partition in the response.
    pub(super) place: (usize, usize),
}

/// Waits until each batch is committed, at most `timeout_ms` ms altogether, and puts errors into the answers.
/// Followers copy the batches out of the request meanwhile.
pub(super) async fn wait(
    mut uncommitted: Vec<Uncommitted>,
    request: &Arc<BytesMut>,
    timeout_ms: i32,
    topics: &mut [TopicProduceResponse],
) {
    for waiting in &mut uncommitted {
        if let Some(batch) = waiting.held.take() {
            waiting.replica.hold(batch, request);
        }
    }
    let deadline = Instant::now() + Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
    for waiting in uncommitted {
        let committed = waiting.replica.wait_until_committed(waiting.end, waiting.epoch);
        let error = match timeout_at(deadline, committed).await {
            Ok(Ok(())) if waiting.replica.has_enough_in_sync() => continue,
            Ok(Ok(())) => ResponseError::NotEnoughReplicasAfterAppend,
            Ok(Err(error)) => error,
            Err(_) => ResponseError::RequestTimedOut,
        };
        let (topic, partition) = waiting.place;
        let topic = topics.get_mut(topic);
        if let Some(answer) = topic.and_then(|topic| topic.partition_responses.get_mut(partition)) {
            answer.error_code = error.code();
            answer.base_offset = -1;
            answer.log_append_time_ms = -1;
        }
    }
}
