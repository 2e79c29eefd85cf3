//! OAUTHBEARER tokens for librdkafka, which asks for one at the start and before one expires.

use std::error::Error as StdError;
use std::sync::Arc;

use rdkafka::client::OAuthToken;

use super::reports::{Report, Reports};
use crate::client::security::Security;
use crate::client::settings::Settings;
use crate::error::{Error, Result};
use crate::wire::sasl::{Credentials, TokenSource};

/// Where the tokens come from, if OAUTHBEARER is the mechanism in force.
#[derive(Debug)]
pub(super) struct Tokens {
    source: Option<Arc<dyn TokenSource>>,
}

impl Tokens {
    /// # Errors
    /// SASL extensions (KIP-342) are refused: the crate cannot send them, and a broker that asks for them would only say
    /// that the login failed.
    pub(super) fn of(settings: &Settings) -> Result<Self> {
        let source = match Security::of(settings)?.credentials {
            Some(Credentials::OAuthBearer(source)) => Some(source),
            _ => None,
        };
        if source.as_ref().is_some_and(|source| source.has_extensions()) {
            let error = "SASL extensions cannot be sent by a member of a group or in a transaction";
            return Err(Error::usage(error).hint("leave out the extensions, or the group"));
        }
        Ok(Self { source })
    }

    /// A token as librdkafka takes it. A failure is reported, and librdkafka asks again later.
    pub(super) fn generate(&self, reports: &Reports) -> std::result::Result<OAuthToken, Box<dyn StdError>> {
        reports.count();
        let source = self.source.as_ref().ok_or("OAUTHBEARER is not set up")?;
        let token = source.token().inspect_err(|problem| {
            reports.push(Report::NoToken(problem.clone()));
        })?;
        Ok(OAuthToken {
            token: token.value.reveal().to_owned(),
            principal_name: token.principal,
            lifetime_ms: token.expires_at_ms,
        })
    }
}
