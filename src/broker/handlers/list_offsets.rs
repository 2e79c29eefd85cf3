//! ListOffsets, versions 1–10: the offset that a time, or one of the special times, stands for.
//!
//! <https://kafka.apache.org/protocol#The_Messages_ListOffsets>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};

use crate::broker::Broker;
use crate::broker::partition::Partition;
use crate::broker::session::RequestContext;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

pub fn handle(broker: &Arc<Broker>, _: &RequestContext, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let found = broker.metadata.topic(&topic.name);
        let partitions = topic.partitions.iter().map(|wanted| {
            let partition = found
                .as_ref()
                .and_then(|topic| topic.partition(wanted.partition_index));
            let answer = match partition {
                Some(partition) => look_up(partition, wanted),
                None => Err(ResponseError::UnknownTopicOrPartition),
            };
            let response =
                ListOffsetsPartitionResponse::default().with_partition_index(wanted.partition_index);
            match answer {
                Ok((offset, timestamp)) => response
                    .with_offset(offset)
                    .with_timestamp(timestamp)
                    .with_leader_epoch(0),
                Err(error) => response.with_error_code(error.code()),
            }
        });
        ListOffsetsTopicResponse::default()
            .with_partitions(partitions.collect())
            .with_name(topic.name)
    });
    ListOffsetsResponse::default().with_topics(topics.collect())
}

fn look_up(partition: &Partition, wanted: &ListOffsetsPartition) -> Result<(i64, i64), ResponseError> {
    match wanted.timestamp {
        LATEST => Ok((partition.high_watermark(), -1)),
        EARLIEST => Ok((partition.log_start_offset(), -1)),
        _ => Ok((-1, -1)),
    }
}
