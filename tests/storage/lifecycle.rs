//! A log's life: segments roll, records age, requests delete, producers come back, times are looked up.

use std::fs;

use kafkit::records::Codec;
use kafkit::records::batch_builder::Producer;
use kafkit::records::batch_header::{BatchHeader, crc_is_valid};
use kafkit::records::control_record::EndTransactionMarker;
use kafkit::storage::disk_faults::{self, DiskRule, Effect, Operation};
use kafkit::storage::file_name::{FileKind, file_name};
use kafkit::storage::{AppendError, LogConfig, PartitionLog, ReadError, Recovery};

use super::write::{NOW_MS, append, batch, offsets, producer_batch, reopen, reopen_after_crash};

fn bases(log: &PartitionLog) -> Vec<i64> {
    log.segments()
        .iter()
        .map(kafkit::storage::segment::Segment::base_offset)
        .collect()
}

#[test]
fn segments_roll_by_size_and_by_age() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig {
        segment_bytes: 1000,
        segment_ms: 5000,
        ..LogConfig::default()
    };
    let mut log = reopen(folder.path(), &config);
    for _ in 0..3 {
        append(&mut log, NOW_MS, 3);
    }
    assert_eq!(bases(&log), [0, 6]);
    append(&mut log, NOW_MS + 5002, 1);
    assert_eq!(
        bases(&log),
        [0, 6],
        "exactly as much later than the first batch as allowed"
    );
    append(&mut log, NOW_MS + 5003, 1);
    assert_eq!(bases(&log), [0, 6, 10]);
    assert!(
        folder
            .path()
            .join(file_name(10, FileKind::ProducerSnapshot))
            .exists()
    );
    log.close(false).unwrap();
    let mut log = reopen(folder.path(), &config);
    append(&mut log, NOW_MS + 11_000, 1);
    assert_eq!(bases(&log), [0, 6, 10, 11], "the age is known after a restart");
    let error = log
        .append(&mut batch(Codec::None, NOW_MS, 20), 0, NOW_MS)
        .unwrap_err();
    assert!(matches!(
        error,
        AppendError::TooLarge {
            segment_bytes: 1000,
            ..
        }
    ));
}

#[test]
fn a_full_index_ends_its_segment() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig {
        index_interval_bytes: 0,
        segment_index_bytes: 32,
        ..LogConfig::default()
    };
    let mut log = reopen(folder.path(), &config);
    for n in 0..6 {
        append(&mut log, NOW_MS + n, 1);
    }
    // Two entries and the one kept free for the end fill the time index.
    assert_eq!(bases(&log), [0, 2, 4]);
}

#[test]
fn batches_are_stored_as_received() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = reopen(folder.path(), &LogConfig::default());
    append(&mut log, NOW_MS, 5);
    for codec in Codec::ALL {
        let original = batch(codec, NOW_MS, 3);
        let appended = log.append(&mut original.clone(), 7, NOW_MS + 50).unwrap();
        let slice = log
            .read(appended.base_offset + 2, 1 << 20, log.log_end_offset(), true)
            .unwrap();
        let stored = slice.to_vec().unwrap();
        assert_eq!(stored[16..], original[16..], "{codec}");
        let header = BatchHeader::parse(&stored).unwrap();
        assert_eq!(
            (header.base_offset, header.partition_leader_epoch),
            (appended.base_offset, 7)
        );
    }
    assert_eq!(log.epoch_end_offset(0), Some((0, 5)));
    assert_eq!(log.epoch_end_offset(7), Some((7, 20)));
}

#[test]
fn the_log_can_stamp_batches_itself() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig {
        log_append_time: true,
        ..LogConfig::default()
    };
    let mut log = reopen(folder.path(), &config);
    let appended = log.append(&mut batch(Codec::Zstd, 5, 3), 0, NOW_MS).unwrap();
    assert_eq!(appended.log_append_time, NOW_MS);
    let stored = log.read(0, 1 << 20, 3, true).unwrap().to_vec().unwrap();
    assert!(crc_is_valid(&stored));
    let found = log.offset_for_timestamp(NOW_MS).unwrap().unwrap();
    assert_eq!((found.offset, found.timestamp), (0, NOW_MS));
}

