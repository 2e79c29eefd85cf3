//! A log on a disk that fails again and again, under kills and power cuts, keeps what it has acknowledged: once, in
//! order, and transactions whole.
//!
//! Three producers behave as clients do: one is idempotent and two are transactional; each sends its next batch when the
//! last one was acknowledged, and the same batch again until then. `KAFKIT_SEED` runs one seed again,
//! `KAFKIT_SEED=clock` one that nobody ran before; `KAFKIT_STEPS` is how long each run is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use kafkit::records::Batches;
use kafkit::records::batch_builder::{BatchBuilder, BatchOptions, Producer};
use kafkit::records::control_record::EndTransactionMarker;
use kafkit::storage::disk_faults::{self, DiskRule, Effect, Operation};
use kafkit::storage::file_name::{FileKind, file_name, parse};
use kafkit::storage::{AppendError, LogConfig, Origin, PartitionLog, Recovery};

use crate::storage::write::NOW_MS;
use crate::support::random::{Random, seeds};

const STEPS: u64 = 800;
const SEEDS: u64 = 8;
/// The idempotent one; the others are transactional.
const PLAIN: i64 = 7;
const PRODUCERS: [i64; 3] = [PLAIN, 8, 9];

/// What a producer is about to do, or has asked for and not been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Records,
    End { committed: bool },
}

#[derive(Debug)]
struct Client {
    id: i64,
    next: Next,
    /// It was sent, and not acknowledged.
    is_waiting: bool,
    /// Of the next batch, which is also its number.
    sequence: i32,
    /// Numbers of the transaction that is open.
    open: Vec<i32>,
}

