//! The `ssl.*` settings, Java's and librdkafka's, as TLS options.

use std::fs;
use std::path::{Path, PathBuf};

use openssl::ssl::SslVersion;
use openssl::x509::X509;

use super::super::settings::Settings;
use super::identity_as_pem;
use crate::error::{Error, Kind, Result};
use crate::wire::tls::{Identity, TlsOptions, Trust};
use crate::wire::{Secret, key_store, system_authorities, tls_names};

/// TLS options, and the authorities in the best form to pass to librdkafka.
#[derive(Debug)]
pub(in crate::client) struct TlsSettings {
    pub(in crate::client) options: TlsOptions,
    authorities: Authorities,
}

/// The authorities that we trust.
#[derive(Debug)]
pub(in crate::client) enum Authorities {
    Nobody,
    /// A file or folder of PEM certificates.
    Path(PathBuf),
    Certificates(Vec<X509>),
}

/// Settings that replace Java's TLS by another. Ignoring them would change which brokers are trusted.
const REPLACEMENTS: [&str; 3] = ["ssl.engine.factory.class", "ssl.provider", "security.providers"];

/// librdkafka's settings without an equivalent on our own connections.
const UNSUPPORTED: [&str; 6] = [
    "ssl.crl.location",
    "ssl.providers",
    "ssl.engine.location",
    "ssl.engine.id",
    "ssl.sigalgs.list",
    "ssl.curves.list",
];

pub(super) fn read(settings: &Settings) -> Result<TlsSettings> {
    for key in REPLACEMENTS.iter().chain(&UNSUPPORTED) {
        if settings.get(key).is_some_and(|value| !value.trim().is_empty()) {
            return Err(settings.complaint(
                key,
                "it is not supported, and the connection would not be what was asked for",
            ));
        }
    }
    check_passwords(settings)?;
    let (oldest_version, newest_version) = versions(settings)?;
    let (ciphers, cipher_suites) = ciphers(settings)?;
    let authorities = authorities(settings)?;
    let trust = match &authorities {
        Authorities::Nobody => Trust::Anybody,
        Authorities::Certificates(certificates) => Trust::Certificates(certificates.clone()),
        Authorities::Path(path) => Trust::Certificates(
            system_authorities::read(path)
                .map_err(|problem| Error::failed(format!("{}: {problem}", path.display())))?,
        ),
    };
    let options = TlsOptions {
        trust,
        identity: identity(settings)?,
        check_host_name: check_host_name(settings)?,
        oldest_version,
        newest_version,
        ciphers,
        cipher_suites,
    };
    Ok(TlsSettings { options, authorities })
}

impl TlsSettings {
    /// The settings for librdkafka, or an error if its connection would be less secure than requested: it has no
    /// setting for the oldest version of TLS, nor for the cipher suites of TLS 1.3.
    pub(super) fn librdkafka_entries(&self, entries: &mut Vec<(String, String)>) -> Result<()> {
        if self.options.oldest_version == SslVersion::TLS1_3 || self.options.cipher_suites.is_some() {
            let problem =
                "records cannot be limited to TLS 1.3 or to its cipher suites, only admin commands can";
            return Err(
                Error::usage(problem).hint("allow TLSv1.2 as well, and name no cipher suite of TLS 1.3")
            );
        }
        let mut entry = |key: &str, value: &str| entries.push((key.to_owned(), value.to_owned()));
        let strange = |cause| Error::failed(format!("a certificate cannot be written as PEM: {cause}"));
        match &self.authorities {
            Authorities::Nobody => entry("enable.ssl.certificate.verification", "false"),
            Authorities::Path(path) => entry("ssl.ca.location", &path.to_string_lossy()),
            Authorities::Certificates(certificates) => {
                let mut pem = Vec::new();
                for certificate in certificates {
                    pem.extend(certificate.to_pem().map_err(strange)?);
                }
                entry("ssl.ca.pem", &String::from_utf8_lossy(&pem));
            }
        }
        if let Some(identity) = &self.options.identity {
            let (key, certificates) = identity_as_pem(identity).map_err(strange)?;
            entry("ssl.key.pem", &key);
            entry("ssl.certificate.pem", &certificates);
        }
        let algorithm = if self.options.check_host_name {
            "https"
        } else {
            "none"
        };
        entry("ssl.endpoint.identification.algorithm", algorithm);
        if let Some(ciphers) = &self.options.ciphers {
            entry("ssl.cipher.suites", ciphers);
        }
        Ok(())
    }
}

