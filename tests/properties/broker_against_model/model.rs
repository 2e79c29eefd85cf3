//! What a broker holds, as plain lists in memory: the records of each partition, its producers, the transactions, the
//! committed offsets. Written from Kafka's rules (KIP-98, KIP-360, KIP-890), not from our own broker.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;

/// A topic's index and a partition's.
pub type Partition = (usize, i32);

/// A producer as a broker knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    pub id: i64,
    pub epoch: i16,
}

/// Which protocol of transactions a producer uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// Partitions are added first, and the epoch stays.
    First,
    /// Partitions are added by what is written, and every end raises the epoch (KIP-890).
    Second,
}

/// One batch as a reader gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub base_offset: i64,
    /// Value and timestamp of each record; `None` in the place of a marker.
    pub content: Content,
    pub producer: Option<Identity>,
    pub base_sequence: i32,
    pub transactional: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Records(Vec<(i64, String)>),
    Marker { commits: bool },
}

impl Batch {
    fn count(&self) -> i64 {
        match &self.content {
            Content::Records(records) => records.len() as i64,
            Content::Marker { .. } => 1,
        }
    }

    pub fn last_offset(&self) -> i64 {
        self.base_offset + self.count() - 1
    }
}

/// A batch that a producer wrote: its first and last sequence number, and its first offset.
pub type Written = (i32, i32, i64);

/// What a partition knows of a producer.
#[derive(Clone, Debug)]
pub struct Producer {
    pub epoch: i16,
    /// The newest last; at most five.
    pub written: Vec<Written>,
    pub open_since: Option<i64>,
    /// How many of the newest batches are known for certain. A restart keeps one, since a snapshot holds no more.
    pub certain: usize,
}

impl Producer {
    pub fn last_sequence(&self) -> i32 {
        self.written.last().map_or(-1, |(_, last, _)| *last)
    }
}

#[derive(Clone, Debug, Default)]
pub struct Log {
    pub batches: Vec<Batch>,
    pub start: i64,
    pub producers: BTreeMap<i64, Producer>,
    /// Producer id, first offset, and the offset of the marker.
    pub aborted: Vec<(i64, i64, i64)>,
}

/// What a write leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    At(i64),
    Refused(ResponseError),
    /// A repetition of an older batch, which a restarted broker may or may not remember: it gives this offset or says
    /// that the sequence number is out of order.
    AtOrOutOfOrder(i64),
}

impl Log {
    pub fn end(&self) -> i64 {
        self.batches.last().map_or(0, |batch| batch.last_offset() + 1)
    }

    pub fn last_stable_offset(&self) -> i64 {
        let open = self.producers.values().filter_map(|producer| producer.open_since);
        open.min().unwrap_or(self.end()).max(self.start)
    }

    /// What a reader at `offset` gets at most, `limit` being the high watermark or the last stable offset.
    pub fn from(&self, offset: i64, limit: i64) -> impl Iterator<Item = &Batch> {
        let readable = move |batch: &&Batch| batch.last_offset() >= offset && batch.base_offset < limit;
        self.batches.iter().filter(readable)
    }

    /// The first record at or after `timestamp`. A marker is younger than every record of these tests.
    pub fn at_timestamp(&self, timestamp: i64) -> Option<i64> {
        self.batches.iter().find_map(|batch| {
            let found = match &batch.content {
                Content::Marker { .. } => Some(0),
                Content::Records(records) => records.iter().enumerate().position(|(at, (time, _))| {
                    *time >= timestamp && batch.base_offset + at as i64 >= self.start
                }),
            };
            found
                .map(|at| batch.base_offset + at as i64)
                .filter(|offset| *offset >= self.start)
        })
    }

    /// The record with the largest timestamp; `None` if that is a marker, since which of several is the youngest depends
    /// on the clock.
    pub fn youngest(&self) -> Option<i64> {
        let mut youngest = None;
        for batch in &self.batches {
            let Content::Records(records) = &batch.content else {
                return None;
            };
            for (at, (time, _)) in records.iter().enumerate() {
                if youngest.is_none_or(|(largest, _)| *time > largest) {
                    youngest = Some((*time, batch.base_offset + at as i64));
                }
            }
        }
        youngest.map(|(_, offset)| offset)
    }

    pub fn write(&mut self, mut batch: Batch, has_to_begin_at_zero: bool) -> Appended {
        batch.base_offset = self.end();
        if let Some(producer) = batch.producer {
            if let Some(found) = self.repeated(&batch, producer) {
                return found;
            }
            if let Err(error) = self.check(&batch, producer, has_to_begin_at_zero) {
                return Appended::Refused(error);
            }
            self.note(&batch, producer);
        }
        let offset = batch.base_offset;
        self.batches.push(batch);
        Appended::At(offset)
    }

