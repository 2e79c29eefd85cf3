//! OAUTHBEARER tokens for librdkafka, which asks for one when it has none and before one runs out.

use std::sync::Arc;

use super::ffi::Handle;
use super::notices::Notices;
use crate::client::security::Security;
use crate::client::settings::Settings;
use crate::error::Result;
use crate::wire::sasl::{Credentials, TokenSource};

/// Where the tokens come from, if OAUTHBEARER is the mechanism in force.
#[derive(Debug)]
pub(super) struct Tokens {
    source: Option<Arc<dyn TokenSource>>,
}

impl Tokens {
    pub(super) fn of(settings: &Settings) -> Result<Self> {
        let source = match Security::of(settings)?.credentials {
            Some(Credentials::OAuthBearer(source)) => Some(source),
            _ => None,
        };
        Ok(Self { source })
    }

    /// Answers librdkafka's wish for a token.
    pub(super) fn provide(&self, handle: &mut Handle, notices: &mut Notices) {
        let Some(source) = &self.source else {
            return;
        };
        let outcome = source.token().and_then(|token| {
            let token = (
                token.value.reveal(),
                token.expires_at_ms,
                token.principal.as_str(),
                &token.extensions[..],
            );
            handle.set_token(token)
        });
        if let Err(problem) = outcome {
            handle.refuse_token(&problem);
            notices.say(format!("no OAUTHBEARER token: {problem}"));
        }
    }
}
