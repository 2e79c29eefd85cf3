//! Delegation tokens (KIP-48, KIP-373): which exist, and whether one may be created, renewed or expired.
//!
//! Plain data, changed by records of the metadata log only. The HMAC of a token is in `wire::sasl::delegation_token`.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;

use crate::internal_records::value::{StructValue, Value};

/// The tokens by their ids.
pub(in crate::broker) type DelegationTokens = BTreeMap<String, DelegationToken>;

/// The one type of principal that can renew tokens.
const USER: &str = "User";

/// A token. Principals are written `User:alice`; times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct DelegationToken {
    /// The principal of a client that authenticates with it.
    pub(in crate::broker) owner: String,
    /// The principal that requested it.
    pub(in crate::broker) requester: String,
    /// The principals that may renew and expire it, beside the owner.
    pub(in crate::broker) renewers: Vec<String>,
    pub(in crate::broker) issued_ms: i64,
    pub(in crate::broker) expires_ms: i64,
    /// The end of its maximum lifetime, beyond which it cannot be renewed.
    pub(in crate::broker) max_ms: i64,
}

/// For how long tokens are valid, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct Lifetimes {
    /// `delegation.token.max.lifetime.ms`
    pub(in crate::broker) max: i64,
    /// `delegation.token.expiry.time.ms`: until the next renewal.
    pub(in crate::broker) renewal: i64,
}

/// Type and name of a principal.
pub(in crate::broker) fn principal_parts(principal: &str) -> (&str, &str) {
    principal.split_once(':').unwrap_or((USER, principal))
}

impl DelegationToken {
    /// A new token; `wanted_ms` is the maximum lifetime that was requested, or, unless it is above 0, as long as
    /// possible.
    pub(in crate::broker) fn new(
        (owner, requester): (String, String),
        renewers: Vec<String>,
        wanted_ms: i64,
        lifetimes: Lifetimes,
        now_ms: i64,
    ) -> Self {
        let max_ms = now_ms.saturating_add(at_most(wanted_ms, lifetimes.max));
        Self {
            owner,
            requester,
            renewers,
            issued_ms: now_ms,
            expires_ms: max_ms.min(now_ms.saturating_add(lifetimes.renewal)),
            max_ms,
        }
    }

    pub(in crate::broker) fn has_expired(&self, now_ms: i64) -> bool {
        self.max_ms < now_ms || self.expires_ms < now_ms
    }

    /// Whether the principal may see it without any permission.
    pub(in crate::broker) fn concerns(&self, principal: &str) -> bool {
        self.requester == principal || self.may_be_changed_by(principal)
    }

    fn may_be_changed_by(&self, principal: &str) -> bool {
        self.owner == principal || self.renewers.iter().any(|renewer| renewer == principal)
    }

    fn check_time(&self, now_ms: i64) -> Result<(), ResponseError> {
        if self.has_expired(now_ms) {
            return Err(ResponseError::DelegationTokenExpired);
        }
        Ok(())
    }

    fn check_owner(&self, principal: &str) -> Result<(), ResponseError> {
        if !self.may_be_changed_by(principal) {
            return Err(ResponseError::DelegationTokenOwnerMismatch);
        }
        Ok(())
    }

    /// The token after a renewal by `principal` for `period_ms`; unless that is above 0, for as long as possible.
    pub(in crate::broker) fn renewed(
        &self,
        principal: &str,
        period_ms: i64,
        lifetimes: Lifetimes,
        now_ms: i64,
    ) -> Result<Self, ResponseError> {
        self.check_time(now_ms)?;
        self.check_owner(principal)?;
        Ok(self.until(now_ms.saturating_add(at_most(period_ms, lifetimes.renewal))))
    }

    /// The token after `principal` has set it to expire in `period_ms`; `None` if that is below 0: it is removed at
    /// once, even if it has expired.
    pub(in crate::broker) fn expired(
        &self,
        principal: &str,
        period_ms: i64,
        now_ms: i64,
    ) -> Result<Option<Self>, ResponseError> {
        self.check_owner(principal)?;
        if period_ms < 0 {
            return Ok(None);
        }
        self.check_time(now_ms)?;
        Ok(Some(self.until(now_ms.saturating_add(period_ms))))
    }

