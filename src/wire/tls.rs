//! TLS for our own connections: whom to trust, who we are, and what a failed handshake means.
//!
//! Verification is as Java's: every certificate of the trust store is an anchor, also one that is not
//! self-signed, and the host's name is held against the certificate unless that is switched off.

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

/// OpenSSL's `X509_V_ERR_HOSTNAME_MISMATCH` and `X509_V_ERR_IP_ADDRESS_MISMATCH`.
const HOSTNAME_MISMATCH: i32 = 62;
const IP_ADDRESS_MISMATCH: i32 = 64;

/// Who may answer.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Whoever one of these has signed, or is.
    Certificates(Vec<X509>),
    /// Anybody at all, without a check.
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

/// What TLS shall be like.
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
}

impl Tls {
    pub fn new(options: &TlsOptions) -> Result<Self, WireError> {
        let connector =
            connector(options).map_err(|cause| WireError::Tls(format!("TLS cannot be set up: {cause}")))?;
        Ok(Self {
            connector,
            check_host_name: options.check_host_name,
        })
    }

    /// Shakes hands over `stream` with `host`. The stream's own time limits hold.
    pub(crate) fn connect(&self, host: &str, stream: TcpStream) -> Result<SslStream<TcpStream>, WireError> {
        let configuration = self
            .connector
            .configure()
            .map_err(|cause| WireError::Tls(cause.to_string()))?;
        let configuration = configuration.verify_hostname(self.check_host_name);
        configuration
            .connect(host, stream)
            .map_err(|failure| explain(host, &failure))
    }
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

/// The broker closed the connection without a word of TLS.
pub(crate) const HUNG_UP: &str = "the broker hung up during the TLS handshake; is it a plaintext listener, or does it want \
                                  a client certificate?";

/// A failed handshake in words that say what to look at.
fn explain(host: &str, failure: &HandshakeError<TcpStream>) -> WireError {
    match failure {
        HandshakeError::SetupFailure(cause) => WireError::Tls(format!("TLS cannot be set up: {cause}")),
        // A blocking socket "would block" when its time is up.
        HandshakeError::WouldBlock(_) => {
            WireError::Tls("no answer to the TLS handshake; is it a TLS listener?".to_owned())
        }
        HandshakeError::Failure(stream) => explain_broken(host, stream),
    }
}

fn explain_broken(host: &str, stream: &MidHandshakeSslStream<TcpStream>) -> WireError {
    let verified = stream.ssl().verify_result();
    if verified != X509VerifyResult::OK {
        return WireError::Tls(certificate_problem(host, verified));
    }
    if let Some(cause) = stream.error().io_error() {
        return WireError::Tls(match cause.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                "no answer to the TLS handshake; is it a TLS listener?".to_owned()
            }
            io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => {
                HUNG_UP.to_owned()
            }
            _ => format!("the TLS handshake broke off: {cause}"),
        });
    }
    let reasons = stream.error().ssl_error().map(reasons).unwrap_or_default();
    if reasons.is_empty() || reasons.contains("unexpected eof") {
        return WireError::Tls(HUNG_UP.to_owned());
    }
    if reasons.contains("wrong version number") || reasons.contains("packet length too long") {
        return WireError::Tls("it does not speak TLS: is it a plaintext listener?".to_owned());
    }
    WireError::Tls(format!("the TLS handshake failed: {reasons}"))
}

fn certificate_problem(host: &str, result: X509VerifyResult) -> String {
    match result.as_raw() {
        HOSTNAME_MISMATCH | IP_ADDRESS_MISMATCH => format!(
            "the broker's certificate is not for \"{host}\" (an empty ssl.endpoint.identification.algorithm leaves that unchecked)"
        ),
        _ => format!(
            "the broker's certificate is not trusted: {}",
            result.error_string()
        ),
    }
}

fn reasons(stack: &ErrorStack) -> String {
    let reasons: Vec<&str> = stack
        .errors()
        .iter()
        .filter_map(openssl::error::Error::reason)
        .collect();
    reasons.join(", ")
}
