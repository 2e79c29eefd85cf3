//! A log that is compacted again and again, under random work, restarts, and crashes at every step of a replacement,
//! keeps what a plain list of records says: the last value of every key, and nothing that was not written.

use std::collections::{BTreeMap, HashMap, HashSet};

use kafkit::records::batch_builder::{BatchBuilder, BatchOptions, Producer};
use kafkit::records::control_record::EndTransactionMarker;
use kafkit::records::{Batches, Codec, batch_header};
use kafkit::storage::cleaner::{CleaningPass, CompactionConfig};
use kafkit::storage::transaction_index::AbortedTransaction;
use kafkit::storage::{LogConfig, Origin, PartitionLog, Recovery};
use proptest::prelude::*;

use crate::storage::write::NOW_MS;

const GO_ON: &dyn Fn() -> bool = &|| true;

#[derive(Clone, Debug)]
enum Work {
    /// Keys, and whether each comes with a value; by no producer, an idempotent one, or one in a transaction.
    Append {
        records: Vec<(u8, bool)>,
        codec: usize,
        producer: Option<i64>,
    },
    EndTransaction {
        producer: i64,
        committed: bool,
    },
    DeleteRecords {
        at: prop::sample::Index,
    },
    Compact {
        memory: bool,
    },
    /// Something happens between the passes' look at the log and its replacement.
    CompactMeanwhile {
        deletes: bool,
    },
    CrashWhileCompacting {
        group: usize,
        step: prop::sample::Index,
        recovery_point: prop::sample::Index,
    },
    Wait {
        ms: i64,
    },
    ReadFrom {
        at: prop::sample::Index,
    },
    Restart,
    Crash,
}

fn work() -> impl Strategy<Value = Work> {
    let records = prop::collection::vec((0..6_u8, prop::bool::weighted(0.75)), 1..6);
    let index = any::<prop::sample::Index>;
    prop_oneof![
        12 => (records, 0..5_usize, prop::option::of(0..4_i64))
            .prop_map(|(records, codec, producer)| Work::Append { records, codec, producer }),
        5 => (2..4_i64, any::<bool>())
            .prop_map(|(producer, committed)| Work::EndTransaction { producer, committed }),
        1 => index().prop_map(|at| Work::DeleteRecords { at }),
        5 => prop::bool::weighted(0.8).prop_map(|memory| Work::Compact { memory }),
        2 => any::<bool>().prop_map(|deletes| Work::CompactMeanwhile { deletes }),
        3 => (0..3_usize, index(), index())
            .prop_map(|(group, step, recovery_point)| Work::CrashWhileCompacting { group, step, recovery_point }),
        3 => (0..2000_i64).prop_map(|ms| Work::Wait { ms }),
        2 => index().prop_map(|at| Work::ReadFrom { at }),
        1 => Just(Work::Restart),
        1 => Just(Work::Crash),
    ]
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    timestamp: i64,
    key: u8,
    value: Option<Vec<u8>>,
}

