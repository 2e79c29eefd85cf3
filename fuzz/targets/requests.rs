//! What a broker reads: frames and headers as such, and requests of every API in every version, answered by a broker
//! that runs in this process.
//!
//! The bytes of an input choose the API, the version and the value of each field, by the shape in the broker's table;
//! so most requests get to their handler, which is where states are. A broker that panics in a task closes the
//! connection and goes on: the panic is counted here.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use kafkit::broker::apis::APIS;
use kafkit::broker::config::BrokerConfig;
use kafkit::broker::host::Growth;
use kafkit::broker::lifecycle::PreparedBroker;
use kafkit::records::BatchBuilder;
use kafkit::records::batch_builder::{BatchOptions, Producer};
use kafkit::storage::disk_faults::{self, DiskRule, Effect, Operation};
use kafkit::wire::frame;
use kafkit::wire::header::{RequestStart, read_request};
use kafkit::wire::primitives;

use super::entropy::Entropy;

/// Longer requests are only more of the same.
const LONGEST: usize = 8 * 1024;
/// How long an answer is waited for; a request that waits longer by its own wish is left alone.
const PATIENCE: Duration = Duration::from_millis(20);
/// Words that mean something to the broker.
const WORDS: &[&str] = &[
    "t",
    "",
    "u",
    "g",
    "member-1",
    "__consumer_offsets",
    "__transaction_state",
    "__share_group_state",
    "range",
    "consumer",
    "cleanup.policy",
    "compact",
    "User:alice",
    "1",
    "no.such.topic",
    "é",
];

pub(super) fn frames(bytes: &[u8]) {
    for limit in [64, 1 << 20] {
        let _ = frame::split(bytes, limit);
    }
    if let Some(start) = RequestStart::read(bytes) {
        for api in APIS {
            let _ = start.read_client_id(api.key, bytes);
        }
    }
    let _ = read_request(&mut Bytes::copy_from_slice(bytes));
    let _ = primitives::take_unsigned_varint(&mut &*bytes);
    let _ = primitives::skip_tagged_fields(&mut &*bytes);
}

pub(super) fn frame_seeds() -> Vec<Vec<u8>> {
    request_seeds().iter().map(|seed| framed(seed)).collect()
}

/// One input for each API and version.
pub(super) fn request_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (place, api) in APIS.iter().enumerate() {
        for (at, _) in api.decoded().enumerate() {
            let choices = (0..120_u8).map(|n| n.wrapping_mul(31).wrapping_add(at as u8));
            seeds.push([place as u8, at as u8].into_iter().chain(choices).collect());
        }
    }
    seeds
}

pub(super) fn requests(bytes: &[u8]) {
    let broker = Broker::get();
    let frame = framed(bytes);
    let mut connection = broker.connection.lock().unwrap_or_else(PoisonError::into_inner);
    let stream = connection.take().unwrap_or_else(|| broker.connect());
    if exchange(&stream, &frame).is_ok() {
        *connection = Some(stream);
    }
    let count = broker.runs.fetch_add(1, Ordering::Relaxed);
    if count.is_multiple_of(256) {
        broker.is_alive();
    }
    assert_eq!(PANICS.load(Ordering::Relaxed), 0, "the broker has panicked");
}

/// Sends a request and reads its answer; an error where the connection is of no use any more.
fn exchange(mut stream: &TcpStream, frame: &[u8]) -> std::io::Result<()> {
    stream.write_all(frame)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u64::from(u32::from_be_bytes(length));
    let read = std::io::copy(&mut stream.take(length), &mut std::io::sink())?;
    if read == length {
        Ok(())
    } else {
        Err(std::io::ErrorKind::UnexpectedEof.into())
    }
}

/// The request that an input stands for.
fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut entropy = Entropy(bytes.get(..LONGEST).unwrap_or(bytes));
    let api = &APIS[entropy.below(APIS.len())];
    let versions = api.decoded();
    let version = versions.start() + entropy.below((versions.end() - versions.start() + 1) as usize) as i16;
    let mut body = Vec::new();
    body.extend((api.key as i16).to_be_bytes());
    body.extend(version.to_be_bytes());
    body.extend(7_i32.to_be_bytes());
    body.extend([0, 1, b'c']);
    if api.key.request_header_version(version) >= 2 {
        body.push(0);
    }
    write_fields(api.shape(version).as_bytes(), &mut entropy, &mut body, 0);
    let mut frame = (body.len() as u32).to_be_bytes().to_vec();
    frame.extend(body);
    frame
}

/// Fields of a shape: see `broker/request_shape.rs` for its letters.
fn write_fields(mut shape: &[u8], entropy: &mut Entropy<'_>, out: &mut Vec<u8>, depth: usize) {
    while let Some((field, after)) = shape.split_first() {
        shape = after;
        match field {
            b'1' | b'2' | b'4' | b'8' => write_number(usize::from(field - b'0'), entropy, out),
            b's' | b'S' => write_bytes(field.is_ascii_uppercase(), 2, word(entropy), out),
            b'b' | b'B' => {
                let bytes = blob(entropy);
                write_bytes(field.is_ascii_uppercase(), 4, bytes, out);
            }
            b't' => out.push(0),
            b'[' | b'<' | b'(' => {
                let end = closing(shape);
                let (inside, after) = (&shape[..end], &shape[end + 1..]);
                shape = after;
                let is_deep = depth > 3 || entropy.is_empty();
                let count = if is_deep {
                    0
                } else {
                    [1, 1, 2, 0, 3][entropy.below(5)]
                };
                match field {
                    b'[' => out.extend((count as i32).to_be_bytes()),
                    b'<' => primitives::put_unsigned_varint(out, count + 1),
                    _ => out.push(if count == 0 { 0xff } else { 1 }),
                }
                for _ in 0..if *field == b'(' { count.min(1) } else { count } {
                    write_fields(inside, entropy, out, depth + 1);
                }
            }
            _ => {}
        }
    }
}

