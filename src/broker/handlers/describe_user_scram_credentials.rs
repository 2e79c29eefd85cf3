//! `DescribeUserScramCredentials`, version 0: which users have SCRAM credentials, never the credentials themselves.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeUserScramCredentials>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_user_scram_credentials_response::{
    CredentialInfo, DescribeUserScramCredentialsResult,
};
use kafka_protocol::messages::{DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse};

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::cluster::controller::named_twice;
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: DescribeUserScramCredentialsRequest,
) -> DescribeUserScramCredentialsResponse {
    let image = node.cluster.image();
    let mut known: BTreeMap<&str, Vec<CredentialInfo>> = BTreeMap::new();
    for ((user, mechanism), credential) in image.scram_credentials() {
        let info = CredentialInfo::default()
            .with_mechanism(*mechanism)
            .with_iterations(credential.iterations);
        known.entry(user).or_default().push(info);
    }
    let users: Vec<&str> = request
        .users
        .iter()
        .flatten()
        .map(|user| user.name.as_str())
        .collect();
    let twice = named_twice(users.iter().copied());
    // An empty list means every user.
    let wanted: BTreeSet<&str> = if users.is_empty() {
        known.keys().copied().collect()
    } else {
        users.into_iter().collect()
    };
    let results = wanted.into_iter().map(|user| {
        let result = DescribeUserScramCredentialsResult::default().with_user(text(user));
        if twice.contains(user) {
            let message = format!(
                "Cannot describe SCRAM credentials for the same user twice in a single request: {user}"
            );
            return result
                .with_error_code(ResponseError::DuplicateResource.code())
                .with_error_message(Some(text(message)));
        }
        if let Some(infos) = known.remove(user) {
            return result.with_error_message(None).with_credential_infos(infos);
        }
        let message = format!("Attempt to describe a user credential that does not exist: {user}");
        result
            .with_error_code(ResponseError::ResourceNotFound.code())
            .with_error_message(Some(text(message)))
    });
    let results = results.collect();
    DescribeUserScramCredentialsResponse::default()
        .with_error_message(None)
        .with_results(results)
}
