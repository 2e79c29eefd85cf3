//! `ConsumerGroupHeartbeat`, versions 0–1: a member of a group of the consumer protocol (KIP-848) joins, stays, gives
//! partitions back and gets others, or leaves.
//!
//! - A null field means "unchanged", in the request and for the assignment in the answer.
//! - v0: a member without an id is given one. v1: members choose their own (KIP-1082), and can subscribe by a regular
//!   expression.
//!
//! <https://kafka.apache.org/protocol#The_Messages_ConsumerGroupHeartbeat>

use std::sync::Arc;

use kafka_protocol::messages::consumer_group_heartbeat_response::{Assignment, TopicPartitions};
use kafka_protocol::messages::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse};

use super::group_words::optional;
use super::text;

use crate::broker::call::RequestContext;
use crate::broker::coordinator::group::consumer_group::{Heartbeat, HeartbeatAnswer};
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;
use crate::storage::partition_metadata::random_id;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: ConsumerGroupHeartbeatRequest,
) -> ConsumerGroupHeartbeatResponse {
    let names_itself = context.version >= 1;
    let mut heartbeat = heartbeat(context, &request);
    if heartbeat.member_id.is_empty() && heartbeat.member_epoch == 0 && !names_itself {
        heartbeat.member_id = random_id().unwrap_or_default().to_string();
    }
    let outcome = node
        .groups
        .consumer_heartbeat(&request.group_id, steady_ms(), &heartbeat, names_itself);
    match outcome {
        Ok(answer) => response(answer),
        Err((error, message)) => ConsumerGroupHeartbeatResponse::default()
            .with_error_code(error.code())
            .with_error_message((!message.is_empty()).then(|| text(message))),
    }
}

fn heartbeat(context: &RequestContext, request: &ConsumerGroupHeartbeatRequest) -> Heartbeat {
    let topics = request.subscribed_topic_names.as_ref();
    Heartbeat {
        member_id: request.member_id.to_string(),
        member_epoch: request.member_epoch,
        instance_id: optional(request.instance_id.as_ref()),
        rack_id: optional(request.rack_id.as_ref()),
        rebalance_timeout_ms: Some(request.rebalance_timeout_ms).filter(|timeout_ms| *timeout_ms != -1),
        topics: topics.map(|topics| topics.iter().map(|topic| topic.to_string()).collect()),
        regex: optional(request.subscribed_topic_regex.as_ref()),
        assignor: optional(request.server_assignor.as_ref()),
        owned: request.topic_partitions.as_ref().map(|owned| {
            let topics = owned
                .iter()
                .map(|topic| (topic.topic_id, topic.partitions.iter().copied().collect()));
            topics.collect()
        }),
        client_id: context.client_id.clone(),
        client_host: format!("/{}", context.client_host),
    }
}

fn response(answer: HeartbeatAnswer) -> ConsumerGroupHeartbeatResponse {
    let assignment = answer.assignment.map(|assigned| {
        let topics = assigned.into_iter().map(|(topic, partitions)| {
            TopicPartitions::default()
                .with_topic_id(topic)
                .with_partitions(partitions.into_iter().collect())
        });
        Assignment::default().with_topic_partitions(topics.collect())
    });
    ConsumerGroupHeartbeatResponse::default()
        .with_member_id(Some(text(answer.member_id)))
        .with_member_epoch(answer.member_epoch)
        .with_heartbeat_interval_ms(answer.heartbeat_interval_ms)
        .with_assignment(assignment)
}
