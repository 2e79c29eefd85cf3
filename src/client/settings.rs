//! Every client setting with its origin: flags, -X, environment, properties files, profiles.
//!
//! Keys are kept as they were given; Java's and librdkafka's names both count. The strongest origin wins, and of
//! two settings of one origin the later. Secrets are never printed. `references` resolves values stored elsewhere,
//! once the settings in force are known; `explanation` shows where everything came from.

pub mod explanation;
mod references;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use super::config_providers::ConfigProviders;
use super::java_properties;
use super::mini_place;
use super::profile::{COMMAND_CONFIG, Catalog, Place};
use super::security::Security;
pub use super::setting_keys::Use;
use super::setting_keys::{self, Meaning};
use crate::error::{Error, Result};
use crate::spelling::closest;
use crate::wire::tls::Tls;
use crate::wire::{ConnectionOptions, HostPort, Servers};
pub use references::Asking;
use references::Reference;

/// The environment variable with the meaning of `--command-config`.
pub const COMMAND_CONFIG_VARIABLE: &str = "KAFKIT_COMMAND_CONFIG";

/// The hint for the form of a list of brokers.
const SERVERS_HINT: &str = "write HOST:PORT[,HOST:PORT…], or `mini` for the mini broker";

/// The default of `socket.connection.setup.timeout.ms`: the longest wait for a connection, as in Kafka.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The origin of a setting, from the weakest to the strongest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    Profile(Place),
    /// A properties file and the line in it.
    File(String, usize),
    /// A variable's name.
    Environment(String),
    SetFlag,
    Flag,
}

impl Origin {
    fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::Profile(_) => 1,
            Self::File(..) => 2,
            Self::Environment(_) => 3,
            Self::SetFlag => 4,
            Self::Flag => 5,
        }
    }
}

/// One setting as it was given.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) value: String,
    origin: Origin,
    /// The value as it is written, if it has references to values stored elsewhere.
    reference: Option<Reference>,
}

/// Client settings with their origins.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    entries: Vec<Setting>,
    warnings: Vec<String>,
    /// `--timeout`, or its default, in the native spelling.
    timeout: Option<Duration>,
    /// `--timeout` where it was given.
    patience: Option<Duration>,
}

impl Settings {
    /// The settings of the environment and the named (or default) profile.
    pub fn from_environment(profile: Option<&str>) -> Result<Self> {
        let mut settings = Self::of_profile(profile)?;
        if let Ok(path) = env::var(COMMAND_CONFIG_VARIABLE)
            && !path.is_empty()
        {
            settings.read_properties_file(Path::new(&path))?;
        }
        settings.take_variable("KAFKA_BOOTSTRAP_SERVERS", "bootstrap.servers");
        for key in setting_keys::all() {
            settings.take_variable(&setting_keys::variable(key), key);
        }
        settings.note_misspelt_variables();
        Ok(settings)
    }

    /// The settings of the named (or default) profile alone, for a second cluster: the environment does not apply
    /// to it.
    pub fn of_profile(profile: Option<&str>) -> Result<Self> {
        let mut settings = Self::default();
        settings.take_profile(&Catalog::read()?, profile)?;
        Ok(settings)
    }

    /// Takes the profile in force.
    fn take_profile(&mut self, catalog: &Catalog, name: Option<&str>) -> Result<()> {
        self.warnings.extend(catalog.notes.iter().cloned());
        let Some(profile) = catalog.select(name)? else {
            return Ok(());
        };
        profile.check()?;
        for (key, value, place) in profile.settings() {
            if key == COMMAND_CONFIG {
                let place = place.file_and_line();
                let path = ConfigProviders::all(profile.folder()).resolve(&value);
                let path = path.map_err(|problem| Error::usage(format!("{place}: {key}: {problem}")))?;
                self.read_properties_file(Path::new(&path))?;
            } else {
                self.set_unresolved(key, value, Origin::Profile(place), profile.folder());
            }
        }
        Ok(())
    }

