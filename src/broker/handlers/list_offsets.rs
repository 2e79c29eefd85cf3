//! ListOffsets, versions 1–10: the offset that a time, or one of the special times, stands for.
//!
//! - −1 the end (for read-committed readers the last stable offset), −2 the start, −3 (v7) the record with the
//!   largest timestamp, −4 (v8) the start of what is local: the start, −5 (v9) the end of what is tiered: none.
//! - A time gives the first record that is not older, with its own timestamp; none gives −1.
//! - A partition that stands twice in a request is refused both times.
//!
//! <https://kafka.apache.org/protocol#The_Messages_ListOffsets>

use std::collections::HashSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};

use crate::broker::Broker;
use crate::broker::call::RequestContext;
use crate::broker::partition::Partition;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;

/// What stands for a time.
struct Found {
    offset: i64,
    timestamp: i64,
    leader_epoch: i32,
}

const NOTHING: Found = Found {
    offset: -1,
    timestamp: -1,
    leader_epoch: -1,
};

pub fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let committed = request.isolation_level == 1;
    let mut seen = HashSet::new();
    let mut twice = HashSet::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let name = (topic.name.clone(), partition.partition_index);
            if !seen.insert(name.clone()) {
                twice.insert(name);
            }
        }
    }
    let topics = request.topics.into_iter().map(|topic| {
        let found = broker.metadata.topic(&topic.name);
        let partitions = topic.partitions.iter().map(|wanted| {
            let partition = found
                .as_ref()
                .and_then(|topic| topic.partition(wanted.partition_index));
            let answer = match partition {
                _ if twice.contains(&(topic.name.clone(), wanted.partition_index)) => {
                    Err(ResponseError::InvalidRequest)
                }
                Some(partition) => look_up(partition, wanted, context.version, committed),
                None => Err(ResponseError::UnknownTopicOrPartition),
            };
            response(wanted.partition_index, answer, context.version)
        });
        ListOffsetsTopicResponse::default()
            .with_partitions(partitions.collect())
            .with_name(topic.name)
    });
    ListOffsetsResponse::default().with_topics(topics.collect())
}

fn response(index: i32, answer: Result<Found, ResponseError>, version: i16) -> ListOffsetsPartitionResponse {
    let response = ListOffsetsPartitionResponse::default().with_partition_index(index);
    match answer {
        Err(error) => response.with_error_code(error.code()),
        Ok(found) => response
            .with_offset(found.offset)
            .with_timestamp(found.timestamp)
            // Older answers have no room for it.
            .with_leader_epoch(if version >= 4 { found.leader_epoch } else { -1 }),
    }
}

fn look_up(
    partition: &Partition,
    wanted: &ListOffsetsPartition,
    version: i16,
    committed: bool,
) -> Result<Found, ResponseError> {
    partition.check_epoch(wanted.current_leader_epoch)?;
    let epoch = partition.leader_epoch();
    let bound = |offset| {
        Ok(Found {
            offset,
            timestamp: -1,
            leader_epoch: epoch,
        })
    };
    let timed = match wanted.timestamp {
        LATEST if committed => return bound(partition.last_stable_offset()),
        LATEST => return bound(partition.high_watermark()),
        EARLIEST => return bound(partition.log_start_offset()),
        EARLIEST_LOCAL if version >= 8 => return bound(partition.log_start_offset()),
        LATEST_TIERED if version >= 9 => return Ok(NOTHING),
        MAX_TIMESTAMP if version >= 7 => partition.log().max_timestamp_offset(),
        timestamp if timestamp >= 0 => partition.log().offset_for_timestamp(timestamp),
        _ => return Err(ResponseError::UnsupportedVersion),
    };
    match timed {
        Ok(Some(found)) => Ok(Found {
            offset: found.offset,
            timestamp: found.timestamp,
            leader_epoch: found.leader_epoch,
        }),
        Ok(None) => Ok(NOTHING),
        Err(_) => Err(ResponseError::KafkaStorageError),
    }
}
