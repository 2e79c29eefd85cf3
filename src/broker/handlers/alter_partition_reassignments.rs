//! `AlterPartitionReassignments`, versions 0–1: on one node a partition moves nowhere.
//!
//! - A plan of what is so already is taken, as Apache Kafka takes it.
//! - Any other broker is refused, and so is a cancellation: no reassignment is in progress.
//!
//! The checks and their order are the controller's ([`controller::reassign_partition`]).
//! <https://kafka.apache.org/protocol#The_Messages_AlterPartitionReassignments>

use std::sync::Arc;

use kafka_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use kafka_protocol::messages::{AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse};

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::cluster::controller;
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: AlterPartitionReassignmentsRequest,
) -> AlterPartitionReassignmentsResponse {
    let image = node.cluster.image();
    let responses = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let response =
                ReassignablePartitionResponse::default().with_partition_index(wanted.partition_index);
            let replicas = wanted.replicas.as_ref();
            let replicas: Option<Vec<i32>> = replicas.map(|ids| ids.iter().map(|id| id.0).collect());
            let partition = image.partition(&topic.name, wanted.partition_index);
            match controller::reassign_partition(&image, partition, replicas.as_deref()) {
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
