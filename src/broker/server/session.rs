//! One connection: frames in, answers out, strictly one request at a time, as Kafka does.
//!
//! Owns what closes a connection: an impossible length, an API or version that is not served, bytes that cannot be
//! decoded. How frames and headers are written is in wire/; owns no field of any API.
//! <https://kafka.apache.org/protocol#protocol_preliminary>

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::ApiKey;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};

use super::connections::{ConnectionGuard, Listener};
use super::request_log::LoggedRequest;
use super::send;
use super::stream::Stream;
use super::thread_time::Timed;
use crate::broker::access::{AclOperation, Principal};
use crate::broker::apis::{self, Api};
use crate::broker::call::{Call, RequestContext, Throttle};
use crate::broker::faults::gate;
use crate::broker::node::Node;
use crate::broker::quotas::Sender;
use crate::broker::refusal::Refusal;
use crate::broker::response::Answer;
use crate::broker::security::authentication::Authentication;
use crate::broker::throttle_field;
use crate::broker::timers::{now_ms, steady_ms};
use crate::wire::frame;
use crate::wire::header::RequestStart;

/// Bytes to read at a time while the length of the next frame is not known.
const READ_SIZE: usize = 16 * 1024;
/// At most this much memory is reserved for a frame before its bytes arrive; a longer one gets memory as it arrives,
/// so that its length alone takes none.
const TRUSTED_FRAME: usize = 4 * 1024 * 1024;
/// How long an idle connection keeps the buffer of its last request.
const RESTING: Duration = Duration::from_secs(1);
/// Bytes read ahead while a request waits for its answer.
const READ_AHEAD: usize = 64 * 1024;
/// How long a waiting request is continued after its client has closed the connection.
const GRACE: Duration = Duration::from_secs(3);

/// How long a client may take to authenticate, the TLS handshake included.
const LOGIN_TIME: Duration = Duration::from_secs(30);

/// Why a connection ended.
enum End {
    /// The peer closed it, or was idle for too long.
    Quiet,
    /// The peer broke the protocol.
    Refused(Refusal),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        End::Quiet
    }
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        End::Refused(refusal)
    }
}

/// One client's connection.
struct Session {
    node: Arc<Node>,
    listener: Arc<Listener>,
    stream: Stream,
    authentication: Arc<Authentication>,
    /// The permit to log in, and its deadline; `None` once the client has authenticated.
    login: Option<(OwnedSemaphorePermit, Instant)>,
    client_host: IpAddr,
    guard: ConnectionGuard,
    throttle: Throttle,
    /// The fault rules that have hit the current request.
    faults: Vec<u64>,
    /// Bytes that were read and are not answered yet.
    input: BytesMut,
}

/// Serves one connection until it ends. `login` is its permit to log in.
pub(in crate::broker) async fn run(
    node: Arc<Node>,
    listener: Arc<Listener>,
    stream: TcpStream,
    guard: ConnectionGuard,
    login: Option<OwnedSemaphorePermit>,
) {
    let Ok(peer) = stream.peer_addr() else { return };
    let authentication = Arc::new(Authentication::new(Arc::clone(&listener.security)));
    let idle = Duration::from_millis(node.config.connections_max_idle_ms);
    let deadline = Instant::now() + LOGIN_TIME.min(idle);
    let stream = match secure(&node, &listener, stream, &authentication, deadline).await {
        Ok(stream) => stream,
        Err(refusal) => return node.notice(format_args!("closed {}: {refusal}", peer.ip())),
    };
    let mut session = Session {
        node,
        listener,
        stream,
        authentication,
        login: login.map(|place| (place, deadline)),
        client_host: peer.ip(),
        guard,
        throttle: Throttle::default(),
        faults: Vec::new(),
        input: BytesMut::new(),
    };
    if let Err(End::Refused(refusal)) = session.serve().await {
        let host = session.client_host;
        session.node.notice(format_args!("closed {host}: {refusal}"));
    }
    session
        .node
        .share
        .connection_closed(session.guard.number, steady_ms());
}

/// The TLS handshake, on a listener that has TLS.
async fn secure(
    node: &Node,
    listener: &Listener,
    stream: TcpStream,
    authentication: &Authentication,
    deadline: Instant,
) -> Result<Stream, Refusal> {
    let Some(tls) = &listener.security.tls else {
        return Ok(Stream::Plain(stream));
    };
    let acceptor = {
        let image = node.cluster.image();
        let (acceptor, reloaded) = tls.acceptor(node.broker_values(&image), std::time::Instant::now());
        if let Err(error) = reloaded {
            node.notice(format_args!("{error}; the certificate from before stays in use"));
        }
        acceptor
    };
    let accepted = timeout_at(deadline, Stream::accept(&acceptor, stream)).await;
    let accepted = accepted.map_err(|_| Refusal::new("the TLS handshake took too long"))?;
    let stream = accepted.map_err(Refusal::new)?;
    match stream.certificate() {
        Some(certificate) if !authentication.take_certificate(&certificate) => Err(Refusal::new(
            "no rule of ssl.principal.mapping.rules has a name for the client",
        )),
        _ => Ok(stream),
    }
}

