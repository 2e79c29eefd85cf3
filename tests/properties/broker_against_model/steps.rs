//! The random steps: what is sent, what the model says to it, and the comparison.

use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafkit::records::batch_builder::{BatchOptions, Producer as Stamp};
use kafkit::records::{BatchBuilder, Codec};
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use super::model::{Appended, Batch, Content, Generation, Identity, Log, Model, Partition, State};
use super::requests::{DescribedProducer, FetchFrom, Requests};
use crate::support::cluster::Cluster;
use crate::support::random::Random;

/// The topics' partitions.
const PARTITIONS: [Partition; 4] = [(0, 0), (0, 1), (1, 0), (2, 0)];
const TOPICS: usize = 3;
const GROUPS: usize = 2;
const TRANSACTIONAL_IDS: usize = 3;
const IDEMPOTENT_PRODUCERS: usize = 3;
/// Records are this much older than the markers of their transactions, in milliseconds. A producer whose last record is
/// a day old would be forgotten.
const AGE_MS: i64 = 3_600_000;
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const PATIENCE: Duration = Duration::from_secs(20);

/// What is wrong with a batch on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Twist {
    Nothing,
    /// One of the last batches again.
    Repeated,
    /// Sequence numbers are left out.
    Gap,
    /// By a producer that another one has replaced.
    Stale,
}

/// A broker, the model of it, and what happens next.
#[derive(Debug)]
pub struct World {
    random: Random,
    /// `None` if the broker is somebody else's.
    cluster: Option<Cluster>,
    requests: Requests,
    model: Model,
    idempotent: Vec<Identity>,
    /// Producers that were replaced, with their transactional id.
    stale: Vec<(usize, Identity, Generation)>,
    first_timestamp: i64,
    /// The timestamp of the next record.
    clock: i64,
    steps: u64,
    told: Vec<String>,
}

fn connect(bootstrap: &str) -> Connection {
    let address = HostPort::parse(bootstrap).unwrap();
    Connection::open(&address, &ConnectionOptions::default()).unwrap()
}

impl World {
    pub fn new(seed: u64) -> Self {
        let foreign = std::env::var("KAFKIT_MODEL_BROKER").ok();
        let cluster = foreign.is_none().then(Cluster::start);
        let bootstrap = foreign.unwrap_or_else(|| cluster.as_ref().unwrap().bootstrap());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now_ms = now.as_millis() as i64;
        let mut world = Self {
            random: Random::new(seed),
            cluster,
            requests: Requests {
                connection: connect(&bootstrap),
                run: format!("{seed}-{}", std::process::id()),
            },
            model: Model::new(&PARTITIONS, TRANSACTIONAL_IDS),
            idempotent: Vec::new(),
            stale: Vec::new(),
            first_timestamp: now_ms - AGE_MS,
            clock: now_ms - AGE_MS,
            steps: 0,
            told: Vec::new(),
        };
        // Segments are closed often, at a batch that is more than 40 ms younger than the first.
        world.requests.create_topic(0, 2, &[("segment.ms", "40")]);
        world.requests.create_topic(1, 1, &[]);
        world.requests.create_topic(2, 1, &[("compression.type", "zstd")]);
        for (name, kind) in [("group", 0), ("id", 1)] {
            patiently(|| world.requests.find_coordinator(name, kind)).unwrap();
        }
        for _ in 0..IDEMPOTENT_PRODUCERS {
            let producer = patiently(|| world.requests.init_producer(None)).unwrap();
            world.idempotent.push(producer);
        }
        world
    }

    /// The last steps.
    pub fn story(&self, last: usize) -> String {
        let mut story = String::new();
        for line in &self.told[self.told.len().saturating_sub(last)..] {
            let _ = writeln!(story, "  {line}");
        }
        story
    }

    fn tell(&mut self, what: impl std::fmt::Debug) {
        self.told
            .push(format!("{}: {what:?}", self.steps).replace("xx", ""));
    }

    pub fn step(&mut self) {
        self.steps += 1;
        match self.random.below(100) {
            0..8 => self.produce_plain(),
            8..24 => self.produce_idempotent(),
            24..28 => self.init(),
            28..50 => self.produce_in_transaction(),
            50..56 => self.commit_in_transaction(),
            56..68 => self.end_transaction(),
            68..81 => self.fetch(),
            81..88 => self.list_offset(),
            88..91 => self.commit_offset(),
            91..95 => self.committed(),
            95..97 => self.delete_records(),
            97 => self.describe(),
            _ => self.restart(),
        }
    }

