//! SyncGroup, versions 0–5: the leader sends the assignment of the group, each member gets its own.
//!
//! - Waits until the leader's request has come.
//! - v5 has the protocol, which must be the group's.
//!
//! <https://kafka.apache.org/protocol#The_Messages_SyncGroup>

use std::sync::Arc;

use kafka_protocol::messages::{SyncGroupRequest, SyncGroupResponse};

use super::group_words::{error_code, keep, member, optional};
use super::text;
use crate::broker::call::RequestContext;
use crate::broker::coordinator::group::events::SyncGroup;
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;

pub async fn handle(
    node: &Arc<Node>,
    _context: &RequestContext,
    request: SyncGroupRequest,
) -> SyncGroupResponse {
    let sync = SyncGroup {
        member: member(
            &request.member_id,
            request.group_instance_id.as_ref(),
            request.generation_id,
        ),
        protocol_type: optional(request.protocol_type.as_ref()),
        protocol_name: optional(request.protocol_name.as_ref()),
        assignments: request
            .assignments
            .iter()
            .map(|assigned| (assigned.member_id.to_string(), keep(&assigned.assignment)))
            .collect(),
    };
    let answer = node.groups.sync(&request.group_id, steady_ms(), sync).await;
    SyncGroupResponse::default()
        .with_error_code(error_code(answer.error))
        .with_protocol_type(answer.protocol_type.map(text))
        .with_protocol_name(answer.protocol_name.map(text))
        .with_assignment(answer.assignment)
}
