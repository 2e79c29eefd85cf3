//! The flags that name a cluster and how to reach it, shared by every command that connects to one.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::times;
use crate::client::deadline::DEFAULT_TIMEOUT;
use crate::client::settings::{Asking, Origin, Settings, Use};
use crate::error::{Error, Result};

#[allow(
    clippy::doc_markdown,
    reason = "these comments are help texts, where backticks would show"
)]
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// Brokers to ask first, as HOST:PORT[,HOST:PORT…]; `mini` is the mini broker on your data directory
    ///
    /// Without it: the environment's KAFKIT_BOOTSTRAP_SERVERS or KAFKA_BOOTSTRAP_SERVERS, the selected profile,
    /// or else the mini broker, which is started when it does not run yet.
    #[arg(short = 'b', long, value_name = "HOST:PORT", global = true)]
    pub bootstrap_server: Option<String>,

    /// A client setting, in Kafka's or librdkafka's name; may be repeated
    #[arg(short = 'X', value_name = "KEY=VALUE", global = true, add = super::candidates::client_settings())]
    pub set: Vec<String>,

    /// A Java client.properties file, taken as it is
    #[arg(long, value_name = "FILE", global = true)]
    pub command_config: Option<PathBuf>,

    /// A profile of the configuration file
    #[arg(long, value_name = "NAME", env = "KAFKIT_PROFILE", global = true)]
    pub profile: Option<String>,

    /// The time the whole command may take, such as 10s or 500ms; 10s when not given
    ///
    /// For a command that goes on (produce, consume, reassign execute, --watch) it is the time without an answer from
    /// the cluster.
    #[arg(long, value_name = "TIME", value_parser = times::parse_duration, global = true)]
    pub timeout: Option<Duration>,
}

impl ConnectionArgs {
    /// How long a command without an overall time-out waits for an answer of the cluster.
    pub fn time_without_answer(&self) -> Duration {
        self.timeout.unwrap_or(DEFAULT_TIMEOUT)
    }

    /// The settings of these flags, by precedence: flag, `-X`, environment, `--command-config`, profile, default.
    /// Reports those that were given for this command but have no effect on it.
    pub fn into_settings(self, command: Use) -> Result<Settings> {
        let mut settings = self.into_raw_settings()?;
        settings.note_unused(command);
        Ok(settings)
    }

    /// The same, before it is known which command uses them.
    pub fn into_raw_settings(self) -> Result<Settings> {
        self.into_settings_asking(Asking::Allowed)
    }

    /// The same; `asking` says whether commands may be run and the user may be asked for values that are stored
    /// elsewhere.
    pub fn into_settings_asking(self, asking: Asking) -> Result<Settings> {
        let mut settings = Settings::from_environment(self.profile.as_deref())?;
        settings.set_timeout(self.time_without_answer());
        settings.set_patience(self.timeout);
        if let Some(path) = &self.command_config {
            settings.read_properties_file(path)?;
        }
        for word in &self.set {
            let (key, value) = key_and_value(word)?;
            settings.set_from_flag(key, value)?;
        }
        if let Some(servers) = self.bootstrap_server {
            settings.set("bootstrap.servers", servers, Origin::Flag);
        }
        settings.resolve_references(asking)?;
        settings.check_servers()?;
        Ok(settings)
    }
}

/// Key and value of a `-X` word.
pub fn key_and_value(word: &str) -> Result<(&str, &str)> {
    let parts = word.split_once('=');
    parts
        .map(|(key, value)| (key.trim(), value))
        .ok_or_else(|| Error::usage(format!("-X takes KEY=VALUE, not \"{word}\"")))
}
