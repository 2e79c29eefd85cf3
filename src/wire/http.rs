//! One request to an HTTP server, one answer (RFC 9112), for the tokens and keys of OAuth servers.
//!
//! Not an HTTP library: one request a connection, no redirects, an answer of at most a megabyte, one time limit for all
//! of it.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::host_port::host_port;
use super::secret::Secret;
use super::system_authorities;
use super::tls::{Tls, TlsOptions, Trust};
use crate::error::io_words;

/// The longest answer that is accepted, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// An address with `http` or `https`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub secure: bool,
    pub host: String,
    pub port: u16,
    /// With the query, if there is one.
    pub path: String,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// An HTTP server, and the longest wait for its answer.
#[derive(Debug)]
pub struct HttpServer {
    pub url: Url,
    /// Needed where the address is `https`.
    pub tls: Option<Tls>,
    pub timeout: Duration,
}

impl HttpServer {
    /// `host:port`, for messages.
    pub fn place(&self) -> String {
        host_port(&self.url.host, self.url.port)
    }

    /// Sends a request and takes its answer. The error is a message without the request.
    pub fn ask(&self, request: &Secret) -> Result<HttpAnswer, String> {
        let answer = self.exchange(request)?;
        parse_answer(&answer).ok_or_else(|| "an answer that is no HTTP".to_owned())
    }

    fn exchange(&self, request: &Secret) -> Result<Vec<u8>, String> {
        let deadline = Instant::now() + self.timeout;
        let mut socket = self.connect().map_err(|cause| io_words(&cause))?;
        let limits = socket
            .set_read_timeout(Some(self.timeout))
            .and_then(|()| socket.set_write_timeout(Some(self.timeout)));
        limits.map_err(|cause| io_words(&cause))?;
        let outcome = match &self.tls {
            None => talk(&mut socket, request.reveal(), deadline),
            Some(tls) => {
                let mut stream = tls
                    .connect(&self.url.host, socket)
                    .map_err(|cause| cause.to_string())?;
                talk(&mut stream, request.reveal(), deadline)
            }
        };
        outcome.map_err(|cause| io_words(&cause))
    }

    fn connect(&self) -> std::io::Result<TcpStream> {
        let mut failure = std::io::Error::from(std::io::ErrorKind::NotFound);
        for address in (self.url.host.as_str(), self.url.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, self.timeout) {
                Ok(socket) => return Ok(socket),
                Err(cause) => failure = cause,
            }
        }
        Err(failure)
    }
}

/// TLS that trusts the authorities in this file or folder; without one, those that this machine trusts.
pub fn tls_trusting(authorities: Option<&std::path::Path>) -> Result<Tls, String> {
    let path = authorities.map(Into::into).or_else(system_authorities::bundle);
    let path = path.ok_or("this machine has no list of certificate authorities: install ca-certificates")?;
    let trusted = system_authorities::read(&path);
    let trusted = trusted.map_err(|problem| format!("{}: {problem}", path.display()))?;
    let options = TlsOptions {
        trust: Trust::Certificates(trusted),
        ..TlsOptions::default()
    };
    Tls::new(&options).map_err(|error| error.to_string())
}

/// Sends the request and reads until the answer is whole or the server closes the connection.
fn talk(stream: &mut (impl Read + Write), request: &str, deadline: Instant) -> std::io::Result<Vec<u8>> {
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer)?;
        answer.extend_from_slice(buffer.get(..count).unwrap_or_default());
        if count == 0 || is_whole(&answer) {
            return Ok(answer);
        }
        if answer.len() > MOST_BYTES {
            return Err(std::io::Error::other("its answer is too long"));
        }
        if Instant::now() > deadline {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
    }
}

/// Whether the answer states its length and has it.
fn is_whole(answer: &[u8]) -> bool {
    let Some((head, body)) = split_head(answer) else {
        return false;
    };
    match header(&head, "content-length").and_then(|length| length.parse::<usize>().ok()) {
        Some(length) => body.len() >= length,
        None => body.ends_with(b"0\r\n\r\n"),
    }
}

fn parse_answer(answer: &[u8]) -> Option<HttpAnswer> {
    let (head, body) = split_head(answer)?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let chunked =
        header(&head, "transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    let body = if chunked { unchunk(body)? } else { body.to_vec() };
    Some(HttpAnswer { status, body })
}

fn split_head(answer: &[u8]) -> Option<(String, &[u8])> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(answer.get(..end)?).into_owned();
    Some((head, answer.get(end + 4..)?))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then(|| value.trim()))
}

fn unchunk(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(body.get(..end)?)
            .ok()?
            .split(';')
            .next()?
            .trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        let (chunk, rest) = body.get(end + 2..)?.split_at_checked(size)?;
        whole.extend_from_slice(chunk);
        body = rest.strip_prefix(b"\r\n")?;
    }
}

impl Url {
    /// Reads an address; `None` if it is neither `http` nor `https`.
    pub fn parse(text: &str) -> Option<Self> {
        let (secure, rest) = match text.split_once("://")? {
            ("https", rest) => (true, rest),
            ("http", rest) => (false, rest),
            _ => return None,
        };
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/"),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, if secure { 443 } else { 80 }),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let sound =
            !host.is_empty() && !text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '@');
        sound.then(|| Self {
            secure,
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses() {
        let url = |secure, host: &str, port, path: &str| {
            Some(Url {
                secure,
                host: host.into(),
                port,
                path: path.into(),
            })
        };
        assert_eq!(
            Url::parse("https://a.example/x/y?z"),
            url(true, "a.example", 443, "/x/y?z")
        );
        assert_eq!(Url::parse("http://[::1]:8080"), url(false, "::1", 8080, "/"));
        for wrong in [
            "ftp://a",
            "https://",
            "a",
            "https://a b/",
            "https://a/\r\nX: y",
            "https://user@a/",
        ] {
            assert_eq!(Url::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(bytes: Vec<u8>, body in "[0-9a-f\r\n]{0,40}") {
            let _ = parse_answer(&bytes);
            let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
            let _ = parse_answer(chunked.as_bytes());
            let _ = is_whole(chunked.as_bytes());
        }
    }
}