/// The log, and what clients know of it.
struct World {
    random: Random,
    folder: tempfile::TempDir,
    log: PartitionLog,
    config: LogConfig,
    /// Each start begins another, as an election does.
    leader_epoch: i32,
    clients: Vec<Client>,
    /// Producer and number of each batch that was acknowledged, by offset.
    acknowledged: BTreeMap<i64, (i64, i32)>,
    /// What became of the transactional ones; not there while nobody knows.
    outcomes: BTreeMap<(i64, i32), bool>,
    /// What the checkpoints of the log dir say.
    recovery: Recovery,
    /// Bytes of the last segment that were on disk when a batch was acknowledged, by its base offset.
    synced: (i64, u64),
    faults: Vec<DiskRule>,
    story: Vec<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let folder = tempfile::tempdir().unwrap();
        let config = LogConfig {
            segment_bytes: 900,
            index_interval_bytes: 150,
            retention_ms: -1,
            flush_each_batch: random.chance(50),
            ..LogConfig::default()
        };
        let log = PartitionLog::open(folder.path(), config.clone(), Recovery::default(), NOW_MS).unwrap();
        let client = |id| Client {
            id,
            next: Next::Records,
            is_waiting: false,
            sequence: 0,
            open: Vec::new(),
        };
        Self {
            random,
            folder,
            log,
            config,
            leader_epoch: 0,
            clients: PRODUCERS.into_iter().map(client).collect(),
            acknowledged: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            recovery: Recovery::default(),
            synced: (0, 0),
            faults: Vec::new(),
            story: Vec::new(),
        }
    }

    fn tell(&mut self, line: impl Into<String>) {
        self.story.push(line.into());
    }

    fn step(&mut self) {
        if self.random.chance(4) {
            let rules = (0..=self.random.below(2)).map(|_| self.any_rule()).collect();
            self.set_faults(rules);
        } else if !self.faults.is_empty() && self.random.chance(15) {
            self.set_faults(Vec::new());
        }
        match self.random.below(100) {
            0..80 => {
                let client = self.random.below(self.clients.len());
                self.send(client);
            }
            80..84 => self.checkpoint(),
            84..86 => self.tell_outcome("close unused", PartitionLog::close_unused_files),
            86..88 => self.tell_outcome("flush", PartitionLog::flush),
            88..90 => self.flush_finished(),
            90..92 => self.delete_records(),
            92..94 => self.retention(),
            94..96 => self.restart(true),
            96..98 => self.restart(false),
            _ => self.power_cut(),
        }
        if self.faults.is_empty() && self.random.chance(10) {
            self.check();
        }
    }

    fn any_rule(&mut self) -> DiskRule {
        let errors = [libc::EIO, libc::ENOSPC, libc::EMFILE];
        let operation = self.random.pick(&[
            Operation::Create,
            Operation::Write,
            Operation::Write,
            Operation::Write,
            Operation::Truncate,
            Operation::Sync,
            Operation::Rename,
            Operation::Remove,
            Operation::Read,
        ]);
        let effect = match self.random.below(3) {
            0 if operation == Operation::Write => Effect::Room(self.random.below(600) as u64),
            1 if operation == Operation::Write => Effect::Tear(self.random.below(100) as u8),
            _ => Effect::Fail(self.random.pick(&errors)),
        };
        let named = self
            .random
            .pick(&["", "", ".log", ".timeindex", ".txnindex", ".snapshot", "epoch"]);
        DiskRule {
            operation,
            named: named.to_owned(),
            skip: self.random.below(4) as u64,
            count: self.random.chance(60).then(|| 1 + self.random.below(3) as u64),
            effect,
        }
    }

    fn set_faults(&mut self, rules: Vec<DiskRule>) {
        self.tell(format!("faults {rules:?}"));
        disk_faults::set(self.folder.path(), rules.clone());
        self.faults = rules;
    }

    /// A client sends what it is about to send.
    fn send(&mut self, at: usize) {
        let client = &mut self.clients[at];
        if client.next == Next::Records
            && !client.is_waiting
            && !client.open.is_empty()
            && self.random.chance(40)
        {
            let committed = self.random.chance(50);
            client.next = Next::End { committed };
        }
        let (mut batch, origin) = bytes_of(client);
        let outcome = self
            .log
            .append_from(origin, &mut batch, self.leader_epoch, NOW_MS);
        client.is_waiting = outcome.is_err();
        let said = format!(
            "{} sends {:?} {}: {outcome:?}",
            client.id, client.next, client.sequence
        );
        let appended = match outcome {
            Ok(appended) => appended,
            Err(AppendError::Storage(_) | AppendError::Gone(_)) => {
                assert!(
                    !self.faults.is_empty() || self.log_has_failed(),
                    "refused on a sound disk: {said}"
                );
                return self.tell(said);
            }
            Err(error) => panic!("{error}: {said}"),
        };
        self.story.push(said);
        let client = &mut self.clients[at];
        let key = (client.id, client.sequence);
        if let Next::End { committed } = client.next {
            for number in client.open.drain(..) {
                self.outcomes.insert((client.id, number), committed);
            }
            client.next = Next::Records;
        } else {
            self.acknowledged.insert(appended.base_offset, key);
            client.sequence += 1;
            if client.id != PLAIN {
                client.open.push(key.1);
            }
        }
        let last = self.log.segments().last().unwrap();
        self.synced = (last.base_offset(), last.size());
    }

    /// Nothing is taken after the disk has lost something, until a restart.
    fn log_has_failed(&mut self) -> bool {
        self.log.look_for_folder().is_err()
    }

    fn tell_outcome(&mut self, what: &str, act: impl FnOnce(&mut PartitionLog) -> kafkit::error::Result<()>) {
        let outcome = act(&mut self.log);
        assert!(
            outcome.is_ok() || !self.faults.is_empty() || self.log_has_failed(),
            "{what} on a sound disk: {outcome:?}"
        );
        self.tell(format!("{what}: {outcome:?}"));
    }

    fn flush_finished(&mut self) {
        self.tell_outcome("flush finished", |log| {
            let Some(pending) = log.pending_flush() else {
                return Ok(());
            };
            pending.run()?;
            log.flushed(&pending);
            Ok(())
        });
    }

    fn checkpoint(&mut self) {
        self.recovery.recovery_point = self.log.recovery_point();
        self.recovery.log_start_offset = self.log.log_start_offset();
    }

    fn delete_records(&mut self) {
        let (start, end) = (self.log.log_start_offset(), self.log.log_end_offset());
        let to = self.random.between(start, start + (end - start) / 4);
        self.tell_outcome("delete records", |log| log.delete_records(to));
        // The broker writes the checkpoint before it answers.
        self.checkpoint();
    }

    fn retention(&mut self) {
        self.log.set_config(LogConfig {
            retention_bytes: 3000,
            ..self.config.clone()
        });
        let stable = self.log.last_stable_offset(self.log.log_end_offset());
        self.tell_outcome("retention", |log| log.apply_retention(NOW_MS, stable).map(drop));
        self.checkpoint();
    }

    /// The broker ends, in order or not, and starts again. The disk works when it starts.
    fn restart(&mut self, in_order: bool) {
        let is_clean =
            in_order && !self.log_has_failed() && self.log.close(self.config.flush_each_batch).is_ok();
        if is_clean {
            self.checkpoint();
        }
        self.tell(format!("restart, clean: {is_clean}"));
        self.open(is_clean);
    }

    fn open(&mut self, clean_shutdown: bool) {
        self.set_faults(Vec::new());
        let recovery = Recovery {
            clean_shutdown,
            ..self.recovery
        };
        self.log = PartitionLog::open(self.folder.path(), self.config.clone(), recovery, NOW_MS).unwrap();
        self.log.high_watermark_moved(self.log.log_end_offset());
        self.leader_epoch += 1;
        self.check();
    }

    /// What was not brought to the disk is gone, or half of it, or something else stands there.
    fn power_cut(&mut self) {
        if !self.config.flush_each_batch {
            return self.restart(false);
        }
        self.tell("power cut");
        let folder = self.folder.path().to_owned();
        disk_faults::set(&folder, Vec::new());
        // A segment may have been begun and not taken into the log.
        let last = newest_segment(&folder);
        let log = folder.join(file_name(last, FileKind::Log));
        let length = fs::metadata(&log).unwrap().len();
        let kept = if self.synced.0 == last {
            self.synced.1.min(length)
        } else {
            0
        };
        let cut = self
            .random
            .between(kept.cast_signed(), length.cast_signed())
            .cast_unsigned();
        let mut bytes = fs::read(&log).unwrap();
        bytes.truncate(cut as usize);
        if self.random.chance(30) {
            // A file system may have noted the length and not the bytes.
            bytes.resize(length as usize, 0);
        }
        fs::write(&log, bytes).unwrap();
        for kind in [
            FileKind::OffsetIndex,
            FileKind::TimeIndex,
            FileKind::TransactionIndex,
        ] {
            self.spoil(&folder.join(file_name(last, kind)));
        }
        let end = self.log.log_end_offset();
        self.spoil(&folder.join(file_name(end, FileKind::ProducerSnapshot)));
        self.open(false);
    }

    fn spoil(&mut self, path: &Path) {
        let Ok(mut bytes) = fs::read(path) else { return };
        bytes.truncate(self.random.below(bytes.len() + 1));
        if self.random.chance(30) {
            bytes.resize(bytes.len() + self.random.below(40), 0);
        }
        fs::write(path, bytes).unwrap();
    }

    /// Everything that was acknowledged is there once, where it was said to be, in the order of its sender; committed
    /// readers see the transactions that were committed, whole, and none that were aborted.
    fn check(&mut self) {
        if self.log_has_failed() {
            return;
        }
        let (start, end) = (self.log.log_start_offset(), self.log.log_end_offset());
        self.log.high_watermark_moved(end);
        let stable = self.log.last_stable_offset(end);
        let bytes = self.log.read(start, usize::MAX, end, true);
        let mut bytes = bytes.unwrap().to_vec().unwrap();
        while let Some(next) = next_offset(&bytes).filter(|next| *next < end) {
            let more = self
                .log
                .read(next, usize::MAX, end, true)
                .unwrap()
                .to_vec()
                .unwrap();
            assert!(!more.is_empty(), "the log has nothing at {next} of {end}");
            bytes.extend(more);
        }
        let aborted = self.log.aborted_transactions(start, stable).unwrap();
        let mut aborted: Vec<_> = aborted
            .iter()
            .map(|one| (one.first_offset, one.producer_id))
            .collect();
        aborted.sort_unstable();
        let mut aborted = aborted.into_iter().peekable();
        let mut aborting = BTreeSet::new();
        let mut last = BTreeMap::new();
        let mut found = BTreeMap::new();
        for batch in Batches::new(&bytes) {
            let header = batch.unwrap().header;
            while let Some((_, id)) = aborted.next_if(|(first, _)| *first <= header.last_offset()) {
                aborting.insert(id);
            }
            let key = (header.producer_id, header.base_sequence);
            if header.is_control() {
                aborting.remove(&key.0);
                continue;
            }
            let before = last.insert(key.0, key.1);
            assert!(
                before.is_none_or(|before| before + 1 == key.1),
                "{key:?} after {before:?}"
            );
            found.insert(header.base_offset, key);
            if key.0 != PLAIN && header.base_offset < stable && header.base_offset >= start {
                let is_visible = !aborting.contains(&key.0);
                let committed = self.outcomes.get(&key);
                assert!(
                    committed.is_none_or(|committed| *committed == is_visible),
                    "{key:?} at {} is visible: {is_visible}",
                    header.base_offset
                );
            }
        }
        for (offset, key) in self.acknowledged.range(start..) {
            assert_eq!(found.get(offset), Some(key), "what was acknowledged at {offset}");
        }
    }
}