impl Session {
    async fn serve(&mut self) -> Result<(), End> {
        loop {
            let deadline = self.deadline();
            let frame = match timeout_at(deadline, self.read_frame()).await {
                Ok(frame) => frame?,
                Err(_) if self.login.is_some() => {
                    return Err(End::Refused(Refusal::new("the client has not logged in in time")));
                }
                Err(_) => return Ok(()),
            };
            let Some(frame) = frame else { return Ok(()) };
            self.node.gate.open().await;
            let answer = if self.authentication.takes_raw_token() {
                self.answer_token(&frame)?
            } else {
                self.answer(frame).await?
            };
            // The node may have been paused meanwhile.
            self.node.gate.open().await;
            match answer {
                Answer::Nothing => {}
                Answer::Frame(frame) => send::frame(&mut self.stream, &frame).await?,
                Answer::Pieces(pieces) => send::pieces(&mut self.stream, pieces).await?,
                Answer::Silence => return self.fall_silent().await,
                Answer::Close => return Ok(()),
            }
            if self.authentication.has_failed() {
                return self.end_failed_login().await;
            }
            let throttle_ms = u64::try_from(self.throttle.take_ms()).unwrap_or(0);
            if throttle_ms > 0 {
                self.rest(Duration::from_millis(throttle_ms)).await?;
            }
        }
    }

    /// When the next request must have arrived: a client that has not authenticated has little time.
    fn deadline(&mut self) -> Instant {
        if self.authentication.principal().is_some() {
            self.login = None;
        }
        let idle = Instant::now() + Duration::from_millis(self.node.config.connections_max_idle_ms);
        self.login
            .as_ref()
            .map_or(idle, |(_, deadline)| idle.min(*deadline))
    }

    /// Closes the connection of a client whose login was refused, after a delay: that slows down guessing passwords.
    async fn end_failed_login(&mut self) -> Result<(), End> {
        let delay_ms = self
            .node
            .config
            .number("connection.failed.authentication.delay.ms");
        self.rest(Duration::from_millis(u64::try_from(delay_ms).unwrap_or(0)))
            .await?;
        Err(End::Refused(Refusal::new("the login was refused")))
    }

    /// The answer to a SASL token without a request around it, after `SaslHandshake` version 0.
    fn answer_token(&self, token: &[u8]) -> Result<Answer, End> {
        let image = self.node.cluster.image();
        let reply = self.authentication.token(token, &image, steady_ms(), now_ms());
        if reply.error.is_some() {
            return Err(End::Refused(Refusal::new("the login was refused")));
        }
        let mut frame = BytesMut::new();
        frame::begin(&mut frame);
        frame.extend_from_slice(&reply.bytes);
        frame::finish_with(&mut frame, 0, 0).map_err(Refusal::new)?;
        Ok(Answer::Frame(frame))
    }

    /// Answers nothing more, and reads on until the client leaves.
    async fn fall_silent(&mut self) -> Result<(), End> {
        loop {
            self.input.clear();
            self.input.reserve(READ_SIZE);
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Mutes the connection for a while: the client has used more than its quota allows.
    async fn rest(&mut self, time: Duration) -> Result<(), End> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = client_left(&mut self.stream, &mut self.input) => Err(End::Quiet),
        }
    }

    /// The next frame without its length, or `None` if the peer has closed the connection.
    async fn read_frame(&mut self) -> Result<Option<BytesMut>, End> {
        while self.input.len() < frame::PREFIX_LEN {
            if self.read_first().await? == 0 {
                return Ok(None);
            }
        }
        let length = self.frame_length()?;
        self.input.advance(frame::PREFIX_LEN);
        while self.input.len() < length {
            // Grow only a full buffer: growing copies what it holds.
            if self.input.len() == self.input.capacity() {
                let missing = length - self.input.len();
                self.input
                    .reserve(missing.min(TRUSTED_FRAME.max(self.input.len())));
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Ok(None);
            }
        }
        Ok(Some(self.input.split_to(length)))
    }

    /// Reads the beginning of the next frame. An idle connection gives up its buffer, which would otherwise stay as
    /// large as its largest frame.
    async fn read_first(&mut self) -> io::Result<usize> {
        self.input.reserve(READ_SIZE);
        if let Ok(read) = timeout(RESTING, self.stream.read_buf(&mut self.input)).await {
            return read;
        }
        self.input = BytesMut::from(self.input.as_ref());
        self.stream.readable(&mut self.input).await?;
        self.input.reserve(READ_SIZE);
        self.stream.read_buf(&mut self.input).await
    }

    fn frame_length(&self) -> Result<usize, Refusal> {
        let prefix = self.input.first_chunk().copied().unwrap_or_default();
        let limit = match self.authentication.principal() {
            Some(_) => self.node.config.socket_request_max_bytes,
            None => self.node.config.sasl_server_max_receive_size,
        };
        let is_token = self.authentication.takes_raw_token();
        let spoken = match frame::length(prefix, limit) {
            Ok(length) if length >= RequestStart::LEN || is_token => return Ok(length),
            Ok(_) => None,
            Err(error) => error.speaks(),
        };
        Err(match spoken {
            Some("TLS") => Refusal::new("this is TLS, and the listener is plaintext"),
            Some(protocol) => Refusal::new(format!("this is {protocol}, not the Kafka protocol")),
            None => Refusal::new(format!(
                "a frame of {} bytes; {} to {limit} can be",
                i32::from_be_bytes(prefix),
                RequestStart::LEN
            )),
        })
    }

