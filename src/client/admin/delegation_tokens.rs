//! Delegation tokens: `CreateDelegationToken` and `DescribeDelegationToken` v1–3, `RenewDelegationToken` and
//! `ExpireDelegationToken` v1–2 (KIP-48, KIP-373).
//!
//! <https://kafka.apache.org/protocol#The_Messages_CreateDelegationToken>

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::create_delegation_token_request::CreatableRenewers;
use kafka_protocol::messages::describe_delegation_token_request::DescribeDelegationTokenOwner;
use kafka_protocol::messages::describe_delegation_token_response::DescribedDelegationToken;
use kafka_protocol::messages::{
    CreateDelegationTokenRequest, DescribeDelegationTokenRequest, DescribeDelegationTokenResponse,
    ExpireDelegationTokenRequest, RenewDelegationTokenRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::visibility::Check;
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::wire::Secret;
use crate::wire::sasl::delegation_token::token_password;

/// A token. Principals are written `User:alice`; times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegationToken {
    pub id: String,
    /// Its password: the HMAC in base64.
    pub hmac: Secret,
    pub owner: String,
    /// The principal that requested it; empty from older brokers.
    pub requester: String,
    pub renewers: Vec<String>,
    pub issued_ms: i64,
    pub expires_ms: i64,
    /// No renewal goes beyond this time.
    pub max_ms: i64,
}

/// A token to be created.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The owner; `None` is the requester.
    pub owner: Option<String>,
    pub renewers: Vec<String>,
    /// How long it can be renewed, in milliseconds; -1 for the longest time that the cluster has.
    pub max_lifetime_ms: i64,
}

impl AdminClient {
    /// The tokens that one of these principals owns, requested or may renew, as far as the client may see them; `None`
    /// is all tokens.
    pub fn delegation_tokens(
        &mut self,
        owners: Option<&[String]>,
    ) -> Result<Result<Vec<DelegationToken>, ApiError>> {
        let wanted = |owner: &String| {
            let (kind, name) = parts(owner);
            DescribeDelegationTokenOwner::default()
                .with_principal_type(kind)
                .with_principal_name(name)
        };
        let owners = owners.map(|owners| owners.iter().map(wanted).collect());
        let answer = self.send(DescribeDelegationTokenRequest::default().with_owners(owners))?;
        let refused = ApiError::check(answer.error_code, None::<String>);
        Ok(refused.map(|()| answer.tokens.iter().map(described).collect()))
    }

    /// Creates a token.
    pub fn create_delegation_token(&mut self, new: &NewToken) -> Result<Result<DelegationToken, ApiError>> {
        let renewers = new.renewers.iter().map(|renewer| {
            let (kind, name) = parts(renewer);
            CreatableRenewers::default()
                .with_principal_type(kind)
                .with_principal_name(name)
        });
        let mut request = CreateDelegationTokenRequest::default()
            .with_renewers(renewers.collect())
            .with_max_lifetime_ms(new.max_lifetime_ms);
        if let Some(owner) = &new.owner {
            let (kind, name) = parts(owner);
            request = request
                .with_owner_principal_type(Some(kind))
                .with_owner_principal_name(Some(name));
        }
        let answer = self.send(request)?;
        if answer.error_code == 0 {
            self.await_token(&answer.hmac, |token| token.is_some());
        }
        Ok(
            ApiError::check(answer.error_code, None::<String>).map(|()| DelegationToken {
                id: answer.token_id.to_string(),
                hmac: token_password(&answer.hmac),
                owner: principal(&answer.principal_type, &answer.principal_name),
                requester: principal(
                    &answer.token_requester_principal_type,
                    &answer.token_requester_principal_name,
                ),
                renewers: new.renewers.clone(),
                issued_ms: answer.issue_timestamp_ms,
                expires_ms: answer.expiry_timestamp_ms,
                max_ms: answer.max_timestamp_ms,
            }),
        )
    }

    /// Renews the token with this HMAC for `period_ms` from now; -1 is the cluster's default. Returns when it then
    /// expires, in milliseconds since 1970.
    pub fn renew_delegation_token(&mut self, hmac: &[u8], period_ms: i64) -> Result<Result<i64, ApiError>> {
        let request = RenewDelegationTokenRequest::default()
            .with_hmac(Bytes::copy_from_slice(hmac))
            .with_renew_period_ms(period_ms);
        let answer = self.send(request)?;
        let expires_ms = answer.expiry_timestamp_ms;
        if answer.error_code == 0 {
            self.await_token(hmac, move |token| {
                token.is_none_or(|token| token.expiry_timestamp == expires_ms)
            });
        }
        let refused = ApiError::check(answer.error_code, None::<String>);
        Ok(refused.map(|()| expires_ms))
    }

    /// Lets the token with this HMAC expire in `period_ms`; below 0 it expires at once. Returns when, in milliseconds
    /// since 1970.
    pub fn expire_delegation_token(&mut self, hmac: &[u8], period_ms: i64) -> Result<Result<i64, ApiError>> {
        let request = ExpireDelegationTokenRequest::default()
            .with_hmac(Bytes::copy_from_slice(hmac))
            .with_expiry_time_period_ms(period_ms);
        let answer = self.send(request)?;
        let expires_ms = answer.expiry_timestamp_ms;
        if answer.error_code == 0 {
            self.await_token(hmac, move |token| {
                token.is_none_or(|token| period_ms >= 0 && token.expiry_timestamp == expires_ms)
            });
        }
        let refused = ApiError::check(answer.error_code, None::<String>);
        Ok(refused.map(|()| expires_ms))
    }

    /// Waits until every broker shows the change of the token with this HMAC.
    fn await_token(
        &mut self,
        hmac: &[u8],
        is_shown: impl Fn(Option<&DescribedDelegationToken>) -> bool + Send + Sync + 'static,
    ) {
        let hmac = Bytes::copy_from_slice(hmac);
        let check: Check<DescribeDelegationTokenResponse> = Arc::new(move |answer| {
            let mut tokens = answer.tokens.iter();
            answer.error_code != 0 || is_shown(tokens.find(|token| token.hmac == hmac))
        });
        let request = DescribeDelegationTokenRequest::default().with_owners(None);
        self.await_everywhere(&request, &check, "the change of the token");
    }
}

fn described(token: &DescribedDelegationToken) -> DelegationToken {
    let renewers = token.renewers.iter();
    DelegationToken {
        id: token.token_id.to_string(),
        hmac: token_password(&token.hmac),
        owner: principal(&token.principal_type, &token.principal_name),
        requester: principal(
            &token.token_requester_principal_type,
            &token.token_requester_principal_name,
        ),
        renewers: renewers
            .map(|renewer| principal(&renewer.principal_type, &renewer.principal_name))
            .collect(),
        issued_ms: token.issue_timestamp,
        expires_ms: token.expiry_timestamp,
        max_ms: token.max_timestamp,
    }
}

fn parts(principal: &str) -> (StrBytes, StrBytes) {
    let (kind, name) = principal.split_once(':').unwrap_or(("User", principal));
    let text = |text: &str| StrBytes::from_string(text.to_owned());
    (text(kind), text(name))
}

fn principal(kind: &str, name: &str) -> String {
    if name.is_empty() {
        return String::new();
    }
    format!("{kind}:{name}")
}
