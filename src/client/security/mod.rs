//! From settings to TLS and SASL: stores, login modules, tokens.
//!
//! A setting that cannot be honoured here is an error if ignoring it would make the connection less secure than
//! requested. Settings of a layer that is not used (TLS settings without TLS) are not read, as in Java.

mod oauth;
mod sasl;
mod tls;
mod token_endpoint;

use super::settings::Settings;
use crate::error::{Error, Result};
use crate::wire::sasl::Credentials;
pub(super) use crate::wire::security_protocol::SecurityProtocol as Protocol;
use crate::wire::tls::Identity;
pub(super) use tls::TlsSettings;

/// How a connection is secured.
#[derive(Debug)]
pub(super) struct Security {
    pub(super) protocol: Protocol,
    pub(super) tls: Option<TlsSettings>,
    pub(super) credentials: Option<Credentials>,
}

impl Security {
    pub(super) fn of(settings: &Settings) -> Result<Self> {
        let protocol = protocol(settings)?;
        let tls = protocol.uses_tls().then(|| tls::read(settings)).transpose()?;
        let credentials = protocol.uses_sasl().then(|| sasl::read(settings)).transpose()?;
        Ok(Self {
            protocol,
            tls,
            credentials,
        })
    }

    /// The equivalent settings of librdkafka.
    pub(super) fn librdkafka_entries(&self) -> Result<Vec<(String, String)>> {
        let mut entries = vec![(
            "security.protocol".to_owned(),
            self.protocol.to_string().to_lowercase(),
        )];
        if let Some(tls) = &self.tls {
            tls.librdkafka_entries(&mut entries)?;
        }
        if let Some(credentials) = &self.credentials {
            entries.push(("sasl.mechanism".to_owned(), credentials.mechanism().to_owned()));
            match credentials {
                Credentials::Plain { username, password }
                | Credentials::Scram {
                    username, password, ..
                } => {
                    entries.push(("sasl.username".to_owned(), username.clone()));
                    entries.push(("sasl.password".to_owned(), password.reveal().to_owned()));
                }
                Credentials::OAuthBearer(_) => {}
            }
            if let Credentials::Scram {
                delegation_token: true,
                ..
            } = credentials
            {
                let problem = "a delegation token cannot log in for consumer groups and transactions";
                return Err(Error::failed(problem)
                    .hint("librdkafka, which runs them, has no tokenauth; everything else works"));
            }
        }
        Ok(entries)
    }
}

fn protocol(settings: &Settings) -> Result<Protocol> {
    let Some(name) = settings.get("security.protocol") else {
        return Ok(Protocol::Plaintext);
    };
    Protocol::find(name).ok_or_else(|| {
        settings
            .complaint(
                "security.protocol",
                format_args!("\"{name}\" is no security protocol"),
            )
            .hint("there are PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL")
    })
}

/// A key and its certificates as PEM, for librdkafka.
fn identity_as_pem(identity: &Identity) -> Result<(String, String), openssl::error::ErrorStack> {
    let key = identity.key.private_key_to_pem_pkcs8()?;
    let mut certificates = identity.certificate.to_pem()?;
    for certificate in &identity.chain {
        certificates.extend(certificate.to_pem()?);
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((text(key), text(certificates)))
}