    /// Warns about variables with names similar to those of settings: their values would be ignored silently.
    fn note_misspelt_variables(&mut self) {
        let variables = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let mut names: Vec<String> = variables.filter(|name| name.starts_with("KAFKIT_")).collect();
        names.sort();
        for name in names {
            if let Some(meant) = setting_keys::closest_variable(&name) {
                self.warnings
                    .push(format!("{name} is no setting; did you mean {meant}?"));
            }
        }
    }

    fn take_variable(&mut self, name: &str, key: &str) {
        if let Ok(value) = env::var(name)
            && !value.is_empty()
        {
            self.set(key, value, Origin::Environment(name.to_owned()));
        }
    }

    /// Reads a Java properties file, with its references to config providers resolved.
    pub fn read_properties_file(&mut self, path: &Path) -> Result<()> {
        let name = path.display().to_string();
        let bytes = fs::read(path).map_err(|error| Error::from(error).context(&name))?;
        let properties =
            java_properties::parse(&bytes).map_err(|error| Error::usage(format!("{name} {error}")))?;
        let providers = ConfigProviders::declared_in(&properties);
        let providers = providers.map_err(|problem| Error::usage(format!("{name}: {problem}")))?;
        for property in properties {
            let place = format!("{name} line {}: {}", property.line, property.key);
            let value = providers.resolve(&property.value);
            let value = value.map_err(|problem| Error::usage(format!("{place}: {problem}")))?;
            if property.beyond_ascii {
                self.warnings.push(format!(
                    "{place}: bytes beyond ASCII are read as ISO-8859-1, as Java does; write them as \\uXXXX"
                ));
            }
            self.set(property.key, value, Origin::File(name.clone(), property.line));
        }
        Ok(())
    }

