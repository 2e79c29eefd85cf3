//! ListGroups, versions 0–5: every group, filtered by state (v4) and type (v5).
//!
//! <https://kafka.apache.org/protocol#The_Messages_ListGroups>

use std::sync::Arc;

use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{GroupId, ListGroupsRequest, ListGroupsResponse};
use kafka_protocol::protocol::StrBytes;

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::node::Node;

pub fn handle(node: &Arc<Node>, _context: &RequestContext, request: ListGroupsRequest) -> ListGroupsResponse {
    let groups = node
        .groups
        .list()
        .into_iter()
        .filter(|group| {
            passes(&request.states_filter, group.state)
                && passes(&request.types_filter, group.group_type.name())
        })
        .map(|group| {
            ListedGroup::default()
                .with_group_id(GroupId(text(group.id)))
                .with_protocol_type(text(group.protocol_type))
                .with_group_state(text(group.state))
                .with_group_type(text(group.group_type.name()))
        });
    ListGroupsResponse::default().with_groups(groups.collect())
}

/// An empty filter lets everything pass.
fn passes(filter: &[StrBytes], name: &str) -> bool {
    filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
}
