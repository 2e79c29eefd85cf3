//! `ShareGroupHeartbeat`, version 1: a member of a share group (KIP-932) joins, stays, or leaves.
//!
//! - Members choose their own ids. A null field means "unchanged", in the request and for the assignment in the
//!   answer.
//! - Apache Kafka's first answer assigns no partition, as share states have to be initialized first. Here this is
//!   done before the answer, which waits until they are replicated, so that a member need not wait for its second
//!   heartbeat; the epochs are the same.
//!
//! <https://kafka.apache.org/protocol#The_Messages_ShareGroupHeartbeat>

use std::sync::Arc;

use kafka_protocol::messages::share_group_heartbeat_response::{Assignment, TopicPartitions};
use kafka_protocol::messages::{ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse};

use super::group_words::optional;
use super::{check_share_groups, text};
use crate::broker::call::RequestContext;
use crate::broker::coordinator::group::ShareBeat;
use crate::broker::coordinator::group::consumer_group::group::Refused;
use crate::broker::coordinator::group::share_group::{ShareHeartbeat, ShareHeartbeatAnswer};
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;

pub async fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: ShareGroupHeartbeatRequest,
) -> ShareGroupHeartbeatResponse {
    let topics = request.subscribed_topic_names.as_ref();
    let heartbeat = ShareHeartbeat {
        member_id: request.member_id.to_string(),
        member_epoch: request.member_epoch,
        rack_id: optional(request.rack_id.as_ref()),
        topics: topics.map(|topics| topics.iter().map(|topic| topic.to_string()).collect()),
        client_id: context.client_id.clone(),
        client_host: format!("/{}", context.client_host),
    };
    match beat(node, &request.group_id, &heartbeat).await {
        Ok(answer) => {
            let assignment = answer.assignment.map(|assigned| {
                let topics = assigned.into_iter().map(|(topic, partitions)| {
                    TopicPartitions::default()
                        .with_topic_id(topic)
                        .with_partitions(partitions.into_iter().collect())
                });
                Assignment::default().with_topic_partitions(topics.collect())
            });
            ShareGroupHeartbeatResponse::default()
                .with_member_id(Some(request.member_id))
                .with_member_epoch(answer.member_epoch)
                .with_heartbeat_interval_ms(answer.heartbeat_interval_ms)
                .with_assignment(assignment)
        }
        Err((error, message)) => ShareGroupHeartbeatResponse::default()
            .with_error_code(error.code())
            .with_error_message((!message.is_empty()).then(|| text(message))),
    }
}

async fn beat(
    node: &Arc<Node>,
    group: &str,
    heartbeat: &ShareHeartbeat,
) -> Result<ShareHeartbeatAnswer, Refused> {
    check_share_groups(node).map_err(|error| (error, String::new()))?;
    let losses = node.coordinator_losses();
    let groups = &node.groups;
    let ShareBeat { answer, to_make } = groups.share_heartbeat(group, steady_ms(), heartbeat)?;
    if to_make.topics.is_empty() || !node.coordinators_are_replicated(losses).await {
        return Ok(answer);
    }
    let made = groups.make_share_states(group, steady_ms(), &to_make, None);
    // A failed initialization is tried again at the next heartbeat.
    if made.is_err() || !node.coordinators_are_replicated(losses).await {
        return Ok(answer);
    }
    groups.share_states_are_kept(group, steady_ms(), &heartbeat.member_id, &to_make.topics)
}
