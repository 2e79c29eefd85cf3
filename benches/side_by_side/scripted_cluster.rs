//! A large cluster without its brokers: 200 listeners of this process answer the requests of commands that describe it.
//!
//! Only numbers are kept, so that the client is measured. One broker accepts connections and never answers, like a
//! stopped process.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, OnceLock};
use std::thread;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as m;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{ApiKey, BrokerId, GroupId, ResponseHeader, TopicName};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use kafkit::wire::header::{RequestHead, read_request};

pub const BROKERS: i32 = 200;
pub const TOPICS: i32 = 20_000;
pub const PARTITIONS: i32 = 10;
pub const GROUPS: i32 = 5000;
const REPLICAS: i32 = 3;
/// Topics that each group reads.
const TOPICS_OF_A_GROUP: i32 = 2;
const MEMBERS: usize = 3;
/// The records in each partition, and the offset of each group.
const RECORDS: i64 = 1000;
const COMMITTED: i64 = 990;
/// The only version of Metadata that is served: its responses are built once.
const METADATA: i16 = 12;

/// The cluster; it ends with this process.
#[derive(Debug)]
pub struct ScriptedCluster {
    pub address: String,
}

struct Shared {
    ports: Vec<u16>,
    all_topics: OnceLock<Bytes>,
}

impl ScriptedCluster {
    /// `silent`: a broker that never answers.
    pub fn start(silent: Option<i32>) -> Self {
        let bind = |_| TcpListener::bind("127.0.0.1:0").expect("a port");
        let listeners: Vec<TcpListener> = (0..BROKERS).map(bind).collect();
        let port = |listener: &TcpListener| listener.local_addr().expect("an address").port();
        let ports: Vec<u16> = listeners.iter().map(port).collect();
        let address = format!("127.0.0.1:{}", ports[0]);
        let shared = Arc::new(Shared {
            ports,
            all_topics: OnceLock::new(),
        });
        shared.all_topics();
        for (listener, id) in listeners.into_iter().zip(1..) {
            if silent == Some(id) {
                // The system accepts connections for it; it must live as long as this process.
                std::mem::forget(listener);
                continue;
            }
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                for socket in listener.incoming().flatten() {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || converse(socket, id, &shared));
                }
            });
        }
        Self { address }
    }
}

fn converse(mut stream: TcpStream, broker: i32, shared: &Shared) {
    stream.set_nodelay(true).expect("nodelay");
    loop {
        let mut length = [0; 4];
        if stream.read_exact(&mut length).is_err() {
            return;
        }
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        if stream.read_exact(&mut frame).is_err() {
            return;
        }
        let mut frame = Bytes::from(frame);
        let head = read_request(&mut frame).expect("a header");
        let body = answer(&head, frame, broker, shared);
        if stream.write_all(&heading(&head, body.len())).is_err() || stream.write_all(&body).is_err() {
            return;
        }
    }
}

/// The length and the header of a response.
fn heading(head: &RequestHead, body: usize) -> Vec<u8> {
    let key = ApiKey::try_from(head.api_key).expect("an API");
    let mut header = BytesMut::new();
    ResponseHeader::default()
        .with_correlation_id(head.correlation_id)
        .encode(&mut header, key.response_header_version(head.version))
        .expect("a header");
    let length = u32::try_from(header.len() + body).expect("a frame");
    [&length.to_be_bytes()[..], &header].concat()
}

fn answer(head: &RequestHead, mut request: Bytes, broker: i32, shared: &Shared) -> Bytes {
    let version = head.version;
    match ApiKey::try_from(head.api_key).expect("an API") {
        ApiKey::ApiVersions => encoded(&versions(), version),
        ApiKey::Metadata => {
            let asked = m::MetadataRequest::decode(&mut request, version).expect("a request");
            match asked.topics {
                None => shared.all_topics(),
                Some(topics) => {
                    let named = topics.into_iter().filter_map(|topic| number_in(&topic.name?.0));
                    encoded(&shared.metadata(named.map(topic)), version)
                }
            }
        }
        ApiKey::ListOffsets => encoded(&offsets(&decoded(request, version)), version),
        ApiKey::DescribeLogDirs => encoded(&sizes(decoded(request, version)), version),
        ApiKey::DescribeConfigs => encoded(&m::DescribeConfigsResponse::default(), version),
        ApiKey::ListGroups => encoded(&groups(broker), version),
        ApiKey::DescribeGroups => encoded(&members(decoded(request, version)), version),
        ApiKey::OffsetFetch => encoded(&committed(&decoded(request, version)), version),
        other => panic!("nothing is known of {other:?}"),
    }
}

fn decoded<T: Decodable>(mut request: Bytes, version: i16) -> T {
    T::decode(&mut request, version).expect("a request")
}

fn encoded(response: &impl Encodable, version: i16) -> Bytes {
    let mut bytes = BytesMut::new();
    response.encode(&mut bytes, version).expect("a response");
    bytes.freeze()
}

fn versions() -> m::ApiVersionsResponse {
    let served = [
        (ApiKey::ApiVersions, 0, 3),
        (ApiKey::Metadata, METADATA, METADATA),
        (ApiKey::ListOffsets, 1, 7),
        (ApiKey::DescribeLogDirs, 1, 4),
        (ApiKey::DescribeConfigs, 1, 4),
        (ApiKey::ListGroups, 0, 5),
        (ApiKey::DescribeGroups, 0, 5),
        (ApiKey::OffsetFetch, 8, 8),
    ];
    let api = |(key, min, max): (ApiKey, i16, i16)| {
        ApiVersion::default()
            .with_api_key(key as i16)
            .with_min_version(min)
            .with_max_version(max)
    };
    m::ApiVersionsResponse::default().with_api_keys(served.into_iter().map(api).collect())
}