/// Refuses a password without a store, as Java does: the user believes that something is protected.
fn check_passwords(settings: &Settings) -> Result<()> {
    for (store, material, others, key, words) in [
        (
            "ssl.truststore.location",
            "ssl.truststore.certificates",
            ["ssl.ca.location", "ssl.ca.pem"],
            "ssl.truststore.password",
            [
                "SSL trust store password cannot be specified for PEM format.",
                "SSL trust store is not specified, but trust store password is specified.",
            ],
        ),
        (
            "ssl.keystore.location",
            "ssl.keystore.key",
            ["ssl.certificate.location", "ssl.certificate.pem"],
            "ssl.keystore.password",
            [
                "SSL key store password cannot be specified with PEM format, only key password may be specified.",
                "SSL key store is not specified, but key store password is specified.",
            ],
        ),
    ] {
        let [beside_pem, alone] = words;
        if settings.get(key).is_none() {
            continue;
        }
        let is_set = |key: &str| settings.get(key).is_some_and(|value| !value.trim().is_empty());
        match settings.get(store).map(str::trim).filter(|path| !path.is_empty()) {
            Some(path) if key_store::is_pem(&read_file(settings, store, path)?) => {
                return Err(settings.complaint(key, beside_pem));
            }
            Some(_) => {}
            None if is_set(material) => return Err(settings.complaint(key, beside_pem)),
            None if others.into_iter().any(is_set) => {}
            None => return Err(settings.complaint(key, alone)),
        }
    }
    Ok(())
}

/// Java checks the host name unless the setting is present and empty; librdkafka's value for that is "none".
fn check_host_name(settings: &Settings) -> Result<bool> {
    let key = "ssl.endpoint.identification.algorithm";
    match settings
        .get(key)
        .map(|value| value.trim().to_ascii_lowercase())
        .as_deref()
    {
        None | Some("https") => Ok(true),
        Some("" | "none") => Ok(false),
        Some(_) => Err(settings.complaint(key, "it is \"https\" or empty")),
    }
}

fn versions(settings: &Settings) -> Result<(SslVersion, Option<SslVersion>)> {
    let versions = tls_names::versions(
        settings.get("ssl.protocol"),
        settings.get("ssl.enabled.protocols"),
    );
    versions.map_err(|(key, problem)| settings.complaint(key, problem))
}

fn ciphers(settings: &Settings) -> Result<(Option<String>, Option<String>)> {
    let key = "ssl.cipher.suites";
    let ciphers = tls_names::ciphers(settings.get(key).unwrap_or_default());
    ciphers.map_err(|problem| settings.complaint(key, problem))
}

