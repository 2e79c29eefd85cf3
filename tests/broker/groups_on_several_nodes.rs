//! Groups of the newer protocols in a cluster of several nodes: their coordinators are on other nodes than what they read,
//! and die.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::share_acknowledge_request::{
    AcknowledgePartition, AcknowledgeTopic, AcknowledgementBatch,
};
use kafka_protocol::messages::share_fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{
    FindCoordinatorRequest, GroupId, IncrementalAlterConfigsRequest, ShareAcknowledgeRequest,
    ShareFetchRequest, ShareGroupHeartbeatRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use uuid::Uuid;

use super::nodes::{address, connect, described, isr, kafkit, leader, numbers};
use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

const ALL: [i32; 3] = [1, 2, 3];

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn produce(suite: &Suite, cluster: &Cluster, topic: &str, range: std::ops::RangeInclusive<u32>) {
    let words = ["produce", topic, "-X", "acks=all"];
    kafkit(suite, cluster, &words, &numbers(range)).succeeds();
}

/// Kills the node that leads partition 0 of a topic. Answers which it was.
fn kill_leader(cluster: &Cluster, topic: &str) -> i32 {
    let before = leader(cluster, topic, 0);
    cluster.node("kill", before);
    wait_until("another leader", || {
        let now = leader(cluster, topic, 0);
        now >= 0 && now != before
    });
    before
}

/// Starts a node, and waits until it has the partitions 0 of these topics again.
fn start(cluster: &Cluster, id: i32, topics: &[&str]) {
    cluster.node("start", id);
    wait_until("all in sync", || {
        topics
            .iter()
            .all(|topic| isr(cluster, topic, 0).len() == ALL.len())
    });
}

/// A member of a group of the consumer protocol, which commits what it has read.
struct Member {
    consumer: BaseConsumer,
    read: BTreeSet<u32>,
    /// By partition.
    committed: BTreeMap<i32, i64>,
}

impl Member {
    fn of(cluster: &Cluster) -> Self {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap())
            .set("group.id", "workers")
            .set("group.protocol", "consumer")
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        consumer.subscribe(&["jobs"]).unwrap();
        Self {
            consumer,
            read: BTreeSet::new(),
            committed: BTreeMap::new(),
        }
    }

    fn poll(&mut self) {
        let Some(Ok(record)) = self.consumer.poll(Duration::from_millis(50)) else {
            return;
        };
        let value = std::str::from_utf8(record.payload().unwrap()).unwrap();
        self.read.insert(value.parse().unwrap());
        // While the coordinator moves, nothing can be committed.
        if self.consumer.commit_message(&record, CommitMode::Sync).is_ok() {
            self.committed.insert(record.partition(), record.offset() + 1);
        }
    }

    fn partitions(&self) -> usize {
        self.consumer.assignment().unwrap().count()
    }
}

#[test]
fn a_group_of_the_consumer_protocol_goes_on_when_its_coordinator_dies() {
    let suite = Suite::new();
    let settings = [
        "offsets.topic.num.partitions=1",
        "group.consumer.heartbeat.interval.ms=50",
        "group.consumer.assignment.interval.ms=0",
    ];
    let cluster = Cluster::start_nodes(3, &settings);
    let create = ["topics", "create", "jobs", "--assignment", "1:2:3,2:3:1,3:1:2"];
    kafkit(&suite, &cluster, &create, "").succeeds();
    let mut members = [Member::of(&cluster), Member::of(&cluster)];
    let read_all = |members: &mut [Member; 2], all: std::ops::RangeInclusive<u32>| {
        wait_until("every record", || {
            members.iter_mut().for_each(Member::poll);
            let read: BTreeSet<u32> = members.iter().flat_map(|member| &member.read).copied().collect();
            read == all.clone().collect()
        });
    };
    wait_until("both have partitions", || {
        members.iter_mut().for_each(Member::poll);
        members.iter().map(Member::partitions).sum::<usize>() == 3
            && members.iter().all(|member| member.partitions() > 0)
    });
    produce(&suite, &cluster, "jobs", 1..=30);
    read_all(&mut members, 1..=30);
    let before = kill_leader(&cluster, "__consumer_offsets");
    produce(&suite, &cluster, "jobs", 31..=60);
    read_all(&mut members, 1..=60);
    start(&cluster, before, &["__consumer_offsets", "jobs"]);
    // And once more: the one that has taken over has kept what it was told.
    kill_leader(&cluster, "__consumer_offsets");
    let mut wanted = TopicPartitionList::new();
    for index in 0..3 {
        wanted.add_partition("jobs", index);
    }
    let [first, second] = members;
    let consumer = &first.consumer;
    let mut known = None;
    wait_until("the offsets", || {
        known = consumer
            .committed_offsets(wanted.clone(), Duration::from_secs(5))
            .ok();
        known.is_some()
    });
    for (index, committed) in first.committed.iter().chain(&second.committed) {
        let known = known.as_ref().unwrap().find_partition("jobs", *index).unwrap();
        assert!(
            matches!(known.offset(), Offset::Offset(offset) if offset >= *committed),
            "{committed} was committed for {index}, and now it is {known:?}"
        );
    }
}