    fn records(&mut self, count: usize) -> Vec<(i64, String)> {
        self.clock += self.random.between(0, 12);
        let mut records = Vec::new();
        for at in 0..count {
            let size = self.random.below(60);
            let value = format!("{}-{at}-{}", self.steps, "x".repeat(size));
            records.push((self.clock + at as i64 / 2, value));
        }
        self.clock += count as i64 / 2;
        records
    }

    fn batch(
        &mut self,
        producer: Option<Identity>,
        base_sequence: i32,
        count: usize,
        transactional: bool,
    ) -> Batch {
        Batch {
            base_offset: 0,
            content: Content::Records(self.records(count)),
            producer,
            base_sequence,
            transactional,
        }
    }

    fn bytes(&mut self, batch: &Batch) -> Bytes {
        let codec = self.random.pick(&Codec::ALL);
        let mut builder = BatchBuilder::new(BatchOptions {
            codec,
            producer: batch.producer.map(|producer| Stamp {
                id: producer.id,
                epoch: producer.epoch,
                base_sequence: batch.base_sequence,
            }),
            transactional: batch.transactional,
            ..BatchOptions::default()
        });
        if let Content::Records(records) = &batch.content {
            for (timestamp, value) in records {
                builder.append(*timestamp, None, Some(value.as_bytes()), &[]);
            }
        }
        Bytes::from(builder.finish().unwrap())
    }

    fn some_partitions(&mut self) -> Vec<Partition> {
        let mut partitions = PARTITIONS.to_vec();
        partitions.retain(|_| self.random.chance(35));
        if partitions.is_empty() {
            partitions.push(self.random.pick(&PARTITIONS));
        }
        partitions
    }

    fn produce_plain(&mut self) {
        let mut batches = Vec::new();
        for partition in self.some_partitions() {
            let count = self.random.below(5) + 1;
            batches.push((partition, self.batch(None, -1, count, false)));
        }
        self.send(None, Generation::Second, batches);
    }

    /// Sends batches and writes them into the model.
    fn send(
        &mut self,
        transactional_id: Option<usize>,
        generation: Generation,
        batches: Vec<(Partition, Batch)>,
    ) {
        let mut sent = Vec::new();
        for (partition, batch) in &batches {
            sent.push((*partition, self.bytes(batch)));
        }
        self.tell(("produce", transactional_id, generation, &batches));
        let refused = self.refused_by_coordinator(transactional_id, generation, &batches);
        let deadline = Instant::now() + PATIENCE;
        let answers = loop {
            let answers = self.requests.produce(transactional_id, generation, &sent);
            let is_early = |answer: &Result<i64, ResponseError>| {
                matches!(
                    answer,
                    Err(ResponseError::ConcurrentTransactions | ResponseError::NotEnoughReplicas)
                )
            };
            if !answers.iter().any(is_early) || Instant::now() > deadline {
                break answers;
            }
        };
        let from_zero = generation == Generation::Second;
        for (((partition, batch), answer), refused) in batches.into_iter().zip(answers).zip(refused) {
            let from_zero = from_zero && batch.transactional;
            let wanted = match refused {
                Some(error) => Appended::Refused(error),
                None => self.model.log(partition).write(batch, from_zero),
            };
            let is_right = match wanted {
                Appended::At(offset) => answer == Ok(offset),
                Appended::Refused(error) => answer == Err(error),
                Appended::AtOrOutOfOrder(offset) => {
                    answer == Ok(offset) || answer == Err(ResponseError::OutOfOrderSequenceNumber)
                }
            };
            assert!(is_right, "wanted {wanted:?}, seen {answer:?} on {partition:?}");
        }
    }

