//! Many clients that come, work and go, for long: the broker's memory is flat, and its files are closed.
//!
//! `make soak MINUTES=60 CLIENTS=1000` prints a row every so often; in a short run there are few clients.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{FetchRequest, MetadataRequest, ProduceRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafkit::records::BatchBuilder;
use kafkit::records::batch_builder::BatchOptions;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use crate::support::cluster::Cluster;
use crate::support::random::Random;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

const SECONDS: u64 = 4;
const CLIENTS: u64 = 40;
const PARTITIONS: i32 = 8;
const ROWS: u32 = 12;
/// What the broker may grow by between the middle of the run and its end.
const GROWTH: u64 = 24 << 20;
/// Files of the broker's own, beside connections: logs with their indexes, sockets, the runtime's.
const OWN_FILES: usize = 200;

fn number(variable: &str, or: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.and_then(|given| given.parse().ok()).unwrap_or(or)
}

#[derive(Debug, Default)]
struct Work {
    is_over: AtomicBool,
    requests: AtomicU64,
    connections: AtomicU64,
    turned_away: AtomicU64,
}

#[test]
fn a_soak_leaves_memory_flat_and_files_closed() {
    let clients = number("KAFKIT_SOAK_CLIENTS", CLIENTS);
    let time = Duration::from_secs(number("KAFKIT_SOAK_SECONDS", SECONDS));
    let cluster = Cluster::start_with(&["log.retention.check.interval.ms=1000"]);
    let suite = Suite::new();
    let (bootstrap, partitions) = (cluster.bootstrap(), PARTITIONS.to_string());
    let words = [
        "topics",
        "create",
        "t",
        "-q",
        "-b",
        &bootstrap,
        "--partitions",
        &partitions,
    ];
    let limits = ["retention.bytes=1000000", "internal.segment.bytes=300000"];
    let limits = limits.iter().flat_map(|limit| ["--config", limit]);
    suite.run(words.into_iter().chain(limits)).succeeds();
    let address = HostPort::parse(&bootstrap).unwrap();
    let before = open_files(&cluster);
    let work = Work::default();
    let mut memory = Vec::new();
    println!(
        "{:>8} {:>10} {:>8} {:>12} {:>12}",
        "SECONDS", "MEMORY", "FILES", "CONNECTIONS", "REQUESTS"
    );
    std::thread::scope(|scope| {
        for client in 0..clients {
            let (work, address) = (&work, &address);
            let thread = std::thread::Builder::new().stack_size(256 * 1024);
            let lives = move || live(work, address, client);
            thread.spawn_scoped(scope, lives).expect("a thread");
        }
        let started = Instant::now();
        for row in 1..=ROWS {
            std::thread::sleep((time * row / ROWS).saturating_sub(started.elapsed()));
            let (bytes, files) = (cluster.resident_bytes(), open_files(&cluster));
            memory.push(bytes);
            println!(
                "{:>8} {:>7.1} MB {files:>8} {:>12} {:>12}",
                started.elapsed().as_secs(),
                bytes as f64 / 1e6,
                work.connections.load(Ordering::Relaxed),
                work.requests.load(Ordering::Relaxed),
            );
            assert!(
                files <= before + clients as usize * 2 + OWN_FILES,
                "{files} open files"
            );
        }
        work.is_over.store(true, Ordering::Relaxed);
    });
    let (middle, end) = (memory[memory.len() / 2], memory[memory.len() - 1]);
    assert!(end <= middle + GROWTH, "memory grows: {memory:?}");
    assert!(work.requests.load(Ordering::Relaxed) > clients, "little was done");
    println!(
        "{} connections did not come about",
        work.turned_away.load(Ordering::Relaxed)
    );
    wait_until("the files of clients that have gone are closed", || {
        open_files(&cluster) <= before + OWN_FILES
    });
}

fn open_files(cluster: &Cluster) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", cluster.pid()));
    files.expect("the files of the broker").count()
}

/// A client connects, asks a few things, and goes; again and again.
fn live(work: &Work, address: &HostPort, client: u64) {
    let mut random = Random::new(client);
    let options = ConnectionOptions {
        client_id: format!("soak-{}", client % 20),
        connect_timeout: Duration::from_secs(120),
        request_timeout: Duration::from_secs(120),
        ..ConnectionOptions::default()
    };
    while !work.is_over.load(Ordering::Relaxed) {
        // A machine that is busy with other things does not come to accept a thousand clients at once.
        let Ok(mut connection) = Connection::open(address, &options) else {
            work.turned_away.fetch_add(1, Ordering::Relaxed);
            continue;
        };
        work.connections.fetch_add(1, Ordering::Relaxed);
        for _ in 0..random.below(40) {
            if work.is_over.load(Ordering::Relaxed) {
                return;
            }
            ask(&mut connection, &mut random);
            work.requests.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(random.below(200) as u64));
        }
    }
}

fn ask(connection: &mut Connection, random: &mut Random) {
    let partition = random.below(PARTITIONS as usize) as i32;
    match random.below(10) {
        0 => drop(
            connection
                .send_as(&MetadataRequest::default(), 12)
                .expect("metadata"),
        ),
        1..5 => drop(connection.send_as(&fetch(partition), 12).expect("records")),
        _ => {
            let answer = connection.send_as(&produce(partition, random.below(2000)), 11);
            let answer = answer.expect("an answer");
            let code = answer.responses[0].partition_responses[0].error_code;
            assert_eq!(code, 0, "records are refused");
        }
    }
}

fn name() -> TopicName {
    TopicName(StrBytes::from_static_str("t"))
}

fn produce(partition: i32, size: usize) -> ProduceRequest {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    let now_ms = std::time::UNIX_EPOCH.elapsed().expect("a time").as_millis();
    builder.append(now_ms as i64, None, Some(&vec![b'x'; size]), &[]);
    let data = PartitionProduceData::default()
        .with_index(partition)
        .with_records(Some(Bytes::from(builder.finish_uncompressed())));
    let topic = TopicProduceData::default()
        .with_name(name())
        .with_partition_data(vec![data]);
    ProduceRequest::default()
        .with_acks(-1)
        .with_timeout_ms(10_000)
        .with_topic_data(vec![topic])
}

fn fetch(partition: i32) -> FetchRequest {
    let wanted = FetchPartition::default()
        .with_partition(partition)
        .with_current_leader_epoch(-1)
        .with_partition_max_bytes(100_000);
    let topic = FetchTopic::default()
        .with_topic(name())
        .with_partitions(vec![wanted]);
    FetchRequest::default()
        .with_max_wait_ms(100)
        .with_min_bytes(1)
        .with_max_bytes(200_000)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}
