//! `AddRaftVoter`, versions 0–1, and `RemoveRaftVoter`, version 0: both are refused, as the quorum of controllers is
//! fixed. Apache Kafka refuses them likewise while the level of `kraft.version` is 0 (KIP-853).
//!
//! <https://kafka.apache.org/protocol#The_Messages_AddRaftVoter>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_raft_voter_request::Listener;
use kafka_protocol::messages::{
    AddRaftVoterRequest, AddRaftVoterResponse, RemoveRaftVoterRequest, RemoveRaftVoterResponse,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::cluster::controller::Refused;
use crate::broker::node::Node;

pub fn add(node: &Arc<Node>, _: &RequestContext, request: AddRaftVoterRequest) -> AddRaftVoterResponse {
    let voter = (request.voter_id, request.voter_directory_id);
    let refused = check(node, request.cluster_id.as_ref(), voter, "Add")
        .and_then(|()| check_endpoint(node, &request.listeners))
        .err();
    let (error, words) = refused.unwrap_or_else(|| fixed("adding"));
    AddRaftVoterResponse::default()
        .with_error_code(error.code())
        .with_error_message(Some(text(words)))
}

pub fn remove(
    node: &Arc<Node>,
    _: &RequestContext,
    request: RemoveRaftVoterRequest,
) -> RemoveRaftVoterResponse {
    let voter = (request.voter_id, request.voter_directory_id);
    let refused = check(node, request.cluster_id.as_ref(), voter, "Remove").err();
    let (error, words) = refused.unwrap_or_else(|| fixed("removing"));
    RemoveRaftVoterResponse::default()
        .with_error_code(error.code())
        .with_error_message(Some(text(words)))
}

/// The refusal of a request without any error.
fn fixed(verb: &str) -> Refused {
    let words = format!("Cluster doesn't support {verb} voter because the kraft.version feature is 0");
    (ResponseError::UnsupportedVersion, words)
}

/// Whether the request is for this cluster, and names a valid voter.
fn check(
    node: &Node,
    cluster_id: Option<&StrBytes>,
    (id, directory): (i32, Uuid),
    verb: &str,
) -> Result<(), Refused> {
    let own = node.cluster.id();
    if let Some(given) = cluster_id
        && given.as_str() != own
    {
        let words = format!(
            "The given id \"{}\" doesn't match the cluster id \"{own}\"",
            given.as_str()
        );
        return Err((ResponseError::InconsistentClusterId, words));
    }
    if id < 0 || directory.is_nil() {
        let words = format!("{verb} voter request didn't include a valid voter");
        return Err((ResponseError::InvalidRequest, words));
    }
    Ok(())
}

/// Whether the new voter has an endpoint that other controllers can use.
fn check_endpoint(node: &Node, listeners: &[Listener]) -> Result<(), Refused> {
    let names = node.config.value("controller.listener.names").unwrap_or_default();
    let first = names.split(',').next().map_or("", str::trim);
    let wanted = if first.is_empty() { "CONTROLLER" } else { first };
    if listeners.iter().any(|listener| listener.name.as_str() == wanted) {
        return Ok(());
    }
    let given = listeners.iter().map(|listener| {
        let (name, host) = (listener.name.as_str(), listener.host.as_str());
        format!("ListenerName({name})={host}/<unresolved>:{}", listener.port)
    });
    let words = format!(
        "Add voter request didn't include the endpoint (Endpoints(endpoints={{{}}})) for the default listener \
         ListenerName({wanted})",
        given.collect::<Vec<_>>().join(", ")
    );
    Err((ResponseError::InvalidRequest, words))
}
