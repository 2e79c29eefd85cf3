//! A reader that says in which epoch its last record was written is told where its history and the log's part (KIP-595).

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{FetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;

/// The error, the high watermark, and the epoch and offset at which the histories part.
type Answer = (i16, i64, (i32, i64));

fn fetch(connection: &mut Connection, offset: i64, last_fetched_epoch: i32) -> Answer {
    let partition = FetchPartition::default()
        .with_fetch_offset(offset)
        .with_last_fetched_epoch(last_fetched_epoch)
        .with_partition_max_bytes(1000);
    let topic = FetchTopic::default()
        .with_topic(TopicName(StrBytes::from_static_str("t")))
        .with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_session_epoch(-1)
        .with_max_bytes(1000)
        .with_topics(vec![topic]);
    let mut answer = connection.send_as(&request, 12).unwrap();
    let partition = answer.responses.remove(0).partitions.remove(0);
    let parted = partition.diverging_epoch;
    (
        partition.error_code,
        partition.high_watermark,
        (parted.epoch, parted.end_offset),
    )
}

/// What Apache Kafka 4.3.1 answers of a log with one record of epoch 0.
#[test]
fn a_fetch_behind_another_history_is_told_where_they_part() {
    let cluster = Cluster::start();
    let bootstrap = cluster.bootstrap();
    let suite = Suite::new();
    suite
        .run(["topics", "create", "t", "-q", "-b", &bootstrap])
        .succeeds();
    suite
        .run_with_input(["produce", "t", "-q", "-b", &bootstrap], "a\n")
        .succeeds();
    let address = HostPort::parse(&bootstrap).unwrap();
    let mut connection = Connection::open(&address, &ConnectionOptions::default()).unwrap();
    let mut asked = |offset, epoch| fetch(&mut connection, offset, epoch);
    assert_eq!(asked(100, 0), (0, 1, (0, 1)));
    assert_eq!(asked(1, 0), (0, 1, (-1, -1)));
    assert_eq!(asked(1, 5), (1, -1, (-1, -1)));
    assert_eq!(asked(100, -1), (1, -1, (-1, -1)));
}
