//! The client's side of one connection: requests out, answers back in order, in versions that both sides know.
//!
//! Blocking, over a plain socket or TLS, with a time limit on every answer. An answer is never longer than its limit,
//! and is read as it arrives: a stated length takes no memory before the bytes are there.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, SaslAuthenticateRequest, SaslHandshakeRequest,
};
use kafka_protocol::protocol::{Request, StrBytes};
use rustix::net::sockopt;

use super::decode::decode;
use super::error::WireError;
use super::error_codes::{ILLEGAL_SASL_STATE, UNSUPPORTED_SASL_MECHANISM, UNSUPPORTED_VERSION};
use super::host_port::HostPort;
use super::sasl::Credentials;
use super::tls::Tls;
use super::transport::Transport;
use super::versions::ApiVersions;
use super::{frame, header, tls};

/// More messages than any mechanism needs; a broker that sends more is refused.
const MOST_SASL_MESSAGES: usize = 8;

/// How to reach and talk to a broker.
#[derive(Clone, Debug)]
pub struct ConnectionOptions {
    /// Sent with every request; the broker's logs and quotas use it.
    pub client_id: String,
    /// The longest wait for a connection to be set up, with TLS and SASL.
    pub connect_timeout: Duration,
    /// The longest wait for one answer.
    pub request_timeout: Duration,
    /// The longest answer that is accepted, in bytes.
    pub max_response_bytes: usize,
    /// Bytes of the socket's buffers; `None` leaves them to the kernel, which lets them grow as needed.
    pub send_buffer_bytes: Option<usize>,
    pub receive_buffer_bytes: Option<usize>,
    /// `None` for a connection without TLS.
    pub tls: Option<Tls>,
    /// `None` for a connection without SASL.
    pub credentials: Option<Credentials>,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            client_id: "kafkit".to_owned(),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            max_response_bytes: 1 << 30,
            send_buffer_bytes: None,
            receive_buffer_bytes: None,
            tls: None,
            credentials: None,
        }
    }
}

/// A request on its way: what is needed to read its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    correlation_id: i32,
    version: i16,
}

/// An open connection to one broker.
#[derive(Debug)]
pub struct Connection {
    pub(super) stream: Transport,
    address: HostPort,
    pub(super) client_id: StrBytes,
    versions: ApiVersions,
    next_correlation_id: i32,
    request_timeout: Duration,
    pub(super) max_response_bytes: usize,
    outgoing: BytesMut,
    /// Requests whose answers have not been read.
    unanswered: usize,
    credentials: Option<Credentials>,
    /// When the session is to be prolonged (KIP-368).
    pub(super) authenticate_again_at: Option<Instant>,
    tls: Option<Tls>,
    /// How to find out why the listener closes the connection; `None` once it has answered a request that only an
    /// accepted client may send.
    unproven: Option<Box<ConnectionOptions>>,
}

impl Connection {
    /// Connects, asks for the broker's versions, and authenticates where the options say so.
    pub fn open(address: &HostPort, options: &ConnectionOptions) -> Result<Self, WireError> {
        Self::open_bare(address, options).map_err(|error| error.at(address))
    }

