//! ListPartitionReassignments, version 0: always none, as one node cannot move a replica. Tools ask nevertheless.
//!
//! <https://kafka.apache.org/protocol#The_Messages_ListPartitionReassignments>

use std::sync::Arc;

use kafka_protocol::messages::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse};

use crate::broker::call::RequestContext;
use crate::broker::node::Node;

pub fn handle(
    _: &Arc<Node>,
    _: &RequestContext,
    _: ListPartitionReassignmentsRequest,
) -> ListPartitionReassignmentsResponse {
    ListPartitionReassignmentsResponse::default().with_error_message(None)
}
