//! OffsetForLeaderEpoch, versions 2–4: the end offset of a leader epoch (KIP-101, KIP-320).
//!
//! <https://kafka.apache.org/protocol#The_Messages_OffsetForLeaderEpoch>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

use crate::broker::call::RequestContext;
use crate::broker::node::Node;
use crate::broker::node::replica::Replica;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let image = node.cluster.image();
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let found = image.topic(&topic.topic);
            let answer = found
                .ok_or(ResponseError::UnknownTopicOrPartition)
                .and_then(|topic| node.leader(topic, wanted.partition))
                .and_then(|(replica, _)| look_up(&replica, wanted));
            let end = EpochEndOffset::default().with_partition(wanted.partition);
            match answer {
                Ok((epoch, offset)) => end.with_leader_epoch(epoch).with_end_offset(offset),
                Err(error) => end.with_error_code(error.code()),
            }
        });
        OffsetForLeaderTopicResult::default()
            .with_partitions(partitions.collect())
            .with_topic(topic.topic)
    });
    OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
}

/// The largest epoch that is not above the wanted one, and its end offset; -1 and -1 if none is known.
fn look_up(partition: &Replica, wanted: &OffsetForLeaderPartition) -> Result<(i32, i64), ResponseError> {
    partition.check_epoch(wanted.current_leader_epoch)?;
    Ok(partition
        .log()
        .epoch_end_offset(wanted.leader_epoch)
        .unwrap_or((-1, -1)))
}
