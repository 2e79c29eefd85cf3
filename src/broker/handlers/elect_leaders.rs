//! `ElectLeaders`, versions 0–2: the one node leads every partition, so that no election is ever needed.
//!
//! Without a list the answer names every topic and none of its partitions: none had an election.
//! <https://kafka.apache.org/protocol#The_Messages_ElectLeaders>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use kafka_protocol::messages::{ElectLeadersRequest, ElectLeadersResponse};

use super::{text, topic_name};
use crate::broker::call::RequestContext;
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: ElectLeadersRequest,
) -> ElectLeadersResponse {
    // Before v1 the only election is that of the preferred replica.
    let known_type = context.version == 0 || matches!(request.election_type, 0 | 1);
    let image = node.cluster.image();
    let outcome = |topic: &str, partition: i32| {
        if !known_type {
            let message = format!("Unknown election type {}", request.election_type);
            return (ResponseError::InvalidRequest, message);
        }
        match image.topic(topic) {
            None => (
                ResponseError::UnknownTopicOrPartition,
                format!("No such topic as {topic}"),
            ),
            Some(found) if found.partition(partition).is_none() => (
                ResponseError::UnknownTopicOrPartition,
                format!("No such partition as {topic}-{partition}"),
            ),
            Some(_) => (
                ResponseError::ElectionNotNeeded,
                "Leader election not needed for topic partition.".to_owned(),
            ),
        }
    };
    let results = match &request.topic_partitions {
        None => {
            let nothing = |name: &str| ReplicaElectionResult::default().with_topic(topic_name(name));
            image.topics().map(|topic| nothing(&topic.name)).collect()
        }
        Some(wanted) => wanted
            .iter()
            .map(|wanted| {
                let partitions = wanted.partitions.iter().map(|partition| {
                    let (error, message) = outcome(wanted.topic.as_str(), *partition);
                    PartitionResult::default()
                        .with_partition_id(*partition)
                        .with_error_code(error.code())
                        .with_error_message(Some(text(message)))
                });
                ReplicaElectionResult::default()
                    .with_topic(wanted.topic.clone())
                    .with_partition_result(partitions.collect())
            })
            .collect(),
    };
    let error_code = if known_type {
        0
    } else {
        ResponseError::InvalidRequest.code()
    };
    ElectLeadersResponse::default()
        .with_error_code(error_code)
        .with_replica_election_results(results)
}
