//! TLS for our own connections: whom to trust, who we are, and what a failed handshake means.
//!
//! Verification is as Java's: every certificate of the trust store is an anchor, also one that is not self-signed,
//! and the host name is checked against the certificate unless that is switched off.

use std::fmt;
use std::io;
use std::net::TcpStream;

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{
    HandshakeError, MidHandshakeSslStream, SslConnector, SslMethod, SslStream, SslVerifyMode, SslVersion,
};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509VerifyResult};

use super::error::WireError;

/// Why there is no TLS between us and a broker. The texts say what is missing; OpenSSL's own messages never reach the
/// user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsFailure {
    /// What the settings ask for cannot be set up.
    SetUp(String),
    /// The peer closed the connection at the TLS greeting, or answered with something else.
    NotTls,
    /// The peer did not answer the TLS greeting.
    Silent,
    /// The broker's certificate names other hosts than this one.
    OtherHost(String),
    Expired,
    NotYetValid,
    Revoked,
    /// The broker's certificate is signed by itself alone, and is not trusted.
    SelfSigned,
    UnknownAuthority,
    /// Another problem with the broker's certificate, by its number (`X509_V_ERR_…`).
    Untrusted(i32),
    /// The broker requires a client certificate, and we have none.
    NoClientCertificate,
    /// The broker does not accept our certificate; the text says why, as far as the broker states it.
    ClientCertificateRefused(&'static str),
    NoCommonVersion,
    NoCommonCipher,
    /// The broker ended the handshake with this alert (RFC 8446 §6).
    Alert(i32),
    /// The handshake ended in another way.
    Broken,
}

impl TlsFailure {
    /// What to try.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotTls | Self::Silent => {
                Some("is it a listener without TLS? then security.protocol is PLAINTEXT or SASL_PLAINTEXT")
            }
            Self::OtherHost(_) => Some(
                "use a name from the certificate, or leave that unchecked with an empty ssl.endpoint.identification.algorithm",
            ),
            Self::Expired => Some("the broker needs a new certificate; is the clock of this machine right?"),
            Self::NotYetValid => Some("is the clock of this machine right?"),
            Self::SelfSigned | Self::UnknownAuthority => {
                Some("name a trust store that holds it with ssl.truststore.location or ssl.ca.location")
            }
            Self::NoClientCertificate => {
                Some("give one with ssl.keystore.location, or ssl.certificate.location and ssl.key.location")
            }
            Self::ClientCertificateRefused(_) => {
                Some("is ssl.keystore.location the certificate that this cluster knows?")
            }
            Self::NoCommonVersion => Some("see ssl.enabled.protocols"),
            Self::NoCommonCipher => Some("see ssl.cipher.suites"),
            Self::SetUp(_) | Self::Revoked | Self::Untrusted(_) | Self::Alert(_) | Self::Broken => None,
        }
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetUp(why) => write!(f, "TLS cannot be set up: {why}"),
            Self::NotTls => f.write_str("it does not speak TLS"),
            Self::Silent => f.write_str("no answer to the TLS greeting"),
            Self::OtherHost(host) => write!(f, "the broker's certificate is not for \"{host}\""),
            Self::Expired => f.write_str("the broker's certificate has expired"),
            Self::NotYetValid => f.write_str("the broker's certificate is not valid yet"),
            Self::Revoked => f.write_str("the broker's certificate was revoked"),
            Self::SelfSigned => f.write_str("the broker's certificate is self-signed and not trusted"),
            Self::UnknownAuthority => {
                f.write_str("the broker's certificate is signed by an authority that is not trusted")
            }
            Self::Untrusted(number) => {
                write!(
                    f,
                    "the broker's certificate is not trusted (verification error {number})"
                )
            }
            Self::NoClientCertificate => {
                f.write_str("the broker wants a client certificate, and none is given")
            }
            Self::ClientCertificateRefused(why) => {
                write!(f, "the broker does not accept our client certificate: {why}")
            }
            Self::NoCommonVersion => f.write_str("the broker speaks no version of TLS that is enabled here"),
            Self::NoCommonCipher => f.write_str("the broker knows no TLS cipher that is enabled here"),
            Self::Alert(number) => write!(f, "the broker ended the TLS handshake (alert {number})"),
            Self::Broken => f.write_str("the TLS handshake failed"),
        }
    }
}

/// Which broker certificates are accepted.
#[derive(Clone, Debug)]
pub enum Trust {
    /// These, and those that one of these has signed.
    Certificates(Vec<X509>),
    /// Any, without a check.
    Anybody,
}

