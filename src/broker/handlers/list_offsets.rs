//! ListOffsets, versions 1–11: the offset for a timestamp, or for a special timestamp.
//!
//! - -1: the end: the high watermark; for read-committed readers the last stable offset; for the replica id -2 the log
//!   end offset, of a follower too. -2: the log start offset. -3 (v7): the record with the largest timestamp. -4 (v8):
//!   the start of the local log, here the log start offset. -5 (v9): the end of tiered records, here none. -6 (v11): the
//!   first record to be tiered, here none.
//! - A timestamp returns the first record that is not older, with its own timestamp; -1 if there is none.
//! - A partition that a request names twice is refused, with one answer. The timestamp is checked before the
//!   partition.
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

use crate::broker::call::RequestContext;
use crate::broker::node::Node;
use crate::broker::node::replica::Replica;
use crate::broker::once::Once;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

/// The replica id of a client that debugs: it sees what is written, replicated or not, on any replica.
const DEBUGGER: i32 = -2;

/// Who asks, and so where a partition ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    /// At the high watermark.
    Uncommitted,
    /// At the last stable offset.
    Committed,
    /// A follower: at the log end offset.
    Replica,
    /// At the log end offset, and of a follower too.
    Debugger,
}

impl Reader {
    fn of(request: &ListOffsetsRequest) -> Self {
        match (request.replica_id.0, request.isolation_level) {
            (DEBUGGER, _) => Self::Debugger,
            (0.., _) => Self::Replica,
            (_, 1) => Self::Committed,
            _ => Self::Uncommitted,
        }
    }

    fn is_client(self) -> bool {
        matches!(self, Self::Uncommitted | Self::Committed)
    }

    fn end_of(self, partition: &Replica) -> i64 {
        match self {
            Self::Uncommitted => partition.high_watermark(),
            Self::Committed => partition.last_stable_offset(),
            Self::Replica | Self::Debugger => partition.log().log_end_offset(),
        }
    }
}

/// The offset for a time.
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
    node: &Arc<Node>,
    context: &RequestContext,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let reader = Reader::of(&request);
    let mut seen = HashSet::new();
    let mut twice = HashSet::new();
    let mut once = Once::default();
    for topic in request.topics {
        for partition in topic.partitions {
            let name = (topic.name.clone(), partition.partition_index);
            if !seen.insert(name.clone()) {
                twice.insert(name);
            }
            once.put(topic.name.clone(), partition.partition_index, partition);
        }
    }
    let topics = once.into_topics().into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(index, wanted)| {
            let answer = if twice.contains(&(name.clone(), index)) {
                Err(ResponseError::InvalidRequest)
            } else {
                look_up(node, &name, &wanted, context.version, reader)
            };
            response(index, answer, context.version)
        });
        ListOffsetsTopicResponse::default()
            .with_partitions(partitions.collect())
            .with_name(name.clone())
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
            // Older versions have no field for it.
            .with_leader_epoch(if version >= 4 { found.leader_epoch } else { -1 }),
    }
}

/// Whether requests of this version may ask for this timestamp. Checked before anything else.
fn is_served(timestamp: i64, version: i16) -> bool {
    match timestamp {
        EARLIEST_LOCAL => version >= 8,
        LATEST_TIERED => version >= 9,
        EARLIEST_PENDING_UPLOAD => version >= 11,
        MAX_TIMESTAMP => version >= 7,
        timestamp => timestamp >= EARLIEST,
    }
}

fn look_up(
    node: &Node,
    topic: &str,
    wanted: &ListOffsetsPartition,
    version: i16,
    reader: Reader,
) -> Result<Found, ResponseError> {
    if !is_served(wanted.timestamp, version) {
        return Err(ResponseError::UnsupportedVersion);
    }
    let image = node.cluster.image();
    let topic = image.topic(topic);
    let topic = topic.ok_or(ResponseError::UnknownTopicOrPartition)?;
    let partition = match reader {
        Reader::Debugger => node.readable(topic, wanted.partition_index)?,
        _ => node.leader(topic, wanted.partition_index)?.0,
    };
    partition.check_epoch(wanted.current_leader_epoch)?;
    let epoch = partition.leader_epoch();
    if reader.is_client() && (wanted.timestamp == LATEST || wanted.timestamp >= 0) {
        partition.check_high_watermark()?;
    }
    let bound = |offset| {
        Ok(Found {
            offset,
            timestamp: -1,
            leader_epoch: epoch,
        })
    };
    let timed = match wanted.timestamp {
        LATEST => return bound(reader.end_of(&partition)),
        EARLIEST | EARLIEST_LOCAL => return bound(partition.log_start_offset()),
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => return Ok(NOTHING),
        MAX_TIMESTAMP => partition.log().max_timestamp_offset(),
        timestamp => partition.log().offset_for_timestamp(timestamp),
    };
    // What a reader cannot get is not found: records of an open transaction, and all that follows them.
    let end = reader.end_of(&partition);
    match timed {
        Ok(Some(found)) if found.offset < end => Ok(Found {
            offset: found.offset,
            timestamp: found.timestamp,
            leader_epoch: found.leader_epoch,
        }),
        Ok(_) => Ok(NOTHING),
        Err(_) => Err(ResponseError::KafkaStorageError),
    }
}
