//! Bytes that are no Kafka protocol, or break its rules: Kafka's answer, bounded memory, and nobody else notices.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::cluster::Cluster;
use crate::support::wait::wait_until;
use bytes::Bytes;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{CreateTopicsRequest, MetadataRequest, ProduceRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafkit::records::batch_builder::BatchOptions;
use kafkit::records::{BatchBuilder, Codec};
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

fn connect(cluster: &Cluster) -> TcpStream {
    let stream = TcpStream::connect(cluster.bootstrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Sends bytes and gives back everything that comes before the broker closes the connection.
fn answer_until_closed(cluster: &Cluster, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(cluster);
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(
            error.kind(),
            std::io::ErrorKind::ConnectionReset,
            "not closed: {error}"
        ),
    }
    answer
}

fn frame(key: i16, version: i16, rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(key.to_be_bytes());
    body.extend(version.to_be_bytes());
    body.extend(7_i32.to_be_bytes());
    body.extend((-1_i16).to_be_bytes());
    body.extend(rest);
    let mut frame = (body.len() as u32).to_be_bytes().to_vec();
    frame.extend(body);
    frame
}

#[test]
fn what_breaks_the_rules_closes_the_connection_without_an_answer() {
    let cluster = Cluster::start();
    let lying_array = [0x7f, 0xff, 0xff, 0xff];
    let cases: &[(&str, Vec<u8>)] = &[
        ("HTTP", b"GET / HTTP/1.1\r\nHost: kafka\r\n\r\n".to_vec()),
        ("TLS", [&[0x16, 0x03, 0x01, 0x02, 0x00][..], &[0; 200]].concat()),
        ("a negative length", vec![0xff; 64]),
        ("a frame too short for a header", vec![0, 0, 0, 4, 0, 3, 0, 1]),
        ("a frame over the limit", vec![0x7f, 0, 0, 0, 0, 3]),
        ("an unknown API", frame(999, 0, &[])),
        ("an API for brokers only", frame(4, 0, &[])),
        ("a version too new", frame(3, 99, &[])),
        ("a version too old", frame(1, 3, &[])),
        (
            "Produce v2, which is advertised and not served",
            frame(0, 2, &[0; 40]),
        ),
        ("a truncated client id", {
            let mut bytes = frame(3, 1, &[]);
            let at = bytes.len() - 2;
            bytes[at..].copy_from_slice(&200_i16.to_be_bytes());
            bytes
        }),
        (
            "an array of two thousand million topics",
            frame(3, 1, &lying_array),
        ),
        (
            "a compact array of four thousand million",
            frame(3, 12, &[0, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        ),
        (
            "a produce request without its records",
            frame(0, 9, &[0, 0, 1, 0, 0, 0, 1, 2, 2, b't', 2]),
        ),
    ];
    for (what, bytes) in cases {
        assert_eq!(answer_until_closed(&cluster, bytes), [0_u8; 0], "{what}");
    }
}

#[test]
fn an_unknown_version_of_api_versions_is_answered_in_the_oldest() {
    let cluster = Cluster::start();
    let mut stream = connect(&cluster);
    // No body at all: it must not be looked at.
    stream.write_all(&frame(18, 9, &[])).unwrap();
    let mut answer = [0; 20];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer[..4], 16_u32.to_be_bytes());
    assert_eq!(answer[4..8], 7_u32.to_be_bytes(), "the correlation id");
    assert_eq!(answer[8..10], 35_i16.to_be_bytes(), "UNSUPPORTED_VERSION");
    assert_eq!(answer[10..], [0, 0, 0, 1, 0, 18, 0, 0, 0, 4]);
    // The connection is still good.
    stream.write_all(&frame(18, 0, &[])).unwrap();
    stream.read_exact(&mut answer[..4]).unwrap();
}

#[test]
fn promised_bytes_cost_no_memory_and_slow_clients_hold_nobody_up() {
    let cluster = Cluster::start();
    let before = cluster.resident_bytes();
    let mut slow: Vec<TcpStream> = (0..50).map(|_| connect(&cluster)).collect();
    for stream in &mut slow {
        // 100 MB are promised, a few come.
        stream.write_all(&100_000_000_u32.to_be_bytes()).unwrap();
        stream.write_all(&[0; 1000]).unwrap();
    }
    let address = HostPort::parse(&cluster.bootstrap()).unwrap();
    let mut other = Connection::open(&address, &ConnectionOptions::default()).unwrap();
    for _ in 0..100 {
        other.send(&MetadataRequest::default()).unwrap();
    }
    let after = cluster.resident_bytes();
    assert!(after - before < 64 << 20, "{} bytes more", after - before);
}

/// Produce v3 with 8 MB of records for a topic whose name is no name.
fn produce_of_eight_megabytes() -> Vec<u8> {
    let mut body = (-1_i16).to_be_bytes().to_vec();
    body.extend([0, 1, 0, 0, 0, 100]);
    body.extend([0, 0, 0, 1, 0, 1, b'?']);
    body.extend([0, 0, 0, 1, 0, 0, 0, 0]);
    body.extend(8_000_000_u32.to_be_bytes());
    body.extend(vec![0; 8_000_000]);
    frame(0, 3, &body)
}

#[test]
fn a_frame_that_never_ends_costs_what_has_come_of_it() {
    let cluster = Cluster::start();
    // A large request, so that the broker's memory has been used before.
    let mut earlier = connect(&cluster);
    earlier.write_all(&produce_of_eight_megabytes()).unwrap();
    earlier.read_exact(&mut [0; 4]).unwrap();
    drop(earlier);
    let before = cluster.resident_bytes();
    let mut slow: Vec<TcpStream> = (0..100).map(|_| connect(&cluster)).collect();
    for stream in &mut slow {
        let begun = [&100_000_000_u32.to_be_bytes()[..], &[0; 10_000]].concat();
        stream.write_all(&begun).unwrap();
    }
    // All have begun before the first goes on: no buffer can grow where it is.
    for stream in &mut slow {
        stream.write_all(&vec![0; 50_000]).unwrap();
    }
    let mut other = connect(&cluster);
    other.write_all(&frame(18, 0, &[])).unwrap();
    other.read_exact(&mut [0; 4]).unwrap();
    let more = cluster.resident_bytes().saturating_sub(before);
    assert!(more < 32 << 20, "6 MB came, {more} bytes are held");
}

#[test]
fn a_connection_at_rest_holds_nothing_of_its_last_request() {
    let cluster = Cluster::start();
    let before = cluster.resident_bytes();
    let request = produce_of_eight_megabytes();
    let resting: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = connect(&cluster);
            stream.write_all(&request).unwrap();
            stream.read_exact(&mut [0; 4]).unwrap();
            stream
        })
        .collect();
    wait_until("the memory is given back", || {
        cluster.resident_bytes().saturating_sub(before) < 40 << 20
    });
    assert_eq!(resting.len(), 20);
}

#[test]
fn random_bytes_never_end_the_broker() {
    let cluster = Cluster::start();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..400 {
        // Good headers with bad bodies reach furthest.
        let key = (random() % 76) as i16;
        let version = (random() % 14) as i16;
        let length = (random() % 120) as usize;
        let body: Vec<u8> = (0..length).map(|_| (random() >> 32) as u8).collect();
        let mut stream = connect(&cluster);
        let _ = stream.write_all(&frame(key, version, &body));
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
    let address = HostPort::parse(&cluster.bootstrap()).unwrap();
    let mut connection = Connection::open(&address, &ConnectionOptions::default()).unwrap();
    connection.send(&MetadataRequest::default()).unwrap();
}

#[test]
fn a_batch_that_inflates_to_much_is_read_in_little_memory() {
    let cluster = Cluster::start();
    let address = HostPort::parse(&cluster.bootstrap()).unwrap();
    let mut connection = Connection::open(&address, &ConnectionOptions::default()).unwrap();
    let name = || TopicName(StrBytes::from_static_str("zeros"));
    let topic = CreatableTopic::default()
        .with_name(name())
        .with_num_partitions(1)
        .with_replication_factor(1);
    let create = CreateTopicsRequest::default()
        .with_timeout_ms(10_000)
        .with_topics(vec![topic]);
    connection.send_as(&create, 7).unwrap();
    let before = cluster.resident_bytes();
    for codec in [Codec::Zstd, Codec::Lz4] {
        let mut builder = BatchBuilder::new(BatchOptions {
            codec,
            ..BatchOptions::default()
        });
        builder.append(0, None, Some(&vec![0; 200 << 20]), &[]);
        let mut batch = builder.finish().unwrap();
        // One record more than there is: all of the batch is read before it is refused.
        for count in [1_u8, 2] {
            (batch[26], batch[60]) = (count - 1, count);
            kafkit::records::batch_header::set_crc(&mut batch);
            let data = PartitionProduceData::default().with_records(Some(Bytes::from(batch.clone())));
            let topic = TopicProduceData::default()
                .with_name(name())
                .with_partition_data(vec![data]);
            let request = ProduceRequest::default()
                .with_acks(1)
                .with_timeout_ms(1000)
                .with_topic_data(vec![topic]);
            let answer = connection.send_as(&request, 9).unwrap();
            let error = answer.responses[0].partition_responses[0].error_code;
            assert_eq!(error, if count == 1 { 0 } else { 87 }, "{codec} {count}");
            let grown = cluster.resident_bytes().saturating_sub(before);
            assert!(grown < 48 << 20, "{codec} {count}: {grown} bytes");
        }
    }
}
