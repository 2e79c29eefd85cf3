//! Settings to typed values: takes Java's and librdkafka's names, checks units and ranges, and gives one error that
//! names the place.
//!
//! Owns the reader that [`super::produce_settings`] and [`super::consume_settings`] share, and what both have in
//! common. An invalid value is an error with its key and its place, never silently a default.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::backoff::Backoff;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::wire::{ConnectionOptions, HostPort};

/// How a client connects to its cluster.
#[derive(Clone, Debug)]
pub struct ClusterSettings {
    /// The bootstrap servers.
    pub servers: Vec<HostPort>,
    pub connection: ConnectionOptions,
    /// Between two connections to one broker: `reconnect.backoff.ms`, `reconnect.backoff.max.ms`.
    pub reconnect: Backoff,
    /// Between two tries of a request: `retry.backoff.ms`, `retry.backoff.max.ms`.
    pub retry: Backoff,
    /// How old metadata may get: `metadata.max.age.ms`.
    pub metadata_max_age: Duration,
    /// The longest time for setting up a connection after several failures (`socket.connection.setup.timeout.max.ms`);
    /// `connection.connect_timeout` is for the first try, and doubles.
    pub connect_timeout_max: Duration,
    /// A connection that is idle for this long is closed; `None` keeps it.
    pub max_idle: Option<Duration>,
    /// The bootstrap servers are asked again when no known broker can be reached (KIP-899).
    pub may_rebootstrap: bool,
}

/// Reads settings in order of precedence: the overrides of flags, the user's settings, the defaults.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    settings: &'a Settings,
    overrides: &'a [(String, String)],
    defaults: &'a [(String, String)],
    /// The names that were read, in tests.
    asked: Option<&'a RefCell<BTreeSet<String>>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        overrides: &'a [(String, String)],
        defaults: &'a [(String, String)],
    ) -> Self {
        Self {
            settings,
            overrides,
            defaults,
            asked: None,
        }
    }

    /// A reader that records the names it reads.
    #[cfg(test)]
    pub(super) fn noting(settings: &'a Settings, asked: &'a RefCell<BTreeSet<String>>) -> Self {
        Self {
            asked: Some(asked),
            ..Self::new(settings, &[], &[])
        }
    }

    /// The value in force of a setting that may have several names, with its given name.
    pub(super) fn text(&self, names: &[&'a str]) -> Option<(&'a str, &'a str)> {
        if let Some(asked) = self.asked {
            asked
                .borrow_mut()
                .extend(names.iter().map(|name| (*name).to_owned()));
        }
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

    /// A boolean, with the values of both kinds of client.
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

    /// The settings that producers and consumers share.
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
        self.check_dns_lookup()?;
        let wait = |names, default| -> Result<Duration> {
            Ok(self.time(names)?.unwrap_or(Duration::from_millis(default)))
        };
        let backoff = |first: Duration, longest: Duration| Backoff {
            first: first.max(Duration::from_millis(1)),
            longest: longest.max(first),
        };
        Ok(ClusterSettings {
            servers,
            connect_timeout_max: wait(&["socket.connection.setup.timeout.max.ms"], 30_000)?
                .max(connection.connect_timeout),
            connection,
            max_idle: self.max_idle()?,
            may_rebootstrap: self.may_rebootstrap()?,
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

impl Reader<'_> {
    fn max_idle(&self) -> Result<Option<Duration>> {
        let name = "connections.max.idle.ms";
        let millis = self.number::<i64>(&[name], -1..=i64::MAX)?.unwrap_or(540_000);
        Ok(u64::try_from(millis)
            .ok()
            .filter(|millis| *millis > 0)
            .map(Duration::from_millis))
    }

    fn may_rebootstrap(&self) -> Result<bool> {
        match self.text(&["metadata.recovery.strategy"]) {
            None | Some((_, "rebootstrap")) => Ok(true),
            Some((_, "none")) => Ok(false),
            Some((name, other)) => Err(self.complaint(
                name,
                format_args!("it takes rebootstrap or none, not \"{other}\""),
            )),
        }
    }

    /// Checks `client.dns.lookup`: every address of a name is tried; there are no reverse lookups.
    fn check_dns_lookup(&self) -> Result<()> {
        match self.text(&["client.dns.lookup"]) {
            None | Some((_, "use_all_dns_ips")) => Ok(()),
            Some((name, other)) => {
                Err(self.complaint(name, format_args!("it takes use_all_dns_ips, not \"{other}\"")))
            }
        }
    }
}

fn layer<'a>(entries: &'a [(String, String)], names: &[&'a str]) -> Option<(&'a str, &'a str)> {
    let found = entries
        .iter()
        .rev()
        .find(|(name, _)| names.contains(&name.as_str()));
    found.map(|(name, value)| (name.as_str(), value.as_str()))
}
