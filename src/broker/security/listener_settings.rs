//! The settings of one listener: `listener.name.<listener>.<setting>` before `<setting>`.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::broker::config::effective_config::BrokerValues;
use crate::error::{Error, Kind, Result};
use crate::wire::Secret;
use crate::wire::sasl::jaas::Section;

/// The section for brokers in a JAAS file.
const SERVER_SECTION: &str = "KafkaServer";

/// The settings in force.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListenerSettings<'a> {
    values: BrokerValues<'a>,
    listener: &'a str,
}

impl<'a> ListenerSettings<'a> {
    pub(super) fn new(values: BrokerValues<'a>, listener: &'a str) -> Self {
        Self { values, listener }
    }

    /// The value in force; `None` if it is blank.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        let own = format!("listener.name.{}.{key}", self.listener.to_ascii_lowercase());
        let set = |name: &str| {
            let dynamic = self.values.node.and_then(|node| node.get(name));
            let dynamic = dynamic.or_else(|| self.values.cluster.and_then(|cluster| cluster.get(name)));
            dynamic
                .map(String::as_str)
                .or_else(|| self.values.config.given(name))
        };
        let value = set(&own).or_else(|| self.values.value(key));
        value.filter(|value| !value.trim().is_empty())
    }

    /// The value of a setting of one mechanism: `<mechanism>.<setting>` before `<setting>`.
    pub(super) fn of_mechanism(&self, mechanism: &str, key: &str) -> Option<&'a str> {
        self.get(&format!("{}.{key}", mechanism.to_ascii_lowercase()))
    }

    pub(super) fn secret(&self, key: &str) -> Option<Secret> {
        self.get(key).map(Secret::new)
    }

    /// The section of the JAAS file for this listener: its own, or the general one.
    pub(super) fn login_section(&self) -> Option<&'a Section> {
        let file = self.values.config.login_file.as_deref()?;
        let own = format!("{}.{SERVER_SECTION}", self.listener.to_ascii_lowercase());
        file.section(&[own.as_str(), SERVER_SECTION])
    }

    /// The secret key of delegation tokens, which is the same for every listener.
    pub(super) fn token_key(&self) -> Option<Secret> {
        self.values.config.token_key()
    }

    /// The content of the file that a setting names.
    pub(super) fn read_file(&self, key: &str, path: &str) -> Result<Vec<u8>> {
        fs::read(Path::new(path.trim())).map_err(|cause| {
            let kind = match cause.kind() {
                std::io::ErrorKind::NotFound => Kind::NotFound,
                _ => Kind::Failed,
            };
            let cause = Error::from(cause);
            Error::new(kind, format!("{}: {}: {cause}", self.place(key), path.trim()))
        })
    }

    /// An error about a setting. `problem` must not contain a secret.
    pub(super) fn complaint(&self, key: &str, problem: impl fmt::Display) -> Error {
        Error::bad_data(format!("{}: {problem}", self.place(key)))
    }

    /// The name of a setting, for a message.
    pub(super) fn place(&self, key: &str) -> String {
        format!("listener {}: {key}", self.listener)
    }
}