    fn open_bare(address: &HostPort, options: &ConnectionOptions) -> Result<Self, WireError> {
        let end = Instant::now() + options.connect_timeout;
        let socket = connect(address, options)?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(WireError::TimedOut(options.connect_timeout));
        }
        let stream = Transport::over(socket, &address.host, options.tls.as_ref(), left)?;
        let mut connection = Self {
            stream,
            address: address.clone(),
            client_id: StrBytes::from_string(options.client_id.clone()),
            versions: ApiVersions::default(),
            next_correlation_id: 0,
            request_timeout: options.connect_timeout,
            max_response_bytes: options.max_response_bytes,
            outgoing: BytesMut::new(),
            unanswered: 0,
            credentials: options.credentials.clone(),
            authenticate_again_at: None,
            tls: options.tls.clone(),
            unproven: options.credentials.is_none().then(|| Box::new(options.clone())),
        };
        connection.learn_versions().map_err(|error| match error {
            WireError::Closed if options.tls.is_none() && hides_tls(address, options) => WireError::WantsTls,
            other => other,
        })?;
        connection.authenticate()?;
        connection.request_timeout = options.request_timeout;
        Ok(connection)
    }

    /// The longest wait for one answer from now on.
    pub fn set_request_timeout(&mut self, timeout: Duration) {
        self.request_timeout = timeout;
    }

    /// The broker's address.
    pub fn address(&self) -> &HostPort {
        &self.address
    }

    /// The API versions that the broker serves.
    pub fn versions(&self) -> &ApiVersions {
        &self.versions
    }

    /// The version in which `R` is sent: the highest that both sides know.
    pub fn version_of<R: Request>(&self) -> Result<i16, WireError> {
        self.versions.highest::<R>()
    }

    /// The highest version of `R` that both sides know, at most `limit`.
    pub fn version_up_to<R: Request>(&self, limit: i16) -> Result<i16, WireError> {
        self.versions.highest_up_to::<R>(limit)
    }

    /// Sends `request` and waits for its answer.
    pub fn send<R: Request>(&mut self, request: &R) -> Result<R::Response, WireError> {
        let version = self.version_of::<R>()?;
        self.send_as(request, version)
    }

    /// Sends the request that `build` makes for the version in use: for requests with fields that older versions lack.
    pub fn send_with<R: Request>(&mut self, build: impl FnOnce(i16) -> R) -> Result<R::Response, WireError> {
        let version = self.version_of::<R>()?;
        self.send_as(&build(version), version)
    }

    /// Sends `request` in `version` and waits for its answer.
    pub fn send_as<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response, WireError> {
        let sent = self.write(request, version)?;
        self.read::<R>(sent)
    }

    /// Sends `request` without waiting. Answers come in the order of the requests: [`Connection::read`] each.
    pub fn write<R: Request>(&mut self, request: &R, version: i16) -> Result<Sent, WireError> {
        let due = self
            .authenticate_again_at
            .is_some_and(|time| time <= Instant::now());
        if due && self.unanswered == 0 {
            self.authenticate()?;
        }
        self.write_now(request, version)
    }

    /// Sends a request as it is, with its header and without its length, and waits for its answer if it gets one: for a
    /// proxy.
    pub fn pass_on(&mut self, request: &[u8], wants_answer: bool) -> Result<Option<Bytes>, WireError> {
        self.outgoing.clear();
        let start = frame::begin(&mut self.outgoing);
        self.outgoing.extend_from_slice(request);
        frame::finish(&mut self.outgoing, start)?;
        self.stream
            .socket()
            .set_write_timeout(Some(self.request_timeout))?;
        if let Err(error) = self.stream.write_all(&self.outgoing) {
            return Err(self.last_word(error));
        }
        if !wants_answer {
            return Ok(None);
        }
        self.unanswered += 1;
        self.read_frame().map(Some)
    }

    fn write_now<R: Request>(&mut self, request: &R, version: i16) -> Result<Sent, WireError> {
        let correlation_id = self.take_correlation_id();
        self.outgoing.clear();
        let start = frame::begin(&mut self.outgoing);
        header::write_request::<R>(&mut self.outgoing, version, correlation_id, Some(&self.client_id))?;
        request
            .encode(&mut self.outgoing, version)
            .map_err(|cause| WireError::encode(R::KEY, version, &cause))?;
        frame::finish(&mut self.outgoing, start)?;
        self.stream
            .socket()
            .set_write_timeout(Some(self.request_timeout))?;
        if let Err(error) = self.stream.write_all(&self.outgoing) {
            return Err(self.last_word(error));
        }
        self.unanswered += 1;
        Ok(Sent {
            correlation_id,
            version,
        })
    }

    /// The number that the next request carries and its answer brings back.
    pub(super) fn take_correlation_id(&mut self) -> i32 {
        let correlation_id = self.next_correlation_id;
        self.next_correlation_id = correlation_id.wrapping_add(1) & i32::MAX;
        correlation_id
    }

    /// Waits for the answer to the oldest request still unanswered, which must be `sent`.
    pub fn read<R: Request>(&mut self, sent: Sent) -> Result<R::Response, WireError> {
        let mut answer = match self.read_frame() {
            Ok(answer) => {
                self.unproven = None;
                answer
            }
            Err(WireError::Closed) => return Err(self.explain_hang_up()),
            Err(error) => return Err(error),
        };
        let correlation_id = header::read_response::<R>(&mut answer, sent.version)?;
        if correlation_id != sent.correlation_id {
            return Err(WireError::garbled(format!(
                "it answers request {correlation_id}, and {} was asked",
                sent.correlation_id
            )));
        }
        decode(&mut answer, sent.version).map_err(|cause| WireError::decode(R::KEY, sent.version, &cause))
    }

    /// The next frame, whole, without its length.
    fn read_frame(&mut self) -> Result<Bytes, WireError> {
        let deadline = Instant::now() + self.request_timeout;
        let mut prefix = [0; frame::PREFIX_LEN];
        self.fill(&mut prefix, deadline)?;
        let length = frame::length(prefix, self.max_response_bytes)?;
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let have = bytes.len();
            // Twice what was read so far: a stated length alone reserves little.
            let next = length.min(have.max(1 << 16) * 2);
            bytes.resize(next, 0);
            self.fill(bytes.get_mut(have..).unwrap_or_default(), deadline)?;
        }
        self.unanswered = self.unanswered.saturating_sub(1);
        Ok(Bytes::from(bytes))
    }

    fn fill(&mut self, mut buffer: &mut [u8], deadline: Instant) -> Result<(), WireError> {
        while !buffer.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(WireError::TimedOut(self.request_timeout));
            }
            self.stream.socket().set_read_timeout(Some(left))?;
            match self.stream.read(buffer) {
                Ok(0) => return Err(WireError::Closed),
                Ok(count) => buffer = std::mem::take(&mut buffer).get_mut(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failure(error)),
            }
        }
        Ok(())
    }

    /// A failure of the stream as a [`WireError`].
    fn failure(&self, error: io::Error) -> WireError {
        match self.tls.as_ref().and_then(|tls| tls.explain_late(&error)) {
            Some(failure) => failure,
            None => timed_out(error, self.request_timeout),
        }
    }

    /// The failure of a send. A broker that closes a TLS connection may have sent the reason before.
    fn last_word(&mut self, error: io::Error) -> WireError {
        let written = self.failure(error);
        if self.tls.is_none() || !matches!(written, WireError::Closed) {
            return written;
        }
        let mut byte = [0];
        // A broker that still sends data has not refused us; the data is not used.
        self.stream
            .read_exact(&mut byte)
            .map_or_else(|error| self.failure(error), |()| written)
    }

    /// Why the listener closes the connection at the first real request: one with SASL does so if the client has not
    /// authenticated.
    fn explain_hang_up(&mut self) -> WireError {
        let Some(options) = self.unproven.take() else {
            return WireError::Closed;
        };
        match Self::mechanisms_at(&self.address, &options) {
            Ok(Some(mechanisms)) => WireError::WantsSasl(mechanisms),
            Ok(None) | Err(_) => WireError::Closed,
        }
    }

    /// The SASL mechanisms of a listener, asked for over a separate connection; `None` if it has no SASL.
    fn mechanisms_at(
        address: &HostPort,
        options: &ConnectionOptions,
    ) -> Result<Option<Vec<String>>, WireError> {
        let mut probe = Self::open_bare(address, options)?;
        probe.unproven = None;
        let version = probe.version_of::<SaslHandshakeRequest>()?;
        // No mechanism has an empty name, so the answer is an error with the list of mechanisms.
        let answer = probe.send_as(&SaslHandshakeRequest::default(), version)?;
        let names = answer.mechanisms.iter().map(ToString::to_string).collect();
        Ok((answer.error_code == UNSUPPORTED_SASL_MECHANISM).then_some(names))
    }

    /// Asks for the broker's versions. A broker that does not know our version of the request answers in version 0 with
    /// its versions of this one API (KIP-511), or, before 2.4, with the error alone.
    fn learn_versions(&mut self) -> Result<(), WireError> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("kafkit"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let sent = self.write(&request, 3)?;
        let mut answer = self.read_frame()?;
        header::read_response::<ApiVersionsRequest>(&mut answer, 3)?;
        let refused = answer.get(..2) == Some(&UNSUPPORTED_VERSION.to_be_bytes());
        let versions = if refused {
            self.send_as(&ApiVersionsRequest::default(), 0)?
        } else {
            decode::<ApiVersionsResponse>(&mut answer, sent.version)
                .map_err(|cause| WireError::decode(ApiKey::ApiVersions as i16, sent.version, &cause))?
        };
        if versions.error_code != 0 {
            return Err(WireError::garbled(format!(
                "ApiVersions: error {}",
                versions.error_code
            )));
        }
        self.versions = ApiVersions::of(&versions);
        Ok(())
    }

    /// Authenticates if there are credentials: at the start, and again before the session ends.
    fn authenticate(&mut self) -> Result<(), WireError> {
        let Some(credentials) = self.credentials.take() else {
            return Ok(());
        };
        let outcome = self.authenticate_as(&credentials);
        self.credentials = Some(credentials);
        outcome
    }

    /// Prolongs the session (KIP-368) of a connection with nothing in flight.
    pub fn authenticate_again(mut self) -> Result<Self, WireError> {
        self.authenticate().map_err(|error| error.at(&self.address))?;
        Ok(self)
    }

    fn authenticate_as(&mut self, credentials: &Credentials) -> Result<(), WireError> {
        let refused = |message: String| WireError::Authentication {
            mechanism: credentials.mechanism().to_owned(),
            message,
        };
        self.choose_mechanism(credentials.mechanism())
            .map_err(|error| match error {
                // A listener without SASL closes the connection at the handshake.
                WireError::Closed => WireError::HasNoSasl(credentials.mechanism().to_owned()),
                other => other,
            })?;
        let version = self.version_of::<SaslAuthenticateRequest>()?;
        let (mut conversation, mut message) = credentials.begin().map_err(refused)?;
        for _ in 0..MOST_SASL_MESSAGES {
            let request = SaslAuthenticateRequest::default().with_auth_bytes(message.into());
            let sent = self.write_now(&request, version)?;
            let answer = self.read::<SaslAuthenticateRequest>(sent)?;
            if answer.error_code != 0 {
                let text = answer.error_message.map(|text| text.to_string());
                return Err(refused(
                    text.unwrap_or_else(|| format!("error {}", answer.error_code)),
                ));
            }
            let Some(next) = conversation.answer(&answer.auth_bytes).map_err(refused)? else {
                self.authenticate_again_at = prolong_at(answer.session_lifetime_ms);
                return Ok(());
            };
            message = next;
        }
        Err(refused("the broker never comes to an end".to_owned()))
    }

    fn choose_mechanism(&mut self, mechanism: &str) -> Result<(), WireError> {
        // A broker without SASL need not know the request.
        if self.versions.range(SaslHandshakeRequest::KEY).is_none() {
            return Err(WireError::HasNoSasl(mechanism.to_owned()));
        }
        let version = self.version_of::<SaslHandshakeRequest>()?;
        if version < 1 {
            return Err(WireError::Unsupported(
                "the broker is older than SaslAuthenticate (Kafka 1.0): SASL works from 1.0 on".to_owned(),
            ));
        }
        let name = StrBytes::from_string(mechanism.to_owned());
        let sent = self.write_now(&SaslHandshakeRequest::default().with_mechanism(name), version)?;
        let answer = self.read::<SaslHandshakeRequest>(sent)?;
        if answer.error_code == 0 {
            return Ok(());
        }
        let offered: Vec<&str> = answer.mechanisms.iter().map(|name| &**name).collect();
        let offered = format!("enabled mechanisms are [{}]", offered.join(", "));
        // In the words of Kafka's own client.
        let message = match answer.error_code {
            UNSUPPORTED_SASL_MECHANISM => {
                format!("Client SASL mechanism '{mechanism}' not enabled in the server, {offered}")
            }
            ILLEGAL_SASL_STATE => return Err(WireError::HasNoSasl(mechanism.to_owned())),
            code => format!("Unknown error code {code}, client mechanism is {mechanism}, {offered}"),
        };
        Err(WireError::Authentication {
            mechanism: mechanism.to_owned(),
            message,
        })
    }
}

