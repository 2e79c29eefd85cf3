//! DeleteGroups, versions 0–2: deletes groups without members, with their committed offsets. A group that is named
//! twice is answered once; the empty name is a legal name of a group.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DeleteGroups>

use std::collections::HashSet;
use std::sync::Arc;

use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse};

use super::group_words::error_code;
use crate::broker::call::RequestContext;
use crate::broker::node::Node;
use crate::broker::timers::steady_ms;

pub fn handle(
    node: &Arc<Node>,
    _context: &RequestContext,
    request: DeleteGroupsRequest,
) -> DeleteGroupsResponse {
    let mut answered = HashSet::new();
    let once = request
        .groups_names
        .into_iter()
        .filter(|id| answered.insert(id.clone()));
    let results = once.map(|id| {
        let outcome = node.groups.delete(&id, steady_ms());
        DeletableGroupResult::default()
            .with_group_id(id)
            .with_error_code(error_code(outcome.err()))
    });
    DeleteGroupsResponse::default().with_results(results.collect())
}
