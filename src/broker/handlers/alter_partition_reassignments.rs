//! `AlterPartitionReassignments`, versions 0–1: moves partitions to other brokers, or cancels moves.
//!
//! - The new replicas copy first; once they are in sync the others are removed (`cluster/partition_change.rs`).
//! - A reassignment to the present replicas is accepted, as in Apache Kafka.
//! - v1 can forbid a change of the number of replicas.
//!
//! <https://kafka.apache.org/protocol#The_Messages_AlterPartitionReassignments>

use std::sync::Arc;

use kafka_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use kafka_protocol::messages::{AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse};

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: AlterPartitionReassignmentsRequest,
) -> AlterPartitionReassignmentsResponse {
    let may_resize = context.version < 1 || request.allow_replication_factor_change;
    let responses = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let response =
                ReassignablePartitionResponse::default().with_partition_index(wanted.partition_index);
            let replicas = wanted.replicas.as_ref();
            let replicas: Option<Vec<i32>> = replicas.map(|ids| ids.iter().map(|id| id.0).collect());
            let (name, index) = (topic.name.as_str(), wanted.partition_index);
            match node
                .cluster
                .reassign(name, index, replicas.as_deref(), may_resize)
            {
                Ok(()) => response.with_error_message(None),
                Err((error, message)) => response
                    .with_error_code(error.code())
                    .with_error_message((!message.is_empty()).then(|| text(message))),
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
