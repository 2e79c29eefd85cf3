//! Talking to a cluster: from settings to admin calls, records sent, records read.
//!
//! Owns which broker is asked and how; owns no flags and prints nothing.

pub mod admin;
mod batch_inspection;
mod config_providers;
pub mod java_properties;
pub mod librdkafka;
pub mod local_broker;
mod profile;
pub mod record_sink;
pub mod record_source;
pub mod security;
mod setting_keys;
pub mod settings;

use crate::error::Result;
use admin::AdminClient;
use settings::Settings;

/// A cluster, connected to when something is first asked of it.
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    admin: Option<AdminClient>,
}

impl Client {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            admin: None,
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The admin client, connected at the first call.
    pub fn admin(&mut self) -> Result<&mut AdminClient> {
        if self.admin.is_none() {
            self.admin = Some(AdminClient::connect(&self.settings)?);
        }
        self.admin
            .as_mut()
            .ok_or_else(|| crate::error::Error::failed("no connection"))
    }
}