#[test]
fn times_are_found_inside_batches() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig {
        segment_bytes: 3000,
        index_interval_bytes: 400,
        ..LogConfig::default()
    };
    let mut log = reopen(folder.path(), &config);
    let codecs = Codec::ALL.iter().cycle();
    for (n, codec) in (0..40).zip(codecs) {
        log.append(&mut batch(*codec, NOW_MS + n * 100, 5), 3, NOW_MS)
            .unwrap();
    }
    for round in 0..2 {
        for n in 0..40 {
            for within in 0..5 {
                let found = log
                    .offset_for_timestamp(NOW_MS + n * 100 + within)
                    .unwrap()
                    .unwrap();
                assert_eq!(
                    (found.offset, found.timestamp),
                    (n * 5 + within, NOW_MS + n * 100 + within)
                );
                assert_eq!(found.leader_epoch, 3);
            }
            let between = log.offset_for_timestamp(NOW_MS + n * 100 - 50).unwrap().unwrap();
            assert_eq!(between.offset, n * 5);
        }
        assert_eq!(log.offset_for_timestamp(NOW_MS + 3905).unwrap(), None);
        assert_eq!(log.max_timestamp_offset().unwrap().unwrap().offset, 199);
        if round == 0 {
            log.close(false).unwrap();
            log = reopen(folder.path(), &config);
        }
    }
    log.delete_records(17).unwrap();
    assert_eq!(log.offset_for_timestamp(0).unwrap().unwrap().offset, 17);
}

#[test]
fn old_records_go_by_age_and_by_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = LogConfig {
        segment_bytes: 1000,
        retention_ms: 1000,
        ..LogConfig::default()
    };
    let mut log = reopen(folder.path(), &config);
    for n in 0..8 {
        append(&mut log, NOW_MS + n * 100, 3);
    }
    assert_eq!(bases(&log), [0, 6, 12, 18]);
    assert_eq!(
        log.apply_retention(NOW_MS + 1102, 24).unwrap(),
        0,
        "two milliseconds too young"
    );
    assert_eq!(
        log.apply_retention(NOW_MS + 1103, 5).unwrap(),
        0,
        "above the high watermark"
    );
    assert_eq!(log.apply_retention(NOW_MS + 1103, 24).unwrap(), 1);
    assert_eq!(log.log_start_offset(), 6);
    assert!(matches!(
        log.read(5, 100, 24, true),
        Err(ReadError::OffsetOutOfRange { .. })
    ));

    config.retention_ms = -1;
    config.retention_bytes = i64::try_from(log.size()).unwrap() - 700;
    log.set_config(config.clone());
    assert_eq!(log.apply_retention(NOW_MS, 24).unwrap(), 0);
    config.retention_bytes -= 400;
    log.set_config(config.clone());
    assert_eq!(log.apply_retention(NOW_MS, 24).unwrap(), 1);
    assert_eq!(bases(&log), [12, 18]);

    config.retention_ms = 0;
    log.set_config(config.clone());
    assert_eq!(
        log.apply_retention(NOW_MS + 100_000, 24).unwrap(),
        2,
        "the last segment too"
    );
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (24, 24));
    assert_eq!(append(&mut log, NOW_MS, 1).base_offset, 24);
    log.close(false).unwrap();
    assert_eq!(offsets(&reopen(folder.path(), &config), 24), [24]);
}

#[test]
fn deleted_records_stay_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig {
        segment_bytes: 1000,
        delete: false,
        ..LogConfig::default()
    };
    let mut log = reopen(folder.path(), &config);
    for _ in 0..8 {
        append(&mut log, NOW_MS, 3);
    }
    assert!(log.delete_records(25).is_err());
    log.delete_records(13).unwrap();
    assert_eq!(log.log_start_offset(), 13);
    assert_eq!(log.apply_retention(NOW_MS, 24).unwrap(), 2);
    assert_eq!(bases(&log), [12, 18]);
    assert_eq!(offsets(&log, 13), (13..24).collect::<Vec<_>>());
    drop(log);
    let recovery = Recovery {
        log_start_offset: 13,
        ..Recovery::default()
    };
    let log = PartitionLog::open(folder.path(), config, recovery, NOW_MS).unwrap();
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (13, 24));
}

#[test]
fn a_producer_is_known_after_any_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig::default();
    let producer = |base_sequence| Producer {
        id: 9,
        epoch: 1,
        base_sequence,
    };
    let mut log = reopen(folder.path(), &config);
    for sequence in 0..7 {
        log.append(&mut producer_batch(producer(sequence), false), 0, NOW_MS)
            .unwrap();
    }
    for clean in [true, false] {
        if clean {
            log.close(false).unwrap();
            assert!(
                folder
                    .path()
                    .join(file_name(7, FileKind::ProducerSnapshot))
                    .exists()
            );
            log = reopen(folder.path(), &config);
        } else {
            log = reopen_after_crash(folder.path(), &config);
        }
        let again = log
            .append(&mut producer_batch(producer(6), false), 0, NOW_MS)
            .unwrap();
        assert!(again.duplicate && again.base_offset == 6);
        let gap = log.append(&mut producer_batch(producer(9), false), 0, NOW_MS);
        assert!(matches!(gap, Err(AppendError::Producer(_))));
        assert_eq!(log.log_end_offset(), 7);
    }
    let next = log
        .append(&mut producer_batch(producer(7), false), 0, NOW_MS)
        .unwrap();
    assert_eq!(next.base_offset, 7);
}

