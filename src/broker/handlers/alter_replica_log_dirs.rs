//! `AlterReplicaLogDirs`, versions 1–2: there is one log dir. A move to where the partition is already succeeds, as on
//! Apache Kafka; any other path is unknown.
//!
//! <https://kafka.apache.org/protocol#The_Messages_AlterReplicaLogDirs>

use std::path::Path;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_replica_log_dirs_response::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult,
};
use kafka_protocol::messages::{AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse};

use super::describe_log_dirs::absolute_log_dir;
use crate::broker::call::RequestContext;
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: AlterReplicaLogDirsRequest,
) -> AlterReplicaLogDirsResponse {
    let own = absolute_log_dir(node);
    let mut results = Vec::new();
    for dir in &request.dirs {
        let is_known = Path::new(dir.path.as_str()) == own;
        results.extend(dir.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|index| {
                let error_code = if !is_known {
                    ResponseError::LogDirNotFound.code()
                } else if node.partition(&topic.name, *index).is_none() {
                    ResponseError::UnknownTopicOrPartition.code()
                } else {
                    0
                };
                AlterReplicaLogDirPartitionResult::default()
                    .with_partition_index(*index)
                    .with_error_code(error_code)
            });
            AlterReplicaLogDirTopicResult::default()
                .with_topic_name(topic.name.clone())
                .with_partitions(partitions.collect())
        }));
    }
    AlterReplicaLogDirsResponse::default().with_results(results)
}
