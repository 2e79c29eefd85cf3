//! DescribeGroups, versions 0–6: groups with their members and assignments.
//!
//! - A group that does not exist is `Dead` without an error; in v6 the error is `GROUP_ID_NOT_FOUND`.
//! - Protocol and metadata are given only while the group is stable; an assignment until it is revoked.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeGroups>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse, GroupId};

use super::text;
use crate::broker::access::ResourceType;
use crate::broker::call::RequestContext;
use crate::broker::coordinator::group::GroupDescription;
use crate::broker::coordinator::group::group_state::GroupState;
use crate::broker::node::Node;
use crate::broker::rights::Rights;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let asked = request.include_authorized_operations;
    let image = node.cluster.image();
    let rights = Rights::of(node, &image, context);
    let groups = request.groups.into_iter().map(|id| {
        let operations = rights.operations(asked, ResourceType::Group, &id);
        let described = match node.groups.check_owner(&id).map(|()| node.groups.describe(&id)) {
            Err(error) => DescribedGroup::default()
                .with_group_id(id)
                .with_error_code(error.code()),
            Ok(Ok(group)) => describe(id, group),
            Ok(Err(why)) => absent(id, why, context.version),
        };
        if described.error_code == 0 {
            described.with_authorized_operations(operations)
        } else {
            described
        }
    });
    DescribeGroupsResponse::default().with_groups(groups.collect())
}

fn absent(id: GroupId, why: String, version: i16) -> DescribedGroup {
    let group = DescribedGroup::default()
        .with_group_id(id)
        .with_group_state(text(GroupState::Dead.name()));
    if version < 6 {
        return group;
    }
    group
        .with_error_code(ResponseError::GroupIdNotFound.code())
        .with_error_message(Some(text(why)))
}

fn describe(id: GroupId, group: GroupDescription) -> DescribedGroup {
    let stable = group.state == GroupState::Stable;
    let members = group.members.into_iter().map(|member| {
        let metadata = member.metadata(&group.protocol_name);
        let described = DescribedGroupMember::default()
            .with_member_id(text(member.id))
            .with_group_instance_id(member.group_instance_id.map(text))
            .with_client_id(text(member.client_id))
            .with_client_host(text(member.client_host))
            .with_member_assignment(member.assignment);
        if stable {
            described.with_member_metadata(metadata)
        } else {
            described
        }
    });
    let described = DescribedGroup::default()
        .with_group_id(id)
        .with_group_state(text(group.state.name()))
        .with_protocol_type(text(group.protocol_type))
        .with_members(members.collect());
    if stable {
        described.with_protocol_data(text(group.protocol_name))
    } else {
        described
    }
}
