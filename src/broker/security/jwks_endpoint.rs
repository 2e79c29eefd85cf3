//! The keys that an OAuth server publishes (`sasl.oauthbearer.jwks.endpoint.url`, KIP-768): fetched when the broker
//! starts, every `….refresh.ms`, and when a token names an unknown key.
//!
//! A thread fetches them, so that no login waits for the server. If the server is away, its last keys stay in force;
//! this is reported to the user once, and again when the server is back.

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::bearer::JWKS_URL;
use super::listener_settings::ListenerSettings;
use super::signing_keys::{SigningKey, keys_of};
use crate::broker::notices::NoticeSink;
use crate::error::{Error, Result};
use crate::wire::Secret;
use crate::wire::http::{HttpServer, Url, tls_trusting};
use crate::wire::key_store;
use crate::wire::sasl::jaas::LoginModule;
use crate::wire::tls::{Tls, TlsOptions, Trust};

/// For this time a key that was not found is not fetched again, as in Kafka.
const MISSING_FOR: Duration = Duration::from_secs(60);
/// The most missing keys to remember; while there are as many, no other is fetched.
const MISSING_MOST: usize = 16;
/// The longest key id that is fetched.
const LONGEST_ID: usize = 1000;
/// The longest wait for the server without a setting for it.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The keys of a server, from its last answer.
pub(super) struct JwksEndpoint {
    shared: Arc<Shared>,
}

struct Shared {
    server: HttpServer,
    pace: Pace,
    /// The listener and the setting, for messages.
    place: String,
    notices: NoticeSink,
    state: Mutex<State>,
    changed: Condvar,
}

/// How often keys are fetched.
struct Pace {
    refresh: Duration,
    retry: Duration,
    longest_retry: Duration,
}

#[derive(Default)]
struct State {
    keys: Vec<SigningKey>,
    /// Whether a token has named an unknown key.
    is_wanted: bool,
    missing: VecDeque<(String, Instant)>,
    is_over: bool,
}

impl State {
    /// Requests a fetch for an unknown key, unless that was done recently. Returns whether it has.
    fn want(&mut self, id: &str, now: Instant) -> bool {
        self.missing
            .retain(|(_, since)| now.saturating_duration_since(*since) < MISSING_FOR);
        let is_known = self.missing.iter().any(|(known, _)| known == id);
        if is_known || id.len() > LONGEST_ID || self.missing.len() >= MISSING_MOST {
            return false;
        }
        self.missing.push_back((id.to_owned(), now));
        self.is_wanted = true;
        true
    }
}

impl Pace {
    /// The pause after `failures` failures in a row.
    fn pause(&self, failures: u32) -> Duration {
        match failures.checked_sub(1) {
            None => self.refresh,
            Some(doublings) => self
                .retry
                .saturating_mul(1 << doublings.min(20))
                .min(self.longest_retry)
                .min(self.refresh),
        }
    }
}

