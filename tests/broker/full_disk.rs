//! A disk without room: records are refused with the right error, what is stored is served, and there is no restart.

use std::fs;

use bytes::Bytes;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{ProduceRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafkit::records::BatchBuilder;
use kafkit::records::batch_builder::BatchOptions;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

pub const STORAGE_ERROR: i16 = 56;
const RECORD: usize = 10_000;

/// Limits the size of the files that a running broker writes: stands for a disk of that size. `None` is no limit.
fn limit_files(cluster: &Cluster, bytes: Option<u64>) {
    let pid = Pid::from_raw(cluster.pid().cast_signed());
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(pid, Resource::Fsize, limit).unwrap();
}

/// Produces one batch of ten records to topic `t`; the error code.
pub fn produce(connection: &mut Connection) -> i16 {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    for _ in 0..10 {
        builder.append(1_700_000_000_000, None, Some(&[b'x'; RECORD]), &[]);
    }
    let data = PartitionProduceData::default()
        .with_index(0)
        .with_records(Some(Bytes::from(builder.finish_uncompressed())));
    let topic = TopicProduceData::default()
        .with_name(TopicName(StrBytes::from_static_str("t")))
        .with_partition_data(vec![data]);
    let request = ProduceRequest::default()
        .with_acks(-1)
        .with_timeout_ms(1000)
        .with_topic_data(vec![topic]);
    let response = connection.send_as(&request, 11).unwrap();
    response.responses[0].partition_responses[0].error_code
}

fn said(cluster: &Cluster, part: &str) -> usize {
    let lines = cluster.said();
    lines.iter().filter(|line| line.contains(part)).count()
}

fn stored(suite: &Suite, cluster: &Cluster) -> usize {
    let bootstrap = cluster.bootstrap();
    let consumed = suite
        .run(["consume", "t", "-e", "-q", "-b", &bootstrap])
        .succeeds();
    consumed
        .stdout()
        .lines()
        .filter(|line| line.len() == RECORD)
        .count()
}

#[test]
fn a_full_disk_refuses_records_and_nothing_else() {
    let suite = Suite::new();
    let mut cluster = Cluster::start();
    let bootstrap = cluster.bootstrap();
    suite
        .run(["topics", "create", "t", "-q", "-b", &bootstrap])
        .succeeds();
    let address = HostPort::parse(&bootstrap).unwrap();
    let mut connection = Connection::open(&address, &ConnectionOptions::default()).unwrap();
    let mut acknowledged = 0;
    for round in 1..=2 {
        let log = cluster.data_dir().join("t-0/00000000000000000000.log");
        let size = fs::metadata(log).unwrap().len();
        // Two more batches and a half.
        limit_files(&cluster, Some(size + 250_000));
        for expected in [0, 0, STORAGE_ERROR, STORAGE_ERROR] {
            assert_eq!(produce(&mut connection), expected, "round {round}");
            acknowledged += if expected == 0 { 10 } else { 0 };
        }
        wait_until("the broker says why", || {
            said(&cluster, "cannot store records in") == round
        });
        assert_eq!(stored(&suite, &cluster), acknowledged);
        limit_files(&cluster, None);
        assert_eq!(produce(&mut connection), 0);
        acknowledged += 10;
        wait_until("and that it is over", || {
            said(&cluster, "can be stored in") == round
        });
    }
    assert_eq!(stored(&suite, &cluster), acknowledged);
    limit_files(&cluster, Some(1));
    assert_eq!(produce(&mut connection), STORAGE_ERROR);
    cluster.crash_and_restart();
    assert_eq!(stored(&suite, &cluster), acknowledged);
}

/// A segment that cannot be begun, a topic that cannot be made: half of it must not be in the way afterwards.
#[test]
fn what_could_not_be_made_on_a_full_disk_is_made_when_there_is_room() {
    let suite = Suite::new();
    let mut cluster = Cluster::start();
    let bootstrap = cluster.bootstrap();
    let create = |topic: &str| {
        suite.run([
            "topics",
            "create",
            topic,
            "-q",
            "-b",
            &bootstrap,
            "--config",
            "internal.segment.bytes=150000",
        ])
    };
    create("t").succeeds();
    let address = HostPort::parse(&bootstrap).unwrap();
    let mut connection = Connection::open(&address, &ConnectionOptions::default()).unwrap();
    assert_eq!(produce(&mut connection), 0);
    limit_files(&cluster, Some(1));
    assert_eq!(produce(&mut connection), STORAGE_ERROR, "the next segment");
    assert_ne!(create("u").code, Some(0));
    assert_eq!(stored(&suite, &cluster), 10);
    limit_files(&cluster, None);
    assert_eq!(produce(&mut connection), 0);
    create("u").succeeds();
    assert_eq!(stored(&suite, &cluster), 20);
    cluster.restart();
    assert_eq!(stored(&suite, &cluster), 20);
}