    fn repeated(&self, batch: &Batch, producer: Identity) -> Option<Appended> {
        let known = self.producers.get(&producer.id)?;
        let last = batch.base_sequence + batch.count() as i32 - 1;
        let newest_first = known.written.iter().rev();
        let (age, found) = newest_first.enumerate().find(|(_, written)| {
            known.epoch == producer.epoch && written.0 == batch.base_sequence && written.1 == last
        })?;
        Some(if age < known.certain {
            Appended::At(found.2)
        } else {
            Appended::AtOrOutOfOrder(found.2)
        })
    }

    fn check(
        &self,
        batch: &Batch,
        producer: Identity,
        has_to_begin_at_zero: bool,
    ) -> Result<(), ResponseError> {
        let Some(known) = self.producers.get(&producer.id) else {
            let is_late = has_to_begin_at_zero && batch.base_sequence != 0;
            return if is_late {
                Err(ResponseError::OutOfOrderSequenceNumber)
            } else {
                Ok(())
            };
        };
        let next = if known.epoch == producer.epoch {
            known.last_sequence() + 1
        } else {
            0
        };
        if producer.epoch < known.epoch {
            Err(ResponseError::InvalidProducerEpoch)
        } else if batch.base_sequence != next {
            Err(ResponseError::OutOfOrderSequenceNumber)
        } else {
            Ok(())
        }
    }

    fn note(&mut self, batch: &Batch, producer: Identity) {
        let known = self.known(producer);
        known.written.push((
            batch.base_sequence,
            batch.base_sequence + batch.count() as i32 - 1,
            batch.base_offset,
        ));
        known.certain = (known.certain + 1).min(5);
        if known.written.len() > 5 {
            known.written.remove(0);
        }
        if batch.transactional {
            known.open_since.get_or_insert(batch.base_offset);
        }
    }

    fn known(&mut self, producer: Identity) -> &mut Producer {
        let known = self.producers.entry(producer.id).or_insert(Producer {
            epoch: producer.epoch,
            written: Vec::new(),
            open_since: None,
            certain: 0,
        });
        if known.epoch != producer.epoch {
            known.epoch = producer.epoch;
            known.written.clear();
        }
        known
    }

    fn mark(&mut self, producer: Identity, commits: bool) {
        let offset = self.end();
        let opened = self.known(producer).open_since.take();
        if let (Some(first), false) = (opened, commits) {
            self.aborted.push((producer.id, first, offset));
        }
        self.batches.push(Batch {
            base_offset: offset,
            content: Content::Marker { commits },
            producer: Some(producer),
            base_sequence: -1,
            transactional: true,
        });
    }

    /// What is left of what a partition knows of its producers. After a crash it is read from the records that are left,
    /// and those of a producer may have been deleted.
    fn restart(&mut self, is_crash: bool) {
        let start = self.start;
        for producer in self.producers.values_mut() {
            let is_deleted = producer
                .written
                .last()
                .is_some_and(|(_, _, first)| *first < start);
            producer.certain = usize::from(!(is_crash && is_deleted)).min(producer.written.len());
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Empty,
    Ongoing,
    Complete { commits: bool },
}

/// A transactional id.
#[derive(Clone, Debug)]
pub struct Transaction {
    pub producer: Identity,
    pub state: State,
    pub generation: Generation,
    pub partitions: BTreeSet<Partition>,
    pub groups: BTreeSet<usize>,
}

impl Transaction {
    /// Who may write; `None` if `producer` is the one who may.
    pub fn refusal(&self, producer: Identity) -> Option<ResponseError> {
        if producer.id != self.producer.id {
            Some(ResponseError::InvalidProducerIdMapping)
        } else if producer.epoch != self.producer.epoch {
            Some(ResponseError::ProducerFenced)
        } else {
            None
        }
    }
}

/// A committed offset: when it was written, in the order of all commits, and the offset.
pub type Commit = (u64, i64);

/// Committed offsets by group and partition.
pub type Commits = BTreeMap<(usize, Partition), Commit>;

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub logs: BTreeMap<Partition, Log>,
    pub transactions: Vec<Option<Transaction>>,
    pub committed: Commits,
    /// By producer id: offsets whose transaction is open.
    pub pending: BTreeMap<i64, Commits>,
    commits_so_far: u64,
}

impl Model {
    pub fn new(partitions: &[Partition], transactional_ids: usize) -> Self {
        Self {
            logs: partitions
                .iter()
                .map(|partition| (*partition, Log::default()))
                .collect(),
            transactions: vec![None; transactional_ids],
            ..Self::default()
        }
    }

    pub fn log(&mut self, partition: Partition) -> &mut Log {
        self.logs.get_mut(&partition).unwrap()
    }

