//! What a crash may leave: half a batch, changed bytes, lost or stale indexes. Every whole batch before it is kept.

use std::fs;
use std::path::Path;

use kafkit::records::Codec;
use kafkit::records::batch_builder::Producer;
use kafkit::records::control_record::EndTransactionMarker;
use kafkit::storage::cleaner::{CleanedSegment, CleaningPass, CompactionConfig};
use kafkit::storage::file_name::{FileKind, file_name};
use kafkit::storage::offset_index::OffsetIndex;
use kafkit::storage::{LogConfig, PartitionLog, Recovery};

use super::write::{NOW_MS, append, batch, offsets, producer_batch, reopen, reopen_after_crash};

fn small_segments() -> LogConfig {
    LogConfig {
        segment_bytes: 2000,
        index_interval_bytes: 300,
        ..LogConfig::default()
    }
}

/// A log of three-record batches that was never closed, and where each batch of the last segment ends.
fn crashed_log(folder: &Path, batches: i64) -> Vec<(u64, i64)> {
    let mut log = reopen(folder, &small_segments());
    let mut ends = vec![(0, 0)];
    for n in 0..batches {
        let appended = append(&mut log, NOW_MS + n, 3);
        let active = log.segments().last().unwrap();
        if active.base_offset() == appended.base_offset {
            ends = vec![(0, appended.base_offset)];
        }
        ends.push((active.size(), log.log_end_offset()));
    }
    ends
}

fn last_log(folder: &Path) -> std::path::PathBuf {
    let mut logs: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    logs.sort();
    logs.pop().unwrap()
}

fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    to
}

fn whole_until(ends: &[(u64, i64)], len: u64) -> i64 {
    ends.iter().rev().find(|(end, _)| *end <= len).unwrap().1
}

#[test]
fn a_log_cut_at_any_byte_of_its_last_batches_keeps_every_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let ends = crashed_log(folder.path(), 7);
    let len = ends.last().unwrap().0;
    for cut in ends[ends.len() - 3].0..len {
        let crashed = copy(folder.path());
        let log = fs::OpenOptions::new()
            .write(true)
            .open(last_log(crashed.path()))
            .unwrap();
        log.set_len(cut).unwrap();
        let log = reopen_after_crash(crashed.path(), &small_segments());
        let end = whole_until(&ends, cut);
        assert_eq!(log.log_end_offset(), end, "cut at {cut}");
        if cut % 29 == 0 {
            assert_eq!(offsets(&log, 0), (0..end).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_changed_byte_ends_the_log_before_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    let ends = crashed_log(folder.path(), 9);
    let bytes = fs::read(last_log(folder.path())).unwrap();
    let last_batch = ends[ends.len() - 2].0;
    for at in last_batch..ends.last().unwrap().0 {
        // The leader epoch is outside the checksum, as is the upper part of an offset that merely skips ahead.
        let in_batch = at - last_batch;
        if (12..16).contains(&in_batch) || in_batch < 8 {
            continue;
        }
        let crashed = copy(folder.path());
        let mut changed = bytes.clone();
        changed[at as usize] ^= 0x55;
        fs::write(last_log(crashed.path()), changed).unwrap();
        let log = reopen_after_crash(crashed.path(), &small_segments());
        assert_eq!(
            log.log_end_offset(),
            whole_until(&ends, at),
            "byte {in_batch} of the batch"
        );
    }
}

#[test]
fn damage_in_an_old_segment_ends_the_log_there() {
    let folder = tempfile::tempdir().unwrap();
    crashed_log(folder.path(), 20);
    let first = folder.path().join(file_name(0, FileKind::Log));
    let mut bytes = fs::read(&first).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&first, bytes).unwrap();
    let mut log = reopen_after_crash(folder.path(), &small_segments());
    let end = log.log_end_offset();
    assert!(end > 0 && end < 15, "{end}");
    assert_eq!(log.segments().len(), 1);
    assert_eq!(append(&mut log, NOW_MS, 1).base_offset, end);
    assert_eq!(offsets(&log, 0), (0..=end).collect::<Vec<_>>());
}

#[test]
fn segments_below_the_recovery_point_are_not_scanned() {
    let folder = tempfile::tempdir().unwrap();
    crashed_log(folder.path(), 20);
    let first = folder.path().join(file_name(0, FileKind::Log));
    let mut bytes = fs::read(&first).unwrap();
    bytes[100] ^= 1;
    fs::write(&first, bytes).unwrap();
    let recovery = Recovery {
        recovery_point: 30,
        ..Recovery::default()
    };
    let log = PartitionLog::open(folder.path(), small_segments(), recovery, NOW_MS).unwrap();
    assert_eq!(log.log_end_offset(), 60);
}

#[test]
fn zeros_and_garbage_behind_the_last_batch_are_cut_off() {
    for tail in [vec![0u8; 5000], vec![0xff; 70], b"GET / HTTP/1.1".to_vec()] {
        let folder = tempfile::tempdir().unwrap();
        let ends = crashed_log(folder.path(), 4);
        let path = last_log(folder.path());
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(&tail);
        fs::write(&path, bytes).unwrap();
        // Even where the last shutdown is believed to have been clean.
        let log = reopen(folder.path(), &small_segments());
        assert_eq!(log.log_end_offset(), ends.last().unwrap().1);
        assert_eq!(fs::metadata(&path).unwrap().len(), ends.last().unwrap().0);
    }
}

#[test]
fn lost_and_stale_indexes_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = reopen(folder.path(), &small_segments());
    for n in 0..20 {
        append(&mut log, NOW_MS + n, 3);
    }
    log.close(false).unwrap();
    drop(log);
    let path = |base| folder.path().join(file_name(base, FileKind::OffsetIndex));
    let indexed = fs::read(path(0)).unwrap();
    assert!(!indexed.is_empty());

    for kind in [FileKind::OffsetIndex, FileKind::TimeIndex] {
        fs::remove_file(folder.path().join(file_name(0, kind))).unwrap();
        let log = reopen(folder.path(), &small_segments());
        assert_eq!(offsets(&log, 0), (0..60).collect::<Vec<_>>());
        assert_eq!(fs::read(path(0)).unwrap(), indexed, "made again");
    }

    let stale = [
        vec![0x7f; 16],
        vec![0, 0, 0, 1, 0, 0, 0, 77],
        vec![1, 2, 3],
        vec![0; 64],
    ];
    for bytes in stale {
        fs::write(path(0), &bytes).unwrap();
        let log = reopen(folder.path(), &small_segments());
        assert_eq!(offsets(&log, 0), (0..60).collect::<Vec<_>>(), "{bytes:?}");
        let log = reopen_after_crash(folder.path(), &small_segments());
        assert_eq!(offsets(&log, 0), (0..60).collect::<Vec<_>>(), "{bytes:?}");
        assert_eq!(fs::read(path(0)).unwrap(), indexed, "a scan makes the index anew");
    }
    assert!(!OffsetIndex::open(&path(0), 0).unwrap().is_empty());
}

