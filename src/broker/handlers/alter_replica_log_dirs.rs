//! `AlterReplicaLogDirs`, versions 1–2: moves replicas of this node to other log dirs of it (KIP-113).
//!
//! <https://kafka.apache.org/protocol#The_Messages_AlterReplicaLogDirs>

use std::path::Path;
use std::sync::Arc;

use kafka_protocol::messages::alter_replica_log_dirs_response::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult,
};
use kafka_protocol::messages::{AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse};

use crate::broker::call::RequestContext;
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: AlterReplicaLogDirsRequest,
) -> AlterReplicaLogDirsResponse {
    let mut results = Vec::new();
    for dir in &request.dirs {
        let path = Path::new(dir.path.as_str());
        results.extend(dir.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|index| {
                let altered = node.replicas.alter_log_dir(&topic.name, *index, path);
                AlterReplicaLogDirPartitionResult::default()
                    .with_partition_index(*index)
                    .with_error_code(altered.err().map_or(0, |error| error.code()))
            });
            AlterReplicaLogDirTopicResult::default()
                .with_topic_name(topic.name.clone())
                .with_partitions(partitions.collect())
        }));
    }
    AlterReplicaLogDirsResponse::default().with_results(results)
}