/// When to authenticate again: after 85 % of the session, as Java's client does at the earliest.
fn prolong_at(session_lifetime_ms: i64) -> Option<Instant> {
    let lifetime = u64::try_from(session_lifetime_ms)
        .ok()
        .filter(|millis| *millis > 0)?;
    Instant::now().checked_add(Duration::from_millis(lifetime / 100 * 85))
}

/// Whether a listener that closes connections without TLS answers one with TLS.
fn hides_tls(address: &HostPort, options: &ConnectionOptions) -> bool {
    let Ok(socket) = connect(address, options) else {
        return false;
    };
    let limit = Some(options.connect_timeout);
    let is_limited = socket
        .set_read_timeout(limit)
        .and_then(|()| socket.set_write_timeout(limit));
    is_limited.is_ok() && tls::speaks_tls(&address.host, socket)
}

/// Connects to the first of the host's addresses that answers.
fn connect(address: &HostPort, options: &ConnectionOptions) -> Result<TcpStream, WireError> {
    match connect_to_any(&resolve(address)?, options) {
        Some(outcome) => outcome,
        None => Err(WireError::Unresolvable(address.clone())),
    }
}

/// Connects to the first address that answers; `None` where there is none. The time limit is divided among the
/// addresses, so that one that does not answer leaves time for the others.
fn connect_to_any(
    addresses: &[SocketAddr],
    options: &ConnectionOptions,
) -> Option<Result<TcpStream, WireError>> {
    let deadline = Instant::now() + options.connect_timeout;
    let mut outcome = None;
    for (address, others) in addresses.iter().zip((1..=addresses.len() as u32).rev()) {
        let left = deadline.saturating_duration_since(Instant::now()) / others;
        if left.is_zero() {
            return Some(Err(WireError::TimedOut(options.connect_timeout)));
        }
        match TcpStream::connect_timeout(address, left).and_then(|stream| with_buffers(stream, options)) {
            Ok(stream) => return Some(Ok(stream)),
            Err(error) => outcome = Some(Err(timed_out(error, options.connect_timeout))),
        }
    }
    outcome
}