/// Our own certificate, for brokers that ask for one.
#[derive(Clone, Debug)]
pub struct Identity {
    pub key: PKey<Private>,
    pub certificate: X509,
    /// The certificates between ours and its root.
    pub chain: Vec<X509>,
}

/// The options of TLS.
#[derive(Clone, Debug)]
pub struct TlsOptions {
    pub trust: Trust,
    pub identity: Option<Identity>,
    /// Whether the certificate must name the host that was asked for.
    pub check_host_name: bool,
    pub oldest_version: SslVersion,
    pub newest_version: Option<SslVersion>,
    /// Cipher names of TLS 1.2 and below in OpenSSL's spelling, joined with colons.
    pub ciphers: Option<String>,
    /// Cipher suites of TLS 1.3, joined with colons.
    pub cipher_suites: Option<String>,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            trust: Trust::Certificates(Vec::new()),
            identity: None,
            check_host_name: true,
            oldest_version: SslVersion::TLS1_2,
            newest_version: None,
            ciphers: None,
            cipher_suites: None,
        }
    }
}

/// TLS made ready once and used for every connection.
#[derive(Clone, Debug)]
pub struct Tls {
    connector: SslConnector,
    check_host_name: bool,
    has_identity: bool,
}

impl Tls {
    pub fn new(options: &TlsOptions) -> Result<Self, WireError> {
        let connector = connector(options).map_err(|cause| {
            let why = reasons(&cause).join(", ");
            WireError::Tls(TlsFailure::SetUp(why))
        })?;
        Ok(Self {
            connector,
            check_host_name: options.check_host_name,
            has_identity: options.identity.is_some(),
        })
    }

    /// Does the handshake with `host` over `stream`, within the time limits of the stream.
    pub(crate) fn connect(&self, host: &str, stream: TcpStream) -> Result<SslStream<TcpStream>, WireError> {
        let configuration = self.connector.configure();
        let configuration = configuration.map_err(|cause| TlsFailure::SetUp(reasons(&cause).join(", ")));
        let configuration = configuration.map_err(WireError::Tls)?;
        let configuration = configuration.verify_hostname(self.check_host_name);
        configuration
            .connect(host, stream)
            .map_err(|failure| WireError::Tls(self.explain(host, &failure)))
    }

    /// A failure of the stream under an open connection; `None` where it is not one of TLS. In TLS 1.3 the broker
    /// checks our certificate after the handshake is complete on our side, so that its refusal arrives instead of the
    /// first answer.
    pub(crate) fn explain_late(&self, failure: &io::Error) -> Option<WireError> {
        let cause = failure.get_ref()?.downcast_ref::<openssl::ssl::Error>()?;
        let alert = cause.ssl_error().and_then(alert);
        Some(match alert {
            Some(alert) => WireError::Tls(self.explain_alert(alert, true)),
            // The peer has reset the connection, or ended it in the middle of a message.
            None => WireError::Closed,
        })
    }

    /// The cause of a failed handshake.
    fn explain(&self, host: &str, failure: &HandshakeError<TcpStream>) -> TlsFailure {
        match failure {
            HandshakeError::SetupFailure(cause) => TlsFailure::SetUp(reasons(cause).join(", ")),
            // A blocking socket reports "would block" when its time is up.
            HandshakeError::WouldBlock(_) => TlsFailure::Silent,
            HandshakeError::Failure(stream) => self.explain_broken(host, stream),
        }
    }

