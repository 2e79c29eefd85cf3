//! What a data directory holds beside our logs: Apache Kafka's metadata log, and folders that no broker made.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{CreateTopicsRequest, MetadataRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite};
use crate::support::wait::wait_until;

const METADATA_TOPIC: &str = "__cluster_metadata";

fn connect(cluster: &Cluster) -> Connection {
    let address = HostPort::parse(&cluster.bootstrap()).unwrap();
    Connection::open(&address, &ConnectionOptions::default()).unwrap()
}

fn name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

fn create(cluster: &Cluster, topic: &str, partitions: i32, validate_only: bool) -> (i16, Option<String>) {
    let wanted = CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(partitions)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![wanted])
        .with_timeout_ms(1000)
        .with_validate_only(validate_only);
    let response = connect(cluster).send(&request).unwrap();
    let topic = &response.topics[0];
    (
        topic.error_code,
        topic.error_message.as_ref().map(ToString::to_string),
    )
}

fn kafkit(suite: &Suite, cluster: &Cluster, args: &[&str], input: &str) -> Outcome {
    let bootstrap = cluster.bootstrap();
    suite.run_with_input([args, &["-q", "-b", bootstrap.as_str()]].concat(), input)
}

/// Every file below a folder, with its content.
fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            let below = files_below(&entry.path()).into_iter();
            files.extend(below.map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else if entry.path().is_file() {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    files
}

/// Codes and words are Apache Kafka's, which answers Metadata and everything else as if there were no such topic.
#[test]
fn the_metadata_topic_of_apache_kafka_cannot_be_made() {
    let suite = Suite::new();
    let cluster = Cluster::start();
    let words = "Creation of internal topic __cluster_metadata is prohibited.";
    for validate_only in [false, true] {
        let refused = create(&cluster, METADATA_TOPIC, 1, validate_only);
        assert_eq!(refused, (42, Some(words.to_owned())));
    }
    let wanted = MetadataRequestTopic::default().with_name(Some(name(METADATA_TOPIC)));
    let request = MetadataRequest::default()
        .with_topics(Some(vec![wanted]))
        .with_allow_auto_topic_creation(true);
    assert_eq!(connect(&cluster).send(&request).unwrap().topics[0].error_code, 3);
    assert_ne!(
        kafkit(
            &suite,
            &cluster,
            &["produce", METADATA_TOPIC, "--timeout", "2s"],
            "x\n"
        )
        .code,
        Some(0)
    );
    assert!(!cluster.data_dir().join("__cluster_metadata-0").exists());
}

/// A directory that came from Apache Kafka, with a topic of that name in what kafkit 0.1.0 wrote.
#[test]
fn the_metadata_log_of_apache_kafka_stays_as_it_is() {
    let suite = Suite::new();
    let mut cluster = Cluster::start();
    cluster.stop();
    let folder = cluster.data_dir().join("__cluster_metadata-0");
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/kraft-directory/__cluster_metadata-0");
    fs::create_dir(&folder).unwrap();
    for (file, bytes) in files_below(&golden) {
        fs::write(folder.join(file), bytes).unwrap();
    }
    fs::write(
        folder.join("partition.metadata"),
        "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ",
    )
    .unwrap();
    claim_metadata_topic(&cluster, "AAAAAAAAAAAAAAAAAAAAAA");
    let before = files_below(&folder);
    cluster.restart();
    assert_eq!(
        kafkit(&suite, &cluster, &["topics", "list", "-o", "name"], "").stdout(),
        ""
    );
    let deleted = kafkit(
        &suite,
        &cluster,
        &["topics", "delete", METADATA_TOPIC, "--yes"],
        "",
    );
    assert_ne!(deleted.code, Some(0));
    cluster.stop();
    assert_eq!(files_below(&folder), before);
}

/// kafkit 0.1.0 made a topic of that name in its own directory, where Apache Kafka would read its metadata.
#[test]
fn a_topic_of_that_name_is_set_aside() {
    let mut cluster = Cluster::start();
    assert_eq!(create(&cluster, "orders", 1, false).0, 0);
    cluster.stop();
    let folder = cluster.data_dir().join("__cluster_metadata-0");
    fs::rename(cluster.data_dir().join("orders-0"), &folder).unwrap();
    let id = fs::read_to_string(folder.join("partition.metadata")).unwrap();
    let (_, id) = id.split_once("topic_id: ").unwrap();
    claim_metadata_topic(&cluster, id);
    cluster.restart();
    assert!(!folder.exists());
    let aside = fs::read_dir(cluster.data_dir()).unwrap().any(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.starts_with("__cluster_metadata-0.") && name.ends_with("-stray")
    });
    assert!(aside);
}

/// Makes a stopped broker's metadata what kafkit 0.1.0 wrote, with a topic of this id under the name.
fn claim_metadata_topic(cluster: &Cluster, id: &str) {
    let file = cluster.data_dir().join("kafkit-metadata.json");
    let topics = serde_json::json!({ METADATA_TOPIC: { "id": id, "partitions": 1 } });
    let stored = serde_json::json!({ "version": 1, "topics": topics, "next_producer_id": 0 });
    fs::write(file, stored.to_string()).unwrap();
}

