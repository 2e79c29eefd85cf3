//! DeleteGroups, versions 0–2: groups without members go, with what they have committed.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DeleteGroups>

use std::sync::Arc;

use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse};

use super::group_words::error_code;
use crate::broker::Broker;
use crate::broker::call::RequestContext;
use crate::broker::timers::steady_ms;

pub fn handle(
    broker: &Arc<Broker>,
    _context: &RequestContext,
    request: DeleteGroupsRequest,
) -> DeleteGroupsResponse {
    let results = request.groups_names.into_iter().map(|id| {
        let outcome = broker.groups.delete(&id, steady_ms());
        DeletableGroupResult::default()
            .with_group_id(id)
            .with_error_code(error_code(outcome.err()))
    });
    DeleteGroupsResponse::default().with_results(results.collect())
}