    /// What the coordinator refuses before a log sees it. With the second generation the partitions are added.
    fn refused_by_coordinator(
        &mut self,
        transactional_id: Option<usize>,
        generation: Generation,
        batches: &[(Partition, Batch)],
    ) -> Vec<Option<ResponseError>> {
        let Some(at) = transactional_id else {
            return vec![None; batches.len()];
        };
        let mut refused = Vec::new();
        for (partition, batch) in batches {
            let producer = batch.producer.unwrap();
            let known = self.model.log(*partition).producers.get(&producer.id);
            let is_open =
                known.is_some_and(|known| known.epoch == producer.epoch && known.open_since.is_some());
            refused.push(if is_open {
                None
            } else if generation == Generation::Second {
                self.model.add(at, producer, &[*partition], None).err()
            } else {
                let transaction = self.model.transactions[at].as_ref().unwrap();
                let is_added = transaction.partitions.contains(partition);
                let not_added = (!is_added).then_some(ResponseError::TransactionAbortable);
                transaction.refusal(producer).or(not_added)
            });
        }
        // Produce has no other word for it.
        let in_produce = |error| match error {
            ResponseError::ProducerFenced => ResponseError::InvalidProducerEpoch,
            other => other,
        };
        refused.into_iter().map(|error| error.map(in_produce)).collect()
    }

    /// The batch of a producer that a partition gets next, or what a twist makes of it.
    fn next_batch(
        &mut self,
        partition: Partition,
        producer: Identity,
        twist: Twist,
        transactional: bool,
    ) -> Batch {
        let log = self.model.log(partition);
        let known = log
            .producers
            .get(&producer.id)
            .filter(|known| known.epoch == producer.epoch);
        let is_sure = log.start == 0 || known.is_some_and(|known| known.certain > 0);
        // No client repeats a batch of a transaction that has ended.
        let since = known
            .and_then(|known| known.open_since)
            .unwrap_or(if transactional { i64::MAX } else { 0 });
        let mut written = known.map_or_else(Vec::new, |known| known.written.clone());
        written.retain(|(_, _, offset)| *offset >= since);
        let next = known.map_or(0, |known| known.last_sequence() + 1);
        match twist {
            Twist::Repeated if is_sure && !written.is_empty() => {
                let (first, last, _) = self.random.pick(&written);
                self.batch(Some(producer), first, (last - first + 1) as usize, transactional)
            }
            Twist::Gap if is_sure => {
                let skipped = self.random.between(1, 3) as i32;
                self.batch(Some(producer), next + skipped, 2, transactional)
            }
            _ => {
                let count = self.random.below(5) + 1;
                self.batch(Some(producer), next, count, transactional)
            }
        }
    }

    fn twist(&mut self) -> Twist {
        match self.random.below(100) {
            0..12 => Twist::Repeated,
            12..17 => Twist::Gap,
            17..22 => Twist::Stale,
            _ => Twist::Nothing,
        }
    }

    fn produce_idempotent(&mut self) {
        let at = self.random.below(self.idempotent.len());
        // A client that gave a batch up begins a new epoch by itself.
        if self.random.chance(5) {
            self.idempotent[at].epoch += 1;
        }
        let twist = self.twist();
        let mut batches = Vec::new();
        for partition in self.some_partitions() {
            let mut producer = self.idempotent[at];
            let known = self.model.log(partition).producers.get(&producer.id);
            let is_known = known.is_some_and(|known| known.certain > 0 && known.epoch == producer.epoch);
            if twist == Twist::Stale && producer.epoch > 0 && is_known {
                producer.epoch -= 1;
            }
            batches.push((partition, self.next_batch(partition, producer, twist, false)));
        }
        self.send(None, Generation::Second, batches);
    }

    fn init(&mut self) {
        let at = self.random.below(TRANSACTIONAL_IDS);
        let generation = self.random.pick(&[Generation::First, Generation::Second]);
        self.tell(("init", at, generation));
        if let Some(transaction) = &self.model.transactions[at] {
            self.stale
                .push((at, transaction.producer, transaction.generation));
        }
        let given = patiently(|| self.requests.init_producer(Some(at))).unwrap();
        self.model.init(at, given, generation);
        self.settle();
    }

    /// A transactional id that has a producer, and that producer or one that it replaced.
    fn some_transaction(&mut self, twist: Twist) -> Option<(usize, Identity, Generation)> {
        if twist == Twist::Stale && !self.stale.is_empty() {
            return Some(self.random.pick(&self.stale));
        }
        let at = self.random.below(TRANSACTIONAL_IDS);
        let transaction = self.model.transactions[at].as_ref()?;
        Some((at, transaction.producer, transaction.generation))
    }

