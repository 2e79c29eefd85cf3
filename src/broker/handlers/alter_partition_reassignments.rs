//! `AlterPartitionReassignments`, versions 0–1: on one node a partition moves nowhere.
//!
//! - A plan of what is so already is taken, as Apache Kafka takes it.
//! - Any other broker is refused, and so is a cancellation: nothing is under way.
//!
//! <https://kafka.apache.org/protocol#The_Messages_AlterPartitionReassignments>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_partition_reassignments_request::ReassignablePartition;
use kafka_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, BrokerId,
};
use kafka_protocol::protocol::StrBytes;

use crate::broker::call::RequestContext;
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: AlterPartitionReassignmentsRequest,
) -> AlterPartitionReassignmentsResponse {
    let responses = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let response =
                ReassignablePartitionResponse::default().with_partition_index(wanted.partition_index);
            let is_there = node.partition(&topic.name, wanted.partition_index).is_some();
            match check(wanted, is_there, BrokerId(node.id)) {
                Ok(()) => response.with_error_message(None),
                Err((error, message)) => response
                    .with_error_code(error.code())
                    .with_error_message(message.map(StrBytes::from_string)),
            }
        });
        ReassignableTopicResponse::default()
            .with_partitions(partitions.collect())
            .with_name(topic.name.clone())
    });
    AlterPartitionReassignmentsResponse::default()
        .with_allow_replication_factor_change(request.allow_replication_factor_change)
        .with_responses(responses.collect())
        .with_error_message(None)
}

/// Apache Kafka's refusals, in its words where it has some beside the error's own.
fn check(
    wanted: &ReassignablePartition,
    is_there: bool,
    own: BrokerId,
) -> Result<(), (ResponseError, Option<String>)> {
    let invalid = |message: String| Err((ResponseError::InvalidReplicaAssignment, Some(message)));
    if !is_there {
        return Err((ResponseError::UnknownTopicOrPartition, None));
    }
    let Some(replicas) = &wanted.replicas else {
        return Err((ResponseError::NoReassignmentInProgress, None));
    };
    if let Some(other) = replicas.iter().find(|replica| **replica != own) {
        let other = other.0;
        return invalid(format!(
            "The manual partition assignment includes broker {other}, but no such broker is registered."
        ));
    }
    match replicas.len() {
        0 => invalid("The manual partition assignment includes an empty replica list.".to_owned()),
        1 => Ok(()),
        _ => invalid(format!(
            "The manual partition assignment includes the broker {} more than once.",
            own.0
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_so_already_is_taken() {
        let outcome = |replicas: Option<&[i32]>| {
            let replicas = replicas.map(|replicas| replicas.iter().map(|id| BrokerId(*id)).collect());
            let wanted = ReassignablePartition::default().with_replicas(replicas);
            check(&wanted, true, BrokerId(1)).map_err(|(error, _)| error)
        };
        assert_eq!(outcome(Some(&[1])), Ok(()));
        assert_eq!(outcome(None), Err(ResponseError::NoReassignmentInProgress));
        for replicas in [&[][..], &[2], &[1, 2], &[1, 1]] {
            assert_eq!(
                outcome(Some(replicas)),
                Err(ResponseError::InvalidReplicaAssignment)
            );
        }
        let nowhere = check(&ReassignablePartition::default(), false, BrokerId(1));
        assert!(matches!(
            nowhere,
            Err((ResponseError::UnknownTopicOrPartition, None))
        ));
    }
}