/// A member of a share group that reads partition 0 of a topic, with its session on the leader.
struct ShareMember {
    topic: Uuid,
    leader: Connection,
    session_epoch: i32,
}

impl ShareMember {
    const GROUP: &'static str = "sharers";

    fn group() -> GroupId {
        GroupId(text(Self::GROUP))
    }

    /// The epoch of the member after a heartbeat.
    fn beat(coordinator: &mut Connection, epoch: i32, topic: Option<&str>) -> Result<i32, i16> {
        let request = ShareGroupHeartbeatRequest::default()
            .with_group_id(Self::group())
            .with_member_id(text("m"))
            .with_member_epoch(epoch)
            .with_subscribed_topic_names(topic.map(|topic| vec![TopicName(text(topic))]));
        let answer = coordinator.send(&request).unwrap();
        match answer.error_code {
            0 => Ok(answer.member_epoch),
            error => Err(error),
        }
    }

    /// First and last offset of what it gets; an error where the partition has one.
    fn fetch(&mut self) -> Result<Vec<(i64, i64)>, i16> {
        let partition = FetchPartition::default().with_partition_index(0);
        let topic = FetchTopic::default()
            .with_topic_id(self.topic)
            .with_partitions(vec![partition]);
        let is_first = self.session_epoch == 0;
        let request = ShareFetchRequest::default()
            .with_group_id(Some(Self::group()))
            .with_member_id(Some(text("m")))
            .with_share_session_epoch(self.session_epoch)
            .with_max_wait_ms(50)
            .with_min_bytes(1)
            .with_max_bytes(1 << 20)
            .with_max_records(500)
            .with_batch_size(500)
            .with_topics(if is_first { vec![topic] } else { Vec::new() });
        let answer = self.leader.send(&request).map_err(|_| -1_i16)?;
        if answer.error_code != 0 {
            return Err(answer.error_code);
        }
        self.session_epoch += 1;
        let mut got = Vec::new();
        for partition in answer.responses.iter().flat_map(|topic| &topic.partitions) {
            if partition.error_code != 0 {
                return Err(partition.error_code);
            }
            let records = partition.acquired_records.iter();
            got.extend(records.map(|records| (records.first_offset, records.last_offset)));
        }
        Ok(got)
    }

    fn accept(&mut self, first: i64, last: i64) -> i16 {
        let batch = AcknowledgementBatch::default()
            .with_first_offset(first)
            .with_last_offset(last)
            .with_acknowledge_types(vec![1]);
        let partition = AcknowledgePartition::default()
            .with_partition_index(0)
            .with_acknowledgement_batches(vec![batch]);
        let topic = AcknowledgeTopic::default()
            .with_topic_id(self.topic)
            .with_partitions(vec![partition]);
        let request = ShareAcknowledgeRequest::default()
            .with_group_id(Some(Self::group()))
            .with_member_id(Some(text("m")))
            .with_share_session_epoch(self.session_epoch)
            .with_topics(vec![topic]);
        let Ok(answer) = self.leader.send(&request) else {
            return -1;
        };
        assert_eq!(answer.error_code, 0, "{answer:?}");
        self.session_epoch += 1;
        answer.responses[0].partitions[0].error_code
    }
}