#[test]
fn an_aborted_transaction_is_listed_and_releases_its_readers() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig::default();
    let mut log = reopen(folder.path(), &config);
    append(&mut log, NOW_MS, 2);
    let producer = Producer {
        id: 5,
        epoch: 0,
        base_sequence: 0,
    };
    log.append(&mut producer_batch(producer, true), 0, NOW_MS)
        .unwrap();
    append(&mut log, NOW_MS, 2);
    assert_eq!(log.last_stable_offset(5), 2);
    let marker = EndTransactionMarker {
        committed: false,
        coordinator_epoch: 1,
    };
    log.append(&mut marker.to_batch(5, 0, NOW_MS), 0, NOW_MS).unwrap();
    assert_eq!(log.last_stable_offset(5), 2, "the marker is not replicated yet");
    log.high_watermark_moved(6);
    assert_eq!(log.last_stable_offset(6), 6);
    drop(log);
    let log = reopen_after_crash(folder.path(), &config);
    let aborted = log.aborted_transactions(0, 6).unwrap();
    let [row] = aborted.as_slice() else {
        panic!("{aborted:?}");
    };
    assert_eq!(
        (
            row.producer_id,
            row.first_offset,
            row.last_offset,
            row.last_stable_offset
        ),
        (5, 2, 5, 6)
    );
}

#[test]
fn a_clean_start_does_not_read_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig {
        index_interval_bytes: 300,
        ..LogConfig::default()
    };
    let mut log = reopen(folder.path(), &config);
    for _ in 0..50 {
        append(&mut log, NOW_MS, 3);
    }
    log.close(false).unwrap();
    // What a scan would stumble over.
    let path = folder.path().join(file_name(0, FileKind::Log));
    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(reopen(folder.path(), &config).log_end_offset(), 150);
    assert!(reopen_after_crash(folder.path(), &config).log_end_offset() < 150);
}

/// A follower that asks whether there is more must not cost the more, the longer the log is.
#[test]
fn nothing_is_read_for_who_has_the_whole_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = reopen(folder.path(), &LogConfig::default());
    for _ in 0..5 {
        append(&mut log, NOW_MS, 3);
    }
    let broken = DiskRule {
        operation: Operation::Read,
        named: String::new(),
        skip: 0,
        count: None,
        effect: Effect::Fail(libc::EIO),
    };
    disk_faults::set(folder.path(), vec![broken]);
    let (at_end, before) = (
        log.read(15, 1000, i64::MAX, true),
        log.read(14, 1000, i64::MAX, true),
    );
    disk_faults::set(folder.path(), Vec::new());
    assert!(at_end.unwrap().is_empty());
    assert!(matches!(before, Err(ReadError::Storage(_))));
}

#[test]
fn a_follower_keeps_what_the_leader_wrote() {
    let (leader, follower) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = LogConfig {
        segment_bytes: 2000,
        ..LogConfig::default()
    };
    let mut leading = reopen(leader.path(), &config);
    let mut following = reopen(follower.path(), &config);
    for n in 0..12 {
        leading
            .append(&mut batch(Codec::None, NOW_MS + n, 3), (n / 5) as i32, NOW_MS)
            .unwrap();
    }
    while following.log_end_offset() < leading.log_end_offset() {
        let slice = leading
            .read(following.log_end_offset(), 900, i64::MAX, true)
            .unwrap();
        following
            .append_as_follower(&slice.to_vec().unwrap(), NOW_MS)
            .unwrap();
    }
    for entry in fs::read_dir(leader.path()).unwrap() {
        let entry = entry.unwrap();
        let copy = follower.path().join(entry.file_name());
        assert_eq!(
            fs::read(entry.path()).unwrap(),
            fs::read(&copy).unwrap(),
            "{}",
            copy.display()
        );
    }
    let mut corrupt = batch(Codec::None, NOW_MS, 1);
    corrupt[70] ^= 1;
    kafkit::records::batch_header::set_base_offset(&mut corrupt, 36);
    assert!(following.append_as_follower(&corrupt, NOW_MS).is_err());
}

/// What a follower is given from an offset of the leader's log on: whole batches.
fn from_leader(leading: &PartitionLog, offset: i64, bytes: usize) -> Vec<u8> {
    let slice = leading.read(offset, bytes, i64::MAX, true).unwrap();
    slice.to_vec().unwrap()
}