fn newest_segment(folder: &Path) -> i64 {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let segments = names.filter_map(|name| parse(&name));
    let logs = segments.filter(|(_, kind)| *kind == FileKind::Log);
    logs.map(|(base_offset, _)| base_offset).max().unwrap()
}

fn next_offset(bytes: &[u8]) -> Option<i64> {
    Batches::new(bytes)
        .last()
        .map(|batch| batch.unwrap().header.next_offset())
}

/// The batch that a client sends next, and as what.
fn bytes_of(client: &Client) -> (Vec<u8>, Origin) {
    if let Next::End { committed } = client.next {
        let marker = EndTransactionMarker {
            committed,
            coordinator_epoch: 0,
        };
        let origin = Origin::Marker { raises_epoch: false };
        return (marker.to_batch(client.id, 0, NOW_MS), origin);
    }
    let mut builder = BatchBuilder::new(BatchOptions {
        producer: Some(Producer {
            id: client.id,
            epoch: 0,
            base_sequence: client.sequence,
        }),
        transactional: client.id != PLAIN,
        ..BatchOptions::default()
    });
    let value = format!("{}:{}", client.id, client.sequence);
    builder.append(
        NOW_MS + i64::from(client.sequence),
        None,
        Some(value.as_bytes()),
        &[],
    );
    (builder.finish_uncompressed(), Origin::CLIENT)
}

fn run(seed: u64, steps: u64) {
    let mut world = World::new(seed);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..steps {
            world.step();
        }
        world.restart(false);
        assert!(
            world.acknowledged.len() as u64 > steps / 20,
            "little was acknowledged"
        );
    }));
    disk_faults::set(world.folder.path(), Vec::new());
    if let Err(panic) = outcome {
        let from = world.story.len().saturating_sub(30);
        let story = world.story[from..].join("\n");
        // The test runner shows what goes to stderr with the failure.
        let told = format!("KAFKIT_SEED={seed} KAFKIT_STEPS={steps}; the last steps:\n{story}\n");
        std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes()).unwrap();
        resume_unwind(panic);
    }
}

#[test]
fn a_log_on_a_failing_disk_keeps_what_it_acknowledged() {
    for (seed, steps) in seeds(SEEDS, STEPS) {
        run(seed, steps);
    }
}
