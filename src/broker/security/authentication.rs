//! The identity of a connection's client: the state of its SASL exchange (KIP-152), and how long it is valid
//! (KIP-368).
//!
//! A failed login is final: the connection is closed. No secret is kept longer than its message.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::ApiKey;
use openssl::x509::X509Ref;

use super::ListenerSecurity;
use super::logins::{Logins, Mechanism};
use crate::broker::access::Principal;
use crate::broker::cluster::delegation_tokens::principal_parts;
use crate::broker::cluster::image::ClusterImage;
use crate::wire::sasl::ScramHash;
use crate::wire::sasl::delegation_token::token_keys;
use crate::wire::sasl::server::{Refusal, ScramFirst, ScramKeys, ScramServer, read_bearer, read_plain};
use crate::wire::tls_server::distinguished_name;

/// The shortest time between two re-authentications of a client, in ms.
const SHORTEST_LOGIN_MS: i64 = 1000;

/// The authentication of one connection, whose requests come one after the other.
#[derive(Debug)]
pub(in crate::broker) struct Authentication {
    security: Arc<ListenerSecurity>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// The client's principal, once it has authenticated.
    principal: Option<Principal>,
    mechanism: Option<Mechanism>,
    /// When the client last began to re-authenticate.
    renewed_ms: Option<i64>,
    /// After this time only a re-authentication is answered.
    expires_at_ms: Option<i64>,
    /// Whether the client has authenticated with a delegation token.
    is_by_token: bool,
    /// Whether tokens come as frames without a request header (`SaslHandshake` v0).
    has_raw_tokens: bool,
}

#[derive(Debug)]
enum State {
    /// No mechanism is chosen, or authentication is complete.
    Resting,
    Chosen(Mechanism),
    AwaitsProof {
        login: LoggedIn,
        server: ScramServer,
    },
    /// The client was sent the reason why its token is refused, and has to confirm it.
    AwaitsEnd(String),
    /// An authenticated client has chosen another mechanism: as in Kafka its next request closes the connection.
    OtherMechanism,
    Failed,
}

/// The reply to a token.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::broker) struct Reply {
    pub(in crate::broker) bytes: Vec<u8>,
    pub(in crate::broker) error: Option<(ResponseError, String)>,
    /// For how long the login is valid in milliseconds; 0 for no limit.
    pub(in crate::broker) session_lifetime_ms: i64,
}

/// A login that is complete, or will be with a correct proof.
#[derive(Debug)]
struct LoggedIn {
    name: String,
    /// When its credentials expire, in milliseconds since 1970.
    expires_at_ms: Option<i64>,
    is_by_token: bool,
}

impl LoggedIn {
    /// A login that does not expire.
    fn of_user(name: String) -> Self {
        Self {
            name,
            expires_at_ms: None,
            is_by_token: false,
        }
    }
}

enum Step {
    Challenge(Vec<u8>),
    Done(Vec<u8>, LoggedIn),
}

