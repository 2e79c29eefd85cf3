//! `ElectLeaders`, versions 0–2: the preferred replica leads again, or (unclean) any replica that is alive.
//!
//! A null list means every partition; the answer names every topic, and the partitions that needed an election.
//! <https://kafka.apache.org/protocol#The_Messages_ElectLeaders>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use kafka_protocol::messages::{ElectLeadersRequest, ElectLeadersResponse};

use super::{text, topic_name};
use crate::broker::call::RequestContext;
use crate::broker::cluster::controller::Refused;
use crate::broker::cluster::partition_change::Election;
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: ElectLeadersRequest,
) -> ElectLeadersResponse {
    // Before v1 there is only the election of the preferred replica.
    let known_type = context.version == 0 || matches!(request.election_type, 0 | 1);
    let election = match request.election_type {
        1 if context.version > 0 => Election::Unclean,
        _ => Election::Preferred,
    };
    let outcome = |topic: &str, partition: i32| {
        if !known_type {
            let message = format!("Unknown election type {}", request.election_type);
            return Err((ResponseError::InvalidRequest, message));
        }
        node.cluster.elect(topic, partition, election)
    };
    let results = match &request.topic_partitions {
        None => all(node, &outcome),
        Some(wanted) => wanted
            .iter()
            .map(|wanted| {
                let partitions = wanted
                    .partitions
                    .iter()
                    .map(|partition| result(*partition, outcome(wanted.topic.as_str(), *partition)));
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

/// An election for every partition. Partitions that need none are left out, their topics are not.
fn all(node: &Node, outcome: &impl Fn(&str, i32) -> Result<(), Refused>) -> Vec<ReplicaElectionResult> {
    let image = node.cluster.image();
    let topics: Vec<(String, i32)> = image
        .topics()
        .map(|topic| (topic.name.clone(), topic.partition_count()))
        .collect();
    drop(image);
    let results = topics.into_iter().map(|(name, count)| {
        let partitions = (0..count).filter_map(|index| match outcome(&name, index) {
            Err((ResponseError::ElectionNotNeeded, _)) => None,
            outcome => Some(result(index, outcome)),
        });
        ReplicaElectionResult::default()
            .with_partition_result(partitions.collect())
            .with_topic(topic_name(&name))
    });
    results.collect()
}

fn result(index: i32, outcome: Result<(), Refused>) -> PartitionResult {
    let result = PartitionResult::default().with_partition_id(index);
    match outcome {
        Ok(()) => result.with_error_message(None),
        Err((error, message)) => result
            .with_error_code(error.code())
            .with_error_message(Some(text(message))),
    }
}
