//! Share groups (KIP-932) as their members see them, by raw requests: who gets which records, what becomes of those that
//! are accepted, released, rejected or forgotten, and what is still known after a crash.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::BytesMut;
use kafka_protocol::messages::alter_share_group_offsets_request::{
    AlterShareGroupOffsetsRequestPartition, AlterShareGroupOffsetsRequestTopic,
};
use kafka_protocol::messages::describe_share_group_offsets_request::DescribeShareGroupOffsetsRequestGroup;
use kafka_protocol::messages::share_acknowledge_request::{
    AcknowledgePartition, AcknowledgeTopic, AcknowledgementBatch,
};
use kafka_protocol::messages::share_fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{
    AlterShareGroupOffsetsRequest, DescribeShareGroupOffsetsRequest, GroupId, MetadataRequest,
    ShareAcknowledgeRequest, ShareFetchRequest, ShareFetchResponse, ShareGroupHeartbeatRequest,
    ShareGroupHeartbeatResponse, TopicName,
};
use kafka_protocol::protocol::{Encodable, StrBytes};
use kafkit::wire::{Connection, ConnectionOptions, HostPort};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use uuid::Uuid;

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

const ACCEPT: i8 = 1;
const RELEASE: i8 = 2;
const REJECT: i8 = 3;

/// Groups begin at the first record, and may run the assignor as often as they like.
const SETTINGS: &[&str] = &["group.share.assignment.interval.ms=0"];

fn kafkit(cluster: &Cluster, words: &[&str]) -> String {
    let bootstrap = cluster.bootstrap();
    let outcome = Suite::new().run([words, &["-b", &bootstrap]].concat());
    outcome.succeeds().stdout()
}