    /// Adds a setting. Of two with the same origin the later wins, as in a properties file.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>, origin: Origin) {
        let key = key.into();
        self.entries.push(Setting {
            key: setting_keys::canonical(&key).to_owned(),
            value: value.into(),
            origin,
            reference: None,
        });
    }

    /// Gives the command `timeout` in all, or for each answer if it has no end.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = Some(timeout);
    }

    /// How long a command may take in all; `None` in the Java spellings, whose calls have a limit for each call.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Lets a command that goes on wait this long without an answer, because the user said so.
    pub fn set_patience(&mut self, patience: Option<Duration>) {
        self.patience = patience;
    }

    /// How long a command that goes on may wait without an answer; `None` if the user did not say.
    pub fn patience(&self) -> Option<Duration> {
        self.patience
    }

    /// The value in force.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.find(key).map(|setting| setting.value.as_str())
    }

    fn find(&self, key: &str) -> Option<&Setting> {
        let key = setting_keys::canonical(key);
        let mut best: Option<&Setting> = None;
        for setting in self.entries.iter().filter(|setting| setting.key == key) {
            if best.is_none_or(|best| best.origin.rank() <= setting.origin.rank()) {
                best = Some(setting);
            }
        }
        best
    }

    /// Of several keys with the same meaning, the one from the strongest origin; the first of equals.
    pub(super) fn strongest<'a>(&self, keys: &[&'a str]) -> Option<&'a str> {
        let mut best: Option<(u8, &str)> = None;
        for key in keys {
            if let Some(setting) = self.find(key)
                && best.is_none_or(|(rank, _)| rank < setting.origin.rank())
            {
                best = Some((setting.origin.rank(), key));
            }
        }
        best.map(|(_, key)| key)
    }

    /// The place of a key, for a message: `client.properties line 3: ssl.protocol`.
    pub fn place(&self, key: &str) -> String {
        match self.find(key).map(|setting| &setting.origin) {
            Some(origin) => place(key, origin),
            None => key.to_owned(),
        }
    }

    /// The error of a value that cannot be honoured; the caller decides whether `problem` shows the value.
    pub fn complaint(&self, key: &str, problem: impl fmt::Display) -> Error {
        Error::usage(format!("{}: {problem}", self.place(key)))
    }

    /// Warnings for the user: settings that are unknown or cannot be honoured, with their lines.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.warnings.clone();
        for setting in self.in_force() {
            let key = &setting.key;
            let place = place(key, &setting.origin);
            match setting_keys::java(key) {
                Some(Meaning::NotHonoured(why)) => {
                    warnings.push(format!("{place} is ignored: {why}"));
                }
                None if !setting_keys::is_known(key) => {
                    let meant = did_you_mean(key);
                    warnings.push(format!("{place} is no setting of a Kafka client{meant}"));
                }
                _ => {}
            }
        }
        warnings
    }

    /// The effect of each setting of Java's clients, as a table in Markdown.
    pub fn markdown() -> String {
        setting_keys::markdown()
    }

    /// The effect of each setting of Java's clients, for the man page.
    pub fn man_section() -> String {
        setting_keys::man_section()
    }

    /// Whether any Kafka client has a setting of this name.
    pub fn is_known(key: &str) -> bool {
        setting_keys::is_known(setting_keys::canonical(key))
    }

    /// The usual name of a setting that has two.
    pub fn usual_name(key: &str) -> &str {
        setting_keys::canonical(key)
    }

    /// Every name that a setting can have, in order.
    pub fn known_names() -> Vec<&'static str> {
        let names: BTreeSet<&str> = setting_keys::all().collect();
        names.into_iter().collect()
    }

    /// The names of the profiles in the configuration file.
    pub fn profile_names() -> Vec<String> {
        let catalog = Catalog::read().unwrap_or_default();
        catalog
            .profiles()
            .map(|profile| profile.written.name.clone())
            .collect()
    }

    /// Adds a `-X` setting of the command line.
    pub fn set_from_flag(&mut self, key: &str, value: &str) -> Result<()> {
        Self::check_flag(key)?;
        self.set_unresolved(key, value, Origin::SetFlag, Path::new(""));
        Ok(())
    }

    /// Refuses a `-X` key that no Kafka client knows.
    pub fn check_flag(key: &str) -> Result<()> {
        if Self::is_known(key) {
            return Ok(());
        }
        let meant = did_you_mean(key);
        Err(Error::usage(format!(
            "-X {key}: no Kafka client has a setting of this name{meant}"
        )))
    }

    /// Warns about settings of the command line that the command does not use. Those of files, profiles and the
    /// environment may be meant for other commands.
    pub fn note_unused(&mut self, command: Use) {
        let is_transactional = self
            .get("transactional.id")
            .is_some_and(|id| !id.trim().is_empty());
        let command = match command {
            Use::Produce if is_transactional => Use::ProduceInTransaction,
            command => command,
        };
        let unused: Vec<String> = self
            .in_force()
            .filter(|setting| setting.origin == Origin::SetFlag)
            .filter_map(|setting| {
                let why = setting_keys::why_unused(&setting.key, command)?;
                Some(format!("-X {} is ignored: {why}", setting.key))
            })
            .collect();
        self.warnings.extend(unused);
    }

    /// Warns that a setting is not applied.
    pub fn note_ignored(&mut self, key: &str, why: &str) {
        let place = self.place(key);
        self.warnings.push(format!("{place} is ignored: {why}"));
    }

    /// The value of a setting that the user gave for this command: by a flag, `-X` or a variable. A file or a
    /// profile may be meant for other programs too.
    pub fn given_here(&self, key: &str) -> Option<&str> {
        let setting = self.find(key)?;
        let is_here = setting.origin.rank() >= Origin::Environment(String::new()).rank();
        is_here.then_some(setting.value.as_str())
    }

    /// Checks the bootstrap servers of any origin, and takes the security protocol in front of them.
    ///
    /// Fails if an address is invalid, or if its protocol contradicts `security.protocol`.
    pub fn check_servers(&mut self) -> Result<()> {
        let key = "bootstrap.servers";
        let Some(setting) = self.find(key).cloned() else {
            return Ok(());
        };
        let text = setting.value.trim();
        let wrong = |why: &str| Error::usage(format!("{}: {why}", self.place(key))).hint(SERVERS_HINT);
        // An unset variable in a script must not send its records to another cluster.
        if text.is_empty() {
            return Err(wrong("no broker address is given"));
        }
        if mini_place::directory_named(text)?.is_some() {
            return Ok(());
        }
        let servers = Servers::parse(text).map_err(|why| wrong(&why))?;
        if let Some(protocol) = servers.protocol {
            let other = self.get("security.protocol").map(str::trim);
            if let Some(other) = other.filter(|other| !other.eq_ignore_ascii_case(protocol)) {
                return Err(Error::usage(format!(
                    "{}: {protocol}:// contradicts {}={other}",
                    self.place(key),
                    self.place("security.protocol")
                )));
            }
            self.set("security.protocol", protocol, setting.origin.clone());
        }
        if let Some(setting) = self.entries.iter_mut().rfind(|given| given.is_same(&setting)) {
            setting.value = servers.to_string();
        }
        Ok(())
    }

    /// The strongest setting of each key, in the order of the keys.
    pub(super) fn in_force(&self) -> impl Iterator<Item = &Setting> {
        let keys: BTreeSet<&str> = self.entries.iter().map(|setting| setting.key.as_str()).collect();
        keys.into_iter().filter_map(|key| self.find(key))
    }

    /// The brokers to ask first, in the order given; empty when none are configured.
    pub fn bootstrap_servers(&self) -> Result<Vec<HostPort>> {
        let servers = self.get("bootstrap.servers").unwrap_or_default();
        HostPort::parse_list(servers).map_err(|part| {
            Error::usage(format!("\"{part}\" is no broker address")).hint("write HOST:PORT[,HOST:PORT…]")
        })
    }

    /// How a connection of our own wire is made.
    pub fn connection_options(&self) -> Result<ConnectionOptions> {
        let security = Security::of(self)?;
        let mut options = ConnectionOptions {
            tls: security
                .tls
                .as_ref()
                .map(|tls| Tls::new(&tls.options))
                .transpose()?,
            credentials: security.credentials,
            ..ConnectionOptions::default()
        };
        if let Some(client_id) = self.get("client.id").filter(|id| !id.is_empty()) {
            client_id.clone_into(&mut options.client_id);
        }
        let connect_timeout = self.millis("socket.connection.setup.timeout.ms")?;
        options.connect_timeout = connect_timeout.unwrap_or(DEFAULT_CONNECT_TIMEOUT);
        if let Some(key) = self.strongest(&["request.timeout.ms", "socket.timeout.ms"])
            && let Some(timeout) = self.millis(key)?
        {
            options.request_timeout = timeout;
            // The setup of a connection includes its first requests, which wait no longer than any other.
            if connect_timeout.is_none() {
                options.connect_timeout = DEFAULT_CONNECT_TIMEOUT.min(timeout);
            }
        }
        options.send_buffer_bytes = self.buffer_bytes(&["send.buffer.bytes", "socket.send.buffer.bytes"])?;
        options.receive_buffer_bytes =
            self.buffer_bytes(&["receive.buffer.bytes", "socket.receive.buffer.bytes"])?;
        Ok(options)
    }

    /// The size of a socket's buffer; -1 (and librdkafka's 0) leave it to the kernel, as Java does.
    fn buffer_bytes(&self, names: &[&str]) -> Result<Option<usize>> {
        let Some((key, text)) = self
            .strongest(names)
            .and_then(|key| Some((key, self.get(key)?.trim())))
        else {
            return Ok(None);
        };
        match text.parse::<i32>() {
            Ok(bytes @ 1..) => Ok(usize::try_from(bytes).ok()),
            Ok(-1 | 0) => Ok(None),
            _ => Err(self.complaint(
                key,
                format_args!("it takes a number of bytes or -1, not \"{text}\""),
            )),
        }
    }

    /// How long an admin call may take with all its tries, if it is set.
    pub fn api_timeout(&self) -> Result<Option<Duration>> {
        self.millis("default.api.timeout.ms")
    }

    pub(super) fn millis(&self, key: &str) -> Result<Option<Duration>> {
        let Some(text) = self.get(key) else {
            return Ok(None);
        };
        let millis = text.trim().parse::<u32>();
        let millis =
            millis.map_err(|_| self.complaint(key, format_args!("it takes milliseconds, not \"{text}\"")))?;
        Ok(Some(Duration::from_millis(u64::from(millis))))
    }
}

