//! `CreateDelegationToken` v1–3, `RenewDelegationToken` and `ExpireDelegationToken` v1–2, `DescribeDelegationToken` v1–3
//! (KIP-48, KIP-373).
//!
//! - A client that has not authenticated, or only with a token, gets no token.
//! - A token is found by its HMAC, which only its owner was sent.
//! - Expiring by a negative period removes it at once.
//!
//! <https://kafka.apache.org/protocol#The_Messages_CreateDelegationToken>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_delegation_token_response::{
    DescribedDelegationToken, DescribedDelegationTokenRenewer,
};
use kafka_protocol::messages::{
    CreateDelegationTokenRequest, CreateDelegationTokenResponse, DescribeDelegationTokenRequest,
    DescribeDelegationTokenResponse, ExpireDelegationTokenRequest, ExpireDelegationTokenResponse,
    RenewDelegationTokenRequest, RenewDelegationTokenResponse,
};

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::cluster::Change;
use crate::broker::cluster::delegation_tokens::{DelegationToken, Lifetimes, can_renew, principal_parts};
use crate::broker::cluster::image::ClusterImage;
use crate::broker::cluster::records::{self, Records};
use crate::broker::features::{DELEGATION_TOKENS_LEVEL, METADATA_VERSION};
use crate::broker::node::Node;
use crate::broker::timers::now_ms;
use crate::broker::token_requests::{HAS_REQUESTER, NO_TIME, Parties, refused_creation};
use crate::storage::partition_metadata::{encode_id, random_id};
use crate::wire::Secret;
use crate::wire::sasl::delegation_token::token_hmac;
use crate::wire::sasl::server::is_same;

pub fn create(
    node: &Arc<Node>,
    context: &RequestContext,
    request: CreateDelegationTokenRequest,
) -> CreateDelegationTokenResponse {
    let parties = Parties::of(context, &request);
    let renewers = request.renewers.iter();
    let refusal = if !context.may_ask_for_tokens() {
        Some(ResponseError::DelegationTokenRequestNotAllowed)
    } else if !renewers.clone().all(|renewer| can_renew(&renewer.principal_type)) {
        Some(ResponseError::InvalidPrincipalType)
    } else {
        None
    };
    if let Some(error) = refusal {
        return refused_creation(context, &parties, error);
    }
    let response = parties.response(context);
    let renewers = renewers.map(|renewer| {
        let (kind, name) = (&renewer.principal_type, &renewer.principal_name);
        format!("{}:{}", kind.as_str(), name.as_str())
    });
    let token = DelegationToken::new(
        parties.into_names(),
        renewers.collect(),
        request.max_lifetime_ms,
        lifetimes(node),
        now_ms(),
    );
    match keep(node, &token) {
        Ok((id, hmac)) => response
            .with_issue_timestamp_ms(token.issued_ms)
            .with_expiry_timestamp_ms(token.expires_ms)
            .with_max_timestamp_ms(token.max_ms)
            .with_token_id(text(id))
            .with_hmac(hmac.into()),
        Err(error) => response.with_error_code(error.code()),
    }
}

/// Stores a new token under an id, and returns the id and the HMAC.
fn keep(node: &Node, token: &DelegationToken) -> Result<(String, Vec<u8>), ResponseError> {
    let key = key(node)?;
    let id = random_id().map_err(|_| ResponseError::UnknownServerError)?;
    let id = encode_id(id);
    let hmac = token_hmac(&key, &id).map_err(|_| ResponseError::UnknownServerError)?;
    commit(&mut node.cluster.change(), &records::delegation_token(&id, token))?;
    Ok((id, hmac))
}

fn commit(change: &mut Change<'_>, records: &Records) -> Result<(), ResponseError> {
    change
        .commit(records)
        .map_err(|_| ResponseError::KafkaStorageError)
}

/// The secret key, if delegation tokens are enabled.
fn key(node: &Node) -> Result<Secret, ResponseError> {
    let disabled = ResponseError::DelegationTokenAuthDisabled;
    let key = node.config.token_key().ok_or(disabled)?;
    if node.cluster.image().feature_level(&METADATA_VERSION) < DELEGATION_TOKENS_LEVEL {
        return Err(ResponseError::UnsupportedVersion);
    }
    Ok(key)
}

fn lifetimes(node: &Node) -> Lifetimes {
    Lifetimes {
        max: node.config.number("delegation.token.max.lifetime.ms"),
        renewal: node.config.number("delegation.token.expiry.time.ms"),
    }
}

pub fn renew(
    node: &Arc<Node>,
    context: &RequestContext,
    request: RenewDelegationTokenRequest,
) -> RenewDelegationTokenResponse {
    let response = RenewDelegationTokenResponse::default();
    if !context.may_ask_for_tokens() {
        let error = ResponseError::DelegationTokenRequestNotAllowed;
        return response
            .with_error_code(error.code())
            .with_expiry_timestamp_ms(NO_TIME);
    }
    let asker = context.principal.to_string();
    let renewed = change(node, &request.hmac, |token| {
        let renewed = token.renewed(&asker, request.renew_period_ms, lifetimes(node), now_ms());
        renewed.map(Some)
    });
    match renewed {
        Ok(token) => response.with_expiry_timestamp_ms(token.map_or(NO_TIME, |token| token.expires_ms)),
        Err(error) => response.with_error_code(error.code()),
    }
}