fn produce(cluster: &Cluster, topic: &str, values: std::ops::Range<u32>) {
    let lines: Vec<String> = values.map(|value| format!("{value}\n")).collect();
    let bootstrap = cluster.bootstrap();
    let words = ["produce", topic, "-b", &bootstrap];
    Suite::new().run_with_input(words, lines.concat()).succeeds();
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group(name: &str) -> GroupId {
    GroupId(text(name))
}

/// A share group begins at the first record of its partitions.
fn begin_early(cluster: &Cluster, name: &str, configs: &[(&str, &str)]) {
    use kafka_protocol::messages::IncrementalAlterConfigsRequest;
    use kafka_protocol::messages::incremental_alter_configs_request::{
        AlterConfigsResource, AlterableConfig,
    };
    let all = [&[("share.auto.offset.reset", "earliest")], configs].concat();
    let configs = all.iter().map(|(name, value)| {
        AlterableConfig::default()
            .with_name(text(name))
            .with_value(Some(text(value)))
    });
    let resource = AlterConfigsResource::default()
        .with_resource_type(32)
        .with_resource_name(text(name))
        .with_configs(configs.collect());
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let answer = connect(cluster).send(&request).expect("an answer");
    assert_eq!(answer.responses[0].error_code, 0, "{answer:?}");
}

fn connect(cluster: &Cluster) -> Connection {
    let address = HostPort::parse(&cluster.bootstrap()).expect("an address");
    Connection::open(&address, &ConnectionOptions::default()).expect("a connection")
}

fn topic_id(cluster: &Cluster, name: &str) -> Uuid {
    let topic = kafka_protocol::messages::metadata_request::MetadataRequestTopic::default()
        .with_name(Some(TopicName(text(name))));
    let request = MetadataRequest::default().with_topics(Some(vec![topic]));
    let answer = connect(cluster).send(&request).expect("an answer");
    answer.topics[0].topic_id
}

/// A member of a share group with its session.
struct Member {
    connection: Connection,
    group: String,
    name: String,
    topic: Uuid,
    epoch: i32,
    session_epoch: i32,
}

impl Member {
    fn join(cluster: &Cluster, group: &str, name: &str, topic: &str) -> Self {
        let mut member = Self {
            connection: connect(cluster),
            group: group.to_owned(),
            name: name.to_owned(),
            topic: topic_id(cluster, topic),
            epoch: 0,
            session_epoch: 0,
        };
        let answer = member.beat(0, Some(topic));
        assert_eq!(answer.error_code, 0, "{answer:?}");
        member.epoch = answer.member_epoch;
        member
    }

    fn beat(&mut self, epoch: i32, topic: Option<&str>) -> ShareGroupHeartbeatResponse {
        let request = ShareGroupHeartbeatRequest::default()
            .with_group_id(group(&self.group))
            .with_member_id(text(&self.name))
            .with_member_epoch(epoch)
            .with_subscribed_topic_names(topic.map(|topic| vec![TopicName(text(topic))]));
        self.connection.send(&request).expect("an answer")
    }

    fn fetch_request(&mut self, max_records: i32) -> ShareFetchRequest {
        let partition = FetchPartition::default().with_partition_index(0);
        let topic = FetchTopic::default()
            .with_topic_id(self.topic)
            .with_partitions(vec![partition]);
        let request = ShareFetchRequest::default()
            .with_group_id(Some(group(&self.group)))
            .with_member_id(Some(text(&self.name)))
            .with_share_session_epoch(self.session_epoch)
            .with_max_wait_ms(50)
            .with_min_bytes(1)
            .with_max_bytes(1 << 20)
            .with_max_records(max_records)
            .with_batch_size(500)
            .with_topics(if self.session_epoch == 0 {
                vec![topic]
            } else {
                Vec::new()
            });
        self.session_epoch += 1;
        request
    }

    /// Fetches partition 0; the ranges of records that it gets, each with how often it was delivered.
    fn fetch(&mut self) -> Vec<(i64, i64, i16)> {
        let request = self.fetch_request(500);
        let answer = self.connection.send(&request).expect("an answer");
        acquired(&answer)
    }

    /// Says something about records of partition 0; the error code of the partition.
    fn acknowledge(&mut self, first: i64, last: i64, kind: i8) -> i16 {
        let batch = AcknowledgementBatch::default()
            .with_first_offset(first)
            .with_last_offset(last)
            .with_acknowledge_types(vec![kind]);
        let partition = AcknowledgePartition::default()
            .with_partition_index(0)
            .with_acknowledgement_batches(vec![batch]);
        let topic = AcknowledgeTopic::default()
            .with_topic_id(self.topic)
            .with_partitions(vec![partition]);
        let request = ShareAcknowledgeRequest::default()
            .with_group_id(Some(group(&self.group)))
            .with_member_id(Some(text(&self.name)))
            .with_share_session_epoch(self.session_epoch)
            .with_topics(vec![topic]);
        self.session_epoch += 1;
        let answer = self.connection.send(&request).expect("an answer");
        assert_eq!(answer.error_code, 0, "{answer:?}");
        answer.responses[0].partitions[0].error_code
    }
}

fn acquired(answer: &ShareFetchResponse) -> Vec<(i64, i64, i16)> {
    assert_eq!(answer.error_code, 0, "{answer:?}");
    let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
    let acquired = partitions.flat_map(|partition| {
        assert_eq!(partition.error_code, 0, "{answer:?}");
        &partition.acquired_records
    });
    acquired
        .map(|records| (records.first_offset, records.last_offset, records.delivery_count))
        .collect()
}

/// Where the group is in partition 0 of the topic.
fn start_offset(cluster: &Cluster, group: &str) -> i64 {
    let wanted = DescribeShareGroupOffsetsRequestGroup::default()
        .with_group_id(self::group(group))
        .with_topics(None);
    let request = DescribeShareGroupOffsetsRequest::default().with_groups(vec![wanted]);
    let answer = connect(cluster).send(&request).expect("an answer");
    answer.groups[0].topics[0].partitions[0].start_offset
}

fn started(topic: &str, records: u32) -> Cluster {
    let cluster = Cluster::start_with(SETTINGS);
    kafkit(&cluster, &["topics", "create", topic]);
    produce(&cluster, topic, 0..records);
    cluster
}

#[test]
fn members_share_a_partition_and_what_they_accept_is_done_with() {
    let cluster = started("jobs", 10);
    begin_early(&cluster, "workers", &[]);
    let mut first = Member::join(&cluster, "workers", "one", "jobs");
    let mut second = Member::join(&cluster, "workers", "two", "jobs");
    assert_eq!(first.fetch(), [(0, 9, 1)]);
    assert_eq!(second.fetch(), [], "the first one has them all");
    assert_eq!(
        second.acknowledge(0, 9, ACCEPT),
        121,
        "and only it may say anything"
    );
    assert_eq!(first.acknowledge(3, 5, ACCEPT), 0);
    assert_eq!(
        first.acknowledge(5, 6, ACCEPT),
        121,
        "nothing is accepted twice, and nothing by halves"
    );
    assert_eq!(first.acknowledge(0, 2, ACCEPT), 0);
    produce(&cluster, "jobs", 10..12);
    assert_eq!(second.fetch(), [(10, 11, 1)]);
    assert_eq!(second.acknowledge(10, 11, ACCEPT), 0);
    assert_eq!(first.acknowledge(6, 9, ACCEPT), 0);
    assert_eq!(
        first.acknowledge(0, 3, ACCEPT),
        0,
        "what is long done with is passed over"
    );
    produce(&cluster, "jobs", 12..13);
    assert_eq!(first.fetch(), [(12, 12, 1)]);
    assert_eq!(first.acknowledge(12, 12, ACCEPT), 0);
    assert_eq!(
        start_offset(&cluster, "workers"),
        12,
        "as it was when that was stored"
    );
}

#[test]
fn a_share_group_is_listed_and_described() {
    let cluster = started("jobs", 10);
    begin_early(&cluster, "workers", &[]);
    let mut member = Member::join(&cluster, "workers", "one", "jobs");
    assert_eq!(member.fetch(), [(0, 9, 1)]);
    assert_eq!(member.acknowledge(0, 1, ACCEPT), 0);
    assert_eq!(member.acknowledge(4, 6, ACCEPT), 0);
    let described = kafkit(&cluster, &["describe", "group", "workers", "-o", "json"]);
    let described: serde_json::Value = serde_json::from_str(&described).expect("JSON");
    let group = &described[0];
    assert_eq!(
        (&group["state"], &group["protocol"]),
        (&"stable".into(), &"share".into())
    );
    assert_eq!(
        group["lag"], 5,
        "what is done with behind the start does not count: {group}"
    );
    let table = kafkit(&cluster, &["describe", "group", "workers"]);
    assert!(
        table.starts_with("workers   stable, share group, epoch 3, coordinator 1   1 member   lag 5 "),
        "{table}"
    );
    let listed = kafkit(&cluster, &["groups", "list"]);
    let row = listed
        .lines()
        .find(|line| line.starts_with("workers"))
        .expect("a row");
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells, ["workers", "stable", "share", "share", "1", "5"]);
}

