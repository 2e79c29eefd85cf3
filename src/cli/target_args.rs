//! The flags that name a second cluster, shared by the commands that work with two.

use std::path::PathBuf;

use clap::Args;

use crate::client::settings::{Asking, Origin, Settings};
use crate::error::Result;

#[allow(
    clippy::doc_markdown,
    reason = "these comments are help texts, where backticks would show"
)]
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "The other cluster")]
pub(super) struct TargetArgs {
    /// Brokers of the other cluster, as HOST:PORT[,HOST:PORT…]; `mini` is the mini broker
    ///
    /// Without --to-profile and --to-config it is reached as the first one is: the same security and settings.
    #[arg(long, value_name = "HOST:PORT")]
    to: Option<String>,

    /// A profile of the configuration file that says how the other cluster is reached
    #[arg(long, value_name = "NAME")]
    to_profile: Option<String>,

    /// A Java client.properties file that says how the other cluster is reached
    #[arg(long, value_name = "FILE")]
    to_config: Option<PathBuf>,
}

impl TargetArgs {
    /// The settings of the other cluster; `None` where no flag names one. `source` are those of the first.
    pub(super) fn into_settings(self, source: &Settings) -> Result<Option<Settings>> {
        if self.to.is_none() && self.to_profile.is_none() && self.to_config.is_none() {
            return Ok(None);
        }
        let mut settings = match (&self.to_profile, &self.to_config) {
            (None, None) => source.clone(),
            (None, Some(_)) => Settings::default(),
            (Some(_), _) => Settings::of_profile(self.to_profile.as_deref())?,
        };
        if let Some(path) = &self.to_config {
            settings.read_properties_file(path)?;
        }
        if let Some(timeout) = source.timeout() {
            settings.set_timeout(timeout);
        }
        settings.set_patience(source.patience());
        if let Some(servers) = self.to {
            settings.set("bootstrap.servers", servers, Origin::Flag);
        }
        settings.resolve_references(Asking::Allowed)?;
        settings.check_servers()?;
        Ok(Some(settings))
    }
}
