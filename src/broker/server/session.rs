//! One connection: frames in, answers out, strictly one request at a time, as Kafka has it.
//!
//! Owns the frame limits, the request header, and what closes a connection: a length that makes no sense, an
//! API or version that is not served, bytes that cannot be decoded. Owns no field of any API.
//! <https://kafka.apache.org/protocol#protocol_preliminary>

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use kafka_protocol::messages::ApiKey;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::connections::{Listener, Visit};
use super::send;
use crate::broker::Broker;
use crate::broker::apis;
use crate::broker::call::{Call, RequestContext};
use crate::broker::handlers::api_versions;
use crate::broker::response::{Answer, Refusal};

/// Bytes a connection reads at once when nothing is known of the next frame.
const READ_SIZE: usize = 16 * 1024;
/// A frame's buffer grows to what has come, not to what was promised, beyond this size.
const TRUSTED_FRAME: usize = 4 * 1024 * 1024;
/// How long a connection without a request keeps the memory of its last one.
const RESTING: Duration = Duration::from_secs(1);
/// Bytes read ahead while a request waits for its answer.
const READ_AHEAD: usize = 64 * 1024;
/// How long a waiting request outlives its client's side of the connection.
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
    broker: Arc<Broker>,
    listener: Arc<Listener>,
    stream: TcpStream,
    client_host: IpAddr,
    visit: Visit,
    /// What has been read and not been answered yet.
    input: BytesMut,
}

impl Session {
    pub(in crate::broker) fn new(
        broker: Arc<Broker>,
        listener: Arc<Listener>,
        stream: TcpStream,
        client_host: IpAddr,
        visit: Visit,
    ) -> Self {
        Self {
            broker,
            listener,
            stream,
            client_host,
            visit,
            input: BytesMut::new(),
        }
    }

    /// Serves the connection until it ends.
    pub(in crate::broker) async fn run(mut self) {
        if let Err(End::Refused(refusal)) = self.serve().await {
            self.broker
                .notice(format_args!("closed {}: {refusal}", self.client_host));
        }
    }

    async fn serve(&mut self) -> Result<(), End> {
        let idle = Duration::from_millis(self.broker.config.connections_max_idle_ms);
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
        }
    }

    /// The next frame without its length, or nothing if the peer is done.
    async fn read_frame(&mut self) -> Result<Option<BytesMut>, End> {
        while self.input.len() < 4 {
            if self.read_first().await? == 0 {
                return Ok(None);
            }
        }
        let length = self.frame_length()?;
        self.input.advance(4);
        while self.input.len() < length {
            // Room is made only when there is none left: growing a buffer touches all of it.
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

    /// Reads what comes next between two frames. A connection at rest holds no memory: the buffer of the last
    /// frame would otherwise stay for as long as the connection.
    async fn read_first(&mut self) -> io::Result<usize> {
        self.input.reserve(READ_SIZE);
        if let Ok(read) = timeout(RESTING, self.stream.read_buf(&mut self.input)).await {
            return read;
        }
        self.input = BytesMut::from(&self.input[..]);
        self.stream.readable().await?;
        self.input.reserve(READ_SIZE);
        self.stream.read_buf(&mut self.input).await
    }

    fn frame_length(&self) -> Result<usize, Refusal> {
        let prefix = self.input.first_chunk::<4>().copied().unwrap_or_default();
        let limit = self.broker.config.socket_request_max_bytes;
        match usize::try_from(i32::from_be_bytes(prefix)) {
            Ok(length) if length <= limit && length >= 8 => Ok(length),
            _ if matches!(&prefix, b"GET " | b"POST" | b"HEAD" | b"PUT ") => {
                Err(Refusal::new("this is HTTP, not the Kafka protocol"))
            }
            _ if prefix[..2] == [0x16, 0x03] => {
                Err(Refusal::new("this is TLS, and the listener is plaintext"))
            }
            _ => Err(Refusal::new(format!(
                "a frame of {} bytes; 8 to {limit} can be",
                i32::from_be_bytes(prefix)
            ))),
        }
    }

    /// Decodes the header, finds the handler, and waits for it.
    async fn answer(&mut self, mut frame: BytesMut) -> Result<Answer, End> {
        let header = Header::parse(&frame)?;
        let Some(api) = apis::find(header.key, header.version) else {
            if header.key == ApiKey::ApiVersions as i16 {
                return Ok(api_versions::unsupported_version(header.correlation_id)?);
            }
            return Err(End::Refused(Refusal::new(format!(
                "API key {} version {} is not served",
                header.key, header.version
            ))));
        };
        let (client_id, body) = header.rest(api.key, &frame)?;
        frame.advance(body);
        let mut outcome = api.call(Call {
            context: RequestContext {
                api: api.key,
                version: header.version,
                correlation_id: header.correlation_id,
                client_id,
                client_host: self.client_host,
                listener: Arc::clone(&self.listener),
                connection: self.visit.number,
            },
            broker: Arc::clone(&self.broker),
            body: frame,
        });
        tokio::select! {
            biased;
            answer = &mut outcome => Ok(answer?),
            () = client_left(&mut self.stream, &mut self.input) => Err(End::Quiet),
        }
    }
}

/// Reads ahead while a request waits; comes back some seconds after the client has closed its side, so that a
/// request that waits for long does not outlive its client.
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

/// The part of a request header that every version has.
struct Header {
    key: i16,
    version: i16,
    correlation_id: i32,
}

impl Header {
    fn parse(frame: &[u8]) -> Result<Self, Refusal> {
        let mut bytes = frame;
        if bytes.len() < 8 {
            return Err(Refusal::new("a frame shorter than a request header"));
        }
        Ok(Self {
            key: bytes.get_i16(),
            version: bytes.get_i16(),
            correlation_id: bytes.get_i32(),
        })
    }

    /// The client id and where the body begins. The client id keeps its old form in flexible versions.
    fn rest(&self, api: ApiKey, frame: &[u8]) -> Result<(String, usize), Refusal> {
        let truncated = || Refusal::new("a truncated request header");
        let mut bytes = frame.get(8..).ok_or_else(truncated)?;
        let length = bytes.try_get_i16().map_err(|_| truncated())?;
        let client_id = bytes
            .get(..usize::try_from(length).unwrap_or(0))
            .ok_or_else(truncated)?;
        bytes.advance(client_id.len());
        let client_id = String::from_utf8_lossy(client_id).into_owned();
        if api.request_header_version(self.version) >= 2 {
            skip_tagged_fields(&mut bytes).ok_or_else(truncated)?;
        }
        Ok((client_id, frame.len() - bytes.len()))
    }
}

fn skip_tagged_fields(bytes: &mut &[u8]) -> Option<()> {
    for _ in 0..unsigned_varint(bytes)? {
        unsigned_varint(bytes)?;
        let size = usize::try_from(unsigned_varint(bytes)?).ok()?;
        *bytes = bytes.get(size..)?;
    }
    Some(())
}

fn unsigned_varint(bytes: &mut &[u8]) -> Option<u32> {
    let mut value = 0_u32;
    for shift in (0..35).step_by(7) {
        let byte = bytes.try_get_u8().ok()?;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
