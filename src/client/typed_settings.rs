//! Settings to typed values: names of both kinds in, units and ranges checked, one error that names the place.
//!
//! Owns the reader that [`super::produce_settings`] and [`super::consume_settings`] share, and what both have in
//! common. A value that makes no sense is an error with its key and where it was given, never a default in silence.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::backoff::Backoff;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::wire::{ConnectionOptions, HostPort};

/// How a client speaks to its cluster.
#[derive(Clone, Debug)]
pub struct ClusterSettings {
    /// Whom to ask first.
    pub servers: Vec<HostPort>,
    pub connection: ConnectionOptions,
    /// Between two connections to one broker: `reconnect.backoff.ms`, `reconnect.backoff.max.ms`.
    pub reconnect: Backoff,
    /// Between two tries of a request: `retry.backoff.ms`, `retry.backoff.max.ms`.
    pub retry: Backoff,
    /// How old the view of the cluster may get: `metadata.max.age.ms`.
    pub metadata_max_age: Duration,
}

/// Reads settings in the order of their strength: what flags insist on, the user's settings, what holds otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    pub(super) settings: &'a Settings,
    pub(super) overrides: &'a [(String, String)],
    pub(super) defaults: &'a [(String, String)],
}

impl<'a> Reader<'a> {
    /// The value in force of a setting that may have several names, with the name it was given under.
    pub(super) fn text(&self, names: &[&'a str]) -> Option<(&'a str, &'a str)> {
        layer(self.overrides, names)
            .or_else(|| {
                let name = self.settings.strongest(names)?;
                Some((name, self.settings.get(name)?))
            })
            .or_else(|| layer(self.defaults, names))
            .map(|(name, value)| (name, value.trim()))
    }

    /// A whole number in a range.
    pub(super) fn number<N>(&self, names: &[&'a str], range: std::ops::RangeInclusive<N>) -> Result<Option<N>>
    where
        N: FromStr + PartialOrd + fmt::Display,
    {
        let Some((name, text)) = self.text(names) else {
            return Ok(None);
        };
        match text.parse::<N>() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(self.settings.complaint(
                name,
                format_args!(
                    "it takes a whole number from {} to {}, not \"{text}\"",
                    range.start(),
                    range.end()
                ),
            )),
        }
    }

    /// A number of milliseconds.
    pub(super) fn time(&self, names: &[&'a str]) -> Result<Option<Duration>> {
        let millis = self.number::<u64>(names, 0..=i64::MAX as u64)?;
        Ok(millis.map(Duration::from_millis))
    }

    /// A number of bytes.
    pub(super) fn bytes(&self, names: &[&'a str]) -> Result<Option<usize>> {
        let bytes = self.number::<u64>(names, 0..=i64::MAX as u64)?;
        Ok(bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)))
    }

    /// True or false, in the words of both kinds of client.
    pub(super) fn flag(&self, names: &[&'a str]) -> Result<Option<bool>> {
        let Some((name, text)) = self.text(names) else {
            return Ok(None);
        };
        match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" => Ok(Some(true)),
            "false" | "f" | "0" => Ok(Some(false)),
            _ => Err(self
                .settings
                .complaint(name, format_args!("it takes true or false, not \"{text}\""))),
        }
    }

    /// The error of a value that cannot be honoured.
    pub(super) fn complaint(&self, name: &str, problem: impl fmt::Display) -> Error {
        self.settings.complaint(name, problem)
    }

    /// What both kinds of client have in common.
    pub(super) fn cluster(&self) -> Result<ClusterSettings> {
        let servers = self.settings.bootstrap_servers()?;
        if servers.is_empty() {
            return Err(Error::usage("no broker to ask").hint("give one with -b HOST:PORT"));
        }
        let mut connection = self.settings.connection_options()?;
        if self.settings.get("client.id").is_none_or(str::is_empty)
            && let Some((_, client_id)) = self.text(&["client.id"]).filter(|(_, id)| !id.is_empty())
        {
            client_id.clone_into(&mut connection.client_id);
        }
        let wait = |names, default| -> Result<Duration> {
            Ok(self.time(names)?.unwrap_or(Duration::from_millis(default)))
        };
        let backoff = |first: Duration, longest: Duration| Backoff {
            first: first.max(Duration::from_millis(1)),
            longest: longest.max(first),
        };
        Ok(ClusterSettings {
            servers,
            connection,
            reconnect: backoff(
                wait(&["reconnect.backoff.ms"], 50)?,
                wait(&["reconnect.backoff.max.ms"], 1000)?,
            ),
            retry: backoff(
                wait(&["retry.backoff.ms"], 100)?,
                wait(&["retry.backoff.max.ms"], 1000)?,
            ),
            metadata_max_age: wait(
                &["metadata.max.age.ms", "topic.metadata.refresh.interval.ms"],
                300_000,
            )?,
        })
    }
}

fn layer<'a>(entries: &'a [(String, String)], names: &[&'a str]) -> Option<(&'a str, &'a str)> {
    let found = entries
        .iter()
        .rev()
        .find(|(name, _)| names.contains(&name.as_str()));
    found.map(|(name, value)| (name.as_str(), value.as_str()))
}
