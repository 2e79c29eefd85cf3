//! Resolves references to values stored elsewhere, once the settings in force are known, so that the user is not asked
//! for a password that a stronger setting has replaced.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::config_providers::{ConfigProviders, asks_for};
use super::{Origin, Setting, Settings, place};
use crate::error::{Error, Result};

/// A value as it is written, with references in it.
#[derive(Clone)]
pub(super) struct Reference {
    pub(super) text: String,
    /// The folder that relative paths begin at.
    folder: PathBuf,
    is_resolved: bool,
}

/// Whether values may be requested from commands or the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// Yes: commands are run, and the user is asked on the terminal.
    Allowed,
    /// No: a value that must be requested is an error.
    Refused,
    /// No: a value that must be requested stays as it is written.
    PassedOver,
}

impl Settings {
    /// Adds a setting whose value may have references to values stored elsewhere.
    pub(super) fn set_unresolved(
        &mut self,
        key: &str,
        value: impl Into<String>,
        origin: Origin,
        folder: &Path,
    ) {
        let value: String = value.into();
        let reference = value.contains("${").then(|| Reference {
            text: value.clone(),
            folder: folder.to_owned(),
            is_resolved: false,
        });
        self.set(key, value, origin);
        if let Some(setting) = self.entries.last_mut() {
            setting.reference = reference;
        }
    }

    /// Resolves the references of the settings in force. A reference that occurs twice is resolved once.
    ///
    /// # Errors
    ///
    /// A reference cannot be resolved, or may not be. The message has the place of the setting.
    pub fn resolve_references(&mut self, asking: Asking) -> Result<()> {
        let in_force: Vec<usize> = self.positions_in_force();
        let mut known: BTreeMap<(PathBuf, String), String> = BTreeMap::new();
        for position in in_force {
            let Some(setting) = self.entries.get_mut(position) else {
                continue;
            };
            setting.resolve(asking, &mut known)?;
        }
        self.check_receiver_of_secrets()
    }

    /// The indexes of the settings in force among all settings.
    fn positions_in_force(&self) -> Vec<usize> {
        let mut best: BTreeMap<&str, usize> = BTreeMap::new();
        for (position, setting) in self.entries.iter().enumerate() {
            let place = best.entry(&setting.key).or_insert(position);
            let holds = self.entries.get(*place);
            if holds.is_none_or(|holds| holds.origin.rank() <= setting.origin.rank()) {
                *place = position;
            }
        }
        best.into_values().collect()
    }

    /// Secrets are sent only to brokers that the user has chosen: an address from an untrusted project file gets none.
    fn check_receiver_of_secrets(&self) -> Result<()> {
        let Some(Origin::Profile(address)) = self.find("bootstrap.servers").map(|setting| &setting.origin)
        else {
            return Ok(());
        };
        if address.is_trusted {
            return Ok(());
        }
        let secret = self.in_force().find(|setting| setting.key.starts_with("sasl."));
        let Some(secret) = secret else {
            return Ok(());
        };
        let error = Error::usage(format!(
            "{}: {} is not sent to an address of a project's file that you do not trust",
            address.file_and_line(),
            place(&secret.key, &secret.origin),
        ));
        Err(error.hint("look at the file, then `kafkit profile trust`; or name the brokers with -b"))
    }
}

impl Setting {
    fn resolve(&mut self, asking: Asking, known: &mut BTreeMap<(PathBuf, String), String>) -> Result<()> {
        let Some(reference) = self.reference.as_mut().filter(|reference| !reference.is_resolved) else {
            return Ok(());
        };
        let wrong = |problem: &str| Error::usage(format!("{}: {problem}", place(&self.key, &self.origin)));
        if asks_for(&reference.text) {
            match asking {
                Asking::Allowed => {}
                Asking::Refused => return Err(wrong("this has to be asked for")),
                Asking::PassedOver => return Ok(()),
            }
        }
        let name = (reference.folder.clone(), reference.text.clone());
        if let Some(value) = known.get(&name) {
            self.value.clone_from(value);
        } else {
            let value = ConfigProviders::all(&reference.folder).resolve(&reference.text);
            self.value = value.map_err(|problem| match problem.as_str() {
                "interrupted" => Error::interrupted(),
                problem => wrong(problem),
            })?;
            known.insert(name, self.value.clone());
        }
        reference.is_resolved = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::profile::Place;
    use super::*;

    fn project(is_trusted: bool) -> Origin {
        Origin::Profile(Place {
            profile: "default".to_owned(),
            file: PathBuf::from("/p/.kafkit.toml"),
            line: 2,
            is_trusted,
        })
    }

    #[test]
    fn only_what_is_in_force_is_asked_for() {
        let here = Path::new("");
        let mut settings = Settings::default();
        settings.set_unresolved("sasl.password", "${command:exit 7}", project(true), here);
        settings.set_unresolved("sasl.password", "${command:echo 'a b'}", Origin::SetFlag, here);
        settings.set_unresolved("client.id", "x-${command:echo 'a b'}", Origin::SetFlag, here);
        assert!(settings.clone().resolve_references(Asking::Refused).is_err());
        let mut passed_over = settings.clone();
        passed_over.resolve_references(Asking::PassedOver).unwrap();
        assert_eq!(passed_over.get("sasl.password"), Some("${command:echo 'a b'}"));
        settings.resolve_references(Asking::Allowed).unwrap();
        assert_eq!(settings.get("sasl.password"), Some("a b"));
        assert_eq!(settings.get("client.id"), Some("x-a b"));
    }

    #[test]
    fn a_reference_is_asked_for_once() {
        let folder = tempfile::tempdir().unwrap();
        let command = "${command:echo x >> asked; wc -l < asked}";
        let command = command.replace("asked", folder.path().join("asked").to_str().unwrap());
        let mut settings = Settings::default();
        for key in ["ssl.keystore.password", "ssl.key.password"] {
            settings.set_unresolved(key, command.as_str(), Origin::SetFlag, folder.path());
        }
        for _ in 0..2 {
            settings.resolve_references(Asking::Allowed).unwrap();
        }
        for key in ["ssl.keystore.password", "ssl.key.password"] {
            assert_eq!(settings.get(key).map(str::trim), Some("1"));
        }
    }

    #[test]
    fn a_stranger_s_address_gets_no_secret() {
        for (is_trusted, servers_from_flag, is_refused) in
            [(false, false, true), (true, false, false), (false, true, false)]
        {
            let mut settings = Settings::default();
            settings.set("bootstrap.servers", "evil:1", project(is_trusted));
            settings.set(
                "sasl.password",
                "x",
                Origin::Environment("KAFKIT_SASL_PASSWORD".into()),
            );
            if servers_from_flag {
                settings.set("bootstrap.servers", "good:1", Origin::Flag);
            }
            let outcome = settings.resolve_references(Asking::Allowed);
            assert_eq!(outcome.is_err(), is_refused);
        }
    }
}