#[test]
fn released_records_come_again_up_to_the_limit_and_rejected_ones_never() {
    let cluster = started("t", 4);
    begin_early(&cluster, "g", &[("share.delivery.count.limit", "3")]);
    let mut member = Member::join(&cluster, "g", "m", "t");
    assert_eq!(member.fetch(), [(0, 3, 1)]);
    assert_eq!(member.acknowledge(0, 0, REJECT), 0);
    assert_eq!(member.acknowledge(1, 2, RELEASE), 0);
    assert_eq!(member.fetch(), [(1, 2, 2)]);
    assert_eq!(member.acknowledge(1, 2, RELEASE), 0);
    assert_eq!(member.fetch(), [(1, 1, 3)], "each by itself the last time");
    assert_eq!(member.fetch(), [(2, 2, 3)]);
    assert_eq!(member.acknowledge(1, 2, RELEASE), 0);
    assert_eq!(member.fetch(), [], "they were delivered too often");
    assert_eq!(member.acknowledge(3, 3, ACCEPT), 0);
    produce(&cluster, "t", 4..5);
    assert_eq!(member.fetch(), [(4, 4, 1)]);
}

#[test]
fn a_member_that_goes_gives_its_records_back() {
    let cluster = started("t", 3);
    begin_early(&cluster, "g", &[]);
    let mut first = Member::join(&cluster, "g", "one", "t");
    let mut second = Member::join(&cluster, "g", "two", "t");
    assert_eq!(first.fetch(), [(0, 2, 1)]);
    drop(first.connection);
    wait_until("the records of the lost connection", || {
        second.fetch() == [(0, 2, 2)]
    });
    let mut third = Member::join(&cluster, "g", "three", "t");
    assert_eq!(second.beat(-1, None).error_code, 0, "it leaves the group");
    assert_eq!(third.fetch(), [(0, 2, 3)]);
}

