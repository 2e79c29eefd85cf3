//! A broker's address as users write it: `host:port`, `[::1]:9092`, `SSL://host:port`.
//!
//! [`Servers`] is strict, for the native commands; [`HostPort::parse`] takes what Java's clients take.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The port of a broker that is named without one.
pub const DEFAULT_PORT: u16 = 9092;

/// Where a broker listens; the host is a name or an address, not yet resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPort {
    pub host: String,
    pub port: u16,
}

impl HostPort {
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// Reads one address of a broker as Java's clients do: any protocol in front is dropped, a missing name is this
    /// machine, and the last colon separates the port. A missing port is 9092.
    pub fn parse(text: &str) -> Option<Self> {
        let address = text.trim();
        let address = address.split_once("://").map_or(address, |(_, address)| address);
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port_of(port)?),
            _ => (address, DEFAULT_PORT),
        };
        let host = host.strip_prefix('[').unwrap_or(host);
        let host = host.strip_suffix(']').unwrap_or(host);
        let is_name = !host.contains(|c: char| c.is_whitespace() || "/,[]".contains(c));
        is_name.then(|| Self::new(if host.is_empty() { "localhost" } else { host }, port))
    }

    /// Reads a list separated by commas; empty elements are skipped. The error is the element that is no address.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts
            .map(|part| Self::parse(part).ok_or_else(|| part.to_owned()))
            .collect()
    }
}

/// The brokers that the user names, and the security protocol in front of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    pub addresses: Vec<HostPort>,
    /// `SSL` of `SSL://host:9093`, in capitals.
    pub protocol: Option<&'static str>,
}

/// The protocols that an address may begin with.
const PROTOCOLS: [&str; 4] = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];

impl Servers {
    /// Reads HOST:PORT[,HOST:PORT…] and refuses addresses that no broker can listen on; the error says why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut servers = Self {
            addresses: Vec::new(),
            protocol: None,
        };
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (protocol, address) = match part.split_once("://") {
                Some((scheme, address)) => (Some(protocol(scheme, part)?), address),
                None => (None, part),
            };
            match (servers.protocol, protocol) {
                (Some(first), Some(other)) if first != other => {
                    return Err(format!(
                        "{first} and {other} stand in front of addresses of one cluster"
                    ));
                }
                _ => servers.protocol = servers.protocol.or(protocol),
            }
            let address =
                address_of(address).map_err(|why| format!("\"{part}\" is no broker address: {why}"))?;
            servers.addresses.push(address);
        }
        if servers.addresses.is_empty() {
            return Err("no broker address is given".to_owned());
        }
        Ok(servers)
    }
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<String> = self.addresses.iter().map(HostPort::to_string).collect();
        f.write_str(&addresses.join(","))
    }
}

fn protocol(scheme: &str, part: &str) -> Result<&'static str, String> {
    let known = PROTOCOLS
        .into_iter()
        .find(|protocol| protocol.eq_ignore_ascii_case(scheme));
    known.ok_or_else(|| {
        format!(
            "\"{part}\" is no broker address: in front of :// only {} can be",
            PROTOCOLS.join(", ")
        )
    })
}

fn address_of(address: &str) -> Result<HostPort, &'static str> {
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or("] is missing")?;
            let number = host.split('%').next().unwrap_or_default();
            if number.parse::<Ipv6Addr>().is_err() {
                return Err("between [ and ] stands no IPv6 address");
            }
            let port = match port.strip_prefix(':') {
                None if port.is_empty() => None,
                None => return Err("after ] comes :PORT"),
                port => port,
            };
            (host, port)
        }
        None => match address.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err("an IPv6 address stands in brackets, as in [::1]:9092");
            }
            Some((host, port)) => (check_name(host)?, Some(port)),
            None => (check_name(address)?, None),
        },
    };
    let port = match port {
        None => DEFAULT_PORT,
        Some("") => return Err("after the colon comes a port"),
        Some(port) => match port_of(port) {
            None | Some(0) => return Err("a port is a number from 1 to 65535"),
            Some(port) => port,
        },
    };
    Ok(HostPort::new(host, port))
}