/// Where the group ends that begins before `shape`.
fn closing(shape: &[u8]) -> usize {
    let mut depth = 1;
    let end = shape.iter().position(|letter| {
        depth += i32::from(matches!(letter, b'[' | b'<' | b'('));
        depth -= i32::from(matches!(letter, b']' | b'>' | b')'));
        depth == 0
    });
    end.expect("brackets in pairs")
}

fn write_number(size: usize, entropy: &mut Entropy<'_>, out: &mut Vec<u8>) {
    let number: i64 = match entropy.byte() {
        0..90 => 0,
        90..140 => 1,
        140..160 => -1,
        160..180 => 2,
        180..190 => 100,
        190..200 => i64::MAX >> (64 - 8 * size),
        200..210 => i64::MIN >> (64 - 8 * size),
        210..235 => i64::from(entropy.byte()),
        _ => i64::from_be_bytes([
            entropy.byte(),
            0,
            entropy.byte(),
            0,
            0,
            0,
            entropy.byte(),
            entropy.byte(),
        ]),
    };
    out.extend(&number.to_be_bytes()[8 - size..]);
}

fn word(entropy: &mut Entropy<'_>) -> Option<Vec<u8>> {
    match entropy.byte() {
        0..200 => Some(WORDS[entropy.below(WORDS.len())].as_bytes().to_vec()),
        200..220 => None,
        _ => {
            let length = entropy.below(24);
            Some(entropy.take(length).to_vec())
        }
    }
}

/// Records, or bytes of any kind.
fn blob(entropy: &mut Entropy<'_>) -> Option<Vec<u8>> {
    let choice = entropy.byte();
    if choice >= 240 {
        return None;
    }
    if choice >= 160 {
        let length = entropy.below(100);
        return Some(entropy.take(length).to_vec());
    }
    let producer = (choice >= 60).then(|| Producer {
        id: entropy.below(4) as i64,
        epoch: entropy.below(2) as i16,
        base_sequence: entropy.below(4) as i32,
    });
    let mut builder = BatchBuilder::new(BatchOptions {
        transactional: producer.is_some() && choice >= 100,
        producer,
        ..BatchOptions::default()
    });
    for _ in 0..=entropy.below(3) {
        let length = entropy.below(20);
        builder.append(1_700_000_000_000, Some(b"k"), Some(entropy.take(length)), &[]);
    }
    let mut batch = builder.finish_uncompressed();
    if choice >= 140 {
        let at = entropy.below(batch.len());
        batch[at] ^= entropy.byte();
    }
    Some(batch)
}

fn write_bytes(is_compact: bool, prefix: usize, bytes: Option<Vec<u8>>, out: &mut Vec<u8>) {
    let length = bytes.as_ref().map(Vec::len);
    match (is_compact, prefix) {
        (true, _) => primitives::put_unsigned_varint(out, length.map_or(0, |length| length as u32 + 1)),
        (false, 2) => out.extend(length.map_or(-1, |length| length as i16).to_be_bytes()),
        (false, _) => out.extend(length.map_or(-1, |length| length as i32).to_be_bytes()),
    }
    out.extend(bytes.unwrap_or_default());
}

/// Panics of the broker's own threads, which are not this one's.
static PANICS: AtomicUsize = AtomicUsize::new(0);

struct Broker {
    address: SocketAddr,
    connection: Mutex<Option<TcpStream>>,
    runs: AtomicUsize,
    /// Lives as long as the process: the broker uses it.
    _data: tempfile::TempDir,
}

impl Broker {
    fn get() -> &'static Self {
        static BROKER: OnceLock<Broker> = OnceLock::new();
        BROKER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let given = [
            ("listeners", "PLAINTEXT://127.0.0.1:0"),
            ("offsets.topic.num.partitions", "3"),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = BrokerConfig::new(data.path().join("data"), given).expect("a configuration");
        let broker = PreparedBroker::new(vec![config], Growth::Fixed, Arc::new(|_| {})).expect("a broker");
        let address = broker.nodes()[0].listeners[0].bound;
        // A request may ask for a million partitions.
        let full = DiskRule {
            operation: Operation::Create,
            named: String::new(),
            skip: 20_000,
            count: None,
            effect: Effect::Fail(libc::ENOSPC),
        };
        disk_faults::set(data.path(), vec![full]);
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let thread = std::thread::current();
            let is_broker = |name: &str| name == "fuzzed-broker" || name.starts_with("tokio-");
            if thread.name().is_some_and(is_broker) {
                PANICS.fetch_add(1, Ordering::Relaxed);
            }
            hook(panic);
        }));
        std::thread::Builder::new()
            .name("fuzzed-broker".to_owned())
            .spawn(move || broker.run(Box::new(|| {})).expect("a broker that goes on"))
            .expect("a thread");
        Self {
            address,
            connection: Mutex::default(),
            runs: AtomicUsize::new(0),
            _data: data,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the broker listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        stream
    }

    /// It answers ApiVersions in the end, however busy it is.
    fn is_alive(&self) {
        let stream = self.connect();
        let patient = Duration::from_secs(120);
        stream.set_read_timeout(Some(patient)).expect("a timeout");
        let api_versions = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0, 0];
        exchange(&stream, &api_versions).expect("the broker answers");
    }
}
