//! JoinGroup, versions 0–9: a client becomes a member of a classic group, or joins its next rebalance.
//!
//! - The request is answered when the rebalance is over.
//! - v0 has no rebalance timeout: the session timeout is used.
//! - v4: a new member is given an id first and comes back with it (KIP-394); v5: static members (KIP-345).
//! - v9: a static leader that returns is told to skip the assignment (KIP-814).
//!
//! <https://kafka.apache.org/protocol#The_Messages_JoinGroup>

use std::sync::Arc;

use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::{JoinGroupRequest, JoinGroupResponse};

use super::group_words::{error_code, keep, optional};
use super::text;
use crate::broker::call::RequestContext;
use crate::broker::coordinator::group::events::{JoinAnswer, JoinGroup, Protocol};
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;
use crate::storage::partition_metadata::random_id;

pub async fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: JoinGroupRequest,
) -> JoinGroupResponse {
    let join = join(context, &request);
    let answer = node.groups.join(&request.group_id, steady_ms(), join).await;
    response(context.version, answer)
}

fn join(context: &RequestContext, request: &JoinGroupRequest) -> JoinGroup {
    let version = context.version;
    let group_instance_id = optional(request.group_instance_id.as_ref());
    let name = group_instance_id.as_deref().unwrap_or(&context.client_id);
    JoinGroup {
        member_id: request.member_id.to_string(),
        fresh_member_id: format!("{name}-{}", random_id().unwrap_or_default()),
        client_id: context.client_id.clone(),
        client_host: format!("/{}", context.client_host),
        protocol_type: request.protocol_type.to_string(),
        protocols: request
            .protocols
            .iter()
            .map(|protocol| Protocol {
                name: protocol.name.to_string(),
                metadata: keep(&protocol.metadata),
            })
            .collect(),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: if version == 0 {
            request.session_timeout_ms
        } else {
            request.rebalance_timeout_ms
        },
        requires_known_member_id: version >= 4 && group_instance_id.is_none(),
        supports_skipping_assignment: version >= 9,
        group_instance_id,
    }
}

fn response(version: i16, answer: JoinAnswer) -> JoinGroupResponse {
    // Null became legal with version 7.
    let protocol_name = answer.protocol_name.or_else(|| (version < 7).then(String::new));
    let members = answer.members.into_iter().map(|member| {
        JoinGroupResponseMember::default()
            .with_member_id(text(member.member_id))
            .with_group_instance_id(member.group_instance_id.map(text))
            .with_metadata(member.metadata)
    });
    JoinGroupResponse::default()
        .with_error_code(error_code(answer.error))
        .with_generation_id(answer.generation)
        .with_protocol_type(answer.protocol_type.map(text))
        .with_protocol_name(protocol_name.map(text))
        .with_leader(text(answer.leader))
        .with_skip_assignment(answer.skip_assignment)
        .with_member_id(text(answer.member_id))
        .with_members(members.collect())
}
