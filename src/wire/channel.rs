//! One connection that never blocks: requests are queued, answers are taken once they are whole.
//!
//! Owns the bytes on their way out and in, and the list of requests without an answer. What has to block (connecting,
//! TLS, SASL) is done by [`Connection`], which a channel is made of. Knows no sockets but its own: its owner polls
//! [`Channel::socket`] and calls [`Channel::flush`] and [`Channel::receive`].

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read as _, Write as _};
use std::net::TcpStream;
use std::ops::{Deref, Range};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::Request;

use super::connection::Connection;
use super::decode::decode;
use super::error::WireError;
use super::host_port::HostPort;
use super::shared_slice::SharedSlice;
use super::versions::ApiVersions;
use super::{frame, header};

/// Slices handed to the kernel in one call.
const MOST_SLICES: usize = 64;
/// Bytes reserved for an answer before any of it has come.
const FIRST_RESERVE: usize = 64 * 1024;
/// Answers whose memory is kept: as many as are in use at once while batches are copied between brokers.
const SPARE_FRAMES: usize = 64;
/// The correlation id in front of every answer.
const CORRELATION_ID_LEN: usize = 4;

/// A part of a request.
#[derive(Clone, Debug)]
pub enum Piece {
    Owned(Vec<u8>),
    /// Bytes that the sender keeps for a retry: a record batch.
    Shared(Arc<Vec<u8>>),
    /// A part of an answer that is sent on without a copy: the records of a batch.
    Part(SharedSlice),
}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes) => bytes,
            Self::Part(bytes) => bytes,
        }
    }
}

/// An answer without its length. Give it back with [`Channel::recycle`], since fresh memory costs more than the bytes
/// that are read into it.
#[derive(Debug, Default)]
pub struct Frame {
    /// Never shrinks, so that no byte is zeroed twice. Shared while a part of the answer is in use elsewhere.
    bytes: Arc<Vec<u8>>,
    len: usize,
}

impl Deref for Frame {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Frame {
    /// A part of the answer that outlives the frame; `None` if `range` reaches beyond its end. The memory of the frame
    /// is used for another answer once no part of it is held.
    pub fn share(&self, range: Range<usize>) -> Option<SharedSlice> {
        self.get(range.clone())?;
        SharedSlice::new(&self.bytes, range)
    }

    /// The answer to a request `R` sent in `version`.
    pub fn decode<R: Request>(&self, version: i16) -> Result<R::Response, WireError> {
        let mut bytes = Bytes::copy_from_slice(self);
        header::read_response::<R>(&mut bytes, version)?;
        decode(&mut bytes, version).map_err(|cause| WireError::decode(R::KEY, version, &cause))
    }
}

/// An answer and the sender's note about its request. Give the frame back with [`Channel::recycle`].
#[derive(Debug)]
pub struct Answer<T> {
    pub note: T,
    /// The version of request and answer.
    pub version: i16,
    pub frame: Frame,
}

/// A request without an answer yet. `T` is its sender's note, handed back with the answer.
#[derive(Debug)]
struct Waiting<T> {
    correlation_id: i32,
    version: i16,
    deadline: Instant,
    timeout: Duration,
    /// Where in the stream of bytes the request begins.
    begins_at: u64,
    note: T,
}

/// A request that was left without an answer.
#[derive(Debug)]
pub struct Unanswered<T> {
    pub note: T,
    /// No byte of it was handed to the kernel: the broker has certainly not seen it.
    pub is_unsent: bool,
}

/// An open connection to one broker that never blocks.
#[derive(Debug)]
pub struct Channel<T> {
    connection: Connection,
    outgoing: VecDeque<Piece>,
    /// Bytes of the first outgoing piece that were handed to the kernel.
    written: usize,
    /// Bytes queued and bytes handed over since the channel was opened.
    queued_bytes: u64,
    sent_bytes: u64,
    waiting: VecDeque<Waiting<T>>,
    prefix: [u8; frame::PREFIX_LEN],
    /// Bytes of the frame that is being read, its length field included.
    read: usize,
    incoming: Frame,
    spare: Vec<Frame>,
    /// When the broker last sent anything, or when the channel was opened.
    heard_at: Instant,
    /// When a request was last queued.
    asked_at: Instant,
}

impl<T> Channel<T> {
    /// Takes over an open connection that has no requests in flight.
    pub fn over(connection: Connection) -> Result<Self, WireError> {
        connection.stream.socket().set_nonblocking(true)?;
        Ok(Self {
            connection,
            outgoing: VecDeque::new(),
            written: 0,
            queued_bytes: 0,
            sent_bytes: 0,
            waiting: VecDeque::new(),
            prefix: [0; frame::PREFIX_LEN],
            read: 0,
            incoming: Frame::default(),
            spare: Vec::new(),
            heard_at: Instant::now(),
            asked_at: Instant::now(),
        })
    }