impl JwksEndpoint {
    /// Fetches the keys once, and periodically from then on; `notices` is told when that begins to fail, and when it
    /// works again.
    ///
    /// # Errors
    ///
    /// The settings are invalid, or the server returns no key.
    pub(super) fn new(
        url: &str,
        settings: &ListenerSettings<'_>,
        module: Option<&LoginModule>,
        notices: &NoticeSink,
    ) -> Result<Self> {
        let wrong = |problem: String| settings.complaint(JWKS_URL, problem);
        let parsed = Url::parse(url).ok_or_else(|| wrong("it is no address".to_owned()))?;
        let millis = |key: &str, default: Duration| {
            let value = settings.get(key).and_then(|value| value.trim().parse().ok());
            value.map_or(default, Duration::from_millis)
        };
        let setting = |name: &str| format!("sasl.oauthbearer.jwks.endpoint.{name}");
        let second = Duration::from_secs(1);
        let pace = Pace {
            refresh: millis(&setting("refresh.ms"), second * 3600).max(second),
            retry: millis(&setting("retry.backoff.ms"), second / 10).max(second / 100),
            longest_retry: millis(&setting("retry.backoff.max.ms"), second * 10),
        };
        let shared = Arc::new(Shared {
            server: HttpServer {
                tls: if parsed.secure {
                    Some(tls(module).map_err(wrong)?)
                } else {
                    None
                },
                url: parsed,
                timeout: millis("sasl.login.read.timeout.ms", DEFAULT_TIMEOUT),
            },
            pace,
            place: settings.place(JWKS_URL),
            notices: Arc::clone(notices),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        shared.refresh().map_err(wrong)?;
        let own = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("jwks".to_owned())
            .spawn(move || own.keep_fresh())
            .map_err(Error::from)?;
        Ok(Self { shared })
    }

    /// Returns the result of `look` on the keys. If it is false for a token with an unknown key id, which may be a
    /// newer key, the server is asked soon: a retry of the client may succeed.
    pub(super) fn with_keys(&self, id: Option<&str>, look: impl FnOnce(&[SigningKey]) -> bool) -> bool {
        let mut state = self.shared.state();
        if look(&state.keys) {
            return true;
        }
        let unknown = id.filter(|id| state.keys.iter().all(|key| key.id.as_deref() != Some(id)));
        if unknown.is_some_and(|id| state.want(id, Instant::now())) {
            self.shared.changed.notify_all();
        }
        false
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches the keys; an answer without any keeps the old ones.
    fn refresh(&self) -> Result<(), String> {
        let place = format!("the OAuth server {}", self.server.place());
        let answer = self.server.ask(&self.request());
        let answer = answer.map_err(|problem| format!("{place}: {problem}"))?;
        if answer.status != 200 {
            return Err(format!("{place} answered {}", answer.status));
        }
        let text = String::from_utf8_lossy(&answer.body);
        let keys = keys_of(&text).ok_or_else(|| format!("{place}: the answer holds no public key"))?;
        self.state().keys = keys;
        Ok(())
    }

    fn request(&self) -> Secret {
        let Url { host, path, .. } = &self.server.url;
        Secret::new(format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
        ))
    }

    /// Runs until the listener is closed.
    fn keep_fresh(&self) {
        let mut failures = 0;
        loop {
            let pause = self.pace.pause(failures);
            let waits = |state: &mut State| !state.is_wanted && !state.is_over;
            let waited = self.changed.wait_timeout_while(self.state(), pause, waits);
            let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if state.is_over {
                return;
            }
            state.is_wanted = false;
            drop(state);
            let outcome = self.refresh();
            if let Some(line) = self.turn(failures, &outcome) {
                (self.notices)(&line);
            }
            failures = match outcome {
                Ok(()) => 0,
                Err(_) => failures.saturating_add(1),
            };
        }
    }

    /// The line to report for an outcome after `failures` failures in a row; `None` if nothing has changed.
    fn turn(&self, failures: u32, outcome: &Result<(), String>) -> Option<String> {
        let place = &self.place;
        match outcome {
            Err(problem) if failures == 0 => {
                Some(format!("{place}: {problem}; the keys from before stay in use"))
            }
            Ok(()) if failures > 0 => Some(format!(
                "{place}: the OAuth server {} gives keys again",
                self.server.place()
            )),
            _ => None,
        }
    }
}

/// TLS to the server: trusted by the truststore of the login module, or by the machine's certificate authorities.
fn tls(module: Option<&LoginModule>) -> Result<Tls, String> {
    let option = |name: &str| module.and_then(|module| module.option(name));
    let Some(path) = option("ssl.truststore.location") else {
        return tls_trusting(None);
    };
    let bytes = std::fs::read(Path::new(path))
        .map_err(|error| format!("{path}: {}", crate::error::io_words(&error)))?;
    let password = option("ssl.truststore.password").map(Secret::new);
    let store = key_store::open(&bytes, password.as_ref(), None);
    let store = store.map_err(|problem| format!("{path}: {problem}"))?;
    let options = TlsOptions {
        trust: Trust::Certificates(store.trusted),
        ..TlsOptions::default()
    };
    Tls::new(&options).map_err(|error| error.to_string())
}

impl Drop for JwksEndpoint {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.changed.notify_all();
    }
}

impl fmt::Debug for JwksEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksEndpoint")
            .field("url", &self.shared.server.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_followed_by_longer_and_longer_pauses() {
        let pace = Pace {
            refresh: Duration::from_secs(3600),
            retry: Duration::from_millis(100),
            longest_retry: Duration::from_secs(10),
        };
        let pauses: Vec<u128> = (0..4).map(|failures| pace.pause(failures).as_millis()).collect();
        assert_eq!(pauses, [3_600_000, 100, 200, 400]);
        assert_eq!(pace.pause(u32::MAX), Duration::from_secs(10));
    }

    #[test]
    fn a_missing_key_is_asked_for_once_a_minute_and_not_too_many_are() {
        let mut state = State::default();
        let now = Instant::now();
        assert!(state.want("a", now) && !state.want("a", now));
        assert!(state.want("a", now + MISSING_FOR));
        assert!(!state.want(&"x".repeat(LONGEST_ID + 1), now));
        let many = (0..100).filter(|number| state.want(&number.to_string(), now + MISSING_FOR));
        assert_eq!(many.count(), MISSING_MOST - 1);
    }
}
