//! What gate and handler of `CreateDelegationToken` share: the token's owner, its requester, and the answer to a
//! refusal.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{CreateDelegationTokenRequest, CreateDelegationTokenResponse};
use kafka_protocol::protocol::StrBytes;

use super::call::RequestContext;
use super::cluster::delegation_tokens::principal_parts;

/// The value of a time field in an answer without a token.
pub(super) const NO_TIME: i64 = -1;
/// The first version whose answer names the requester.
pub(super) const HAS_REQUESTER: i16 = 3;

/// The owner of a token and who requests it, written `User:alice`.
#[derive(Debug)]
pub(super) struct Parties {
    pub(super) owner: String,
    requester: String,
}

impl Parties {
    /// A request without an owner is for the client itself.
    pub(super) fn of(context: &RequestContext, request: &CreateDelegationTokenRequest) -> Self {
        let requester = context.principal.to_string();
        let name = request.owner_principal_name.as_deref().unwrap_or_default();
        let kind = request.owner_principal_type.as_deref().unwrap_or_default();
        let owner = if name.is_empty() {
            requester.clone()
        } else {
            format!("{kind}:{name}")
        };
        Self { owner, requester }
    }

    /// The owner, and the requester.
    pub(super) fn into_names(self) -> (String, String) {
        (self.owner, self.requester)
    }

    pub(super) fn are_one(&self) -> bool {
        self.owner == self.requester
    }

    pub(super) fn response(&self, context: &RequestContext) -> CreateDelegationTokenResponse {
        let (kind, name) = principal_parts(&self.owner);
        let response = CreateDelegationTokenResponse::default()
            .with_principal_type(text(kind))
            .with_principal_name(text(name));
        if context.version < HAS_REQUESTER {
            return response;
        }
        let (kind, name) = principal_parts(&self.requester);
        response
            .with_token_requester_principal_type(text(kind))
            .with_token_requester_principal_name(text(name))
    }
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// The answer to a request that is refused.
pub(super) fn refused_creation(
    context: &RequestContext,
    parties: &Parties,
    error: ResponseError,
) -> CreateDelegationTokenResponse {
    parties
        .response(context)
        .with_error_code(error.code())
        .with_issue_timestamp_ms(NO_TIME)
        .with_expiry_timestamp_ms(NO_TIME)
        .with_max_timestamp_ms(NO_TIME)
}