    /// The broker's address.
    pub fn address(&self) -> &HostPort {
        self.connection.address()
    }

    /// The API versions that the broker serves.
    pub fn versions(&self) -> &ApiVersions {
        self.connection.versions()
    }

    /// The socket, to be polled.
    pub fn socket(&self) -> &TcpStream {
        self.connection.stream.socket()
    }

    /// Requests without an answer.
    pub fn unanswered(&self) -> usize {
        self.waiting.len()
    }

    /// Whether bytes wait for the socket to take them.
    pub fn has_output(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// When the oldest request without an answer times out.
    pub fn deadline(&self) -> Option<Instant> {
        self.waiting.front().map(|waiting| waiting.deadline)
    }

    /// Since when the broker owes an answer without having sent a byte; `None` while it owes nothing.
    pub fn silent_since(&self) -> Option<Instant> {
        let oldest = self.waiting.front()?;
        let sent_at = oldest.deadline.checked_sub(oldest.timeout)?;
        Some(sent_at.max(self.heard_at))
    }

    /// Since when nothing was sent or received; `None` while a request or answer is in flight.
    pub fn idle_since(&self) -> Option<Instant> {
        let is_busy = !self.waiting.is_empty() || self.has_output() || self.read > 0;
        (!is_busy).then(|| self.asked_at.max(self.heard_at))
    }

    /// Whether the session must be prolonged (KIP-368) before anything else is sent.
    pub fn must_authenticate(&self, now: Instant) -> bool {
        self.connection
            .authenticate_again_at
            .is_some_and(|time| time <= now)
    }

    /// Gives back the connection, which blocks again; for a channel with nothing in flight.
    pub fn into_connection(self) -> Result<Connection, WireError> {
        self.socket().set_nonblocking(false)?;
        Ok(self.connection)
    }

    /// Queues `request`; its answer is expected within `timeout`.
    pub fn send<R: Request>(
        &mut self,
        request: &R,
        version: i16,
        timeout: Duration,
        note: T,
    ) -> Result<(), WireError> {
        let mut body = BytesMut::new();
        request
            .encode(&mut body, version)
            .map_err(|cause| WireError::encode(R::KEY, version, &cause))?;
        self.send_pieces::<R>(version, vec![Piece::Owned(body.into())], Some(timeout), note)
    }

    /// Queues a request `R` whose body is already encoded in `version`. A request that gets no answer (Produce with
    /// acks=0) has no timeout; its note is dropped.
    pub fn send_pieces<R: Request>(
        &mut self,
        version: i16,
        body: Vec<Piece>,
        timeout: Option<Duration>,
        note: T,
    ) -> Result<(), WireError> {
        let correlation_id = self.connection.take_correlation_id();
        let mut head = BytesMut::new();
        let start = frame::begin(&mut head);
        let client_id = Some(&self.connection.client_id);
        header::write_request::<R>(&mut head, version, correlation_id, client_id)?;
        let body_len: usize = body.iter().map(|piece| piece.len()).sum();
        frame::finish_with(&mut head, start, body_len)?;
        let begins_at = self.queued_bytes;
        self.queued_bytes += (head.len() + body_len) as u64;
        self.outgoing.push_back(Piece::Owned(head.into()));
        self.outgoing.extend(body);
        self.asked_at = Instant::now();
        if let Some(timeout) = timeout {
            self.waiting.push_back(Waiting {
                correlation_id,
                version,
                deadline: self.asked_at + timeout,
                timeout,
                begins_at,
                note,
            });
        }
        self.flush()
    }

    /// Hands the kernel as much as it takes.
    pub fn flush(&mut self) -> Result<(), WireError> {
        while !self.outgoing.is_empty() {
            let mut slices = [IoSlice::new(&[]); MOST_SLICES];
            let mut skip = self.written;
            for (slice, piece) in slices.iter_mut().zip(&self.outgoing) {
                *slice = IoSlice::new(piece.get(skip..).unwrap_or_default());
                skip = 0;
            }
            match self.connection.stream.write_vectored(&slices) {
                Ok(0) => return Err(WireError::Closed),
                Ok(count) => self.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn advance(&mut self, count: usize) {
        self.sent_bytes += count as u64;
        self.written += count;
        while let Some(piece) = self.outgoing.front()
            && self.written >= piece.len()
        {
            self.written -= piece.len();
            self.outgoing.pop_front();
        }
    }

    /// The next whole answer; `None` while there is none. A late answer and an answer without a request are errors,
    /// after which the channel must be closed.
    pub fn receive(&mut self) -> Result<Option<Answer<T>>, WireError> {
        let before = self.read;
        let frame = self.read_frame()?;
        if frame.is_some() || self.read > before {
            self.heard_at = Instant::now();
        }
        let Some(frame) = frame else {
            return match self.waiting.front() {
                Some(oldest) if oldest.deadline <= Instant::now() => Err(WireError::TimedOut(oldest.timeout)),
                _ => Ok(None),
            };
        };
        let correlation_id = frame.first_chunk::<CORRELATION_ID_LEN>();
        let correlation_id = correlation_id.map(|bytes| i32::from_be_bytes(*bytes));
        match self.waiting.pop_front() {
            Some(oldest) if Some(oldest.correlation_id) == correlation_id => Ok(Some(Answer {
                note: oldest.note,
                version: oldest.version,
                frame,
            })),
            Some(oldest) => {
                let asked = oldest.correlation_id;
                self.waiting.push_front(oldest);
                Err(WireError::garbled(match correlation_id {
                    Some(answered) => format!("it answers request {answered}, and {asked} was asked"),
                    None => "a response shorter than its header".to_owned(),
                }))
            }
            None => Err(WireError::garbled("an answer to nothing that was asked")),
        }
    }

    /// Takes back an answer's memory, which is used again once no part of it is shared.
    pub fn recycle(&mut self, frame: Frame) {
        if self.spare.len() < SPARE_FRAMES {
            self.spare.push(frame);
        }
    }

    /// Memory for the next answer: the frame that came back last, since it is most likely in a CPU cache.
    fn take_spare(&mut self) -> Frame {
        let is_free = |frame: &mut Frame| Arc::get_mut(&mut frame.bytes).is_some();
        let free = self.spare.iter_mut().rposition(is_free);
        free.map_or_else(Frame::default, |place| self.spare.remove(place))
    }

    /// Extends the deadlines of all unanswered requests by the throttle time that the broker stated (KIP-219).
    pub fn extend_deadlines(&mut self, by: Duration) {
        for waiting in &mut self.waiting {
            waiting.deadline += by;
        }
    }

    /// Closes the connection and names the requests that it leaves without an answer.
    pub fn close(self) -> Vec<Unanswered<T>> {
        let sent_bytes = self.sent_bytes;
        self.waiting
            .into_iter()
            .map(|waiting| Unanswered {
                note: waiting.note,
                is_unsent: waiting.begins_at >= sent_bytes,
            })
            .collect()
    }

    fn read_frame(&mut self) -> Result<Option<Frame>, WireError> {
        while self.read < frame::PREFIX_LEN {
            let rest = self.prefix.get_mut(self.read..).unwrap_or_default();
            match read_some(&mut self.connection, rest)? {
                Some(count) => self.read += count,
                None => return Ok(None),
            }
            if self.read == frame::PREFIX_LEN {
                self.incoming.len = frame::length(self.prefix, self.connection.max_response_bytes)?;
            }
        }
        let len = self.incoming.len;
        loop {
            let have = self.read - frame::PREFIX_LEN;
            if have == len {
                self.read = 0;
                let next = self.take_spare();
                return Ok(Some(std::mem::replace(&mut self.incoming, next)));
            }
            // The frame that is read into is never shared: see take_spare.
            let bytes = Arc::make_mut(&mut self.incoming.bytes);
            if bytes.len() <= have {
                // Twice what was read so far: a stated length alone reserves little.
                let enough = len.min(have.max(FIRST_RESERVE) * 2);
                bytes.resize(enough, 0);
            }
            let end = len.min(bytes.len());
            let rest = bytes.get_mut(have..end).unwrap_or_default();
            match read_some(&mut self.connection, rest)? {
                Some(count) => self.read += count,
                None => return Ok(None),
            }
        }
    }
}

/// Reads the bytes that have arrived; `None` when there are none.
fn read_some(connection: &mut Connection, buffer: &mut [u8]) -> Result<Option<usize>, WireError> {
    loop {
        match connection.stream.read(buffer) {
            Ok(0) => return Err(WireError::Closed),
            Ok(count) => return Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}