pub fn expire(
    node: &Arc<Node>,
    context: &RequestContext,
    request: ExpireDelegationTokenRequest,
) -> ExpireDelegationTokenResponse {
    let response = ExpireDelegationTokenResponse::default();
    if !context.may_ask_for_tokens() {
        let error = ResponseError::DelegationTokenRequestNotAllowed;
        return response
            .with_error_code(error.code())
            .with_expiry_timestamp_ms(NO_TIME);
    }
    let (asker, period_ms) = (context.principal.to_string(), request.expiry_time_period_ms);
    let now_ms = now_ms();
    match change(node, &request.hmac, |token| {
        token.expired(&asker, period_ms, now_ms)
    }) {
        Ok(token) => response.with_expiry_timestamp_ms(token.map_or(now_ms, |token| token.expires_ms)),
        Err(error) => response.with_error_code(error.code()),
    }
}

/// Replaces the token with this HMAC by the result of `decide`; `None` removes it.
fn change(
    node: &Node,
    hmac: &[u8],
    decide: impl FnOnce(&DelegationToken) -> Result<Option<DelegationToken>, ResponseError>,
) -> Result<Option<DelegationToken>, ResponseError> {
    let key = key(node)?;
    let mut held = node.cluster.change();
    let image = node.cluster.image();
    let (id, token) = find(&image, &key, hmac).ok_or(ResponseError::DelegationTokenNotFound)?;
    let decided = decide(token)?;
    let records = match &decided {
        Some(token) => records::delegation_token(id, token),
        None => records::delegation_token_removed(id),
    };
    drop(image);
    commit(&mut held, &records)?;
    Ok(decided)
}

fn find<'a>(image: &'a ClusterImage, key: &Secret, hmac: &[u8]) -> Option<(&'a String, &'a DelegationToken)> {
    let mut tokens = image.delegation_tokens().iter();
    tokens.find(|(id, _)| token_hmac(key, id).is_ok_and(|own| is_same(&own, hmac)))
}

pub fn describe(
    node: &Arc<Node>,
    context: &RequestContext,
    request: DescribeDelegationTokenRequest,
) -> DescribeDelegationTokenResponse {
    let response = DescribeDelegationTokenResponse::default();
    if !context.may_ask_for_tokens() {
        let error = ResponseError::DelegationTokenRequestNotAllowed;
        return response.with_error_code(error.code());
    }
    let Some(key) = node.config.token_key() else {
        let error = ResponseError::DelegationTokenAuthDisabled;
        return response.with_error_code(error.code());
    };
    // A null list means every token, an empty list none.
    let owners: Option<Vec<String>> = request.owners.map(|owners| {
        let owners = owners.iter();
        owners
            .map(|owner| {
                format!(
                    "{}:{}",
                    owner.principal_type.as_str(),
                    owner.principal_name.as_str()
                )
            })
            .collect()
    });
    let image = node.cluster.image();
    let tokens = image.delegation_tokens().iter().filter(|(_, token)| {
        let is_of = |owners: &Vec<String>| owners.iter().any(|owner| token.concerns(owner));
        owners.as_ref().is_none_or(is_of)
    });
    let described = tokens.map(|(id, token)| described(context, &key, id, token));
    match described.collect::<Result<Vec<_>, ResponseError>>() {
        Ok(tokens) => response.with_tokens(tokens),
        Err(error) => response.with_error_code(error.code()),
    }
}

fn described(
    context: &RequestContext,
    key: &Secret,
    id: &str,
    token: &DelegationToken,
) -> Result<DescribedDelegationToken, ResponseError> {
    let hmac = token_hmac(key, id).map_err(|_| ResponseError::UnknownServerError)?;
    let renewers = token.renewers.iter().map(|renewer| {
        let (kind, name) = principal_parts(renewer);
        DescribedDelegationTokenRenewer::default()
            .with_principal_type(text(kind))
            .with_principal_name(text(name))
    });
    let (kind, name) = principal_parts(&token.owner);
    let described = DescribedDelegationToken::default()
        .with_principal_type(text(kind))
        .with_principal_name(text(name))
        .with_issue_timestamp(token.issued_ms)
        .with_expiry_timestamp(token.expires_ms)
        .with_max_timestamp(token.max_ms)
        .with_token_id(text(id))
        .with_hmac(hmac.into())
        .with_renewers(renewers.collect());
    if context.version < HAS_REQUESTER {
        return Ok(described);
    }
    let (kind, name) = principal_parts(&token.requester);
    Ok(described
        .with_token_requester_principal_type(text(kind))
        .with_token_requester_principal_name(text(name)))
}
