//! Gates of delegation tokens (KIP-373): permissions on users are permissions on their tokens.
//!
//! Every user may have its own tokens, and sees those that it owns, requested or may renew.

use std::collections::HashSet;

use kafka_protocol::ResponseError::DelegationTokenAuthorizationFailed;
use kafka_protocol::messages::{CreateDelegationTokenRequest, DescribeDelegationTokenRequest};

use super::{Asks, Gated, Passage, passed, passed_then};
use crate::broker::access::{AclOperation, ResourceType};
use crate::broker::token_requests::{Parties, refused_creation};

impl Gated for CreateDelegationTokenRequest {
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        let parties = Parties::of(asks.context, &self);
        let (operation, resource) = (AclOperation::CreateTokens, ResourceType::User);
        // Errors of the handler come before those of the authorizer.
        if parties.are_one()
            || !asks.context.may_ask_for_tokens()
            || asks.rights().may(operation, resource, &parties.owner)
        {
            return passed(self);
        }
        let error = DelegationTokenAuthorizationFailed;
        Passage::Refused(refused_creation(asks.context, &parties, error))
    }
}

impl Gated for DescribeDelegationTokenRequest {
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let asker = asks.context.principal.to_string();
        let tokens = asks.image.delegation_tokens().iter();
        let shown = tokens.filter(|(id, token)| {
            token.concerns(&asker)
                || rights.may(AclOperation::Describe, ResourceType::DelegationToken, id)
                || rights.may(AclOperation::DescribeTokens, ResourceType::User, &token.owner)
        });
        let shown: HashSet<String> = shown.map(|(id, _)| id.clone()).collect();
        passed_then(self, move |answer| {
            answer
                .tokens
                .retain(|token| shown.contains(token.token_id.as_str()));
        })
    }
}
