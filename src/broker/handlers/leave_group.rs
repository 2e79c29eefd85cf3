//! LeaveGroup, versions 0–5: members leave, or an administrator removes them.
//!
//! - v0–2 name one member, whose error is the response's.
//! - v3 names many, each with its own error; a static member may be named by its instance id alone.
//!
//! <https://kafka.apache.org/protocol#The_Messages_LeaveGroup>

use std::sync::Arc;

use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};

use super::group_words::{error_code, optional};
use super::text;
use crate::broker::call::RequestContext;
use crate::broker::coordinator::group::events::LeavingMember;
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;

pub fn handle(node: &Arc<Node>, context: &RequestContext, request: LeaveGroupRequest) -> LeaveGroupResponse {
    let batched = context.version >= 3;
    let response = LeaveGroupResponse::default();
    let outcomes = node
        .groups
        .leave(&request.group_id, steady_ms(), leaving(batched, &request));
    match outcomes {
        Err(error) => response.with_error_code(error.code()),
        Ok(outcomes) if batched => {
            let members = outcomes.into_iter().map(|(member, error)| {
                MemberResponse::default()
                    .with_member_id(text(member.member_id))
                    .with_group_instance_id(member.group_instance_id.map(text))
                    .with_error_code(error_code(error))
            });
            response.with_members(members.collect())
        }
        Ok(outcomes) => {
            let error = outcomes.into_iter().find_map(|(_, error)| error);
            response.with_error_code(error_code(error))
        }
    }
}

fn leaving(batched: bool, request: &LeaveGroupRequest) -> Vec<LeavingMember> {
    if !batched {
        return vec![LeavingMember {
            member_id: request.member_id.to_string(),
            group_instance_id: None,
        }];
    }
    let members = request.members.iter().map(|member| LeavingMember {
        member_id: member.member_id.to_string(),
        group_instance_id: optional(member.group_instance_id.as_ref()),
    });
    members.collect()
}