impl Authentication {
    /// For a new connection. Without SASL the principal comes from the client's certificate, or is anonymous.
    pub(in crate::broker) fn new(security: Arc<ListenerSecurity>) -> Self {
        let principal = security.logins.is_none().then_some(Principal::ANONYMOUS);
        Self {
            security,
            inner: Mutex::new(Inner {
                state: State::Resting,
                principal,
                mechanism: None,
                renewed_ms: None,
                expires_at_ms: None,
                is_by_token: false,
                has_raw_tokens: false,
            }),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the principal from a client's certificate, without SASL. Returns false if no rule maps its name.
    pub(in crate::broker) fn take_certificate(&self, certificate: &X509Ref) -> bool {
        if self.security.logins.is_some() {
            return true;
        }
        let name = self.security.mapping.name(&distinguished_name(certificate));
        let principal = name.map(Principal::user);
        let is_known = principal.is_some();
        self.inner().principal = principal;
        is_known
    }

    /// The client's principal; `None` before it has authenticated.
    pub(in crate::broker) fn principal(&self) -> Option<Principal> {
        self.inner().principal.clone()
    }

    /// Whether the client has authenticated with a delegation token.
    pub(in crate::broker) fn is_by_token(&self) -> bool {
        self.inner().is_by_token
    }

    /// Whether authentication has failed: nothing more is read.
    pub(in crate::broker) fn has_failed(&self) -> bool {
        matches!(self.inner().state, State::Failed)
    }

    /// Whether the next frame is a token without a request header.
    pub(in crate::broker) fn takes_raw_token(&self) -> bool {
        let inner = self.inner();
        inner.has_raw_tokens && !matches!(inner.state, State::Resting | State::Failed)
    }

    /// Whether a request is answered: before authentication, and after it has expired, only requests that belong to
    /// it are.
    pub(in crate::broker) fn admits(&self, api: ApiKey, now_ms: i64) -> bool {
        let inner = self.inner();
        if matches!(inner.state, State::OtherMechanism) {
            return false;
        }
        let leads_to_login = matches!(
            api,
            ApiKey::ApiVersions | ApiKey::SaslHandshake | ApiKey::SaslAuthenticate
        );
        let has_expired = inner.expires_at_ms.is_some_and(|expires| now_ms >= expires);
        let is_untimely = api == ApiKey::SaslAuthenticate
            && matches!(inner.state, State::Resting)
            && inner.principal.is_none();
        (leads_to_login && !is_untimely) || (inner.principal.is_some() && !has_expired)
    }

    /// The mechanisms of the listener; none without SASL.
    pub(in crate::broker) fn mechanisms(&self) -> Vec<&'static str> {
        self.security.logins.iter().flat_map(Logins::names).collect()
    }

    /// The client chooses a mechanism. `is_raw`: with `SaslHandshake` version 0.
    pub(in crate::broker) fn choose(
        &self,
        name: &str,
        is_raw: bool,
        now_ms: i64,
    ) -> Result<(), ResponseError> {
        let Some(logins) = &self.security.logins else {
            return Err(ResponseError::IllegalSaslState);
        };
        let mut inner = self.inner();
        let is_again = inner.principal.is_some();
        if !matches!(inner.state, State::Resting) {
            inner.state = State::Failed;
            return Err(ResponseError::IllegalSaslState);
        }
        if is_again {
            let is_early = |then| now_ms.saturating_sub(then) < SHORTEST_LOGIN_MS;
            if inner.renewed_ms.is_some_and(is_early) {
                return Err(ResponseError::IllegalSaslState);
            }
            inner.renewed_ms = Some(now_ms);
        }
        let Some(mechanism) = logins.mechanism(name) else {
            inner.state = State::Failed;
            return Err(ResponseError::UnsupportedSaslMechanism);
        };
        if inner.mechanism.is_some_and(|known| known != mechanism) {
            inner.state = State::OtherMechanism;
            return Ok(());
        }
        inner.state = State::Chosen(mechanism);
        inner.mechanism = Some(mechanism);
        inner.has_raw_tokens = is_raw;
        Ok(())
    }

    /// Handles a token of the client's mechanism. `now_ms` is the clock of deadlines, `today_ms` milliseconds since
    /// 1970.
    pub(in crate::broker) fn token(
        &self,
        token: &[u8],
        image: &ClusterImage,
        now_ms: i64,
        today_ms: i64,
    ) -> Reply {
        let mut inner = self.inner();
        let state = std::mem::replace(&mut inner.state, State::Failed);
        let Some(logins) = &self.security.logins else {
            inner.state = State::Resting;
            return refused(
                ResponseError::IllegalSaslState,
                "SaslAuthenticate request received after successful authentication",
            );
        };
        let step = match state {
            State::Chosen(Mechanism::Plain) => plain(logins, token),
            State::Chosen(Mechanism::Scram(hash)) => begin_scram(&mut inner, logins, hash, (token, image)),
            State::Chosen(Mechanism::OAuthBearer) => bearer(&mut inner, logins, token, today_ms),
            State::AwaitsProof { login, server } => {
                server.finish(token).map(|proof| Step::Done(proof, login))
            }
            State::AwaitsEnd(words) => Err(Refusal::Told(words)),
            State::Resting if inner.principal.is_some() => {
                inner.state = State::Resting;
                let words = "SaslAuthenticate request received after successful authentication";
                return refused(ResponseError::IllegalSaslState, words);
            }
            State::Resting | State::OtherMechanism | State::Failed => {
                let words = "SaslAuthenticate request received before SaslHandshake";
                return refused(ResponseError::IllegalSaslState, words);
            }
        };
        match step {
            Ok(Step::Challenge(bytes)) => Reply {
                bytes,
                error: None,
                session_lifetime_ms: 0,
            },
            Ok(Step::Done(bytes, login)) => inner.log_in(logins, bytes, login, now_ms, today_ms),
            Err(refusal) => {
                inner.state = State::Failed;
                let words = inner.words(refusal);
                refused(ResponseError::SaslAuthenticationFailed, words)
            }
        }
    }
}

impl Inner {
    fn log_in(
        &mut self,
        logins: &Logins,
        bytes: Vec<u8>,
        login: LoggedIn,
        now_ms: i64,
        today_ms: i64,
    ) -> Reply {
        let principal = Principal::user(login.name);
        if let Some(before) = self.principal.as_ref().filter(|before| **before != principal) {
            self.state = State::Failed;
            let words = format!(
                "Cannot change principals during re-authentication from {}.{}: {}.{}",
                before.principal_type, before.name, principal.principal_type, principal.name
            );
            return refused(ResponseError::SaslAuthenticationFailed, words);
        }
        let max_ms = self
            .mechanism
            .map_or(0, |mechanism| logins.max_reauth_ms(mechanism));
        let left_ms = login
            .expires_at_ms
            .map(|expires| expires.saturating_sub(today_ms));
        let limits = left_ms.into_iter().chain((max_ms > 0).then_some(max_ms));
        let lifetime_ms = limits.min().map(|lifetime| lifetime.max(0));
        self.state = State::Resting;
        self.is_by_token = login.is_by_token;
        self.principal = Some(principal);
        self.expires_at_ms = lifetime_ms.map(|lifetime| now_ms.saturating_add(lifetime));
        Reply {
            bytes,
            error: None,
            session_lifetime_ms: lifetime_ms.unwrap_or(0),
        }
    }

