//! A log under random work, restarts and crashes gives what a plain list of batches gives.

use kafkit::records::{Batches, Codec};
use kafkit::storage::{LogConfig, PartitionLog, Recovery};
use proptest::prelude::*;

use crate::storage::write::{NOW_MS, batch};

#[derive(Clone, Debug)]
enum Work {
    Append {
        count: i64,
        codec: usize,
    },
    Read {
        at: prop::sample::Index,
        max_bytes: usize,
    },
    FindTime {
        ms: i64,
    },
    DeleteRecords {
        at: prop::sample::Index,
    },
    Retention {
        bytes: i64,
    },
    Truncate {
        at: prop::sample::Index,
    },
    Restart,
    Crash,
}

fn work() -> impl Strategy<Value = Work> {
    prop_oneof![
        6 => (1..6_i64, 0..5_usize).prop_map(|(count, codec)| Work::Append { count, codec }),
        6 => (any::<prop::sample::Index>(), 0..3000_usize).prop_map(|(at, max_bytes)| Work::Read { at, max_bytes }),
        2 => (0..400_i64).prop_map(|ms| Work::FindTime { ms }),
        1 => any::<prop::sample::Index>().prop_map(|at| Work::DeleteRecords { at }),
        1 => (0..4000_i64).prop_map(|bytes| Work::Retention { bytes }),
        1 => any::<prop::sample::Index>().prop_map(|at| Work::Truncate { at }),
        1 => Just(Work::Restart),
        1 => Just(Work::Crash),
    ]
}

/// The log and what it should hold: the last offset of each batch, one millisecond a record.
struct World {
    folder: tempfile::TempDir,
    log: PartitionLog,
    last_offsets: Vec<i64>,
    start: i64,
}

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 1500,
        index_interval_bytes: 200,
        retention_ms: -1,
        ..LogConfig::default()
    }
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = PartitionLog::open(folder.path(), config(), Recovery::default(), NOW_MS).unwrap();
        Self {
            folder,
            log,
            last_offsets: Vec::new(),
            start: 0,
        }
    }

    fn end(&self) -> i64 {
        let end = self.last_offsets.last().map_or(0, |last| last + 1);
        // The batch in which the log starts may have been cut off.
        end.max(self.start)
    }

    fn reopen(&mut self, clean_shutdown: bool) {
        let recovery = Recovery {
            clean_shutdown,
            recovery_point: 0,
            log_start_offset: self.start,
            ..Recovery::default()
        };
        self.log = PartitionLog::open(self.folder.path(), config(), recovery, NOW_MS).unwrap();
    }

    fn work(&mut self, work: &Work) {
        match work {
            Work::Append { count, codec } => {
                let codec = Codec::ALL[*codec];
                let mut bytes = batch(codec, NOW_MS + self.end(), *count);
                let appended = self.log.append(&mut bytes, 0, NOW_MS).unwrap();
                assert_eq!(appended.base_offset, self.end());
                self.last_offsets.push(appended.last_offset);
            }
            Work::Read { at, max_bytes } => {
                let offset = self.start + at.index((self.end() - self.start) as usize + 1) as i64;
                self.read(offset, *max_bytes);
            }
            Work::FindTime { ms } => {
                let expected = Some((*ms).max(self.start)).filter(|offset| *offset < self.end());
                let found = self.log.offset_for_timestamp(NOW_MS + ms).unwrap();
                assert_eq!(found.map(|found| found.offset), expected, "at {ms}");
            }
            Work::DeleteRecords { at } => {
                self.start += at.index((self.end() - self.start) as usize + 1) as i64;
                self.log.delete_records(self.start).unwrap();
            }
            Work::Retention { bytes } => {
                self.log.set_config(LogConfig {
                    retention_bytes: *bytes,
                    ..config()
                });
                self.log.apply_retention(NOW_MS, self.end()).unwrap();
                let start = self.log.log_start_offset();
                assert!(start >= self.start && start <= self.end());
                self.start = start;
            }
            Work::Truncate { at } => {
                let offset = self.start + at.index((self.end() - self.start) as usize + 1) as i64;
                self.last_offsets.retain(|last| *last < offset);
                self.log.truncate_to(offset, NOW_MS).unwrap();
            }
            Work::Restart => {
                self.log.close(false).unwrap();
                self.reopen(true);
            }
            Work::Crash => self.reopen(false),
        }
        assert_eq!(self.log.log_start_offset(), self.start);
        assert_eq!(self.log.log_end_offset(), self.end());
    }

    fn read(&self, offset: i64, max_bytes: usize) {
        let slice = self.log.read(offset, max_bytes, self.end(), true).unwrap();
        let bytes = slice.to_vec().unwrap();
        let found: Vec<i64> = Batches::new(&bytes)
            .map(|batch| batch.unwrap().header.last_offset())
            .collect();
        let expected: Vec<i64> = self
            .last_offsets
            .iter()
            .copied()
            .filter(|last| *last >= offset)
            .collect();
        assert_eq!(found, expected[..found.len()], "from {offset}");
        assert!(found.len() <= 1 || bytes.len() <= max_bytes);
        assert_eq!(found.is_empty(), offset == self.end());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_log_is_a_list_of_batches(steps in prop::collection::vec(work(), 1..60)) {
        let mut world = World::new();
        for step in &steps {
            world.work(step);
        }
    }
}