    pub fn commit_offset(&mut self, group: usize, partition: Partition, offset: i64) {
        self.commits_so_far += 1;
        self.committed
            .insert((group, partition), (self.commits_so_far, offset));
    }

    pub fn commit_offset_later(&mut self, producer: i64, group: usize, partition: Partition, offset: i64) {
        self.commits_so_far += 1;
        let pending = self.pending.entry(producer).or_default();
        pending.insert((group, partition), (self.commits_so_far, offset));
    }

    /// Whether a transaction that may still change this offset is open.
    pub fn is_unstable(&self, group: usize, partition: Partition) -> bool {
        self.pending
            .values()
            .any(|commits| commits.contains_key(&(group, partition)))
    }

    /// Ends the open transaction with markers of `marker_epoch`.
    fn end(&mut self, at: usize, commits: bool, marker_epoch: i16) {
        let transaction = self.transactions[at].as_mut().unwrap();
        let producer = Identity {
            epoch: marker_epoch,
            ..transaction.producer
        };
        transaction.state = State::Complete { commits };
        transaction.groups.clear();
        let partitions = std::mem::take(&mut transaction.partitions);
        for partition in partitions {
            self.log(partition).mark(producer, commits);
        }
        let pending = self.pending.remove(&producer.id).unwrap_or_default();
        for (place, commit) in pending.into_iter().filter(|_| commits) {
            // A plain commit that came later holds.
            if self
                .committed
                .get(&place)
                .is_none_or(|present| present.0 < commit.0)
            {
                self.committed.insert(place, commit);
            }
        }
    }

    /// A producer begins under a transactional id; who it is the broker decides, and this checks it.
    pub fn init(&mut self, at: usize, given: Identity, generation: Generation) {
        let before = self.transactions[at]
            .as_ref()
            .map(|found| (found.producer, found.state));
        if let Some((producer, state)) = before {
            let mut epoch = producer.epoch;
            if state == State::Ongoing {
                // Whoever began it is kept out by the marker already.
                epoch += 1;
                self.end(at, false, epoch);
            }
            let wanted = Identity {
                epoch: epoch + 1,
                ..producer
            };
            assert_eq!(given, wanted, "the next epoch of transactional id {at}");
        }
        self.transactions[at] = Some(Transaction {
            producer: given,
            state: State::Empty,
            generation,
            partitions: BTreeSet::new(),
            groups: BTreeSet::new(),
        });
    }

    /// Partitions or a group join the transaction of `producer`.
    pub fn add(
        &mut self,
        at: usize,
        producer: Identity,
        partitions: &[Partition],
        group: Option<usize>,
    ) -> Result<(), ResponseError> {
        let transaction = self.transactions[at].as_mut().unwrap();
        if let Some(refused) = transaction.refusal(producer) {
            return Err(refused);
        }
        transaction.state = State::Ongoing;
        transaction.partitions.extend(partitions);
        transaction.groups.extend(group);
        Ok(())
    }

    /// EndTxn; who the producer is afterwards.
    pub fn end_by_client(
        &mut self,
        at: usize,
        producer: Identity,
        generation: Generation,
        commits: bool,
    ) -> Result<Identity, ResponseError> {
        let transaction = self.transactions[at].as_ref().unwrap();
        let (state, current) = (transaction.state, transaction.producer);
        let is_second = generation == Generation::Second;
        // The answer to the first request may have been lost: the end has raised the epoch since.
        let is_repeated = is_second && producer.id == current.id && producer.epoch + 1 == current.epoch;
        if let (true, State::Complete { commits: did }) = (is_repeated, state) {
            return if did == commits {
                Ok(current)
            } else {
                Err(ResponseError::InvalidTxnState)
            };
        }
        if let Some(refused) = transaction.refusal(producer) {
            return Err(refused);
        }
        let is_done = !is_second && state == State::Complete { commits };
        let is_right = state == State::Ongoing || is_second && !commits;
        if is_done {
            return Ok(producer);
        }
        if !is_right {
            return Err(ResponseError::InvalidTxnState);
        }
        let epoch = producer.epoch + i16::from(is_second);
        self.end(at, commits, epoch);
        let transaction = self.transactions[at].as_mut().unwrap();
        transaction.producer.epoch = epoch;
        Ok(transaction.producer)
    }

    /// Whether a crash would leave a transaction whose first records are deleted: nothing is promised then.
    pub fn has_open_transaction_below_start(&self) -> bool {
        self.logs.values().any(|log| {
            let mut open = log.producers.values().filter_map(|producer| producer.open_since);
            open.any(|first| first < log.start)
        })
    }

    pub fn restart(&mut self, is_crash: bool) {
        for log in self.logs.values_mut() {
            log.restart(is_crash);
        }
    }
}
