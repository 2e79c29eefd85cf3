//! A listener for each broker of a cluster, whose clients are answered by a stage: the cluster, or a recorded file.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use kafka_protocol::messages::ApiKey;

use super::addresses;
use crate::error::{Error, Result, io_words};
use crate::wire::HostPort;
use crate::wire::frame;
use crate::wire::header::RequestStart;

/// The longest request that is accepted, in bytes.
const LONGEST: usize = 128 * 1024 * 1024;
/// Memory for a frame is allocated in steps of this many bytes, as it arrives.
const CHUNK: usize = 64 * 1024;
/// Brokers of one cluster that get a listener; addresses of further ones are not replaced.
const MOST_BROKERS: usize = 1000;

/// What answers in place of the brokers.
pub(super) trait Stage: Send + Sync {
    /// A client has connected to this broker.
    fn connect(&self, broker: &HostPort, connection: u64) -> Result<Box<dyn Peer>>;
}

/// The other end of one client's connection.
pub(super) trait Peer: Send {
    /// The bytes after the correlation id of the response; `None` for no response. An error ends the connection.
    fn answer(&mut self, request: &ClientRequest<'_>) -> Result<Option<Vec<u8>>>;
}

/// One request of a client.
#[derive(Debug)]
pub(super) struct ClientRequest<'a> {
    pub(super) start: RequestStart,
    pub(super) api: ApiKey,
    pub(super) client_id: String,
    /// The whole request, without its length.
    pub(super) frame: &'a [u8],
    /// The bytes after the header.
    pub(super) body: &'a [u8],
}

/// The listeners.
pub(super) struct Relay {
    stage: Arc<dyn Stage>,
    /// The relay's address for each broker, by the broker's address in the cluster.
    brokers: Mutex<BTreeMap<String, HostPort>>,
    connections: AtomicU64,
}

impl Relay {
    pub(super) fn new(stage: Arc<dyn Stage>) -> Arc<Self> {
        Arc::new(Self {
            stage,
            brokers: Mutex::default(),
            connections: AtomicU64::new(0),
        })
    }

    /// Listens for the clients of a broker; returns the relay's address.
    pub(super) fn open(relay: &Arc<Self>, broker: &HostPort, listen: &str) -> Result<HostPort> {
        let failed =
            |error: io::Error| Error::failed(format!("cannot listen on {listen}: {}", io_words(&error)));
        let listener = TcpListener::bind(listen).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let address = HostPort::new(bound.ip().to_string(), bound.port());
        let mut brokers = relay.brokers.lock().unwrap_or_else(PoisonError::into_inner);
        brokers.insert(broker.to_string(), address.clone());
        drop(brokers);
        let (relay, broker) = (Arc::clone(relay), broker.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else {
                    // Probably out of file descriptors: wait for other connections to close.
                    thread::sleep(Duration::from_millis(50));
                    continue;
                };
                let (relay, broker) = (Arc::clone(&relay), broker.clone());
                // A broken connection is noticed by its client.
                thread::spawn(move || drop(Self::serve(&relay, &broker, stream)));
            }
        });
        Ok(address)
    }

    /// The relay's address for a broker; its listener is opened at the first call.
    fn local(relay: &Arc<Self>, broker: &HostPort) -> Option<HostPort> {
        let brokers = relay.brokers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = brokers.get(&broker.to_string()) {
            return Some(known.clone());
        }
        let has_room = brokers.len() < MOST_BROKERS;
        drop(brokers);
        has_room
            .then(|| Self::open(relay, broker, "127.0.0.1:0").ok())
            .flatten()
    }

    /// Answers one request after the other, as brokers do.
    fn serve(relay: &Arc<Self>, broker: &HostPort, mut stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let number = relay.connections.fetch_add(1, Ordering::Relaxed);
        let mut peer = relay.stage.connect(broker, number)?;
        while let Some(frame) = read_frame(&mut stream)? {
            let request = ClientRequest::read(&frame)?;
            let Some(answer) = peer.answer(&request)? else {
                continue;
            };
            let (api, version) = (request.api, request.start.version);
            let mut local = |real: HostPort| Self::local(relay, &real);
            let answer = addresses::put(api, version, &answer, &mut local).unwrap_or(answer);
            write_frame(&mut stream, request.start.correlation_id, &answer)?;
        }
        Ok(())
    }
}

impl<'a> ClientRequest<'a> {
    fn read(frame: &'a [u8]) -> Result<Self> {
        let read = || {
            let start = RequestStart::read(frame)?;
            let api = ApiKey::try_from(start.api_key).ok()?;
            let (client_id, body) = start.read_client_id(api, frame)?;
            Some(Self {
                start,
                api,
                client_id: client_id.unwrap_or_default(),
                frame,
                body: frame.get(body..)?,
            })
        };
        read().ok_or_else(|| Error::bad_data("a request that cannot be read"))
    }
}

/// The next frame without its length; `None` where the client has closed the connection.
fn read_frame(stream: &mut TcpStream) -> Result<Option<Vec<u8>>> {
    let mut prefix = [0; frame::PREFIX_LEN];
    match stream.read_exact(&mut prefix) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = frame::length(prefix, LONGEST).map_err(Error::bad_data)?;
    let mut bytes = Vec::with_capacity(length.min(CHUNK));
    let read = Read::take(&mut *stream, length as u64).read_to_end(&mut bytes)?;
    Ok((read == length).then_some(bytes))
}

fn write_frame(stream: &mut TcpStream, correlation_id: i32, answer: &[u8]) -> Result<()> {
    let mut bytes = BytesMut::with_capacity(answer.len() + 8);
    let start = frame::begin(&mut bytes);
    bytes.put_i32(correlation_id);
    bytes.put_slice(answer);
    frame::finish(&mut bytes, start).map_err(Error::bad_data)?;
    Ok(stream.write_all(&bytes)?)
}
