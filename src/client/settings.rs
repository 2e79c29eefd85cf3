//! Every client setting with where it came from: flags, -X, environment, properties files, profiles.
//!
//! Keys are kept as they were given; Java's and librdkafka's names both count. The strongest origin wins, and of
//! two settings of one origin the later. Secrets show in nothing that is printed.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use super::config_providers::ConfigProviders;
use super::java_properties;
use super::profile::{self, COMMAND_CONFIG};
use super::security::Security;
use super::setting_keys::{self, Meaning, Reach};
use crate::error::{Error, Result};
use crate::wire::sasl::{Credentials, TokenSource};
use crate::wire::tls::Tls;
use crate::wire::{ConnectionOptions, HostPort};

/// The longest wait for a connection, as Kafka's `socket.connection.setup.timeout.ms`.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a setting came from, from the weakest to the strongest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    Profile(String),
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

#[derive(Clone)]
struct Setting {
    key: String,
    value: String,
    origin: Origin,
}

/// Which client of librdkafka's the settings are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Producer,
    Consumer,
}

/// Client settings, strongest origin first asked.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    entries: Vec<Setting>,
    warnings: Vec<String>,
}

impl Settings {
    /// What the environment and the named (or default) profile say.
    pub fn from_environment(profile: Option<&str>) -> Result<Self> {
        let mut settings = Self::default();
        if let Some(profile) = profile::read(profile)? {
            for (key, value) in profile.entries {
                if key == COMMAND_CONFIG {
                    settings.read_properties_file(Path::new(&value))?;
                } else {
                    settings.set(key, value, Origin::Profile(profile.name.clone()));
                }
            }
        }
        settings.take_variable("KAFKA_BOOTSTRAP_SERVERS", "bootstrap.servers");
        for key in setting_keys::all() {
            let name = format!("KAFKIT_{}", key.replace(['.', '-'], "_").to_uppercase());
            settings.take_variable(&name, key);
        }
        Ok(settings)
    }

    fn take_variable(&mut self, name: &str, key: &str) {
        if let Ok(value) = env::var(name)
            && !value.is_empty()
        {
            self.set(key, value, Origin::Environment(name.to_owned()));
        }
    }

