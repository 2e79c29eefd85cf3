//! TLS of a listener: its certificate, which client certificates it accepts, and the name in them.

use std::fmt::Write;

use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509NameEntryRef, X509Ref};

use super::tls::Identity;

/// Whether clients must have a certificate (`ssl.client.auth`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    None,
    /// A certificate is optional, and checked if the client sends one.
    Requested,
    Required,
}

/// The TLS options of a listener.
#[derive(Clone, Debug)]
pub struct TlsServerOptions {
    pub identity: Identity,
    /// The authorities that may sign client certificates.
    pub trusted: Vec<X509>,
    pub client_auth: ClientAuth,
    pub oldest_version: SslVersion,
    pub newest_version: Option<SslVersion>,
    /// Cipher names of TLS 1.2 in OpenSSL's spelling, joined with colons.
    pub ciphers: Option<String>,
    /// Cipher suites of TLS 1.3, joined with colons.
    pub cipher_suites: Option<String>,
}

/// Makes TLS ready for the connections of a listener.
///
/// # Errors
///
/// A message for the user: a certificate without its key, an unknown cipher.
pub fn acceptor(options: &TlsServerOptions) -> Result<SslAcceptor, String> {
    build(options).map_err(|cause| {
        let reasons = cause.errors().iter().filter_map(openssl::error::Error::reason);
        format!("TLS cannot be set up: {}", reasons.collect::<Vec<_>>().join(", "))
    })
}

fn build(options: &TlsServerOptions) -> Result<SslAcceptor, ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_min_proto_version(Some(options.oldest_version))?;
    builder.set_max_proto_version(options.newest_version)?;
    if let Some(ciphers) = &options.ciphers {
        builder.set_cipher_list(ciphers)?;
    }
    if let Some(suites) = &options.cipher_suites {
        builder.set_ciphersuites(suites)?;
    }
    builder.set_certificate(&options.identity.certificate)?;
    builder.set_private_key(&options.identity.key)?;
    for certificate in &options.identity.chain {
        builder.add_extra_chain_cert(certificate.clone())?;
    }
    // Sessions that are resumed keep the client's certificate; they belong to this server alone.
    builder.set_session_id_context(b"kafkit")?;
    builder.set_verify(match options.client_auth {
        ClientAuth::None => SslVerifyMode::NONE,
        ClientAuth::Requested => SslVerifyMode::PEER,
        ClientAuth::Required => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
    });
    if options.client_auth != ClientAuth::None {
        let mut store = X509StoreBuilder::new()?;
        for anchor in &options.trusted {
            store.add_cert(anchor.clone())?;
        }
        store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        builder.set_verify_cert_store(store.build())?;
    }
    Ok(builder.build())
}

/// The name of a certificate's owner as Java's `X500Principal.getName` spells it (RFC 2253): the last part first, joined
/// with commas, parts without a short name by number and in hexadecimal DER.
pub fn distinguished_name(certificate: &X509Ref) -> String {
    let name = certificate.subject_name();
    let mut parts: Vec<String> = name.entries().map(spelled).collect();
    parts.reverse();
    parts.join(",")
}

fn spelled(entry: &X509NameEntryRef) -> String {
    let short = match entry.object().nid() {
        Nid::COMMONNAME => Some("CN"),
        Nid::COUNTRYNAME => Some("C"),
        Nid::LOCALITYNAME => Some("L"),
        Nid::STATEORPROVINCENAME => Some("ST"),
        Nid::STREETADDRESS => Some("STREET"),
        Nid::ORGANIZATIONNAME => Some("O"),
        Nid::ORGANIZATIONALUNITNAME => Some("OU"),
        Nid::DOMAINCOMPONENT => Some("DC"),
        Nid::USERID => Some("UID"),
        _ => None,
    };
    let value = entry.data().to_string().unwrap_or_default();
    match short {
        Some(short) => format!("{short}={}", escaped(&value)),
        None => format!("{}={}", oid(entry), hexadecimal(entry)),
    }
}

/// Puts a backslash before characters with a meaning in such a name (RFC 2253 §2.4).
fn escaped(value: &str) -> String {
    let mut text = String::new();
    let last = value.chars().count().saturating_sub(1);
    for (place, c) in value.chars().enumerate() {
        let is_edge_space = c == ' ' && (place == 0 || place == last);
        let is_hash = c == '#' && place == 0;
        if is_edge_space || is_hash || matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// The number of an attribute without a short name. OpenSSL knows some by name alone.
fn oid(entry: &X509NameEntryRef) -> String {
    match entry.object().nid() {
        Nid::PKCS9_EMAILADDRESS => "1.2.840.113549.1.9.1".to_owned(),
        Nid::SERIALNUMBER => "2.5.4.5".to_owned(),
        Nid::SURNAME => "2.5.4.4".to_owned(),
        Nid::GIVENNAME => "2.5.4.42".to_owned(),
        Nid::INITIALS => "2.5.4.43".to_owned(),
        Nid::TITLE => "2.5.4.12".to_owned(),
        _ => entry.object().to_string(),
    }
}

/// `#` and the DER of a string value: its type, its length, its bytes.
fn hexadecimal(entry: &X509NameEntryRef) -> String {
    const IA5_STRING: u8 = 0x16;
    const UTF8_STRING: u8 = 0x0c;
    const PRINTABLE_STRING: u8 = 0x13;
    let bytes = entry.data().as_slice();
    let tag = match entry.object().nid() {
        Nid::PKCS9_EMAILADDRESS => IA5_STRING,
        Nid::SERIALNUMBER => PRINTABLE_STRING,
        _ => UTF8_STRING,
    };
    let mut text = format!("#{tag:02x}");
    match u8::try_from(bytes.len()) {
        Ok(short @ 0..=0x7f) => write!(text, "{short:02x}"),
        Ok(long) => write!(text, "81{long:02x}"),
        Err(_) => write!(text, "82{:04x}", bytes.len()),
    }
    .unwrap_or_default();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap_or_default();
    }
    text
}

#[cfg(test)]
mod tests {
    use openssl::x509::{X509Builder, X509NameBuilder};

    use super::*;

    fn named(parts: &[(&str, &str)]) -> String {
        let mut name = X509NameBuilder::new().unwrap();
        for (field, value) in parts {
            name.append_entry_by_text(field, value).unwrap();
        }
        let mut certificate = X509Builder::new().unwrap();
        certificate.set_subject_name(&name.build()).unwrap();
        distinguished_name(&certificate.build())
    }

    /// The examples are those of RFC 2253 §5, and an address as Java 17 spells it.
    #[test]
    fn names_are_spelled_as_in_rfc_2253() {
        let steve = [("C", "GB"), ("O", "Isode Limited"), ("CN", "Steve Kille")];
        assert_eq!(named(&steve), "CN=Steve Kille,O=Isode Limited,C=GB");
        let comma = [("O", "Sue, Grabbit and Runn"), ("CN", "L. Eagle")];
        assert_eq!(named(&comma), "CN=L. Eagle,O=Sue\\, Grabbit and Runn");
        let address = [("CN", "a"), ("emailAddress", "a@b")];
        assert_eq!(named(&address), "1.2.840.113549.1.9.1=#1603614062,CN=a");
    }
}
