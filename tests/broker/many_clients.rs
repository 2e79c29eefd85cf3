//! Many connections, and clients that ask for much and read nothing: memory stays within limits, and others are served.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;

/// Bytes that an idle connection may cost: 100 MB for 10 000 of them.
const BYTES_OF_A_CONNECTION: u64 = 10_000;
/// What the broker may take beside them.
const BYTES_OF_A_BROKER: u64 = 8 << 20;

/// ApiVersions v0, which every connection begins with.
const API_VERSIONS: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255];

fn connect(cluster: &Cluster) -> TcpStream {
    let stream = TcpStream::connect(cluster.bootstrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
        .set_write_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    stream
}

/// Sends ApiVersions and reads the whole answer.
fn is_answered(stream: &mut TcpStream) {
    stream.write_all(&API_VERSIONS).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).unwrap();
}

/// This process holds the other end of each connection.
fn allow_files(count: u64) {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(count, |maximum| count.min(maximum));
    let raised = Rlimit {
        current: Some(limit.current.map_or(wanted, |current| current.max(wanted))),
        ..limit
    };
    setrlimit(Resource::Nofile, raised).unwrap();
}

/// `KAFKIT_CONNECTIONS` says how many (2000).
#[test]
fn idle_connections_cost_little_each() {
    let given = std::env::var("KAFKIT_CONNECTIONS").ok();
    let count: u64 = given.map_or(2000, |count| count.parse().unwrap());
    allow_files(count + 1000);
    let cluster = Cluster::start();
    let before = cluster.resident_bytes();
    let mut idle = Vec::new();
    for _ in 0..count {
        let mut stream = connect(&cluster);
        is_answered(&mut stream);
        idle.push(stream);
    }
    let more = cluster.resident_bytes().saturating_sub(before);
    assert!(
        more < count * BYTES_OF_A_CONNECTION,
        "{more} bytes for {count} connections"
    );
    // The oldest are served still.
    for stream in idle.iter_mut().take(10) {
        is_answered(stream);
    }
}

/// Writes until nothing more is taken, or for a second.
fn flood(stream: &mut TcpStream, request: &[u8]) -> usize {
    let end = Instant::now() + Duration::from_secs(1);
    let mut sent = 0;
    while Instant::now() < end {
        match stream.write(request) {
            Ok(taken) => sent += taken,
            Err(error) => {
                assert!(
                    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
                    "{error}"
                );
                break;
            }
        }
    }
    sent
}

#[test]
fn requests_whose_answers_are_not_read_wait_in_the_network() {
    let cluster = Cluster::start();
    is_answered(&mut connect(&cluster));
    let before = cluster.resident_bytes();
    let requests = API_VERSIONS.repeat(1000);
    let mut floods: Vec<_> = (0..8).map(|_| connect(&cluster)).collect();
    let sent: usize = floods.iter_mut().map(|stream| flood(stream, &requests)).sum();
    assert!(sent > requests.len(), "nothing is taken");
    is_answered(&mut connect(&cluster));
    let more = cluster.resident_bytes().saturating_sub(before);
    assert!(
        more < BYTES_OF_A_BROKER,
        "{more} bytes for {sent} bytes of requests"
    );
}

/// Fetch v4 of 50 MB from the start of partition 0 of `big`, which waits for nothing.
fn fetch_of_all() -> Vec<u8> {
    let limit = 50_000_000_u32.to_be_bytes();
    let mut body = vec![0, 1, 0, 4, 0, 0, 0, 7, 255, 255];
    body.extend([255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
    body.extend(limit);
    body.extend([0, 0, 0, 0, 1, 0, 3]);
    body.extend(b"big");
    body.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    body.extend(limit);
    [&(body.len() as u32).to_be_bytes()[..], &body].concat()
}

#[test]
fn records_that_are_asked_for_and_not_read_cost_no_memory() {
    let suite = Suite::new();
    let cluster = Cluster::start();
    let lines = format!("{}\n", "x".repeat(999)).repeat(20_000);
    let produce = ["produce", "big", "-q", "-b", &cluster.bootstrap()];
    suite.run_with_input(produce, &lines).succeeds();
    is_answered(&mut connect(&cluster));
    let before = cluster.resident_bytes();
    let requests = fetch_of_all().repeat(20);
    let mut slow: Vec<_> = (0..100).map(|_| connect(&cluster)).collect();
    for stream in &mut slow {
        stream.write_all(&requests).unwrap();
        // The answer has begun: its length says that all records are in it.
        let mut length = [0; 4];
        stream.read_exact(&mut length).unwrap();
        assert!(u32::from_be_bytes(length) > 20_000_000, "{length:?}");
    }
    is_answered(&mut connect(&cluster));
    let more = cluster.resident_bytes().saturating_sub(before);
    assert!(more < BYTES_OF_A_BROKER, "{more} bytes for 2000 answers of 20 MB");
}