#[test]
fn a_member_that_says_nothing_loses_its_records_in_time() {
    let settings = [SETTINGS, &["group.share.record.lock.duration.ms=1000"]].concat();
    let cluster = Cluster::start_with(&settings);
    kafkit(&cluster, &["topics", "create", "t"]);
    produce(&cluster, "t", 0..2);
    begin_early(&cluster, "g", &[]);
    let mut silent = Member::join(&cluster, "g", "silent", "t");
    let mut other = Member::join(&cluster, "g", "other", "t");
    assert_eq!(silent.fetch(), [(0, 1, 1)]);
    wait_until("the records of the silent member", || {
        other.fetch() == [(0, 1, 2)]
    });
    assert_eq!(silent.acknowledge(0, 1, ACCEPT), 121);
}

#[test]
fn what_was_acknowledged_is_known_after_a_crash() {
    let mut cluster = started("t", 10);
    begin_early(&cluster, "g", &[]);
    let mut member = Member::join(&cluster, "g", "m", "t");
    assert_eq!(member.fetch(), [(0, 9, 1)]);
    assert_eq!(member.acknowledge(0, 1, ACCEPT), 0);
    assert_eq!(member.acknowledge(4, 5, ACCEPT), 0);
    assert_eq!(member.acknowledge(6, 6, RELEASE), 0);
    cluster.crash_and_restart();
    assert_eq!(start_offset(&cluster, "g"), 2);
    let mut member = Member::join(&cluster, "g", "m", "t");
    assert_eq!(member.epoch, 3, "the member and its assignment are known");
    assert_eq!(
        member.fetch(),
        [(2, 3, 1), (6, 6, 2), (7, 9, 1)],
        "that a record was under way is not stored"
    );
    assert_eq!(member.acknowledge(2, 3, ACCEPT), 0);
    assert_eq!(member.acknowledge(6, 9, ACCEPT), 0);
    cluster.restart();
    let mut member = Member::join(&cluster, "g", "m", "t");
    assert_eq!(member.fetch(), []);
}

#[test]
fn records_of_aborted_transactions_are_not_delivered_to_readers_of_committed_ones() {
    let cluster = started("t", 1);
    begin_early(
        &cluster,
        "committed",
        &[("share.isolation.level", "read_committed")],
    );
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("transactional.id", "writer")
        .create()
        .expect("a producer");
    let patience = Duration::from_secs(20);
    producer.init_transactions(patience).expect("transactions");
    let send = |commits: bool| {
        producer.begin_transaction().expect("a transaction");
        producer
            .send(BaseRecord::<str, str>::to("t").payload("in it"))
            .expect("a record");
        producer.flush(patience).expect("it is written");
        if commits {
            producer.commit_transaction(patience).expect("a commit");
        } else {
            producer.abort_transaction(patience).expect("an abort");
        }
    };
    // Offsets 1 and 2 with the marker, then 3 and 4.
    send(false);
    send(true);
    let mut member = Member::join(&cluster, "committed", "m", "t");
    assert_eq!(member.fetch(), [(0, 0, 1), (2, 4, 1)]);
    producer.begin_transaction().expect("a transaction");
    producer
        .send(BaseRecord::<str, str>::to("t").payload("open"))
        .expect("a record");
    producer.flush(patience).expect("it is written");
    assert_eq!(member.fetch(), [], "nothing of an open transaction");
    producer.commit_transaction(patience).expect("a commit");
    assert_eq!(member.fetch(), [(5, 6, 1)]);
}