/// The authorities to trust. Of several settings for them, the one of the strongest origin counts.
fn authorities(settings: &Settings) -> Result<Authorities> {
    if settings
        .get("enable.ssl.certificate.verification")
        .is_some_and(|value| value.trim() == "false")
    {
        return Ok(Authorities::Nobody);
    }
    for key in ["ssl.truststore.type", "ssl.keystore.type"] {
        store_type(settings, key)?;
    }
    let keys = [
        "ssl.truststore.location",
        "ssl.truststore.certificates",
        "ssl.ca.location",
        "ssl.ca.pem",
    ];
    let Some(key) = settings.strongest(&keys) else {
        return system().ok_or_else(|| {
            Error::failed("this machine has no list of certificate authorities")
                .hint("install ca-certificates, or set ssl.truststore.location or ssl.ca.location")
        });
    };
    let value = settings.get(key).unwrap_or_default().trim();
    match key {
        "ssl.ca.location" if value == "probe" => {
            system().ok_or_else(|| settings.complaint(key, "nothing was found"))
        }
        "ssl.ca.location" => Ok(Authorities::Path(PathBuf::from(value))),
        "ssl.truststore.location" => {
            let password = secret(settings, "ssl.truststore.password");
            let store = key_store::open(&read_file(settings, key, value)?, password.as_ref(), None);
            let store =
                store.map_err(|problem| settings.complaint(key, format_args!("{value}: {problem}")))?;
            Ok(Authorities::Certificates(store.trusted))
        }
        _ => {
            let store =
                key_store::open_pem(value, None).map_err(|problem| settings.complaint(key, problem))?;
            Ok(Authorities::Certificates(store.trusted))
        }
    }
}

fn system() -> Option<Authorities> {
    system_authorities::bundle().map(Authorities::Path)
}

/// Our own certificate, if there is one.
fn identity(settings: &Settings) -> Result<Option<Identity>> {
    let keys = [
        "ssl.keystore.location",
        "ssl.keystore.key",
        "ssl.certificate.location",
        "ssl.certificate.pem",
    ];
    let Some(key) = settings.strongest(&keys) else {
        return Ok(None);
    };
    let value = settings.get(key).unwrap_or_default().trim();
    let key_password = secret(settings, "ssl.key.password");
    let store = match key {
        "ssl.keystore.location" => {
            let password = secret(settings, "ssl.keystore.password");
            key_store::open(
                &read_file(settings, key, value)?,
                password.as_ref(),
                key_password.as_ref(),
            )
        }
        "ssl.keystore.key" => {
            let chain = settings.get("ssl.keystore.certificate.chain").unwrap_or_default();
            key_store::open_pem(&format!("{value}\n{chain}"), key_password.as_ref())
        }
        "ssl.certificate.location" => {
            let mut pem = read_file(settings, key, value)?;
            if let Some(path) = settings.get("ssl.key.location") {
                pem.push(b'\n');
                pem.extend(read_file(settings, "ssl.key.location", path.trim())?);
            }
            key_store::open_pem(&String::from_utf8_lossy(&pem), key_password.as_ref())
        }
        _ => {
            let private_key = settings.get("ssl.key.pem").unwrap_or_default();
            key_store::open_pem(&format!("{private_key}\n{value}"), key_password.as_ref())
        }
    };
    let shown = if key.ends_with("location") {
        format!("{value}: ")
    } else {
        String::new()
    };
    let store = store.map_err(|problem| settings.complaint(key, format_args!("{shown}{problem}")))?;
    match store.identity {
        Some(identity) => Ok(Some(identity)),
        None => Err(settings.complaint(
            key,
            format_args!("{shown}it holds no private key that could be opened"),
        )),
    }
}

/// Checks Java's name of a store's format. The actual format is recognized by the file's first bytes.
fn store_type(settings: &Settings, key: &str) -> Result<()> {
    match settings
        .get(key)
        .map(|name| name.trim().to_ascii_uppercase())
        .as_deref()
    {
        None | Some("JKS" | "PKCS12" | "PEM") => Ok(()),
        Some(_) => Err(settings.complaint(key, "stores can be JKS, PKCS12 or PEM")),
    }
}

fn secret(settings: &Settings, key: &str) -> Option<Secret> {
    settings.get(key).map(Secret::new)
}

fn read_file(settings: &Settings, key: &str, path: &str) -> Result<Vec<u8>> {
    fs::read(Path::new(path)).map_err(|cause| {
        let kind = match cause.kind() {
            std::io::ErrorKind::NotFound => Kind::NotFound,
            _ => Kind::Failed,
        };
        let cause = Error::from(cause);
        Error::new(kind, format!("{}: {path}: {cause}", settings.place(key)))
    })
}