#[test]
fn an_interrupted_deletion_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    crashed_log(folder.path(), 20);
    // The log goes first, its indexes are left.
    fs::remove_file(folder.path().join(file_name(0, FileKind::Log))).unwrap();
    fs::write(folder.path().join("00000000000000000003.log.deleted"), b"").unwrap();
    fs::write(folder.path().join("leader-epoch-checkpoint.tmp"), b"0").unwrap();
    let log = reopen_after_crash(folder.path(), &small_segments());
    assert!(log.log_start_offset() > 0);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let extension = path.extension().unwrap_or_default();
        let leftover = stem == "00000000000000000000" || extension == "deleted" || extension == "tmp";
        assert!(!leftover, "{}", path.display());
    }
}

#[test]
fn a_compressed_batch_survives_a_crash_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = reopen(folder.path(), &LogConfig::default());
    for codec in Codec::ALL {
        log.append(&mut batch(codec, NOW_MS, 10), 0, NOW_MS).unwrap();
    }
    drop(log);
    let log = reopen_after_crash(folder.path(), &LogConfig::default());
    assert_eq!(offsets(&log, 0), (0..50).collect::<Vec<_>>());
}

/// A log of aborted and of plain batches, and what a pass has written to replace its first segments.
fn half_compacted(folder: &Path) -> (PartitionLog, CleanedSegment) {
    let config = LogConfig {
        compaction: Some(CompactionConfig::default()),
        ..small_segments()
    };
    let mut log = reopen(folder, &config);
    for n in 0..8 {
        let producer = Producer {
            id: 7,
            epoch: 0,
            base_sequence: n,
        };
        log.append(&mut producer_batch(producer, true), 0, NOW_MS)
            .unwrap();
        append(&mut log, NOW_MS, 3);
        let marker = EndTransactionMarker {
            committed: false,
            coordinator_epoch: 0,
        };
        log.append(&mut marker.to_batch(7, 0, NOW_MS), 0, NOW_MS).unwrap();
        log.high_watermark_moved(log.log_end_offset());
    }
    let plan = log.begin_cleaning(NOW_MS, log.log_end_offset()).unwrap().unwrap();
    let mut pass = CleaningPass::begin(plan, 1 << 20, &|| true).unwrap();
    let cleaned = pass.next_group(&|| true).unwrap().unwrap();
    (log, cleaned)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Apache Kafka renames the log before its indexes, this broker after them: either way the start knows what to do.
#[test]
fn a_replacement_that_apache_kafka_began_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let (log, cleaned) = half_compacted(folder.path());
    let (end, base) = (log.log_end_offset(), cleaned.base_offset());
    let whole = tempfile::tempdir().unwrap();
    for name in names(folder.path()) {
        fs::copy(folder.path().join(&name), whole.path().join(&name)).unwrap();
    }
    let suffixed = |folder: &Path, kind, suffix: &str| folder.join(file_name(base, kind) + suffix);
    drop(log);
    // The log has its new name, nothing else has.
    let rename = |folder: &Path, kind, from: &str, to: &str| {
        fs::rename(suffixed(folder, kind, from), suffixed(folder, kind, to)).unwrap();
    };
    rename(folder.path(), FileKind::Log, ".cleaned", ".swap");
    let size = fs::metadata(suffixed(folder.path(), FileKind::Log, ".swap"))
        .unwrap()
        .len();
    let log = reopen_after_crash(folder.path(), &small_segments());
    assert_eq!((log.log_end_offset(), log.segments()[0].size()), (end, size));
    assert!(
        !names(folder.path())
            .iter()
            .any(|name| name.ends_with("cleaned") || name.ends_with("swap"))
    );
    // The log is in its place, the indexes are not.
    for kind in [FileKind::OffsetIndex, FileKind::TimeIndex] {
        rename(whole.path(), kind, ".cleaned", ".swap");
    }
    let second = log.segments()[1].base_offset();
    for name in names(whole.path())
        .iter()
        .filter(|name| name.ends_with(FileKind::Log.suffix()))
    {
        if *name < file_name(second, FileKind::Log) {
            fs::remove_file(whole.path().join(name)).unwrap();
        }
    }
    rename(whole.path(), FileKind::Log, ".cleaned", "");
    let log = reopen_after_crash(whole.path(), &small_segments());
    assert_eq!((log.log_end_offset(), log.segments()[0].size()), (end, size));
    assert!(!names(whole.path()).iter().any(|name| name.ends_with("swap")));
}
