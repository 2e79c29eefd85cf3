//! Why an engine cannot connect, in our words: the same listener asked once over our own wire.
//!
//! An engine says in its library's words that a handshake failed, or only that the connection closed, and tries again.
//! What no retry mends (a missing certificate, a wrong password, TLS where there is none) ends the run here.

use std::time::Duration;

use kafka_protocol::messages::MetadataRequest;

use super::settings::Settings;
use crate::error::{Error, Kind};
use crate::wire::{Connection, ConnectionOptions, HostPort, WireError};

/// The longest that one broker is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often a listener is asked that closes the connection without a word.
const TRIES: u32 = 5;

/// A look at the listeners that the settings name, taken once when an engine reports trouble.
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

    /// Why every broker turns us away, if that is what happens and no broker merely fails to answer; `None` from the
    /// second time on.
    pub(super) fn refusal(&mut self) -> Option<Error> {
        if std::mem::replace(&mut self.is_over, true) {
            return None;
        }
        let mut options = self.settings.connection_options().ok()?;
        options.connect_timeout = options.connect_timeout.min(PATIENCE);
        options.request_timeout = options.request_timeout.min(PATIENCE);
        let mut refusal = None;
        for address in self.settings.bootstrap_servers().ok()? {
            // Which listener it was says the engine's own message.
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

/// Asks again where the connection just closed: a reset may overtake the alert that says why.
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

/// Connects and asks something that only a client which is let in may ask.
fn ask(address: &HostPort, options: &ConnectionOptions) -> Result<(), WireError> {
    let mut connection = Connection::open(address, options)?;
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    connection.send(&request).map(|_| ())
}