#[test]
fn a_follower_begins_in_the_middle_of_the_batch_in_which_its_leader_s_log_begins() {
    let (leader, follower) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = LogConfig::default();
    let mut leading = reopen(leader.path(), &config);
    for n in 0..4 {
        append(&mut leading, NOW_MS + n, 5);
    }
    leading.delete_records(7).unwrap();
    // Told of the log start offset, a follower without these records begins there.
    let mut following = reopen(follower.path(), &config);
    append(&mut following, NOW_MS, 2);
    following.truncate_fully(leading.log_start_offset()).unwrap();
    following
        .append_as_follower(&from_leader(&leading, 7, 1), NOW_MS)
        .unwrap();
    let begun = (following.log_start_offset(), following.log_end_offset());
    assert_eq!(
        begun,
        (7, 10),
        "the batch is kept whole, and its first records are not shown"
    );
    assert_eq!(bases(&following), [5]);
    assert!(matches!(
        following.read(6, 100, 10, true),
        Err(ReadError::OffsetOutOfRange { .. })
    ));
    following
        .append_as_follower(&from_leader(&leading, 10, 1 << 20), NOW_MS)
        .unwrap();
    assert_eq!(offsets(&following, 7), (7..20).collect::<Vec<_>>());
    assert_eq!(following.epoch_end_offset(0), leading.epoch_end_offset(0));
    // From now on a batch that reaches over the end of the log is one of another history.
    let mut other = batch(Codec::None, NOW_MS, 5);
    kafkit::records::batch_header::set_base_offset(&mut other, 18);
    let refused = following.append_as_follower(&other, NOW_MS);
    assert!(matches!(refused, Err(AppendError::Malformed(_))), "{refused:?}");
    drop(following);
    let recovery = Recovery {
        log_start_offset: 7,
        ..Recovery::default()
    };
    let following = PartitionLog::open(follower.path(), config, recovery, NOW_MS).unwrap();
    assert_eq!(offsets(&following, 7), (7..20).collect::<Vec<_>>());
}

#[test]
fn an_epoch_noted_before_the_records_are_back_makes_way_for_theirs() {
    let (leader, follower) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = LogConfig::default();
    let mut leading = reopen(leader.path(), &config);
    for epoch in [2, 2, 4] {
        leading
            .append(&mut batch(Codec::None, NOW_MS, 3), epoch, NOW_MS)
            .unwrap();
    }
    let mut following = reopen(follower.path(), &config);
    // It was to lead while it was empty.
    following.begin_leader_epoch(5).unwrap();
    assert_eq!(following.epoch_end_offset(5), Some((5, 0)));
    following
        .append_as_follower(&from_leader(&leading, 0, 1 << 20), NOW_MS)
        .unwrap();
    for again in 0..2 {
        for epoch in 1..=4 {
            assert_eq!(
                following.epoch_end_offset(epoch),
                leading.epoch_end_offset(epoch),
                "epoch {epoch}"
            );
        }
        if again == 0 {
            drop(following);
            following = reopen_after_crash(follower.path(), &config);
        }
    }
    // And when it leads with them, its epoch begins behind them.
    following.begin_leader_epoch(6).unwrap();
    assert_eq!(following.epoch_end_offset(4), Some((4, 9)));
    assert_eq!(following.epoch_end_offset(6), Some((6, 9)));
}

#[test]
fn an_index_that_cannot_be_written_gives_no_offset_twice() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig {
        index_interval_bytes: 0,
        ..LogConfig::default()
    };
    let mut log = reopen_after_crash(folder.path(), &config);
    append(&mut log, NOW_MS, 1);
    // In the place of the index, which has no entries on disk yet, there is something else.
    let index = folder.path().join("00000000000000000000.index");
    std::fs::remove_file(&index).unwrap();
    std::fs::create_dir(&index).unwrap();
    for offset in 1..1200 {
        assert_eq!(append(&mut log, NOW_MS + offset, 1).base_offset, offset);
    }
    assert_eq!(offsets(&log, 0), (0..1200).collect::<Vec<_>>());
    std::fs::remove_dir(&index).unwrap();
    log.close(false).unwrap();
    assert_eq!(offsets(&reopen(folder.path(), &config), 0).len(), 1200);
}

#[test]
fn some_segments_end_earlier_than_others_by_chance() {
    let config = LogConfig {
        segment_ms: 100_000,
        segment_jitter_ms: 90_000,
        ..LogConfig::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let mut log = reopen(folder.path(), &config);
    for n in 0..400 {
        append(&mut log, NOW_MS + n * 5000, 1);
    }
    let lengths: std::collections::BTreeSet<i64> =
        bases(&log).windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(lengths.len() > 3, "{lengths:?}");
    assert!(
        lengths.iter().all(|length| (3..=21).contains(length)),
        "{lengths:?}"
    );
}

#[test]
fn a_number_of_messages_is_brought_to_the_disk() {
    let config = LogConfig {
        flush_messages: 5,
        ..LogConfig::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let mut log = reopen(folder.path(), &config);
    let points: Vec<i64> = (0..4)
        .map(|n| {
            append(&mut log, NOW_MS + n, 2);
            log.recovery_point()
        })
        .collect();
    assert_eq!(points, [0, 0, 6, 6]);
}