#[test]
fn a_group_begins_at_the_end_and_can_be_moved_and_deleted() {
    let cluster = started("t", 5);
    let mut member = Member::join(&cluster, "g", "m", "t");
    assert_eq!(member.fetch(), [], "the default is the end");
    let listed = kafkit(&cluster, &["groups", "list", "-o", "tsv"]);
    assert!(
        listed
            .lines()
            .any(|line| line.contains("g\t") && line.contains("share")),
        "{listed}"
    );
    let partition = AlterShareGroupOffsetsRequestPartition::default()
        .with_partition_index(0)
        .with_start_offset(3);
    let topic = AlterShareGroupOffsetsRequestTopic::default()
        .with_topic_name(TopicName(text("t")))
        .with_partitions(vec![partition]);
    let alter = AlterShareGroupOffsetsRequest::default()
        .with_group_id(group("g"))
        .with_topics(vec![topic]);
    let answer = connect(&cluster).send(&alter).expect("an answer");
    assert_eq!(answer.error_code, 68, "it has a member");
    assert_eq!(member.beat(-1, None).error_code, 0);
    let answer = connect(&cluster).send(&alter).expect("an answer");
    assert_eq!(answer.error_code, 0, "{answer:?}");
    let mut member = Member::join(&cluster, "g", "m", "t");
    assert_eq!(member.fetch(), [(3, 4, 1)]);
    assert_eq!(member.beat(-1, None).error_code, 0);
    kafkit(&cluster, &["groups", "delete", "g", "--yes"]);
    assert_eq!(kafkit(&cluster, &["groups", "list", "-o", "name"]), "");
}

#[test]
fn a_group_and_its_states_survive_what_happens_to_topics() {
    let cluster = started("gone", 3);
    kafkit(&cluster, &["topics", "create", "stays"]);
    produce(&cluster, "stays", 0..2);
    begin_early(&cluster, "g", &[]);
    let mut member = Member::join(&cluster, "g", "m", "gone");
    assert_eq!(member.fetch(), [(0, 2, 1)]);
    kafkit(&cluster, &["topics", "delete", "gone", "--yes"]);
    let request = member.fetch_request(500);
    let answer = member.connection.send(&request).expect("an answer");
    assert_eq!(answer.responses[0].partitions[0].error_code, 100, "{answer:?}");
    kafkit(&cluster, &["topics", "create", "gone"]);
    produce(&cluster, "gone", 0..1);
    let mut member = Member::join(&cluster, "g", "again", "gone");
    assert_eq!(member.fetch(), [(0, 0, 1)], "the new topic is another one");
}

/// Version 2 of `ShareFetch`, which the crate with the messages does not have: its newer fields are put in by hand.
fn fetch_2(cluster: &Cluster, request: &ShareFetchRequest, mode: i8) -> ShareFetchResponse {
    use kafka_protocol::protocol::Decodable;
    let mut body = BytesMut::new();
    request.encode(&mut body, 1).expect("a request");
    let name = |text: &Option<StrBytes>| text.as_ref().map_or(0, |text| text.len()) + 1;
    let group = request.group_id.as_ref().map(|group| group.0.clone());
    let newer_at = name(&group) + name(&request.member_id) + 6 * 4;
    let mut frame = Vec::new();
    frame.extend(78_i16.to_be_bytes());
    frame.extend(2_i16.to_be_bytes());
    // Correlation id 7, client id "x", no tags.
    frame.extend([0, 0, 0, 7, 0, 1, b'x', 0]);
    frame.extend(&body[..newer_at]);
    frame.extend([mode.cast_unsigned(), 0]);
    frame.extend(&body[newer_at..]);
    let mut stream = TcpStream::connect(cluster.bootstrap()).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout");
    let length = u32::try_from(frame.len()).expect("a length");
    stream.write_all(&length.to_be_bytes()).expect("it is sent");
    stream.write_all(&frame).expect("it is sent");
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("a length");
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).expect("an answer");
    ShareFetchResponse::decode(&mut &answer[5..], 1).expect("an answer")
}

#[test]
fn a_member_may_ask_for_exactly_so_many_records() {
    let cluster = started("t", 10);
    begin_early(&cluster, "g", &[]);
    let mut member = Member::join(&cluster, "g", "m", "t");
    let request = member.fetch_request(4);
    assert_eq!(acquired(&fetch_2(&cluster, &request, 1)), [(0, 3, 1)]);
    let mut other = Member::join(&cluster, "g", "other", "t");
    let request = other.fetch_request(4);
    assert_eq!(
        acquired(&fetch_2(&cluster, &request, 0))
            .last()
            .map(|records| records.1),
        Some(9),
        "a whole batch"
    );
}