    fn produce_in_transaction(&mut self) {
        let twist = self.twist();
        let Some((at, producer, generation)) = self.some_transaction(twist) else {
            return self.init();
        };
        let partitions = self.some_partitions();
        if generation == Generation::First && self.random.chance(90) {
            self.tell(("add partitions", at, producer, &partitions));
            let requests = &mut self.requests;
            let answers = patiently(|| {
                let answers = requests.add_partitions(at, producer, &partitions);
                let is_early = answers.contains(&Err(ResponseError::ConcurrentTransactions));
                if is_early {
                    Err(ResponseError::ConcurrentTransactions)
                } else {
                    Ok(answers)
                }
            });
            let wanted = self.model.add(at, producer, &partitions, None);
            let answers = answers.unwrap();
            assert!(
                answers.iter().all(|answer| *answer == wanted),
                "wanted {wanted:?}, seen {answers:?}"
            );
        }
        let mut batches = Vec::new();
        for partition in partitions {
            batches.push((partition, self.next_batch(partition, producer, twist, true)));
        }
        self.send(Some(at), generation, batches);
    }

    fn commit_in_transaction(&mut self) {
        let twist = self.twist();
        let Some((at, producer, generation)) = self.some_transaction(twist) else {
            return self.init();
        };
        let (group, partition) = (self.random.below(GROUPS), self.random.pick(&PARTITIONS));
        let offset = self.random.between(0, 1000);
        self.tell((
            "offset in transaction",
            at,
            producer,
            generation,
            group,
            partition,
            offset,
        ));
        if generation == Generation::First {
            let answer = patiently(|| self.requests.add_group(at, producer, group));
            assert_eq!(
                answer,
                self.model.add(at, producer, &[], Some(group)),
                "AddOffsetsToTxn"
            );
        }
        let answer = patiently(|| {
            let commit = (group, partition, offset);
            self.requests
                .commit_in_transaction(at, producer, generation, commit)
        });
        let wanted = self
            .model
            .add(at, producer, &[], Some(group))
            .map_err(|error| match error {
                ResponseError::ProducerFenced => ResponseError::InvalidProducerEpoch,
                other => other,
            });
        assert_eq!(answer, wanted, "TxnOffsetCommit");
        if answer.is_ok() {
            self.model
                .commit_offset_later(producer.id, group, partition, offset);
        }
    }

    fn end_transaction(&mut self) {
        let twist = self.twist();
        let Some((at, mut producer, generation)) = self.some_transaction(twist) else {
            return self.init();
        };
        let transaction = self.model.transactions[at].as_ref().unwrap();
        let mut commits = self.random.chance(60);
        if twist == Twist::Repeated
            && let State::Complete { commits: did } = transaction.state
            && producer.epoch > 0
        {
            (producer.epoch, commits) = (producer.epoch - 1, did);
        }
        self.tell(("end", at, producer, generation, commits));
        let answer = patiently(|| self.requests.end_transaction(at, producer, generation, commits));
        let wanted = self.model.end_by_client(at, producer, generation, commits);
        assert_eq!(answer, wanted, "EndTxn");
        self.settle();
    }

    fn fetch(&mut self) {
        let partition = self.random.pick(&PARTITIONS);
        let log = self.model.log(partition).clone();
        let from = FetchFrom {
            partition,
            offset: self.random.between((log.start - 2).max(0), log.end() + 1),
            read_committed: self.random.chance(50),
            max_bytes: self.random.pick(&[1, 300, 1500, 1_000_000]),
        };
        self.tell(from);
        self.fetch_from(from, &log);
    }

    /// Fetches once, and compares; where the next batch begins, or `None` at the end.
    fn fetch_from(&mut self, from: FetchFrom, log: &Log) -> Option<i64> {
        let fetched = self.requests.fetch(from);
        let (stable, end) = (log.last_stable_offset(), log.end());
        if from.offset < log.start || from.offset > end {
            assert_eq!(fetched.err(), Some(ResponseError::OffsetOutOfRange), "{from:?}");
            return None;
        }
        let fetched = fetched.unwrap();
        assert_eq!(fetched.high_watermark, end, "high watermark");
        assert_eq!(fetched.last_stable_offset, stable, "last stable offset");
        assert_eq!(fetched.log_start_offset, log.start, "log start offset");
        let limit = if from.read_committed { stable } else { end };
        let readable: Vec<Batch> = log.from(from.offset, limit).cloned().collect();
        let found = fetched.batches.len();
        assert_eq!(
            found > 0,
            !readable.is_empty() && from.offset < limit,
            "batches from {from:?}"
        );
        assert_eq!(fetched.batches, readable[..found], "from {from:?}");
        let next = fetched.batches.last()?.last_offset() + 1;
        let aborted = |bound: i64| {
            let of_interest = log
                .aborted
                .iter()
                .filter(move |(_, first, last)| *last >= from.offset && *first < bound);
            of_interest
                .map(|(producer, first, _)| (*producer, *first))
                .collect::<Vec<_>>()
        };
        if from.read_committed {
            let mut seen = fetched.aborted;
            seen.sort_unstable();
            // Whoever reads a segment to its end may be told of all that follow.
            let is_one_segment = self.cluster.is_some() && from.partition.0 != 0;
            let [mut needed, mut allowed] = [next, if is_one_segment { next } else { end }].map(aborted);
            needed.sort_unstable();
            allowed.sort_unstable();
            let is_complete =
                needed.iter().all(|one| seen.contains(one)) && seen.iter().all(|one| allowed.contains(one));
            assert!(is_complete, "aborted {seen:?}, needed {needed:?}, from {from:?}");
        }
        Some(next)
    }