    fn explain_broken(&self, host: &str, stream: &MidHandshakeSslStream<TcpStream>) -> TlsFailure {
        let verified = stream.ssl().verify_result();
        if verified != X509VerifyResult::OK {
            return certificate_problem(host, verified);
        }
        if let Some(cause) = stream.error().io_error() {
            return match cause.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => TlsFailure::Silent,
                io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => {
                    TlsFailure::NotTls
                }
                _ => TlsFailure::Broken,
            };
        }
        // The broker has sent its certificate: it speaks TLS, and the failure is about our side.
        let is_known = stream.ssl().peer_certificate().is_some();
        let Some(stack) = stream.error().ssl_error() else {
            return TlsFailure::NotTls;
        };
        if let Some(alert) = alert(stack) {
            return self.explain_alert(alert, is_known);
        }
        let reasons = reasons(stack).join(", ");
        if reasons.contains("unsupported protocol") {
            TlsFailure::NoCommonVersion
        } else if is_known {
            TlsFailure::Broken
        } else {
            // No greeting of TLS came back: "wrong version number", "packet length too long", an early end.
            TlsFailure::NotTls
        }
    }

    /// What a broker's alert means; `is_known` if its own certificate has been received.
    fn explain_alert(&self, alert: i32, is_known: bool) -> TlsFailure {
        match alert {
            ALERT_HANDSHAKE_FAILURE if !is_known => TlsFailure::NoCommonCipher,
            ALERT_INSUFFICIENT_SECURITY => TlsFailure::NoCommonCipher,
            ALERT_PROTOCOL_VERSION => TlsFailure::NoCommonVersion,
            // If we have sent no certificate, these alerts mean the missing one.
            ALERT_HANDSHAKE_FAILURE | 41..=46 | 48 | 49 | 51 | ALERT_CERTIFICATE_REQUIRED
                if !self.has_identity =>
            {
                TlsFailure::NoClientCertificate
            }
            42 | 43 | 51 => TlsFailure::ClientCertificateRefused("it is bad or not trusted there"),
            44 => TlsFailure::ClientCertificateRefused("it was revoked"),
            45 => TlsFailure::ClientCertificateRefused("it has expired"),
            46 | 48 => TlsFailure::ClientCertificateRefused("its authority is not trusted there"),
            49 => TlsFailure::ClientCertificateRefused("access is denied"),
            other => TlsFailure::Alert(other),
        }
    }
}

/// Whether the peer of `stream` answers a TLS greeting with TLS.
pub(crate) fn speaks_tls(host: &str, stream: TcpStream) -> bool {
    let options = TlsOptions {
        trust: Trust::Anybody,
        check_host_name: false,
        ..TlsOptions::default()
    };
    let Ok(tls) = Tls::new(&options) else { return false };
    match tls.connect(host, stream) {
        Ok(_) => true,
        Err(WireError::Tls(failure)) => !matches!(
            failure,
            TlsFailure::NotTls | TlsFailure::Silent | TlsFailure::Broken | TlsFailure::SetUp(_)
        ),
        Err(_) => false,
    }
}

const ALERT_HANDSHAKE_FAILURE: i32 = 40;
const ALERT_PROTOCOL_VERSION: i32 = 70;
const ALERT_INSUFFICIENT_SECURITY: i32 = 71;
const ALERT_CERTIFICATE_REQUIRED: i32 = 116;

/// OpenSSL counts the alerts of the peer among its reasons from this number on (`SSL_AD_REASON_OFFSET`).
const FIRST_ALERT: i32 = 1000;

/// The alert of the peer, if one ended the connection.
fn alert(stack: &ErrorStack) -> Option<i32> {
    let codes = stack.errors().iter().map(openssl::error::Error::reason_code);
    let mut alerts = codes
        .map(|code| code - FIRST_ALERT)
        .filter(|alert| (0..256).contains(alert));
    alerts.next()
}

fn connector(options: &TlsOptions) -> Result<SslConnector, ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.set_min_proto_version(Some(options.oldest_version))?;
    builder.set_max_proto_version(options.newest_version)?;
    if let Some(ciphers) = &options.ciphers {
        builder.set_cipher_list(ciphers)?;
    }
    if let Some(suites) = &options.cipher_suites {
        builder.set_ciphersuites(suites)?;
    }
    match &options.trust {
        Trust::Anybody => builder.set_verify(SslVerifyMode::NONE),
        Trust::Certificates(anchors) => {
            let mut store = X509StoreBuilder::new()?;
            for anchor in anchors {
                store.add_cert(anchor.clone())?;
            }
            store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
            builder.set_cert_store(store.build());
        }
    }
    if let Some(identity) = &options.identity {
        builder.set_certificate(&identity.certificate)?;
        builder.set_private_key(&identity.key)?;
        for certificate in &identity.chain {
            builder.add_extra_chain_cert(certificate.clone())?;
        }
    }
    Ok(builder.build())
}

/// What is wrong with the broker's certificate, by OpenSSL's numbers (`X509_V_ERR_…`).
fn certificate_problem(host: &str, result: X509VerifyResult) -> TlsFailure {
    match result.as_raw() {
        9 => TlsFailure::NotYetValid,
        10 => TlsFailure::Expired,
        18 => TlsFailure::SelfSigned,
        2 | 19 | 20 | 21 | 27 => TlsFailure::UnknownAuthority,
        23 => TlsFailure::Revoked,
        62 | 64 => TlsFailure::OtherHost(host.to_owned()),
        other => TlsFailure::Untrusted(other),
    }
}

fn reasons(stack: &ErrorStack) -> Vec<&'static str> {
    stack
        .errors()
        .iter()
        .filter_map(openssl::error::Error::reason)
        .collect()
}