fn with_buffers(stream: TcpStream, options: &ConnectionOptions) -> io::Result<TcpStream> {
    if let Some(bytes) = options.send_buffer_bytes {
        sockopt::set_socket_send_buffer_size(&stream, bytes)?;
    }
    if let Some(bytes) = options.receive_buffer_bytes {
        sockopt::set_socket_recv_buffer_size(&stream, bytes)?;
    }
    Ok(stream)
}

/// The addresses of the host.
pub(super) fn resolve(address: &HostPort) -> Result<Vec<SocketAddr>, WireError> {
    let found = (address.host.as_str(), address.port).to_socket_addrs();
    found
        .map(Iterator::collect)
        .map_err(|_| WireError::Unresolvable(address.clone()))
}

/// Recognizes a socket's time-out, which some platforms report as "would block".
pub(super) fn timed_out(error: io::Error, limit: Duration) -> WireError {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => WireError::TimedOut(limit),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A listener that takes no more connections: the kernel drops further ones, as a firewall does.
    fn deaf() -> (TcpListener, Vec<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut taken = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            taken.push(stream);
        }
        (listener, taken)
    }

    #[test]
    fn an_address_that_does_not_answer_leaves_time_for_the_next() {
        let (deaf, _taken) = deaf();
        let good = TcpListener::bind("127.0.0.1:0").unwrap();
        let addresses = [deaf.local_addr().unwrap(), good.local_addr().unwrap()];
        let options = ConnectionOptions {
            connect_timeout: Duration::from_secs(1),
            ..ConnectionOptions::default()
        };
        let begun = Instant::now();
        let stream = connect_to_any(&addresses, &options).unwrap().unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
        assert!(begun.elapsed() < Duration::from_secs(1));
        let outcome = connect_to_any(&addresses[..1], &options).unwrap();
        assert!(matches!(outcome, Err(WireError::TimedOut(_))), "{outcome:?}");
        assert!(connect_to_any(&[], &options).is_none());
    }

    #[test]
    fn buffers_have_the_size_that_is_asked_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let options = ConnectionOptions {
            send_buffer_bytes: Some(20_000),
            receive_buffer_bytes: Some(30_000),
            ..ConnectionOptions::default()
        };
        let addresses = [listener.local_addr().unwrap()];
        let stream = connect_to_any(&addresses, &options).unwrap().unwrap();
        // The kernel doubles them for its own records.
        assert_eq!(sockopt::socket_send_buffer_size(&stream).unwrap(), 40_000);
        assert_eq!(sockopt::socket_recv_buffer_size(&stream).unwrap(), 60_000);
    }
}
