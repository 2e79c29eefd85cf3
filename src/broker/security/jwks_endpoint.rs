//! The keys that an OAuth server publishes (`sasl.oauthbearer.jwks.endpoint.url`, KIP-768): fetched when the broker
//! starts, and again every `….refresh.ms` or when a token names a key that is not known.
//!
//! A thread asks, so that no login waits for the server. When the server is away, the keys it had stay in force; the user
//! who runs the broker hears of it once, and again when it is back.

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

/// For so long a key that was not found is not asked for again, as in Kafka.
const MISSING_FOR: Duration = Duration::from_secs(60);
/// So many missing keys are remembered; beyond them none is asked for.
const MISSING_MOST: usize = 16;
/// The longest id of a key that is asked for.
const LONGEST_ID: usize = 1000;
/// The longest wait for the server where no setting has one.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The keys of a server, as they were when it was last asked.
pub(super) struct JwksEndpoint {
    shared: Arc<Shared>,
}

struct Shared {
    server: HttpServer,
    pace: Pace,
    /// The listener and the setting, for notices.
    place: String,
    notices: NoticeSink,
    state: Mutex<State>,
    changed: Condvar,
}

/// How often the server is asked.
struct Pace {
    refresh: Duration,
    retry: Duration,
    longest_retry: Duration,
}

#[derive(Default)]
struct State {
    keys: Vec<SigningKey>,
    /// A token named a key that is not there.
    is_wanted: bool,
    missing: VecDeque<(String, Instant)>,
    is_over: bool,
}

impl State {
    /// Asks for a key that is not known, unless that was done a moment ago.
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
    /// How long to wait after `failures` failures one after the other.
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
    /// Asks the server once, and from then on now and then; `notices` hears when that begins to fail, and when it works
    /// again.
    ///
    /// # Errors
    ///
    /// The settings make no sense, or the server gives no key.
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

    /// What `look` says of the keys. Where it says no to a token that names a key, which may be a newer one than these,
    /// the server is asked soon: a client that tries again may find it.
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

    /// Asks the server; the keys are replaced only by others.
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

    /// Runs until the listener is gone.
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

    /// What is to be said of an outcome after `failures` failures one after the other: nothing, where it is as before.
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

/// TLS to the server: it is trusted by the store that the login module names, or by the authorities of this machine.
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