/// A host's name, or an IPv4 address.
fn check_name(host: &str) -> Result<&str, &'static str> {
    if host.is_empty() {
        return Err("the host is missing");
    }
    if host.contains('/') {
        return Err("a broker has no path");
    }
    if host.contains(|c: char| !c.is_alphanumeric() && !"-._".contains(c)) {
        return Err("a host's name has letters, digits, dots and hyphens");
    }
    let numbers: Vec<&str> = host.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if numbers.len() == 4 && numbers.iter().all(is_number) && host.parse::<Ipv4Addr>().is_err() {
        return Err("the numbers of an IPv4 address go from 0 to 255");
    }
    if host.contains("..") || host.starts_with('.') {
        return Err("a part of the host's name is missing");
    }
    Ok(host)
}

/// A port in decimal digits; Rust would take a plus sign, too.
fn port_of(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&host_port(&self.host, self.port))
    }
}

/// A host and a port as one address; an IPv6 address is put in brackets, to tell its colons from the port's.
pub fn host_port(host: &str, port: impl fmt::Display) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_users_write_them() {
        for (text, host, port) in [
            ("db7:9093", "db7", 9093),
            ("db7", "db7", 9092),
            ("my_host-1.example.com.:9092", "my_host-1.example.com.", 9092),
            ("127.0.0.1:65535", "127.0.0.1", 65_535),
            ("[::1]:19092", "::1", 19_092),
            ("[fe80::1%eth0]", "fe80::1%eth0", 9092),
        ] {
            let servers = Servers::parse(text).map(|servers| servers.addresses);
            assert_eq!(servers, Ok(vec![HostPort::new(host, port)]), "{text}");
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            " ",
            ",",
            ":9092",
            "host:",
            "host:0",
            "host:+1",
            "host:-1",
            "host:99999",
            "host:9o92",
            "host: 9092",
            "host :9092",
            "host:9092/",
            "host/path",
            "h\u{f6}st:9092\u{a0}x",
            "user@host:9092",
            "256.0.0.1:9092",
            "a..b:1",
            "a b:1",
            "::1",
            "::1:9092",
            "[::1",
            "[::1]9092",
            "[::1]:",
            "[host]:9092",
            "[]:9092",
            "http://host:9092",
            "://host:9092",
            "SSL://",
            "SSL://SSL://host:9092",
            "a:1,SSL:/b:2",
            "127.0.0.1:1 127.0.0.1:2",
            "127.0.0.1:1;127.0.0.1:2",
        ] {
            assert!(Servers::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_names_the_part_that_is_wrong() {
        assert_eq!(
            Servers::parse("a:1,, b:2 ,").map(|servers| servers.to_string()),
            Ok("a:1,b:2".to_owned())
        );
        let refusal = Servers::parse("a:1,b:x").unwrap_err();
        assert_eq!(
            refusal,
            "\"b:x\" is no broker address: a port is a number from 1 to 65535"
        );
    }

    #[test]
    fn a_protocol_in_front_is_one_for_all() {
        let protocol = |text| Servers::parse(text).map(|servers| servers.protocol);
        assert_eq!(protocol("sasl_ssl://a:1,SASL_SSL://b:2"), Ok(Some("SASL_SSL")));
        assert_eq!(protocol("a:1,SSL://b:2"), Ok(Some("SSL")));
        assert_eq!(protocol("a:1"), Ok(None));
        assert!(protocol("SSL://a:1,PLAINTEXT://b:2").is_err());
    }

    /// Tried on Apache Kafka 4.3.1's tools, which connect to each of these.
    #[test]
    fn java_takes_more() {
        for (text, host, port) in [
            ("http://127.0.0.1:9092", "127.0.0.1", 9092),
            ("SSL://127.0.0.1:9092", "127.0.0.1", 9092),
            (":9092", "localhost", 9092),
            ("::1:9092", "::1", 9092),
            ("[::1]:9092", "::1", 9092),
        ] {
            assert_eq!(HostPort::parse(text), Some(HostPort::new(host, port)), "{text}");
        }
        for text in ["127.0.0.1:99999", "h:abc", "h:", "h:9092/path", "h :9092"] {
            assert_eq!(HostPort::parse(text), None, "{text}");
        }
    }

    #[test]
    fn shown_as_it_can_be_read_again() {
        for text in ["[::1]:9092", "host:1"] {
            assert_eq!(
                HostPort::parse(text)
                    .map(|address| address.to_string())
                    .as_deref(),
                Some(text)
            );
        }
    }
}