    fn until(&self, expires_ms: i64) -> Self {
        Self {
            expires_ms: expires_ms.min(self.max_ms),
            ..self.clone()
        }
    }

    pub(in crate::broker) fn from_record(value: &StructValue<'_>) -> Self {
        let text = |name: &str| value.text(name).unwrap_or_default().to_owned();
        let renewers = value.array("renewers").iter().filter_map(Value::as_text);
        Self {
            owner: text("owner"),
            requester: text("requester"),
            renewers: renewers.map(str::to_owned).collect(),
            issued_ms: value.number("issueTimestamp"),
            expires_ms: value.number("expirationTimestamp"),
            max_ms: value.number("maxTimestamp"),
        }
    }
}

/// The wanted time, at most the limit; the limit if none is wanted.
fn at_most(wanted_ms: i64, limit_ms: i64) -> i64 {
    if wanted_ms > 0 {
        wanted_ms.min(limit_ms)
    } else {
        limit_ms
    }
}

/// Whether principals of this type can be renewers.
pub(in crate::broker) fn can_renew(principal_type: &str) -> bool {
    principal_type == USER
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIFETIMES: Lifetimes = Lifetimes {
        max: 1000,
        renewal: 100,
    };

    fn token(wanted_ms: i64) -> DelegationToken {
        let who = ("User:owner".to_owned(), "User:requester".to_owned());
        DelegationToken::new(who, vec!["User:renewer".to_owned()], wanted_ms, LIFETIMES, 10)
    }

    #[test]
    fn a_life_is_what_was_asked_for_within_the_limits() {
        for (wanted, expires, max) in [(-1, 110, 1010), (0, 110, 1010), (50, 60, 60), (5000, 110, 1010)] {
            let token = token(wanted);
            assert_eq!((token.expires_ms, token.max_ms), (expires, max), "{wanted}");
        }
    }

    #[test]
    fn owners_and_renewers_change_a_token_and_requesters_see_it() {
        let token = token(-1);
        for who in ["User:owner", "User:renewer"] {
            assert_eq!(token.renewed(who, -1, LIFETIMES, 50).unwrap().expires_ms, 150);
            assert_eq!(token.expired(who, -1, 50), Ok(None));
            assert!(token.concerns(who));
        }
        let mismatch = ResponseError::DelegationTokenOwnerMismatch;
        assert_eq!(token.renewed("User:requester", -1, LIFETIMES, 50), Err(mismatch));
        assert_eq!(token.expired("User:requester", -1, 50), Err(mismatch));
        assert!(token.concerns("User:requester") && !token.concerns("User:other"));
    }

    #[test]
    fn no_renewal_goes_beyond_the_end_and_none_comes_back() {
        let token = token(-1);
        let late = DelegationToken {
            expires_ms: 1005,
            ..token.clone()
        };
        assert_eq!(
            late.renewed("User:owner", -1, LIFETIMES, 1000)
                .unwrap()
                .expires_ms,
            1010
        );
        assert_eq!(
            token.expired("User:owner", 5000, 50).unwrap().unwrap().expires_ms,
            1010
        );
        let expired = ResponseError::DelegationTokenExpired;
        assert_eq!(token.renewed("User:owner", -1, LIFETIMES, 111), Err(expired));
        assert!(token.renewed("User:owner", -1, LIFETIMES, 110).is_ok());
        assert_eq!(token.expired("User:owner", 0, 111), Err(expired));
        assert_eq!(token.expired("User:owner", -1, 111), Ok(None));
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_a_token_ends_within_its_limits(
            wanted: i64, period: i64, now in 0..i64::MAX, later in 0..100_i64,
        ) {
            let who = || ("User:o".to_owned(), "User:o".to_owned());
            let token = DelegationToken::new(who(), Vec::new(), wanted, LIFETIMES, now);
            prop_assert!(token.expires_ms <= token.max_ms);
            prop_assert!(token.max_ms <= now.saturating_add(LIFETIMES.max));
            let then = now.saturating_add(later);
            if let Ok(renewed) = token.renewed("User:o", period, LIFETIMES, then) {
                prop_assert!(renewed.expires_ms <= token.max_ms);
                prop_assert!(!renewed.has_expired(then));
            }
        }
    }
}
