//! A broker's address as people write it: `host:port`, `[::1]:9092`, `SSL://host:port`.

use std::fmt;

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

    /// Reads one address; a listener name in front (`SASL_SSL://`) is dropped, a missing port is 9092.
    pub fn parse(text: &str) -> Option<Self> {
        let address = without_scheme(text.trim());
        let (host, port) = split_port(address)?;
        let port = match port {
            Some(port) => port.parse().ok()?,
            None => DEFAULT_PORT,
        };
        let plain = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/' || c == ',');
        plain.then(|| Self::new(host, port))
    }

    /// Reads a list separated by commas; empty places are passed over. The error is the part that is no address.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts
            .map(|part| Self::parse(part).ok_or_else(|| part.to_owned()))
            .collect()
    }
}

fn without_scheme(text: &str) -> &str {
    match text.split_once("://") {
        Some((scheme, rest))
            if scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') =>
        {
            rest
        }
        _ => text,
    }
}

/// Host and, where there is one, port. A bare IPv6 address holds more than one colon and has no port.
fn split_port(address: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = address.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest {
            "" => Some((host, None)),
            rest => Some((host, Some(rest.strip_prefix(':')?))),
        };
    }
    match address.split_once(':') {
        Some((_, port)) if port.contains(':') => Some((address, None)),
        Some((host, port)) => Some((host, Some(port))),
        None => Some((address, None)),
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        for (text, host, port) in [
            ("db7:9093", "db7", 9093),
            ("db7", "db7", 9092),
            ("[::1]:19092", "::1", 19092),
            ("[fe80::1]", "fe80::1", 9092),
            ("::1", "::1", 9092),
            ("SASL_SSL://kafka.example.com:9094", "kafka.example.com", 9094),
        ] {
            assert_eq!(HostPort::parse(text), Some(HostPort::new(host, port)), "{text}");
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            ":9092",
            "host:",
            "host:99999",
            "host:9o92",
            "a b:1",
            "[::1",
            "[::1]9092",
            "127.0.0.1:1 127.0.0.1:2",
        ] {
            assert_eq!(HostPort::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_list_names_the_part_that_is_wrong() {
        assert_eq!(HostPort::parse_list("a:1,, b:2 ,").map(|list| list.len()), Ok(2));
        assert_eq!(HostPort::parse_list("a:1,b:x"), Err("b:x".to_owned()));
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