struct World {
    folder: tempfile::TempDir,
    log: PartitionLog,
    /// Every record by its offset.
    written: BTreeMap<i64, Written>,
    /// Offsets of records of transactions that were aborted.
    aborted: HashSet<i64>,
    /// By producer: offsets of its open transaction.
    open: HashMap<i64, Vec<i64>>,
    sequences: HashMap<i64, i32>,
    start: i64,
    now_ms: i64,
}

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 700,
        index_interval_bytes: 150,
        delete: false,
        retention_ms: -1,
        compaction: Some(CompactionConfig {
            min_dirty_ratio: 0.0,
            delete_retention_ms: 1500,
            ..CompactionConfig::default()
        }),
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
            written: BTreeMap::new(),
            aborted: HashSet::new(),
            open: HashMap::new(),
            sequences: HashMap::new(),
            start: 0,
            now_ms: NOW_MS,
        }
    }

    fn end(&self) -> i64 {
        self.log.log_end_offset()
    }

    fn last_stable(&self) -> i64 {
        self.log.last_stable_offset(self.end())
    }

    fn append(&mut self, records: &[(u8, bool)], codec: usize, producer: Option<i64>) {
        let transactional = producer.is_some_and(|producer| producer >= 2);
        let first = self.end();
        let sequence = producer.map_or(-1, |producer| *self.sequences.entry(producer).or_insert(0));
        let mut builder = BatchBuilder::new(BatchOptions {
            codec: Codec::ALL[codec],
            producer: producer.map(|id| Producer {
                id,
                epoch: 0,
                base_sequence: sequence,
            }),
            transactional,
            ..BatchOptions::default()
        });
        for (offset, (key, has_value)) in (first..).zip(records) {
            let value = has_value.then(|| format!("{offset} of {key}").into_bytes());
            let timestamp = self.now_ms + offset % 3;
            builder.append(timestamp, Some(&[*key]), value.as_deref(), &[]);
            let written = Written {
                timestamp,
                key: *key,
                value,
            };
            self.written.insert(offset, written);
        }
        let appended = self
            .log
            .append(&mut builder.finish().unwrap(), 0, self.now_ms)
            .unwrap();
        assert_eq!(appended.base_offset, first);
        if let Some(producer) = producer {
            *self.sequences.get_mut(&producer).unwrap() += records.len() as i32;
            if transactional {
                let offsets = first..self.end();
                self.open.entry(producer).or_default().extend(offsets);
            }
        }
        self.log.high_watermark_moved(self.end());
    }

    fn end_transaction(&mut self, producer: i64, committed: bool) {
        let Some(offsets) = self.open.remove(&producer) else {
            return;
        };
        if !committed {
            self.aborted.extend(offsets);
        }
        let marker = EndTransactionMarker {
            committed,
            coordinator_epoch: 0,
        };
        let mut batch = marker.to_batch(producer, 0, self.now_ms);
        let origin = Origin::Marker { raises_epoch: false };
        self.log.append_from(origin, &mut batch, 0, self.now_ms).unwrap();
        self.log.high_watermark_moved(self.end());
    }

    fn compact(&mut self, memory: u64, meanwhile: impl FnOnce(&mut Self)) {
        let Some(plan) = self.log.begin_cleaning(self.now_ms, self.last_stable()).unwrap() else {
            return;
        };
        let mut pass = CleaningPass::begin(plan, memory, GO_ON).unwrap();
        meanwhile(self);
        while let Ok(Some(cleaned)) = pass.next_group(GO_ON) {
            let Some(old) = self.log.replace(cleaned).unwrap() else {
                return;
            };
            old.remove();
        }
        self.log.finish_cleaning(pass.end());
    }

    fn crash_while_compacting(&mut self, group: usize, step: prop::sample::Index, recovery_point: i64) {
        if let Some(plan) = self.log.begin_cleaning(self.now_ms, self.last_stable()).unwrap() {
            let mut pass = CleaningPass::begin(plan, 1 << 20, GO_ON).unwrap();
            for at in 0..=group {
                let Some(cleaned) = pass.next_group(GO_ON).unwrap() else {
                    break;
                };
                if at < group {
                    // What is left of the group is deleted by the next start.
                    let _ = self.log.replace(cleaned).unwrap().unwrap();
                    continue;
                }
                let steps = cleaned.steps();
                for step in steps.iter().take(step.index(steps.len() + 1)) {
                    step.run().unwrap();
                }
            }
        }
        self.reopen(false, recovery_point);
    }

    fn reopen(&mut self, clean_shutdown: bool, recovery_point: i64) {
        let producers = self.producers();
        let end = self.end();
        let recovery = Recovery {
            clean_shutdown,
            recovery_point,
            log_start_offset: self.start,
            cleaned_up_to: self.log.cleaned_up_to(),
        };
        self.log = PartitionLog::open(self.folder.path(), config(), recovery, self.now_ms).unwrap();
        self.log.high_watermark_moved(end);
        assert_eq!(self.end(), end);
        assert_eq!(
            self.producers(),
            producers,
            "what comes next of each producer is known"
        );
    }

    /// The last sequence number of every producer that wrote records.
    fn producers(&self) -> BTreeMap<i64, i32> {
        let producers = self.log.producers().iter();
        producers
            .filter(|(_, entry)| entry.last_data_offset().is_some())
            .map(|(id, entry)| (id, entry.last_sequence()))
            .collect()
    }

    /// What a reader of committed records gets from `from` on; checks every batch on the way.
    fn read(&self, from: i64) -> Vec<i64> {
        let end = self.last_stable();
        let mut next = from;
        let mut found = Vec::new();
        while next < end {
            let aborted = self.log.aborted_transactions(next, end).unwrap();
            let bytes = self.log.read(next, 900, end, true).unwrap().to_vec().unwrap();
            if bytes.is_empty() {
                break;
            }
            let before = next;
            self.read_batches(&bytes, &aborted, &mut next, &mut found);
            assert!(next > before, "a read at {before} gives something new");
        }
        found.retain(|offset| *offset >= from);
        assert!(found.is_sorted_by(|a, b| a < b), "offsets ascend");
        found
    }

    fn read_batches(
        &self,
        bytes: &[u8],
        aborted: &[AbortedTransaction],
        next: &mut i64,
        found: &mut Vec<i64>,
    ) {
        let mut inside: HashSet<i64> = HashSet::new();
        let mut upcoming: Vec<_> = aborted.to_vec();
        upcoming.sort_by_key(|transaction| transaction.first_offset);
        for batch in Batches::new(bytes) {
            let batch = batch.unwrap();
            let header = batch.header;
            assert!(batch_header::crc_is_valid(batch.bytes));
            assert!(header.last_offset() >= *next);
            *next = header.next_offset();
            while upcoming
                .first()
                .is_some_and(|first| first.first_offset <= header.last_offset())
            {
                inside.insert(upcoming.remove(0).producer_id);
            }
            if header.is_control() {
                inside.remove(&header.producer_id);
                continue;
            }
            let is_aborted = header.is_transactional() && inside.contains(&header.producer_id);
            for record in batch.records(&mut Vec::new(), 1 << 20).unwrap() {
                let record = record.unwrap();
                let written = &self.written[&record.offset];
                assert_eq!(record.key, Some(&[written.key][..]));
                assert_eq!(record.value, written.value.as_deref());
                assert_eq!(record.timestamp, written.timestamp);
                if !is_aborted {
                    found.push(record.offset);
                }
            }
        }
    }

    fn last_values(&self, offsets: impl Iterator<Item = i64>) -> BTreeMap<u8, i64> {
        let mut last = BTreeMap::new();
        for offset in offsets {
            let written = &self.written[&offset];
            match written.value {
                Some(_) => last.insert(written.key, offset),
                None => last.remove(&written.key),
            };
        }
        last
    }

    fn check(&self) {
        assert_eq!(self.log.log_start_offset(), self.start);
        let end = self.last_stable();
        let found = self.read(self.start);
        let visible = self
            .written
            .range(self.start..end.max(self.start))
            .map(|(offset, _)| *offset);
        let visible = visible.filter(|offset| !self.aborted.contains(offset));
        assert_eq!(self.last_values(found.iter().copied()), self.last_values(visible));
        assert!(
            found.iter().all(|offset| !self.aborted.contains(offset)),
            "aborted records are hidden"
        );
    }

    fn work(&mut self, work: &Work) {
        let memory = 1 << 20;
        match work {
            Work::Append {
                records,
                codec,
                producer,
            } => self.append(records, *codec, *producer),
            Work::EndTransaction { producer, committed } => self.end_transaction(*producer, *committed),
            Work::DeleteRecords { at } => {
                self.start += at.index((self.last_stable() - self.start).max(0) as usize + 1) as i64;
                self.log.delete_records(self.start).unwrap();
            }
            Work::Compact { memory: much } => self.compact(if *much { memory } else { 0 }, |_| {}),
            Work::CompactMeanwhile { deletes } => self.compact(memory, |world| {
                if *deletes {
                    world.start = world.last_stable();
                    world.log.delete_records(world.start).unwrap();
                    world.log.apply_retention(world.now_ms, world.end()).unwrap();
                }
                world.append(&[(1, true), (2, true)], 0, None);
            }),
            Work::CrashWhileCompacting {
                group,
                step,
                recovery_point,
            } => {
                let recovery_point = recovery_point.index(self.end() as usize + 1) as i64;
                self.crash_while_compacting(*group, *step, recovery_point);
            }
            Work::Wait { ms } => self.now_ms += ms,
            Work::ReadFrom { at } => {
                let from = self.start + at.index((self.end() - self.start) as usize + 1) as i64;
                self.read(from);
            }
            Work::Restart => {
                self.log.close(false).unwrap();
                self.reopen(true, self.end());
            }
            Work::Crash => self.reopen(false, 0),
        }
        self.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn compaction_keeps_the_last_value_of_every_key(steps in prop::collection::vec(work(), 1..80)) {
        let mut world = World::new();
        for step in &steps {
            world.work(step);
        }
    }
}