    /// The message about a refusal, in Kafka's words.
    fn words(&self, refusal: Refusal) -> String {
        match refusal {
            Refusal::Told(words) => words,
            Refusal::Untold => {
                let when = if self.principal.is_some() {
                    "re-authentication"
                } else {
                    "authentication"
                };
                let mechanism = self.mechanism.map_or("", Mechanism::name);
                format!(
                    "Authentication failed during {when} due to invalid credentials with SASL mechanism {mechanism}"
                )
            }
        }
    }
}

fn refused(error: ResponseError, words: impl Into<String>) -> Reply {
    Reply {
        bytes: Vec::new(),
        error: Some((error, words.into())),
        session_lifetime_ms: 0,
    }
}

fn plain(logins: &Logins, token: &[u8]) -> Result<Step, Refusal> {
    let login = read_plain(token)?;
    if !logins.is_plain_password(&login.username, &login.password) {
        let words = "Authentication failed: Invalid username or password";
        return Err(Refusal::Told(words.to_owned()));
    }
    Ok(Step::Done(Vec::new(), LoggedIn::of_user(login.username)))
}

fn begin_scram(
    inner: &mut Inner,
    logins: &Logins,
    hash: ScramHash,
    (token, image): (&[u8], &ClusterImage),
) -> Result<Step, Refusal> {
    let first = ScramFirst::read(token)?;
    let (keys, login) = if first.with_token {
        delegated(logins, hash, &first.username, image)?
    } else {
        let keys = keys_of_user(hash, &first.username, image)?;
        (keys, LoggedIn::of_user(first.username.clone()))
    };
    first.check_identity()?;
    let own_nonce = URL_SAFE_NO_PAD.encode(random()?);
    let (server, challenge) = ScramServer::begin(hash, &first, keys, &own_nonce);
    inner.state = State::AwaitsProof { login, server };
    Ok(Step::Challenge(challenge))
}

fn keys_of_user(hash: ScramHash, name: &str, image: &ClusterImage) -> Result<ScramKeys, Refusal> {
    let whose = (name.to_owned(), Mechanism::scram_code(hash));
    let known = image.scram_credentials().get(&whose).ok_or(Refusal::Untold)?;
    Ok(ScramKeys {
        salt: known.salt.clone(),
        stored_key: known.stored_key.clone(),
        server_key: known.server_key.clone(),
        iterations: known.iterations,
    })
}

/// The secret that proves a client's delegation token, and the login of the token's owner.
fn delegated(
    logins: &Logins,
    hash: ScramHash,
    id: &str,
    image: &ClusterImage,
) -> Result<(ScramKeys, LoggedIn), Refusal> {
    let key = logins.token_key.as_ref().ok_or(Refusal::Untold)?;
    let token = image.delegation_tokens().get(id).ok_or(Refusal::Untold)?;
    let keys = token_keys(hash, key, id, &random()?).map_err(|_| Refusal::Untold)?;
    let (_, owner) = principal_parts(&token.owner);
    let login = LoggedIn {
        name: owner.to_owned(),
        expires_at_ms: Some(token.expires_ms),
        is_by_token: true,
    };
    Ok((keys, login))
}

fn random() -> Result<[u8; 24], Refusal> {
    let mut random = [0; 24];
    getrandom::fill(&mut random).map_err(|_| Refusal::Untold)?;
    Ok(random)
}

fn bearer(inner: &mut Inner, logins: &Logins, token: &[u8], today_ms: i64) -> Result<Step, Refusal> {
    let (identity, token) = read_bearer(token)?;
    match logins.token_rules.check(&token, today_ms) {
        Ok(login) if !identity.is_empty() && identity != login.name => Err(Refusal::Told(format!(
            "Authentication failed: Client requested an authorization id ({identity}) that is different from the \
             token's principal name ({})",
            login.name
        ))),
        Ok(login) => {
            let login = LoggedIn {
                name: login.name,
                expires_at_ms: Some(login.expires_at_ms),
                is_by_token: false,
            };
            Ok(Step::Done(Vec::new(), login))
        }
        Err(why) => {
            let words = why.json();
            inner.state = State::AwaitsEnd(words.clone());
            Ok(Step::Challenge(words.into_bytes()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::broker::config::BrokerConfig;
    use crate::broker::notices::NoticeSink;

    fn authentication(more: &[(&str, &str)]) -> Authentication {
        let given = [
            ("listeners", "SASL_PLAINTEXT://127.0.0.1:0"),
            ("sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,OAUTHBEARER"),
            (
                "listener.name.sasl_plaintext.plain.sasl.jaas.config",
                "org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=secret user_bob=pass;",
            ),
        ];
        let given = given
            .iter()
            .chain(more)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = BrokerConfig::new(PathBuf::new(), given).unwrap();
        let notices: NoticeSink = Arc::new(|_: &str| {});
        Authentication::new(Arc::new(
            ListenerSecurity::new(&config, &config.listeners[0], &notices).unwrap(),
        ))
    }

    fn say(authentication: &Authentication, token: &[u8], now_ms: i64) -> Reply {
        authentication.token(token, &ClusterImage::default(), now_ms, now_ms)
    }

    fn error(reply: &Reply) -> (ResponseError, &str) {
        let (error, words) = reply.error.as_ref().unwrap();
        (*error, words)
    }

    #[test]
    fn nothing_else_is_answered_before_the_login() {
        let client = authentication(&[]);
        assert!(!client.admits(ApiKey::Metadata, 0) && client.admits(ApiKey::SaslHandshake, 0));
        client.choose("PLAIN", false, 0).unwrap();
        assert!(!client.admits(ApiKey::Produce, 0));
        let reply = say(&client, b"\0alice\0secret", 0);
        assert_eq!(
            reply,
            Reply {
                bytes: vec![],
                error: None,
                session_lifetime_ms: 0
            }
        );
        assert!(client.admits(ApiKey::Produce, i64::MAX));
        assert_eq!(client.principal().unwrap().to_string(), "User:alice");
    }

    #[test]
    fn a_failed_login_ends_the_connection_in_the_words_of_kafka() {
        for (mechanism, token, words) in [
            (
                "PLAIN",
                &b"\0alice\0wrong"[..],
                "Authentication failed: Invalid username or password",
            ),
            (
                "PLAIN",
                b"\0nobody\0secret",
                "Authentication failed: Invalid username or password",
            ),
            (
                "SCRAM-SHA-256",
                b"n,,n=nobody,r=abc",
                "Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256",
            ),
        ] {
            let client = authentication(&[]);
            client.choose(mechanism, false, 0).unwrap();
            let reply = say(&client, token, 0);
            assert_eq!(error(&reply), (ResponseError::SaslAuthenticationFailed, words));
            assert!(client.has_failed() && client.principal().is_none());
            assert!(say(&client, b"\0alice\0secret", 0).error.is_some() && client.principal().is_none());
        }
        let client = authentication(&[]);
        assert_eq!(
            client.choose("GSSAPI", false, 0),
            Err(ResponseError::UnsupportedSaslMechanism)
        );
        assert!(client.has_failed());
        let client = authentication(&[]);
        assert_eq!(
            error(&say(&client, b"\0alice\0secret", 0)).0,
            ResponseError::IllegalSaslState
        );
        assert!(client.has_failed());
    }

    #[test]
    fn a_login_expires_and_can_be_renewed_by_the_same_user() {
        let client = authentication(&[("connections.max.reauth.ms", "5000")]);
        client.choose("PLAIN", false, 0).unwrap();
        assert_eq!(say(&client, b"\0alice\0secret", 0).session_lifetime_ms, 5000);
        assert!(client.admits(ApiKey::Fetch, 4999) && !client.admits(ApiKey::Fetch, 5000));
        client.choose("PLAIN", false, 4000).unwrap();
        assert_eq!(say(&client, b"\0alice\0secret", 4000).session_lifetime_ms, 5000);
        assert!(client.admits(ApiKey::Fetch, 8999));
        assert_eq!(
            client.choose("PLAIN", false, 4999),
            Err(ResponseError::IllegalSaslState)
        );
        client.choose("PLAIN", false, 9000).unwrap();
        let reply = say(&client, b"\0bob\0pass", 9000);
        assert!(error(&reply).1.starts_with("Cannot change principals"));
        assert!(client.has_failed());
    }

    #[test]
    fn a_login_is_not_renewed_with_another_mechanism() {
        let client = authentication(&[]);
        client.choose("PLAIN", false, 0).unwrap();
        say(&client, b"\0alice\0secret", 0);
        client.choose("SCRAM-SHA-256", false, 5000).unwrap();
        for api in [ApiKey::SaslHandshake, ApiKey::SaslAuthenticate, ApiKey::Fetch] {
            assert!(!client.admits(api, 5000), "{api:?}");
        }
    }

    #[test]
    fn a_bearer_is_told_why_its_token_is_not_taken() {
        let client = authentication(&[]);
        client.choose("OAUTHBEARER", false, 0).unwrap();
        let reply = say(&client, b"n,,\x01auth=Bearer a.b.c\x01\x01", 0);
        assert_eq!(reply.bytes, b"{\"status\":\"invalid_token\"}");
        let reply = say(&client, b"\x01", 0);
        assert_eq!(
            error(&reply),
            (
                ResponseError::SaslAuthenticationFailed,
                "{\"status\":\"invalid_token\"}"
            )
        );
        assert!(client.has_failed());
    }
}