/// A suggestion of a similar name, as the end of a message.
fn did_you_mean(key: &str) -> String {
    let meant = closest(key, setting_keys::all());
    meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"))
}

fn place(key: &str, origin: &Origin) -> String {
    match origin {
        Origin::Flag if key == "bootstrap.servers" => "--bootstrap-server".to_owned(),
        Origin::Default | Origin::Flag => key.to_owned(),
        Origin::Profile(place) => format!("profile {}: {key}", place.profile),
        Origin::File(file, line) => format!("{file} line {line}: {key}"),
        Origin::Environment(name) => name.clone(),
        Origin::SetFlag => format!("-X {key}"),
    }
}

impl Setting {
    /// Whether the two were given in the same place with the same value.
    fn is_same(&self, other: &Self) -> bool {
        self.key == other.key && self.value == other.value && self.origin == other.origin
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if setting_keys::is_secret(&self.key) {
            "[hidden]"
        } else {
            &self.value
        };
        write!(f, "{}={value} ({:?})", self.key, self.origin)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The settings of a properties file with this text.
    pub(in crate::client) fn of_file(text: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client.properties");
        fs::write(&path, text).unwrap();
        let mut settings = Settings::default();
        settings.read_properties_file(&path).unwrap();
        for setting in &mut settings.entries {
            if let Origin::File(file, _) = &mut setting.origin {
                "client.properties".clone_into(file);
            }
        }
        settings
    }

    #[test]
    fn the_strongest_origin_wins_whatever_was_said_last() {
        let mut settings = Settings::default();
        settings.set("acks", "flag", Origin::Flag);
        settings.set("acks", "file", Origin::File("b".into(), 9));
        settings.set("acks", "later file", Origin::File("a".into(), 1));
        assert_eq!(settings.get("acks"), Some("flag"));
        settings.entries.remove(0);
        assert_eq!(settings.get("acks"), Some("later file"));
    }

    #[test]
    fn both_names_of_a_setting_are_one_setting() {
        let mut settings = Settings::default();
        settings.set("sasl.mechanisms", "PLAIN", Origin::SetFlag);
        settings.set("sasl.mechanism", "SCRAM-SHA-256", Origin::File("f".into(), 1));
        assert_eq!(settings.get("sasl.mechanism"), Some("PLAIN"));
    }

    #[test]
    fn secrets_show_in_no_debug_output() {
        let settings =
            of_file("sasl.jaas.config=m required password=\"hunter2\";\nssl.key.password=hunter2\n");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn what_cannot_be_honoured_is_named_with_its_line() {
        let settings = of_file("# a comment\ninterceptor.classes=a.B\nfoo.bar=1\nbootstrap.servers=a:1");
        assert_eq!(
            settings.warnings(),
            [
                "client.properties line 3: foo.bar is no setting of a Kafka client",
                "client.properties line 2: interceptor.classes is ignored: Java classes cannot be run here",
            ]
        );
    }
}
