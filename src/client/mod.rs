//! Talking to a cluster: from settings to admin calls, records sent, records read.
//!
//! Owns which broker is asked and how; owns no flags and prints nothing.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod admin;
mod backoff;
pub mod batch_bytes;
mod batch_inspection;
pub mod checkup;
mod config_providers;
pub mod consume_settings;
pub mod deadline;
mod direct;
pub mod engine;
mod first_answer;
pub mod java_properties;
pub mod librdkafka;
pub mod local_broker;
pub mod login_file;
pub mod mini_place;
pub mod offset_reset;
mod preflight;
pub mod produce_settings;
pub mod profile;
pub mod record_sink;
pub mod record_source;
mod request_limit;
pub mod secrets;
pub mod security;
mod setting_keys;
pub mod setting_values;
pub mod settings;
pub mod typed_settings;
pub mod whereabouts;

use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::wire::WireError;
use admin::AdminClient;
use deadline::Deadline;
use settings::Settings;

/// A cluster, connected to at the first request.
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    admin: Option<AdminClient>,
    /// Told of each try that reached no broker.
    tells_unreached: Option<fn(&WireError)>,
    /// `None` in the Java spellings, whose calls have a limit for each call.
    deadline: Option<Deadline>,
}

/// The address of the broker, if the error is that it could not be reached.
pub fn unreachable_address(error: &Error) -> Option<String> {
    let place = error.cause::<WireError>().and_then(WireError::place);
    place.filter(|_| error.kind() == Kind::Unreachable)
}

/// If the error is a silent broker, states `waited` as its time: each request has its own limit, but the user knows
/// only the whole time.
pub fn silent_for(error: Error, waited: Duration) -> Error {
    let place = error.cause::<WireError>().filter(|cause| cause.is_silence());
    match place.and_then(WireError::place) {
        Some(place) if error.kind() == Kind::Unreachable => WireError::TimedOut(waited).at(place).into(),
        _ => error,
    }
}

/// Whether the error is that a broker was reached and did not answer in time.
pub fn is_silence(error: &Error) -> bool {
    error.kind() == Kind::Unreachable && error.cause::<WireError>().is_some_and(WireError::is_silence)
}

impl Client {
    /// A client whose deadline, if the settings have one, begins now.
    pub fn new(settings: Settings) -> Self {
        Self {
            deadline: settings.timeout().map(Deadline::for_command),
            settings,
            admin: None,
            tells_unreached: None,
        }
    }

    /// Tells `tell` of each try to connect that reached no broker: without it, the wait is silent.
    #[must_use]
    pub fn telling_unreached(self, tell: fn(&WireError)) -> Self {
        Self {
            tells_unreached: Some(tell),
            ..self
        }
    }

    /// Gives every answer the whole time-out, for a command without an end.
    pub fn wait_for_each_answer(&mut self) {
        self.set_deadline(self.settings.timeout().map(Deadline::for_each_answer));
    }

    /// Restarts the deadline, after the user was asked something.
    pub fn restart_deadline(&mut self) {
        self.deadline.iter_mut().for_each(Deadline::restart);
        self.set_deadline(self.deadline);
    }

    fn set_deadline(&mut self, deadline: Option<Deadline>) {
        self.deadline = deadline;
        if let Some(admin) = &mut self.admin {
            admin.set_deadline(deadline);
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The admin client, connected at the first call.
    pub fn admin(&mut self) -> Result<&mut AdminClient> {
        if self.admin.is_none() {
            let tell = self.tells_unreached;
            self.admin = Some(AdminClient::connect_within(&self.settings, self.deadline, tell)?);
        }
        self.admin.as_mut().ok_or_else(|| Error::failed("no connection"))
    }

    /// The admin client, if it has been used.
    pub fn connected_admin(&mut self) -> Option<&mut AdminClient> {
        self.admin.as_mut()
    }
}
