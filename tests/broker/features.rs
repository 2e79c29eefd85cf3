//! Levels of features that change while the broker runs: the coordinators go by them from then on.

use kafka_protocol::messages::update_features_request::FeatureUpdateKey;
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, GroupId, ShareGroupDescribeRequest, UpdateFeaturesRequest,
};
use kafka_protocol::protocol::StrBytes;
use kafkit::records::Batches;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;

const UNSUPPORTED_VERSION: i16 = 35;
const GROUP_ID_NOT_FOUND: i16 = 69;
/// The ways to change a level.
const UPGRADE: i8 = 1;
const SAFE_DOWNGRADE: i8 = 2;

fn connect(cluster: &Cluster) -> Connection {
    let address = HostPort::parse(&cluster.bootstrap()).unwrap();
    Connection::open(&address, &ConnectionOptions::default()).unwrap()
}

fn set_level(cluster: &Cluster, feature: &'static str, level: i16, way: i8) {
    let update = FeatureUpdateKey::default()
        .with_feature(StrBytes::from_static_str(feature))
        .with_max_version_level(level)
        .with_upgrade_type(way);
    let request = UpdateFeaturesRequest::default()
        .with_timeout_ms(10_000)
        .with_feature_updates(vec![update]);
    let answer = connect(cluster).send(&request).unwrap();
    assert_eq!(answer.error_code, 0, "{answer:?}");
}

fn group() -> GroupId {
    GroupId(StrBytes::from_static_str("nobody"))
}

fn describe_consumer_group(cluster: &Cluster) -> i16 {
    let request = ConsumerGroupDescribeRequest::default().with_group_ids(vec![group()]);
    connect(cluster).send(&request).unwrap().groups[0].error_code
}

fn describe_share_group(cluster: &Cluster) -> i16 {
    let request = ShareGroupDescribeRequest::default().with_group_ids(vec![group()]);
    connect(cluster).send(&request).unwrap().groups[0].error_code
}

#[test]
fn groups_of_a_protocol_are_there_as_long_as_its_level_says_so() {
    let cluster = Cluster::start();
    for (feature, describe) in [
        ("group.version", describe_consumer_group as fn(&Cluster) -> i16),
        ("share.version", describe_share_group),
    ] {
        assert_eq!(describe(&cluster), GROUP_ID_NOT_FOUND, "{feature}");
        set_level(&cluster, feature, 0, SAFE_DOWNGRADE);
        assert_eq!(describe(&cluster), UNSUPPORTED_VERSION, "{feature}");
        set_level(&cluster, feature, 1, UPGRADE);
        assert_eq!(describe(&cluster), GROUP_ID_NOT_FOUND, "{feature}");
    }
}

/// The versions of the records that the coordinator has written about a transactional id, out of its log.
fn versions_of_records(cluster: &Cluster, id: &str) -> Vec<i16> {
    let folders = std::fs::read_dir(cluster.data_dir()).unwrap();
    let mut versions = Vec::new();
    for folder in folders.map(|entry| entry.unwrap().path()) {
        let log = folder.join("00000000000000000000.log");
        if !folder.to_string_lossy().contains("__transaction_state-") || !log.exists() {
            continue;
        }
        let bytes = std::fs::read(log).unwrap();
        for batch in Batches::new(&bytes) {
            let batch = batch.unwrap();
            for record in batch.records(&mut Vec::new(), 1 << 20).unwrap() {
                let record = record.unwrap();
                let is_meant = record.key.is_some_and(|key| key.ends_with(id.as_bytes()));
                let version = record.value.and_then(|value| value.first_chunk());
                versions.extend(
                    version
                        .filter(|_| is_meant)
                        .map(|bytes| i16::from_be_bytes(*bytes)),
                );
            }
        }
    }
    versions
}

#[test]
fn records_about_transactions_have_the_version_of_the_level_in_force() {
    let cluster = Cluster::start();
    let bootstrap = cluster.bootstrap();
    let versions = |id: &str| {
        let words = ["produce", "t", "--transactional-id", id, "-b", &bootstrap];
        Suite::new().run_with_input(words, "a\n").succeeds();
        versions_of_records(&cluster, id)
    };
    let newer = versions("first");
    assert!(
        !newer.is_empty() && newer.iter().all(|version| *version == 1),
        "{newer:?}"
    );
    set_level(&cluster, "transaction.version", 0, SAFE_DOWNGRADE);
    let older = versions("second");
    assert!(
        !older.is_empty() && older.iter().all(|version| *version == 0),
        "{older:?}"
    );
}
