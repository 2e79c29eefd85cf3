//! One connection: frames in, answers out, strictly one request at a time, as Kafka has it.
//!
//! Owns what closes a connection: a length that cannot be, an API or version that is not served, bytes that cannot be
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
use tokio::time::timeout;

use super::connections::{ConnectionGuard, Listener};
use super::send;
use super::thread_time::Timed;
use crate::broker::access::{AclOperation, Principal};
use crate::broker::apis::{self, Api};
use crate::broker::call::{Call, RequestContext, Throttle};
use crate::broker::node::Node;
use crate::broker::quotas::Sender;
use crate::broker::refusal::Refusal;
use crate::broker::response::Answer;
use crate::broker::throttle_field;
use crate::broker::timers::steady_ms;
use crate::wire::frame;
use crate::wire::header::RequestStart;

/// Bytes that a connection reads at once while the length of the next frame is not known.
const READ_SIZE: usize = 16 * 1024;
/// The buffer for a frame is at most this large before its bytes arrive; a longer frame gets memory as it arrives, so
/// that a length alone takes none.
const TRUSTED_FRAME: usize = 4 * 1024 * 1024;
/// How long an idle connection keeps the buffer of its last request.
const RESTING: Duration = Duration::from_secs(1);
/// Bytes read ahead while a request waits for its answer.
const READ_AHEAD: usize = 64 * 1024;
/// How long a waiting request goes on after its client has closed the connection.
const GRACE: Duration = Duration::from_secs(3);

/// Why a connection ended.
enum End {
    /// The peer closed it, or was idle for too long.
    Quiet,
    /// The peer broke the rules.
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
pub(in crate::broker) struct Session {
    node: Arc<Node>,
    listener: Arc<Listener>,
    stream: TcpStream,
    client_host: IpAddr,
    guard: ConnectionGuard,
    throttle: Throttle,
    /// What has been read and not been answered yet.
    input: BytesMut,
}

impl Session {
    pub(in crate::broker) fn new(
        node: Arc<Node>,
        listener: Arc<Listener>,
        stream: TcpStream,
        client_host: IpAddr,
        guard: ConnectionGuard,
    ) -> Self {
        Self {
            node,
            listener,
            stream,
            client_host,
            guard,
            throttle: Throttle::default(),
            input: BytesMut::new(),
        }
    }

    /// Serves the connection until it ends.
    pub(in crate::broker) async fn run(mut self) {
        if let Err(End::Refused(refusal)) = self.serve().await {
            self.node
                .notice(format_args!("closed {}: {refusal}", self.client_host));
        }
        self.node.share.connection_closed(self.guard.number, steady_ms());
    }

    async fn serve(&mut self) -> Result<(), End> {
        let idle = Duration::from_millis(self.node.config.connections_max_idle_ms);
        loop {
            let frame = match timeout(idle, self.read_frame()).await {
                Ok(frame) => frame?,
                Err(_) => return Ok(()),
            };
            let Some(frame) = frame else { return Ok(()) };
            match self.answer(frame).await? {
                Answer::Nothing => {}
                Answer::Frame(frame) => send::frame(&mut self.stream, &frame).await?,
                Answer::Pieces(pieces) => send::pieces(&mut self.stream, pieces).await?,
            }
            let throttle_ms = u64::try_from(self.throttle.take_ms()).unwrap_or(0);
            if throttle_ms > 0 {
                self.rest(Duration::from_millis(throttle_ms)).await?;
            }
        }
    }

    /// Serves nothing for a while: the client has used more than its quota allows.
    async fn rest(&mut self, time: Duration) -> Result<(), End> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = client_left(&mut self.stream, &mut self.input) => Err(End::Quiet),
        }
    }

    /// The next frame without its length, or nothing if the peer is done.
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

    /// Reads the beginning of the next frame. A connection that is idle gives up its buffer, which would otherwise stay
    /// as large as the largest frame.
    async fn read_first(&mut self) -> io::Result<usize> {
        self.input.reserve(READ_SIZE);
        if let Ok(read) = timeout(RESTING, self.stream.read_buf(&mut self.input)).await {
            return read;
        }
        self.input = BytesMut::from(self.input.as_ref());
        self.stream.readable().await?;
        self.input.reserve(READ_SIZE);
        self.stream.read_buf(&mut self.input).await
    }

    fn frame_length(&self) -> Result<usize, Refusal> {
        let prefix = self.input.first_chunk().copied().unwrap_or_default();
        let limit = self.node.config.socket_request_max_bytes;
        let spoken = match frame::length(prefix, limit) {
            Ok(length) if length >= RequestStart::LEN => return Ok(length),
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
        let Some(api) = apis::find(header.api_key, header.version) else {
            if header.api_key == ApiKey::ApiVersions as i16 {
                return Ok(apis::unsupported_api_versions(header.correlation_id)?);
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
        let client_id = client_id.unwrap_or_default();
        let principal = Principal::ANONYMOUS;
        let client = self.measured(api).then(|| (principal.clone(), client_id.clone()));
        let mut outcome = Timed::new(api.call(Call {
            context: RequestContext {
                api: api.key,
                version: header.version,
                correlation_id: header.correlation_id,
                client_id,
                client_host: self.client_host,
                principal,
                listener: Arc::clone(&self.listener),
                connection: self.guard.number,
                newer_fields: Bytes::new(),
                throttle: self.throttle.clone(),
            },
            node: Arc::clone(&self.node),
            body: frame,
            shape: api.shape(header.version),
        }));
        let (answer, spent) = tokio::select! {
            biased;
            answer = &mut outcome => answer,
            () = client_left(&mut self.stream, &mut self.input) => return Err(End::Quiet),
        };
        if let Some((principal, client_id)) = client {
            let sender = Sender {
                user: &principal.name,
                client_id: &client_id,
            };
            self.count_time(sender, spent);
        }
        Ok(match self.throttle.ms() {
            0 => answer?,
            throttle_ms => throttle_field::raise(answer?, api.key, header.version, throttle_ms),
        })
    }

    /// Whether the time of a request counts: where there are quotas, and not what brokers ask of each other.
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

/// Reads ahead while a request waits, and returns some seconds after the client has closed its side: a request that
/// waits for long must not outlive its client.
async fn client_left(stream: &mut TcpStream, input: &mut BytesMut) {
    while input.len() < READ_AHEAD {
        input.reserve(READ_SIZE);
        match stream.read_buf(input).await {
            Ok(0) | Err(_) => return tokio::time::sleep(GRACE).await,
            Ok(_) => {}
        }
    }
    std::future::pending::<()>().await;
}
