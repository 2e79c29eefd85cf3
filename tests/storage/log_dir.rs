//! The log dir: one broker at a time, nobody else's folder, partitions that come and go.

use std::collections::BTreeMap;
use std::fs;

use kafkit::storage::log_dir::{Checkpoint, FoundPartitions};
use kafkit::storage::partition_metadata::random_id;
use kafkit::storage::{LogConfig, LogDir};
use kafkit::topic_partition::TopicPartition;

use super::write::{NOW_MS, append, offsets};

#[test]
fn a_log_dir_belongs_to_one_broker_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let first = LogDir::open(&path, 1, None).unwrap();
    let cluster_id = first.meta().cluster_id.clone().unwrap();
    assert_eq!(cluster_id.len(), 22);
    let error = LogDir::open(&path, 1, None).unwrap_err();
    assert!(error.to_string().contains("in use by another broker"), "{error}");
    drop(first);
    assert_eq!(
        LogDir::open(&path, 1, Some(&cluster_id)).unwrap().meta().node_id,
        1
    );
    let error = LogDir::open(&path, 2, None).unwrap_err();
    assert!(error.to_string().contains("belongs to broker 1"), "{error}");
    let error = LogDir::open(&path, 1, Some("another")).unwrap_err();
    assert!(error.to_string().contains("belongs to cluster"), "{error}");
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "…").unwrap();
    let error = LogDir::open(folder.path(), 1, None).unwrap_err();
    assert!(error.to_string().contains("holds 'thesis.tex'"), "{error}");
    assert!(!folder.path().join("meta.properties").exists());
}

#[test]
fn partitions_outlive_the_broker_until_they_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let orders = TopicPartition::new("orders", 3);
    let topic_id = random_id().unwrap();
    for round in 0..3 {
        let log_dir = LogDir::open(folder.path(), 1, None).unwrap();
        assert_eq!(log_dir.was_clean_shutdown(), round == 2);
        let mut log = if round == 0 {
            log_dir
                .create_partition(&orders, topic_id, LogConfig::default(), NOW_MS)
                .unwrap()
        } else {
            assert_eq!(
                log_dir.partitions().unwrap().logs,
                [(orders.clone(), Some(topic_id))]
            );
            log_dir
                .open_partition(&orders, LogConfig::default(), NOW_MS)
                .unwrap()
        };
        append(&mut log, NOW_MS, 4);
        if round == 0 {
            log.delete_records(2).unwrap();
            let starts = BTreeMap::from([(orders.clone(), log.log_start_offset())]);
            log_dir
                .write_checkpoint(Checkpoint::LogStartOffsets, &starts)
                .unwrap();
            continue; // A crash.
        }
        log.close(false).unwrap();
        let points = BTreeMap::from([(orders.clone(), log.recovery_point())]);
        log_dir
            .write_checkpoint(Checkpoint::RecoveryPoints, &points)
            .unwrap();
        log_dir
            .write_checkpoint(Checkpoint::HighWatermarks, &points)
            .unwrap();
        log_dir.mark_clean_shutdown().unwrap();
    }
    let log_dir = LogDir::open(folder.path(), 1, None).unwrap();
    assert_eq!(log_dir.high_watermark(&orders), 12);
    let log = log_dir
        .open_partition(&orders, LogConfig::default(), NOW_MS)
        .unwrap();
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (2, 12));
    let slice = log.read(2, 1 << 20, 12, true).unwrap();
    log_dir.delete_partition(&orders).unwrap();
    assert_eq!(log_dir.partitions().unwrap(), FoundPartitions::default());
    log_dir.purge_deleted().unwrap();
    assert!(
        fs::read_dir(folder.path())
            .unwrap()
            .all(|entry| !entry.unwrap().path().is_dir())
    );
    assert!(!slice.to_vec().unwrap().is_empty(), "a reader may finish");
    drop(log);
    let log = log_dir
        .create_partition(&orders, topic_id, LogConfig::default(), NOW_MS)
        .unwrap();
    assert!(offsets(&log, 0).is_empty());
}
