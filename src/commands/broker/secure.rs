//! `--secure`: a broker that accepts no client without a password, for tests: certificates and a user that are made for
//! it, and the file that its clients need.
//!
//! `<data dir>/.kafkit-secure/` holds the server's key and certificate, `<data dir>/client.properties` the authority, the user
//! and the password; only the user can read both. A later start uses them again.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::certificates::{self, Certificates};
use crate::client::java_properties;
use crate::client::settings::COMMAND_CONFIG_VARIABLE;
use crate::commands::secret_file;
use crate::error::{Error, Result};
use crate::wire::Secret;
use crate::wire::sasl::jaas::LoginModule;

/// The superuser.
const USER: &str = "admin";
const FOLDER: &str = ".kafkit-secure";
const SERVER_FILE: &str = "server.pem";
const AUTHORITY_FILE: &str = "ca.pem";
/// The master key of delegation tokens.
const TOKEN_KEY_FILE: &str = "token.key";
const CLIENT_FILE: &str = "client.properties";
const PLAIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule";

/// The credentials of a secure broker.
#[derive(Debug)]
pub(super) struct Secure {
    data_dir: PathBuf,
    authority: String,
    password: Secret,
    token_key: Secret,
}

impl Secure {
    /// Makes what does not exist yet. `hosts`: the names and addresses that clients use.
    pub(super) fn prepare(data_dir: &Path, hosts: &[String]) -> Result<Self> {
        let folder = data_dir.join(FOLDER);
        fs::create_dir_all(data_dir)?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let server = fs::read_to_string(folder.join(SERVER_FILE)).unwrap_or_default();
        let authority = fs::read_to_string(folder.join(AUTHORITY_FILE)).unwrap_or_default();
        let certificates = if !authority.is_empty() && certificates::are_usable(&server, hosts) {
            Certificates { authority, server }
        } else {
            certificates::make(hosts)
                .map_err(|cause| Error::failed(format!("cannot make certificates: {cause}")))?
        };
        secret_file::write(&folder.join(SERVER_FILE), &certificates.server)?;
        secret_file::write(&folder.join(AUTHORITY_FILE), &certificates.authority)?;
        let password = match password_of(&data_dir.join(CLIENT_FILE)) {
            Some(password) => password,
            None => new_password()?,
        };
        let token_file = folder.join(TOKEN_KEY_FILE);
        let token_key = match fs::read_to_string(&token_file) {
            Ok(key) if !key.trim().is_empty() => Secret::new(key.trim()),
            _ => new_password()?,
        };
        secret_file::write(&token_file, token_key.reveal())?;
        Ok(Self {
            data_dir: data_dir.to_owned(),
            authority: certificates.authority,
            password,
            token_key,
        })
    }

    /// The broker's settings, for listeners of these names.
    pub(super) fn settings(&self, listeners: &[String]) -> Vec<(String, String)> {
        let server = self.data_dir.join(FOLDER).join(SERVER_FILE);
        let users = format!("{PLAIN} required user_{USER}=\"{}\";", self.password.reveal());
        let mut settings = vec![
            (
                "authorizer.class.name",
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned(),
            ),
            ("super.users", format!("User:{USER}")),
            (
                "sasl.enabled.mechanisms",
                "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512".to_owned(),
            ),
            ("delegation.token.secret.key", self.token_key.reveal().to_owned()),
            ("ssl.keystore.type", "PEM".to_owned()),
            ("ssl.keystore.location", server.display().to_string()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect::<Vec<_>>();
        settings.extend(listeners.iter().map(|listener| {
            let key = format!(
                "listener.name.{}.plain.sasl.jaas.config",
                listener.to_ascii_lowercase()
            );
            (key, users.clone())
        }));
        settings
    }

    /// Writes the file for clients of a broker at these addresses.
    pub(super) fn write_client_file(&self, addresses: &str) -> Result<ClientFile> {
        let file = ClientFile {
            path: self.data_dir.join(CLIENT_FILE),
        };
        let login = format!(
            "{PLAIN} required username=\"{USER}\" password=\"{}\";",
            self.password.reveal()
        );
        let certificate = self.authority.trim_end().replace('\n', " \\\n");
        let text = format!(
            "# For clients of the broker on {}: kafkit and Apache Kafka's tools take it with --command-config.\n\
             bootstrap.servers={addresses}\n\
             security.protocol=SASL_SSL\n\
             sasl.mechanism=PLAIN\n\
             sasl.jaas.config={login}\n\
             ssl.truststore.type=PEM\n\
             ssl.truststore.certificates={certificate}\n",
            self.data_dir.display(),
        );
        secret_file::write(&file.path, &text)?;
        Ok(file)
    }
}

/// What clients of a secure broker need.
#[derive(Debug)]
pub(super) struct ClientFile {
    pub(super) path: PathBuf,
}

impl ClientFile {
    /// Variables with which kafkit needs no flag; other programs find the file in `KAFKA_CLIENT_PROPERTIES`. Neither
    /// contains the password.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let path = self.path.display().to_string();
        vec![
            ("KAFKA_CLIENT_PROPERTIES", path.clone()),
            (COMMAND_CONFIG_VARIABLE, path),
        ]
    }
}

/// The password of an earlier start.
fn password_of(path: &Path) -> Option<Secret> {
    let properties = java_properties::parse(&fs::read(path).ok()?).ok()?;
    let login = properties
        .into_iter()
        .find(|property| property.key == "sasl.jaas.config")?;
    let module = LoginModule::parse(&login.value).ok()?;
    (module.option("username")? == USER).then(|| module.option("password").map(Secret::new))?
}

fn new_password() -> Result<Secret> {
    let mut random = [0; 24];
    getrandom::fill(&mut random)
        .map_err(|error| Error::failed(format!("there are no random numbers: {error}")))?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(random)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_later_start_uses_the_same_secrets_and_shows_them_to_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let hosts = ["127.0.0.1".to_owned()];
        let first = Secure::prepare(folder.path(), &hosts).unwrap();
        let path = first.write_client_file("127.0.0.1:9092").unwrap().path;
        let second = Secure::prepare(folder.path(), &hosts).unwrap();
        assert_eq!(first.password, second.password);
        assert_eq!(first.token_key, second.token_key);
        assert_eq!(first.authority, second.authority);
        assert!(!format!("{first:?}").contains(first.password.reveal()));
        let kept = |name: &str| folder.path().join(".kafkit-secure").join(name);
        for file in [path, kept("server.pem"), kept("token.key")] {
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        }
    }
}