/// Folders that look like partitions: of photos, of another tool's files, one far out of line, an empty one, a link.
#[test]
fn only_folders_with_a_log_in_them_become_topics() {
    let suite = Suite::new();
    let mut cluster = Cluster::start();
    cluster.stop();
    let dir = cluster.data_dir();
    for (folder, file) in [
        ("photos-24", "a.jpg"),
        ("build-1", "build.log"),
        ("backup-3", "old/00000000000000000000.log"),
        ("my notes-0", "00000000000000000000.log"),
        ("far-2000000000", "00000000000000000000.log"),
        ("sparse-0", "00000000000000000000.log"),
        ("sparse-7", "00000000000000000000.log"),
        ("elsewhere/real-0", "00000000000000000000.log"),
    ] {
        let file = dir.join(folder).join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
    fs::create_dir(dir.join("empty-0")).unwrap();
    std::os::unix::fs::symlink(dir.join("elsewhere/real-0"), dir.join("link-0")).unwrap();
    fs::write(dir.join("file-0"), "").unwrap();
    cluster.restart();
    kafkit(&suite, &cluster, &["topics", "list", "-o", "name"], "").prints("sparse\n");
    let described = kafkit(
        &suite,
        &cluster,
        &["describe", "topic", "sparse", "-o", "json"],
        "",
    )
    .stdout();
    let described: serde_json::Value = serde_json::from_str(&described).unwrap();
    assert!(described.to_string().contains("\"partition\":7"), "{described}");
    let said = cluster.said();
    let lines: Vec<&String> = said.iter().filter(|line| line.contains("left alone")).collect();
    assert_eq!(lines.len(), 1, "{said:?}");
    let named = "backup-3, build-1, empty-0, far-2000000000, link-0, my notes-0, photos-24";
    assert!(lines[0].ends_with(named), "{}", lines[0]);
    for (folder, file) in [("photos-24", "a.jpg"), ("build-1", "build.log")] {
        assert!(dir.join(folder).join(file).exists(), "{folder}");
    }
}

/// A directory in which Apache Kafka has had elections: a client that has seen an epoch does not believe an earlier one.
#[test]
fn a_partition_is_led_in_the_latest_epoch_of_its_log() {
    let suite = Suite::new();
    let mut cluster = Cluster::start();
    assert_eq!(create(&cluster, "orders", 2, false).0, 0);
    kafkit(&suite, &cluster, &["produce", "orders", "-p", "0"], "a\nb\n").succeeds();
    cluster.stop();
    let epochs = cluster.data_dir().join("orders-0/leader-epoch-checkpoint");
    fs::write(&epochs, "0\n2\n0 0\n6 1\n").unwrap();
    for _start in 1..=2 {
        cluster.restart();
        let wanted = MetadataRequestTopic::default().with_name(Some(name("orders")));
        let request = MetadataRequest::default().with_topics(Some(vec![wanted]));
        let response = connect(&cluster).send(&request).unwrap();
        let partitions = response.topics[0].partitions.iter();
        let epochs: Vec<i32> = partitions.map(|partition| partition.leader_epoch).collect();
        assert_eq!(epochs, [6, 0]);
        kafkit(&suite, &cluster, &["produce", "orders", "-p", "0"], "c\n").succeeds();
        cluster.stop();
    }
    assert_eq!(fs::read_to_string(&epochs).unwrap(), "0\n2\n0 0\n6 1\n");
}

/// What was in the way of a topic is there after the topic could not be made, and a topic takes its own files only.
#[test]
fn files_that_are_no_logs_outlive_the_topic() {
    let suite = Suite::new();
    let mut cluster = Cluster::start();
    let dir = cluster.data_dir();
    fs::create_dir(dir.join("photos-2")).unwrap();
    fs::write(dir.join("photos-2/a.jpg"), "a").unwrap();
    let storage_error = 56;
    assert_eq!(create(&cluster, "photos", 4, false).0, storage_error);
    let left: Vec<String> = files_below(&dir)
        .into_keys()
        .filter(|name| name.contains("photos"))
        .collect();
    assert_eq!(left, ["photos-2/a.jpg"]);
    assert_eq!(create(&cluster, "photos", 2, false).0, 0);
    for file in ["b.jpg", "old.deleted", "notes.tmp", "x.swap"] {
        fs::write(dir.join("photos-1").join(file), "b").unwrap();
    }
    fs::create_dir(dir.join("photos-1/more")).unwrap();
    fs::write(dir.join("photos-1/more/00000000000000000000.log"), "c").unwrap();
    // Not what deletion leaves, though it ends so.
    fs::create_dir(dir.join("my.photos-delete")).unwrap();
    fs::write(dir.join("my.photos-delete/d.jpg"), "d").unwrap();
    cluster.crash_and_restart();
    kafkit(&suite, &cluster, &["topics", "delete", "photos", "--yes"], "").succeeds();
    let left = || -> Vec<String> {
        let files = files_below(&dir).into_keys();
        files.filter(|name| name.contains("photos")).collect()
    };
    let expected = [
        "my.photos-delete/d.jpg",
        "photos-1/b.jpg",
        "photos-1/more/00000000000000000000.log",
        "photos-1/notes.tmp",
        "photos-1/old.deleted",
        "photos-1/x.swap",
        "photos-2/a.jpg",
    ];
    wait_until("only what is no log's is left", || left() == expected);
    cluster.restart();
    assert_eq!(left(), expected);
    kafkit(&suite, &cluster, &["topics", "list", "-o", "name"], "").prints("");
}