/// Who coordinates a key, when there is a coordinator.
fn coordinator(cluster: &Cluster, key: &str, key_type: i8) -> i32 {
    let mut found = -1;
    wait_until("a coordinator", || {
        let request = FindCoordinatorRequest::default()
            .with_key_type(key_type)
            .with_coordinator_keys(vec![text(key)]);
        let answer = ALL
            .iter()
            .find_map(|id| connect_to(cluster, *id)?.send(&request).ok())
            .unwrap();
        found = answer.coordinators[0].node_id.0;
        answer.coordinators[0].error_code == 0
    });
    found
}

/// A connection to a node, if it runs.
fn connect_to(cluster: &Cluster, id: i32) -> Option<Connection> {
    let address = HostPort::parse(&address(cluster, id)).unwrap();
    Connection::open(&address, &ConnectionOptions::default()).ok()
}

fn begin_early(cluster: &Cluster) {
    let config = AlterableConfig::default()
        .with_name(text("share.auto.offset.reset"))
        .with_value(Some(text("earliest")));
    let resource = AlterConfigsResource::default()
        .with_resource_type(32)
        .with_resource_name(text(ShareMember::GROUP))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let answer = connect(cluster, 1).send(&request).unwrap();
    assert_eq!(answer.responses[0].error_code, 0, "{answer:?}");
}

#[test]
fn what_a_share_group_has_read_is_known_wherever_its_coordinators_move() {
    let suite = Suite::new();
    let settings = [
        "offsets.topic.num.partitions=1",
        "share.coordinator.state.topic.num.partitions=1",
        "group.share.assignment.interval.ms=0",
    ];
    let cluster = Cluster::start_nodes(3, &settings);
    let group = ShareMember::GROUP;
    let of_group = coordinator(&cluster, group, 0);
    // Group, topic id and partition; there is one partition for all of them.
    let of_state = coordinator(&cluster, &format!("{group}:AAAAAAAAAAAAAAAAAAAAAQ:0"), 2);
    // The records are on a node that coordinates nothing.
    let node = ALL
        .into_iter()
        .find(|id| ![of_group, of_state].contains(id))
        .unwrap();
    let others: Vec<String> = ALL
        .iter()
        .filter(|id| **id != node)
        .map(ToString::to_string)
        .collect();
    let assignment = format!("{node}:{}", others.join(":"));
    let create = ["topics", "create", "t", "--assignment", &assignment];
    kafkit(&suite, &cluster, &create, "").succeeds();
    begin_early(&cluster);
    produce(&suite, &cluster, "t", 1..=10);

    let epoch = ShareMember::beat(&mut connect(&cluster, of_group), 0, Some("t")).unwrap();
    let mut member = ShareMember {
        topic: described(&cluster, "t").topic_id,
        leader: connect(&cluster, node),
        session_epoch: 0,
    };
    wait_until("the records", || member.fetch() == Ok(vec![(0, 9)]));
    assert_eq!(member.accept(0, 3), 0);

    // The states move: what is accepted afterwards counts as well.
    let internal = ["__consumer_offsets", "__share_group_state"];
    let before = kill_leader(&cluster, "__share_group_state");
    wait_until("an acknowledgement that counts", || member.accept(4, 4) == 0);
    start(&cluster, before, &internal);

    // The group moves, and its member is known.
    let before = kill_leader(&cluster, "__consumer_offsets");
    wait_until("a heartbeat", || {
        let of_group = coordinator(&cluster, group, 0);
        let mut coordinator = connect(&cluster, of_group);
        ShareMember::beat(&mut coordinator, epoch, None).is_ok()
    });
    start(&cluster, before, &[&internal[..], &["t"]].concat());

    // The records move: nothing that was accepted comes again, and nothing else is lost.
    kill_leader(&cluster, "t");
    wait_until("the rest", || {
        let mut member = ShareMember {
            topic: member.topic,
            leader: connect(&cluster, leader(&cluster, "t", 0)),
            session_epoch: 0,
        };
        match member.fetch() {
            Ok(got) if got.is_empty() => false,
            Ok(got) => {
                assert_eq!(got, [(5, 9)]);
                assert_eq!(member.accept(5, 9), 0);
                true
            }
            Err(_) => false,
        }
    });
}
