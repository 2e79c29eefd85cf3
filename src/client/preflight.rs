//! Finds out why an engine cannot connect, by a connection to the same listener over our own wire.
//!
//! An engine reports its library's message about a handshake, or only that the connection closed, and tries again.
//! Permanent failures (a missing certificate, a wrong password, TLS at a plain listener) end the run here.

use std::time::Duration;

use kafka_protocol::messages::MetadataRequest;

use super::settings::Settings;
use crate::error::{Error, Kind};
use crate::wire::{Connection, ConnectionOptions, HostPort, WireError};

/// The longest wait for one broker.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often a listener is tried that closes the connection without a reason.
const TRIES: u32 = 5;

/// A check of the listeners in the settings, made once when an engine reports a failure.
#[derive(Debug)]
pub(super) struct Preflight {
    settings: Settings,
    is_over: bool,
}

impl Preflight {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            is_over: false,
        }
    }

    /// Why every broker refuses us; `None` if one does not refuse us or does not answer, and from the second call
    /// on.
    pub(super) fn refusal(&mut self) -> Option<Error> {
        if std::mem::replace(&mut self.is_over, true) {
            return None;
        }
        let mut options = self.settings.connection_options().ok()?;
        options.connect_timeout = options.connect_timeout.min(PATIENCE);
        options.request_timeout = options.request_timeout.min(PATIENCE);
        let mut refusal = None;
        for address in self.settings.bootstrap_servers().ok()? {
            // The engine's own message names the listener.
            let failure = match ask_until_told(&address, &options).err()? {
                WireError::At { failure, .. } => *failure,
                bare => bare,
            };
            let error = Error::from(failure);
            if error.kind() != Kind::Denied {
                return None;
            }
            refusal.get_or_insert(error);
        }
        refusal
    }
}

/// Tries again if the connection just closed: a reset may overtake the alert with the reason.
fn ask_until_told(address: &HostPort, options: &ConnectionOptions) -> Result<(), WireError> {
    let mut outcome = ask(address, options);
    for _ in 1..TRIES {
        match &outcome {
            Err(error) if matches!(error.bare(), WireError::Closed) => outcome = ask(address, options),
            _ => break,
        }
    }
    outcome
}

/// Connects and sends a request that only an accepted client may send.
fn ask(address: &HostPort, options: &ConnectionOptions) -> Result<(), WireError> {
    let mut connection = Connection::open(address, options)?;
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    connection.send(&request).map(|_| ())
}
