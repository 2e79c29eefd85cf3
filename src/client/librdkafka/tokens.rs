//! OAUTHBEARER tokens for librdkafka: one at the start, and the next before it expires.
//!
//! The thread that owns a client requests them between its other work. librdkafka's token callback is not used: through
//! the crate it cannot pass SASL extensions.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::client::{Client, ClientContext};

use super::reports::{Report, Reports};
use super::set_token::set_token;
use crate::client::security::Security;
use crate::client::settings::Settings;
use crate::error::Result;
use crate::wire::sasl::{Credentials, TokenSource};

/// The time after which a failed request for a token is repeated, as in librdkafka.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Where the tokens come from, if OAUTHBEARER is the mechanism in force, and when the next is due.
#[derive(Debug)]
pub(super) struct Tokens {
    source: Option<Arc<dyn TokenSource>>,
    /// `None` before the first.
    due: Mutex<Option<Instant>>,
}

impl Tokens {
    pub(super) fn of(settings: &Settings) -> Result<Self> {
        let source = match Security::of(settings)?.credentials {
            Some(Credentials::OAuthBearer(source)) => Some(source),
            _ => None,
        };
        Ok(Self {
            source,
            due: Mutex::default(),
        })
    }

    /// Gives the client a token if one is due. A failure is reported, and the token is requested again later.
    pub(super) fn renew<C: ClientContext>(&self, client: &Client<C>, reports: &Reports) {
        let Some(source) = &self.source else {
            return;
        };
        let now = Instant::now();
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if due.is_some_and(|due| now < due) {
            return;
        }
        let handed_over = source.token().and_then(|token| {
            set_token(client, &token)?;
            Ok(token.expires_at_ms)
        });
        let wait = match handed_over {
            Ok(expires_at_ms) => life_from_now(expires_at_ms).mul_f64(0.8),
            Err(problem) => {
                reports.push(Report::NoToken(problem));
                AFTER_FAILURE
            }
        };
        *due = now.checked_add(wait).or(Some(now));
    }
}

/// How long a token will be valid.
fn life_from_now(expires_at_ms: i64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let expires = Duration::from_millis(u64::try_from(expires_at_ms).unwrap_or(0));
    expires.saturating_sub(now)
}