    fn list_offset(&mut self) {
        let partition = self.random.pick(&PARTITIONS);
        let read_committed = self.random.chance(50);
        let mut timestamp = self.random.pick(&[LATEST, EARLIEST, MAX_TIMESTAMP, 0]);
        let log = self.model.log(partition).clone();
        if timestamp == 0 {
            // Apache Kafka finds no record behind a segment that is deleted but for its file.
            if self.cluster.is_none() && log.start > 0 {
                return;
            }
            timestamp = self.random.between(self.first_timestamp - 5, self.clock + 5);
        }
        self.tell(("list offset", partition, read_committed, timestamp));
        let answer = self.requests.list_offset(partition, read_committed, timestamp);
        let limit = if read_committed {
            log.last_stable_offset()
        } else {
            log.end()
        };
        let wanted = match timestamp {
            LATEST => limit,
            EARLIEST => log.start,
            MAX_TIMESTAMP => match log.youngest().filter(|_| log.start == 0) {
                Some(offset) => Some(offset).filter(|offset| *offset < limit).unwrap_or(-1),
                None => return,
            },
            _ => log
                .at_timestamp(timestamp)
                .filter(|offset| *offset < limit)
                .unwrap_or(-1),
        };
        assert_eq!(
            answer,
            Ok(wanted),
            "ListOffsets {timestamp} on {partition:?}, limit {limit}"
        );
    }

    fn commit_offset(&mut self) {
        let (group, partition) = (self.random.below(GROUPS), self.random.pick(&PARTITIONS));
        let offset = self.random.between(0, 1000);
        self.tell(("commit offset", group, partition, offset));
        self.requests.commit_offset(group, partition, offset).unwrap();
        self.model.commit_offset(group, partition, offset);
    }

    fn committed(&mut self) {
        let (group, partition) = (self.random.below(GROUPS), self.random.pick(&PARTITIONS));
        let stable = self.random.chance(50);
        self.tell(("committed", group, partition, stable));
        self.compare_committed(group, partition, stable);
    }

    fn compare_committed(&mut self, group: usize, partition: Partition, stable: bool) {
        let answer = self.requests.committed(group, partition, stable);
        let wanted = if stable && self.model.is_unstable(group, partition) {
            Err(ResponseError::UnstableOffsetCommit)
        } else {
            let commit = self.model.committed.get(&(group, partition));
            Ok(commit.map_or(-1, |(_, offset)| *offset))
        };
        assert_eq!(answer, wanted, "offset of group {group} on {partition:?}");
    }

    /// What the broker shows of its producers and transactions.
    fn describe(&mut self) {
        self.tell("describe");
        for partition in PARTITIONS {
            // After a crash the broker knows a producer no more whose records were deleted.
            let log = self.model.log(partition);
            if log.start > 0 {
                continue;
            }
            let wanted: Vec<DescribedProducer> = log
                .producers
                .iter()
                .map(|(id, known)| {
                    let first = known.open_since.unwrap_or(-1);
                    (*id, i32::from(known.epoch), known.last_sequence(), first)
                })
                .collect();
            assert_eq!(
                self.requests.producers(partition),
                wanted,
                "producers of {partition:?}"
            );
        }
        for at in 0..TRANSACTIONAL_IDS {
            let Some(transaction) = &self.model.transactions[at] else {
                continue;
            };
            let state = match transaction.state {
                State::Empty => "Empty",
                State::Ongoing => "Ongoing",
                State::Complete { commits: true } => "CompleteCommit",
                State::Complete { commits: false } => "CompleteAbort",
            };
            let partitions = transaction.partitions.iter().copied().collect();
            let wanted = (state.to_owned(), transaction.producer, partitions);
            let mut seen = self.requests.describe_transaction(at, TOPICS);
            let deadline = Instant::now() + PATIENCE;
            // A cluster may be about to write the end.
            while self.cluster.is_none() && seen != wanted && Instant::now() < deadline {
                seen = self.requests.describe_transaction(at, TOPICS);
            }
            assert_eq!(seen, wanted, "transaction {at}");
        }
    }