impl Shared {
    fn all_topics(&self) -> Bytes {
        let all = || encoded(&self.metadata((0..TOPICS).map(topic)), METADATA);
        self.all_topics.get_or_init(all).clone()
    }

    fn metadata(&self, topics: impl Iterator<Item = MetadataResponseTopic>) -> m::MetadataResponse {
        let broker = |(port, id): (&u16, i32)| {
            MetadataResponseBroker::default()
                .with_node_id(BrokerId(id))
                .with_host(StrBytes::from_static_str("127.0.0.1"))
                .with_port(i32::from(*port))
        };
        m::MetadataResponse::default()
            .with_cluster_id(Some(StrBytes::from_static_str("scripted")))
            .with_controller_id(BrokerId(1))
            .with_brokers(self.ports.iter().zip(1..).map(broker).collect())
            .with_topics(topics.collect())
    }
}

fn topic_name(number: i32) -> TopicName {
    TopicName(StrBytes::from_string(format!("events-of-service-{number:05}")))
}

/// The number of the topic or group with this name; `None` if it does not exist.
fn number_in(name: &str) -> Option<i32> {
    name.rsplit('-').next()?.parse().ok()
}

fn topic(number: i32) -> MetadataResponseTopic {
    let partition = |partition: i32| {
        let replica = |place: i32| BrokerId((number * PARTITIONS + partition + place) % BROKERS + 1);
        let replicas: Vec<BrokerId> = (0..REPLICAS).map(replica).collect();
        MetadataResponsePartition::default()
            .with_partition_index(partition)
            .with_leader_id(replicas[0])
            .with_isr_nodes(replicas.clone())
            .with_replica_nodes(replicas)
    };
    MetadataResponseTopic::default()
        .with_name(Some(topic_name(number)))
        .with_partitions((0..PARTITIONS).map(partition).collect())
}

fn offsets(asked: &m::ListOffsetsRequest) -> m::ListOffsetsResponse {
    use m::list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse};
    let topics = asked.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            ListOffsetsPartitionResponse::default()
                .with_partition_index(partition.partition_index)
                .with_offset(if partition.timestamp == -2 { 0 } else { RECORDS })
        });
        ListOffsetsTopicResponse::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    m::ListOffsetsResponse::default().with_topics(topics.collect())
}

fn sizes(asked: m::DescribeLogDirsRequest) -> m::DescribeLogDirsResponse {
    use m::describe_log_dirs_response::{
        DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
    };
    let topics = asked.topics.into_iter().flatten().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            DescribeLogDirsPartition::default()
                .with_partition_index(*partition)
                .with_partition_size(RECORDS * 100)
        });
        DescribeLogDirsTopic::default()
            .with_partitions(partitions.collect())
            .with_name(topic.topic)
    });
    let dir = DescribeLogDirsResult::default()
        .with_log_dir(StrBytes::from_static_str("/data"))
        .with_topics(topics.collect());
    m::DescribeLogDirsResponse::default().with_results(vec![dir])
}

fn groups(broker: i32) -> m::ListGroupsResponse {
    use m::list_groups_response::ListedGroup;
    let own = (0..GROUPS).filter(|number| number % BROKERS + 1 == broker);
    let group = |number: i32| {
        ListedGroup::default()
            .with_group_id(GroupId(StrBytes::from_string(format!("readers-{number:04}"))))
            .with_protocol_type(StrBytes::from_static_str("consumer"))
            .with_group_state(StrBytes::from_static_str("Stable"))
            .with_group_type(StrBytes::from_static_str("classic"))
    };
    m::ListGroupsResponse::default().with_groups(own.map(group).collect())
}

fn members(asked: m::DescribeGroupsRequest) -> m::DescribeGroupsResponse {
    use m::describe_groups_response::{DescribedGroup, DescribedGroupMember};
    let group = |id: GroupId| {
        let member = DescribedGroupMember::default().with_client_host(StrBytes::from_static_str("/10.0.0.1"));
        DescribedGroup::default()
            .with_group_id(id)
            .with_group_state(StrBytes::from_static_str("Stable"))
            .with_members(vec![member; MEMBERS])
    };
    m::DescribeGroupsResponse::default().with_groups(asked.groups.into_iter().map(group).collect())
}

fn committed(asked: &m::OffsetFetchRequest) -> m::OffsetFetchResponse {
    use m::offset_fetch_response::{
        OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
    };
    let partition = |partition: i32| {
        OffsetFetchResponsePartitions::default()
            .with_partition_index(partition)
            .with_committed_offset(COMMITTED)
    };
    let topic = |number: i32| {
        OffsetFetchResponseTopics::default()
            .with_name(topic_name(number % TOPICS))
            .with_partitions((0..PARTITIONS).map(partition).collect())
    };
    let groups = asked.groups.iter().map(|group| {
        let first = number_in(&group.group_id.0).unwrap_or(0) * TOPICS_OF_A_GROUP;
        OffsetFetchResponseGroup::default()
            .with_group_id(group.group_id.clone())
            .with_topics((first..first + TOPICS_OF_A_GROUP).map(topic).collect())
    });
    m::OffsetFetchResponse::default().with_groups(groups.collect())
}
