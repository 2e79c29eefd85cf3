//! DeleteRecords, versions 0–2: advances the log start offset of a partition.
//!
//! - -1 means the high watermark. If a partition is named twice the last offset counts.
//! - A topic whose `cleanup.policy` lacks `delete` refuses it.
//! - The log start offset survives a restart; retention later removes the segments before it.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DeleteRecords>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};

use crate::broker::call::RequestContext;
use crate::broker::node::Node;
use crate::broker::node::replica::Replica;
use crate::broker::once::Once;
use crate::topic_partition::is_internal_topic;

pub fn handle(node: &Arc<Node>, _: &RequestContext, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let image = node.cluster.image();
    let mut moved = false;
    let mut wanted = Once::default();
    for topic in request.topics {
        for partition in topic.partitions {
            wanted.put(topic.name.clone(), partition.partition_index, partition.offset);
        }
    }
    let topics = wanted.into_topics().into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(index, offset)| {
            let outcome = match image.topic(&name) {
                _ if is_internal_topic(&name) => Err(ResponseError::InvalidTopicException),
                None => Err(ResponseError::UnknownTopicOrPartition),
                Some(topic) => node
                    .leader(topic, index)
                    .and_then(|(replica, _)| delete(&replica, offset)),
            };
            moved |= outcome.is_ok();
            let result = DeleteRecordsPartitionResult::default().with_partition_index(index);
            match outcome {
                Ok(low_watermark) => result.with_low_watermark(low_watermark),
                Err(error) => result.with_low_watermark(-1).with_error_code(error.code()),
            }
        });
        DeleteRecordsTopicResult::default()
            .with_partitions(partitions.collect())
            .with_name(name.clone())
    });
    let topics = topics.collect();
    if moved && let Err(error) = node.replicas.write_checkpoints() {
        node.notice(format_args!("cannot write checkpoints: {error}"));
    }
    DeleteRecordsResponse::default().with_topics(topics)
}

/// Returns the log start offset afterwards.
fn delete(partition: &Replica, offset: i64) -> Result<i64, ResponseError> {
    if !partition.settings().delete {
        return Err(ResponseError::PolicyViolation);
    }
    let mut log = partition.log();
    let end = partition.high_watermark();
    let offset = if offset == -1 { end } else { offset };
    if !(0..=end).contains(&offset) {
        return Err(ResponseError::OffsetOutOfRange);
    }
    log.delete_records(offset)
        .map_err(|_| ResponseError::KafkaStorageError)?;
    partition.publish(&mut log);
    Ok(log.log_start_offset())
}