    /// Decodes the header, finds the handler, and waits for it.
    async fn answer(&mut self, mut frame: BytesMut) -> Result<Answer, End> {
        let header = RequestStart::read(&frame)
            .ok_or_else(|| Refusal::new("a frame shorter than a request header"))?;
        let rehearsal = &self.node.config.rehearsal;
        let Some(api) = apis::find_served(rehearsal, header.api_key, header.version) else {
            if header.api_key == ApiKey::ApiVersions as i16 {
                return Ok(apis::unsupported_api_versions(rehearsal, header.correlation_id)?);
            }
            return Err(End::Refused(Refusal::new(format!(
                "API key {} version {} is not served",
                header.api_key, header.version
            ))));
        };
        let (client_id, body) = header
            .read_client_id(api.key, &frame)
            .ok_or_else(|| Refusal::new("a truncated request header"))?;
        frame.advance(body);
        if !self.authentication.admits(api.key, steady_ms()) {
            let words = format!(
                "{:?} of a client that has not logged in, or whose login has expired",
                api.key
            );
            return Err(End::Refused(Refusal::new(words)));
        }
        let call = Call {
            context: RequestContext {
                api: api.key,
                version: header.version,
                correlation_id: header.correlation_id,
                client_id: client_id.unwrap_or_default(),
                client_host: self.client_host,
                principal: self.authentication.principal().unwrap_or(Principal::ANONYMOUS),
                authentication: Arc::clone(&self.authentication),
                listener: Arc::clone(&self.listener),
                connection: self.guard.number,
                newer_fields: Bytes::new(),
                throttle: self.throttle.clone(),
            },
            node: Arc::clone(&self.node),
            body: frame,
            shape: api.shape(header.version),
        };
        if !rehearsal.logs_requests {
            return self.outcome(api, call).await;
        }
        let logged = LoggedRequest::of(&call);
        let began = Instant::now();
        let answer = self.outcome(api, call).await?;
        let rules = self.node.config.rehearsal.faults.words(&self.faults);
        self.node.notice(logged.line(&answer, began.elapsed(), &rules));
        Ok(answer)
    }

    /// Waits for the answer to a request as long as its client does, and counts the thread time that it takes.
    async fn outcome(&mut self, api: &'static Api, call: Call) -> Result<Answer, End> {
        let version = call.context.version;
        let client = self
            .measured(api)
            .then(|| (call.context.principal.clone(), call.context.client_id.clone()));
        let losses = self.node.coordinator_losses();
        let (outcome, rules) = gate::outcome(api, call);
        self.faults = rules;
        let mut outcome = Timed::new(outcome);
        let (answer, spent) = tokio::select! {
            biased;
            answer = &mut outcome => answer,
            () = client_left(&mut self.stream, &mut self.input) => return Err(End::Quiet),
        };
        if api.is_coordinated() && !self.node.coordinators_are_replicated(losses).await {
            // Whether the change lasts is not known: the client will look for the coordinator again.
            return Err(End::Quiet);
        }
        if let Some((principal, client_id)) = client {
            let sender = Sender {
                user: &principal.name,
                client_id: &client_id,
            };
            self.count_time(sender, spent);
        }
        Ok(match self.throttle.ms() {
            0 => answer?,
            throttle_ms => throttle_field::raise(answer?, api.key, version, throttle_ms),
        })
    }

    /// Whether the time of a request counts: only if there are quotas, and never for requests between brokers.
    fn measured(&self, api: &Api) -> bool {
        let is_of_brokers = api
            .access
            .iter()
            .any(|(operation, _)| *operation == AclOperation::ClusterAction);
        !is_of_brokers && !self.node.cluster.image().client_quotas().is_empty()
    }

    /// Slows a client down whose requests have taken more time than its quota allows.
    fn count_time(&self, sender: Sender<'_>, spent: Duration) {
        let image = self.node.cluster.image();
        let quotas = &self.node.quotas;
        self.throttle
            .raise_ms(quotas.record_time(&image, sender, spent, steady_ms()));
    }
}

/// Reads ahead while a request waits, and returns some seconds after the client has closed its side, so that a
/// request that waits long does not outlive its client.
async fn client_left(stream: &mut Stream, input: &mut BytesMut) {
    while input.len() < READ_AHEAD {
        // The buffer grows only once bytes arrive: until then its memory is free for other requests.
        if stream.readable(input).await.is_err() {
            return tokio::time::sleep(GRACE).await;
        }
        input.reserve(READ_SIZE);
        match stream.read_buf(input).await {
            Ok(0) | Err(_) => return tokio::time::sleep(GRACE).await,
            Ok(_) => {}
        }
    }
    std::future::pending::<()>().await;
}
