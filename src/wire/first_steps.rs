//! The steps of a connection one by one, to find out which of them fails: the name, the socket, TLS.
//!
//! [`Connection::open`](super::Connection::open) takes the same steps at once.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::nid::Nid;
use openssl::x509::{X509NameRef, X509Ref};

use super::connection::{resolve, timed_out};
use super::error::WireError;
use super::host_port::HostPort;
use super::tls::Tls;

/// What a TLS handshake agreed on, and the broker's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSession {
    /// As OpenSSL has it: `TLSv1.3`.
    pub version: String,
    pub cipher: String,
    /// `None` if the broker sent none.
    pub certificate: Option<Certificate>,
}

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The common name of its owner; empty where it has none.
    pub subject: String,
    /// The common name of its issuer; empty where it has none.
    pub issuer: String,
    /// The hosts that it is for: names and addresses.
    pub hosts: Vec<String>,
    /// The end of its validity, in seconds since 1970.
    pub not_after: i64,
}

/// The addresses of a host, in the order in which they are tried. Takes as long as the system's resolver does.
pub fn addresses(address: &HostPort) -> Result<Vec<SocketAddr>, WireError> {
    resolve(address)
}

/// A socket connected to one address, and how long that took.
pub fn connect(address: &SocketAddr, limit: Duration) -> Result<(TcpStream, Duration), WireError> {
    let begun = Instant::now();
    let socket = TcpStream::connect_timeout(address, limit).map_err(|error| timed_out(error, limit))?;
    Ok((socket, begun.elapsed()))
}

/// Does the TLS handshake with `host` over `socket`; `limit` is for each of its steps.
pub fn shake_hands(
    host: &str,
    tls: &Tls,
    socket: TcpStream,
    limit: Duration,
) -> Result<TlsSession, WireError> {
    socket.set_read_timeout(Some(limit))?;
    socket.set_write_timeout(Some(limit))?;
    let stream = tls.connect(host, socket)?;
    let ssl = stream.ssl();
    let certificate = ssl.peer_certificate();
    Ok(TlsSession {
        version: ssl.version_str().to_owned(),
        cipher: ssl
            .current_cipher()
            .map_or_else(String::new, |cipher| cipher.name().to_owned()),
        certificate: certificate.as_deref().map(contents),
    })
}

fn contents(certificate: &X509Ref) -> Certificate {
    let names = certificate.subject_alt_names();
    let hosts = names.iter().flatten().filter_map(|name| {
        let address = name.ipaddress().and_then(ip_address);
        name.dnsname().map(str::to_owned).or(address)
    });
    Certificate {
        subject: common_name(certificate.subject_name()),
        issuer: common_name(certificate.issuer_name()),
        hosts: hosts.collect(),
        not_after: seconds(certificate.not_after()).unwrap_or(i64::MAX),
    }
}

fn common_name(name: &X509NameRef) -> String {
    let mut entries = name.entries_by_nid(Nid::COMMONNAME);
    let first = entries.next().and_then(|entry| entry.data().to_string().ok());
    first.unwrap_or_default()
}

fn ip_address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(four).to_string());
    }
    let sixteen = <[u8; 16]>::try_from(bytes).ok()?;
    Some(std::net::Ipv6Addr::from(sixteen).to_string())
}

/// Seconds since 1970.
fn seconds(time: &Asn1TimeRef) -> Option<i64> {
    let passed = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    Some(i64::from(passed.days) * 86_400 + i64::from(passed.secs))
}