    /// Takes a Java properties file, its references to config providers resolved.
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
        });
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

    /// Of several keys that mean the same thing, the one from the strongest origin; the first of equals.
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

    /// Where a key stands, for a message: `client.properties line 3: ssl.protocol`.
    pub(super) fn place(&self, key: &str) -> String {
        match self.find(key).map(|setting| &setting.origin) {
            Some(origin) => place(key, origin),
            None => key.to_owned(),
        }
    }

    /// The error of a value that cannot be honoured; the value itself is the caller's to show or not.
    pub(super) fn complaint(&self, key: &str, problem: impl fmt::Display) -> Error {
        Error::usage(format!("{}: {problem}", self.place(key)))
    }

    /// What the user should know: settings that nobody knows, or that cannot be honoured, with their lines.
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
                    warnings.push(format!("{place} is no setting of a Kafka client"));
                }
                _ => {}
            }
        }
        warnings
    }

    /// Whether any client knows a setting of this name.
    pub fn is_known(key: &str) -> bool {
        setting_keys::is_known(setting_keys::canonical(key))
    }

    /// One setting a key, the strongest, in the order of the keys.
    fn in_force(&self) -> impl Iterator<Item = &Setting> {
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
        }
        Ok(options)
    }

    /// How long an admin call may take with all its tries, when somebody said so.
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

    /// The settings in librdkafka's names and words, with TLS and SASL as they are on our own connections.
    pub fn librdkafka_entries(&self, role: Role) -> Result<Vec<(String, String)>> {
        let mut entries = Security::of(self)?.librdkafka_entries()?;
        for setting in self.in_force() {
            if let Some(entry) = self.librdkafka_entry(setting, role)? {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    fn librdkafka_entry(&self, setting: &Setting, role: Role) -> Result<Option<(String, String)>> {
        let key = setting.key.as_str();
        let name = match setting_keys::java(key) {
            // The producer's request time-out is its own; a consumer's is that of the socket.
            Some(Meaning::As("request.timeout.ms")) if role == Role::Consumer => "socket.timeout.ms",
            Some(Meaning::As(name)) => name,
            Some(_) => return Ok(None),
            None if key.starts_with("ssl.")
                || key.starts_with("sasl.")
                || key == "enable.ssl.certificate.verification" =>
            {
                return Ok(None);
            }
            None => key,
        };
        // A compression level is for the codec it is named after.
        if let Some(codec) = key
            .strip_prefix("compression.")
            .and_then(|rest| rest.strip_suffix(".level"))
            && self
                .get("compression.type")
                .is_none_or(|chosen| !chosen.trim().eq_ignore_ascii_case(codec))
        {
            return Ok(None);
        }
        let theirs = match setting_keys::librdkafka(name) {
            Some(Reach::Both) => true,
            Some(Reach::Producer) => role == Role::Producer,
            Some(Reach::Consumer) => role == Role::Consumer,
            None => false,
        };
        if !theirs {
            return Ok(None);
        }
        let value = setting_keys::for_librdkafka(key, &setting.value);
        let value = value.map_err(|problem| self.complaint(key, problem))?;
        Ok(Some((name.to_owned(), value)))
    }

    /// Where OAUTHBEARER tokens come from, when that is the mechanism in force: librdkafka asks for them.
    pub fn token_source(&self) -> Result<Option<Arc<dyn TokenSource>>> {
        Ok(match Security::of(self)?.credentials {
            Some(Credentials::OAuthBearer(source)) => Some(source),
            _ => None,
        })
    }
}

fn place(key: &str, origin: &Origin) -> String {
    match origin {
        Origin::Default | Origin::Flag => key.to_owned(),
        Origin::Profile(name) => format!("profile {name}: {key}"),
        Origin::File(file, line) => format!("{file} line {line}: {key}"),
        Origin::Environment(name) => name.clone(),
        Origin::SetFlag => format!("-X {key}"),
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
mod tests {
    use super::*;

    fn of_file(text: &str) -> Settings {
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

    fn entry(settings: &Settings, role: Role, key: &str) -> Option<String> {
        let entries = settings.librdkafka_entries(role).unwrap();
        entries
            .into_iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
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
    fn java_s_settings_in_librdkafka_s_names() {
        let settings = of_file(
            "fetch.max.wait.ms=7\nbuffer.memory=2048\nrequest.timeout.ms=9\nkey.serializer=x\n\
             compression.type=gzip\ncompression.gzip.level=9\ncompression.zstd.level=3\nmax.poll.records=1",
        );
        for (role, key, expected) in [
            (Role::Consumer, "fetch.wait.max.ms", Some("7")),
            (Role::Producer, "fetch.wait.max.ms", None),
            (Role::Producer, "queue.buffering.max.kbytes", Some("2")),
            (Role::Producer, "request.timeout.ms", Some("9")),
            (Role::Consumer, "socket.timeout.ms", Some("9")),
            (Role::Producer, "compression.level", Some("9")),
            (Role::Producer, "key.serializer", None),
            (Role::Producer, "security.protocol", Some("plaintext")),
        ] {
            assert_eq!(entry(&settings, role, key).as_deref(), expected, "{role:?} {key}");
        }
        assert!(settings.warnings().is_empty());
    }

    #[test]
    fn a_jaas_line_becomes_credentials_on_both_engines() {
        let settings = of_file(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=\
             org.apache.kafka.common.security.scram.ScramLoginModule required username=\"alice\" password=\"a\\\\\"b\";",
        );
        assert_eq!(
            entry(&settings, Role::Producer, "sasl.password").as_deref(),
            Some("a\"b")
        );
        let options = settings.connection_options().unwrap();
        assert!(
            matches!(options.credentials, Some(Credentials::Scram { username, .. }) if username == "alice")
        );
    }

    #[test]
    fn a_stronger_password_replaces_the_file_s_login_module() {
        let mut settings = of_file(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=\
             org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"old\";",
        );
        settings.set("sasl.username", "bob", Origin::SetFlag);
        settings.set(
            "sasl.password",
            "new",
            Origin::Environment("KAFKIT_SASL_PASSWORD".into()),
        );
        assert_eq!(
            entry(&settings, Role::Consumer, "sasl.username").as_deref(),
            Some("bob")
        );
        assert_eq!(
            entry(&settings, Role::Consumer, "sasl.password").as_deref(),
            Some("new")
        );
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

    #[test]
    fn a_connection_is_never_weaker_than_asked_for() {
        for (line, told) in [
            ("ssl.protocol=SSLv3", "line 2: ssl.protocol: only TLSv1.2"),
            (
                "ssl.enabled.protocols=TLSv1.1,TLSv1",
                "ssl.enabled.protocols: neither",
            ),
            (
                "ssl.engine.factory.class=a.B",
                "ssl.engine.factory.class: it is not supported",
            ),
            (
                "ssl.cipher.suites=TLS_NO_SUCH_CIPHER",
                "TLS_NO_SUCH_CIPHER is no cipher",
            ),
            (
                "ssl.endpoint.identification.algorithm=ldaps",
                "\"https\" or empty",
            ),
            ("ssl.truststore.type=BCFKS", "stores can be JKS, PKCS12 or PEM"),
            ("ssl.crl.location=/tmp/crl", "it is not supported"),
            ("ssl.truststore.location=/nowhere/at/all.jks", "No such file"),
        ] {
            let settings = of_file(&format!("security.protocol=SSL\n{line}"));
            let refusal = settings.connection_options().unwrap_err().to_string();
            assert!(refusal.contains(told), "{refusal}");
            assert!(settings.librdkafka_entries(Role::Producer).is_err());
        }
        for (mechanism, jaas, told) in [
            ("GSSAPI", "", "GSSAPI is not supported"),
            (
                "PLAIN",
                "a.kafka.common.security.Evil required;",
                "login module a.kafka.common.security.Evil is not supported",
            ),
            ("PLAIN", "x required", "a semicolon must stand at the end"),
            (
                "PLAIN",
                "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"a\";",
                "no password",
            ),
        ] {
            let settings = of_file(&format!(
                "security.protocol=SASL_SSL\nsasl.mechanism={mechanism}\nsasl.jaas.config={jaas}"
            ));
            let refusal = settings.connection_options().unwrap_err().to_string();
            assert!(refusal.contains(told), "{refusal}");
        }
    }
}