    fn delete_records(&mut self) {
        let partition = self.random.pick(&PARTITIONS);
        let is_ours = self.cluster.is_some();
        let log = self.model.log(partition);
        let (start, stable, end) = (log.start, log.last_stable_offset(), log.end());
        let offset = match self.random.below(10) {
            0 => end + 1,
            // Apache Kafka gives a last stable offset below the log's start until the next record arrives.
            1 if is_ours || stable == end => -1,
            2 if is_ours || stable == end => self.random.between(0, end),
            _ => self.random.between(start, start + (stable - start) / 2),
        };
        self.tell(("delete records", partition, offset));
        let answer = self.requests.delete_records(partition, offset);
        if offset > end {
            assert_eq!(answer, Err(ResponseError::OffsetOutOfRange));
            return;
        }
        let log = self.model.log(partition);
        log.start = log.start.max(if offset == -1 { end } else { offset });
        assert_eq!(answer, Ok(log.start), "low watermark");
    }

    fn restart(&mut self) {
        let is_crash = self.random.chance(60) && !self.model.has_open_transaction_below_start();
        let Some(cluster) = &mut self.cluster else { return };
        if is_crash {
            cluster.crash_and_restart();
        } else {
            cluster.restart();
        }
        self.requests.connection = connect(&cluster.bootstrap());
        self.tell(if is_crash { "kill" } else { "restart" });
        self.model.restart(is_crash);
        self.compare_everything();
    }

    /// Every record of every partition, and every committed offset.
    pub fn compare_everything(&mut self) {
        for partition in PARTITIONS {
            for read_committed in [false, true] {
                let log = self.model.log(partition).clone();
                let mut offset = Some(log.start);
                while let Some(from) = offset {
                    let from = FetchFrom {
                        partition,
                        offset: from,
                        read_committed,
                        max_bytes: 10_000,
                    };
                    offset = self.fetch_from(from, &log);
                }
            }
            for group in 0..GROUPS {
                self.compare_committed(group, partition, false);
                self.compare_committed(group, partition, true);
            }
        }
    }

    /// A cluster answers the end of a transaction before its markers are written; a mini broker writes them first.
    fn settle(&mut self) {
        if self.cluster.is_some() {
            return;
        }
        for partition in PARTITIONS {
            let stable = self.model.log(partition).last_stable_offset();
            let end = self.model.log(partition).end();
            let wanted = [Ok(stable), Ok(end)];
            let mut seen = wanted;
            let settled = patiently(|| {
                seen = [true, false].map(|committed| self.requests.list_offset(partition, committed, LATEST));
                if seen == wanted {
                    Ok(())
                } else {
                    Err(ResponseError::ConcurrentTransactions)
                }
            });
            assert!(
                settled.is_ok(),
                "wanted {wanted:?}, seen {seen:?} on {partition:?}"
            );
            for group in 0..GROUPS {
                if !self.model.is_unstable(group, partition) {
                    patiently(|| match self.requests.committed(group, partition, true) {
                        Err(ResponseError::UnstableOffsetCommit) => {
                            Err(ResponseError::ConcurrentTransactions)
                        }
                        other => other,
                    })
                    .unwrap();
                }
            }
        }
    }
}

/// Asks again as long as the broker says that it is not ready yet.
fn patiently<T>(mut ask: impl FnMut() -> Result<T, ResponseError>) -> Result<T, ResponseError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = ask();
        let is_early = matches!(
            answer,
            Err(ResponseError::ConcurrentTransactions
                | ResponseError::CoordinatorNotAvailable
                | ResponseError::CoordinatorLoadInProgress
                | ResponseError::NotCoordinator)
        );
        if !is_early || Instant::now() > deadline {
            return answer;
        }
    }
}
