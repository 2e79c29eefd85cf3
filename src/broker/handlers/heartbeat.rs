//! Heartbeat, versions 0–4: a member is alive, and learns whether a rebalance has begun.
//!
//! <https://kafka.apache.org/protocol#The_Messages_Heartbeat>

use std::sync::Arc;

use kafka_protocol::messages::{HeartbeatRequest, HeartbeatResponse};

use super::group_words::{error_code, member};
use crate::broker::call::RequestContext;
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;

pub fn handle(node: &Arc<Node>, _context: &RequestContext, request: HeartbeatRequest) -> HeartbeatResponse {
    let member = member(
        &request.member_id,
        request.group_instance_id.as_ref(),
        request.generation_id,
    );
    let outcome = node.groups.heartbeat(&request.group_id, steady_ms(), member);
    HeartbeatResponse::default().with_error_code(error_code(outcome.err()))
}
