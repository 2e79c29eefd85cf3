//! The certificate and the truststore of a listener, read again when its files or its settings change.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use openssl::ssl::SslAcceptor;

use super::listener_settings::ListenerSettings;
use crate::broker::config::effective_config::BrokerValues;
use crate::error::Result;
use crate::wire::key_store::{self, KeyStore};
use crate::wire::tls::Identity;
use crate::wire::tls_names;
use crate::wire::tls_server::{ClientAuth, TlsServerOptions, acceptor};

/// The shortest time between two checks for changes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// All settings that TLS of a listener depends on.
const KEYS: [&str; 11] = [
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.key",
    "ssl.keystore.certificate.chain",
    "ssl.key.password",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.certificates",
    "ssl.client.auth",
    "ssl.enabled.protocols",
    "ssl.cipher.suites",
];
/// Those with file names.
const FILES: [&str; 2] = ["ssl.keystore.location", "ssl.truststore.location"];

/// The TLS state of one listener.
pub(in crate::broker) struct ListenerTls {
    listener: String,
    state: Mutex<State>,
}

struct State {
    acceptor: SslAcceptor,
    made_of: Sources,
    looked_at: Option<Instant>,
}

/// The inputs of an acceptor: values, and for each file what changes when it is written.
#[derive(PartialEq, Eq)]
struct Sources {
    values: Vec<Option<String>>,
    files: Vec<Option<(u64, i64, i64, u64)>>,
}

impl Sources {
    fn of(settings: &ListenerSettings<'_>) -> Self {
        let file = |key: &&str| {
            let metadata = fs::metadata(settings.get(key)?.trim()).ok()?;
            Some((
                metadata.ino(),
                metadata.mtime(),
                metadata.mtime_nsec(),
                metadata.len(),
            ))
        };
        Self {
            values: KEYS
                .iter()
                .map(|key| settings.get(key).map(str::to_owned))
                .collect(),
            files: FILES.iter().map(file).collect(),
        }
    }
}

impl ListenerTls {
    pub(super) fn new(listener: &str, settings: &ListenerSettings<'_>) -> Result<Self> {
        let made_of = Sources::of(settings);
        Ok(Self {
            listener: listener.to_owned(),
            state: Mutex::new(State {
                acceptor: make(settings)?,
                made_of,
                looked_at: None,
            }),
        })
    }

    /// The acceptor for the next connection. If new files or settings are invalid, the old ones stay in force; the
    /// error is returned once for each change.
    pub(in crate::broker) fn acceptor(
        &self,
        values: BrokerValues<'_>,
        now: Instant,
    ) -> (SslAcceptor, Result<()>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = state
            .looked_at
            .is_some_and(|then| now.duration_since(then) < LOOK_EVERY);
        let mut outcome = Ok(());
        if !is_recent {
            state.looked_at = Some(now);
            let settings = ListenerSettings::new(values, &self.listener);
            let sources = Sources::of(&settings);
            if sources != state.made_of {
                state.made_of = sources;
                outcome = make(&settings).map(|acceptor| state.acceptor = acceptor);
            }
        }
        (state.acceptor.clone(), outcome)
    }
}

impl std::fmt::Debug for ListenerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListenerTls")
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}

fn make(settings: &ListenerSettings<'_>) -> Result<SslAcceptor> {
    let versions = tls_names::versions(None, settings.get("ssl.enabled.protocols"));
    let (oldest_version, newest_version) =
        versions.map_err(|(key, problem)| settings.complaint(key, problem))?;
    let key = "ssl.cipher.suites";
    let ciphers = tls_names::ciphers(settings.get(key).unwrap_or_default());
    let (ciphers, cipher_suites) = ciphers.map_err(|problem| settings.complaint(key, problem))?;
    let client_auth = match settings.get("ssl.client.auth").map(str::trim) {
        Some("required") => ClientAuth::Required,
        Some("requested") => ClientAuth::Requested,
        _ => ClientAuth::None,
    };
    let trusted = trust(settings)?;
    if client_auth != ClientAuth::None && trusted.is_none() {
        return Err(settings
            .complaint(
                "ssl.client.auth",
                "nobody is named who may sign certificates of clients",
            )
            .hint("ssl.truststore.location names the authorities"));
    }
    let options = TlsServerOptions {
        identity: identity(settings)?,
        trusted: trusted.unwrap_or_default().trusted,
        client_auth,
        oldest_version,
        newest_version,
        ciphers,
        cipher_suites,
    };
    acceptor(&options).map_err(|problem| settings.complaint("ssl.keystore.location", problem))
}

/// The listener's own key and certificate.
fn identity(settings: &ListenerSettings<'_>) -> Result<Identity> {
    let key_password = settings.secret("ssl.key.password");
    let (key, store) = if let Some(path) = settings.get("ssl.keystore.location") {
        let key = "ssl.keystore.location";
        let password = settings.secret("ssl.keystore.password");
        let bytes = settings.read_file(key, path)?;
        (
            key,
            key_store::open(&bytes, password.as_ref(), key_password.as_ref()),
        )
    } else if let Some(pem) = settings.get("ssl.keystore.key") {
        let chain = settings.get("ssl.keystore.certificate.chain").unwrap_or_default();
        let pem = format!("{pem}\n{chain}");
        (
            "ssl.keystore.key",
            key_store::open_pem(&pem, key_password.as_ref()),
        )
    } else {
        return Err(settings
            .complaint("ssl.keystore.location", "it is missing: TLS needs a certificate")
            .hint("--secure makes one for tests"));
    };
    let store = store.map_err(|problem| settings.complaint(key, problem))?;
    let missing = || settings.complaint(key, "it holds no private key that could be opened");
    store.identity.ok_or_else(missing)
}

fn trust(settings: &ListenerSettings<'_>) -> Result<Option<KeyStore>> {
    let (key, store) = if let Some(path) = settings.get("ssl.truststore.location") {
        let key = "ssl.truststore.location";
        let password = settings.secret("ssl.truststore.password");
        let bytes = settings.read_file(key, path)?;
        (key, key_store::open(&bytes, password.as_ref(), None))
    } else if let Some(pem) = settings.get("ssl.truststore.certificates") {
        ("ssl.truststore.certificates", key_store::open_pem(pem, None))
    } else {
        return Ok(None);
    };
    store
        .map(Some)
        .map_err(|problem| settings.complaint(key, problem))
}
