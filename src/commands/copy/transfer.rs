//! Batches of the source into batches of the target: unchanged wherever a broker accepts them so, else written anew.

use super::account::Account;
use super::ledger::{Chunk, Origin, Origins};
use super::packer::{BATCH_BYTES, Packed, Packer};
use super::plan::Placement;
use super::transactions::Transactions;
use crate::client::engine::partition_of_key;
use crate::client::record_sink::{BatchSink, OutgoingBatch, OutgoingBytes};
use crate::commands::batch_reading::{BatchVisitor, Range, RecordFields, Slice};
use crate::error::Result;
use crate::filter::{Expression, Field};
use crate::records::{Codec, Record, recast};
use crate::topic_partition::Offset;

/// A smaller batch is not sent alone: a request carries one batch for each partition, however small.
const SMALL_BATCH: usize = 16 * 1024;

/// A target topic.
#[derive(Debug)]
pub(super) struct Target {
    topic: String,
    /// Its `max.message.bytes`, if it is known.
    largest: Option<usize>,
    is_transactional: bool,
    /// One for each partition.
    packers: Vec<Packer>,
    /// The partition for records without a key, until its batch is full.
    turn: usize,
}

impl Target {
    /// `largest` is the topic's `max.message.bytes`, if it is known.
    pub(super) fn new(
        topic: &str,
        partitions: usize,
        largest: Option<usize>,
        is_transactional: bool,
    ) -> Self {
        let mut target = Self {
            topic: topic.to_owned(),
            largest,
            is_transactional,
            packers: Vec::new(),
            turn: 0,
        };
        target.grow(partitions);
        target
    }

    /// Sets the topic's number of partitions.
    pub(super) fn grow(&mut self, partitions: usize) {
        let limit = self
            .largest
            .map_or(BATCH_BYTES, |largest| largest.min(BATCH_BYTES));
        while self.packers.len() < partitions {
            self.packers.push(Packer::new(limit, self.is_transactional));
        }
    }

    /// Whether the topic accepts a batch of this many bytes, as far as it is known.
    fn takes(&self, bytes: usize) -> bool {
        self.largest.is_none_or(|largest| bytes <= largest)
    }
}

/// Transfers batches from the reading to the sink.
pub(super) struct Transfer {
    pub(super) sink: Box<dyn BatchSink>,
    pub(super) account: Account,
    /// Commits batches and positions together; `None` without exactly-once.
    pub(super) transactions: Option<Transactions>,
    pub(super) targets: Vec<Target>,
    /// The index of the target of each source partition.
    pub(super) target_of: Vec<usize>,
    pub(super) placement: Placement,
    pub(super) filter: Option<Expression>,
    /// The field that becomes the key of each record.
    pub(super) key: Option<Field>,
    /// The last reported end of each source partition.
    pub(super) passed: Vec<Offset>,
    pub(super) bytes: u64,
    pub(super) scratch: Vec<u8>,
}

impl std::fmt::Debug for Transfer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transfer")
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}

impl BatchVisitor for Transfer {
    fn batch(&mut self, place: usize, slice: &Slice<'_>) -> Result<()> {
        self.bytes += slice.batch.bytes.len() as u64;
        if self.stays(place, slice) {
            self.send_whole(place, slice)
        } else {
            self.pack(place, slice)
        }
    }

    /// Unchanged batches are checked by the target, if it answers: it refuses a batch that is corrupt in the source.
    fn passes_on(&self) -> bool {
        // A refusal spoils a transaction, which cannot be committed without the batch.
        let bears_refusals = self.transactions.is_none() || !self.account.skips_failed;
        self.sends_whole_batches() && bears_refusals && self.sink.is_answered()
    }

    fn passed(&mut self, place: usize, next: Offset) -> Result<()> {
        if let Some(passed) = self.passed.get_mut(place).filter(|passed| **passed < next) {
            *passed = next;
            self.account.ledger.pass(place, next);
        }
        Ok(())
    }
}

impl Transfer {
    /// Records that are in the target for good: with transactions, those that are committed.
    pub(super) fn copied(&self) -> u64 {
        match &self.transactions {
            Some(transactions) => transactions.records,
            None => self.account.ledger.all_delivered(),
        }
    }

    /// Adds a source partition to the ledger, after the existing ones.
    pub(super) fn add(&mut self, range: &Range, start: Option<Offset>, target: usize) {
        self.account.ledger.add(range.from, start);
        self.account.names.push((range.topic.clone(), range.partition));
        self.target_of.push(target);
        self.passed.push(range.from);
    }

    /// Whether batches can be sent whole, since no option needs single records.
    fn sends_whole_batches(&self) -> bool {
        self.placement == Placement::Keep && self.filter.is_none() && self.key.is_none()
    }

    /// Whether a batch is sent unchanged.
    fn stays(&self, place: usize, slice: &Slice<'_>) -> bool {
        let bytes = slice.batch.bytes.len();
        let target = self.target_of.get(place).and_then(|at| self.targets.get(*at));
        self.sends_whole_batches()
            && slice.is_whole()
            && bytes >= SMALL_BATCH
            && target.is_none_or(|target| target.takes(bytes))
            && recast::can_be_sent(&slice.batch.header)
    }

    /// Sends all batches that are still being packed.
    pub(super) fn send_packed(&mut self) -> Result<()> {
        for target in 0..self.targets.len() {
            let partitions = self.targets.get(target).map_or(0, |target| target.packers.len());
            for partition in 0..partitions {
                self.flush(target, partition)?;
            }
        }
        Ok(())
    }

    fn send_whole(&mut self, place: usize, slice: &Slice<'_>) -> Result<()> {
        let target = self.target_of.get(place).copied().unwrap_or_default();
        let partition = slice.partition;
        self.flush(target, usize::try_from(partition).unwrap_or_default())?;
        let header = &slice.batch.header;
        let is_transactional = self.transactions.is_some();
        let bytes = slice.passed_on(|head, elsewhere| recast::set_header(head, elsewhere, is_transactional));
        let records = u32::try_from(header.records_count).unwrap_or_default();
        let ledger = &mut self.account.ledger;
        let chunk = ledger.begin(place);
        ledger.expect(chunk, records);
        ledger.end(chunk, slice.next());
        let offset = header.base_offset;
        let first_tag = ledger.send(records, Origins::Whole(Origin { chunk, offset }));
        let Some(target) = self.targets.get(target) else {
            return Ok(());
        };
        if let Some(transactions) = &mut self.transactions {
            transactions.include(&target.topic, partition)?;
        }
        let batch = OutgoingBatch {
            topic: &target.topic,
            partition,
            bytes: OutgoingBytes::Sealed(bytes),
            records,
            first_tag,
        };
        self.sink.send_batch(batch, &mut self.account)
    }

    fn pack(&mut self, place: usize, slice: &Slice<'_>) -> Result<()> {
        let chunk = self.account.ledger.begin(place);
        let mut scratch = std::mem::take(&mut self.scratch);
        let outcome = self.pack_records(place, slice, chunk, &mut scratch);
        self.scratch = scratch;
        // After an error the chunk stays open, so that the position of its partition does not advance.
        outcome?;
        self.account.ledger.end(chunk, slice.next());
        Ok(())
    }

    fn pack_records(
        &mut self,
        place: usize,
        slice: &Slice<'_>,
        chunk: Chunk,
        scratch: &mut Vec<u8>,
    ) -> Result<()> {
        let target = self.target_of.get(place).copied().unwrap_or_default();
        let codec = slice.batch.header.codec().unwrap_or_default();
        slice.each_record(scratch, |record| {
            let fields = RecordFields {
                topic: slice.topic,
                partition: slice.partition,
                record,
            };
            if self.filter.as_ref().is_some_and(|filter| !filter.is_met(&fields)) {
                return Ok(());
            }
            let Some(field) = &self.key else {
                return self.pack_record(target, slice.partition, record, codec, chunk);
            };
            let Some(key) = field.text(&fields) else {
                return self.account.keyless(&fields, field);
            };
            let record = Record {
                key: Some(&key),
                ..*record
            };
            self.pack_record(target, slice.partition, &record, codec, chunk)
        })
    }

    fn pack_record(
        &mut self,
        target: usize,
        partition: i32,
        record: &Record<'_>,
        codec: Codec,
        chunk: Chunk,
    ) -> Result<()> {
        let partition = self.partition_of(target, partition, record.key);
        self.account.ledger.expect(chunk, 1);
        let offset = record.offset;
        let packers = self.targets.get_mut(target).map(|target| &mut target.packers);
        let packer = packers.and_then(|packers| packers.get_mut(partition));
        match packer.and_then(|packer| packer.add(record, codec, Origin { chunk, offset })) {
            Some(full) => self.send_one_packed(target, partition, full),
            None => Ok(()),
        }
    }

    /// The target partition of a record. Those without a key go to one partition until its batch is full.
    fn partition_of(&self, target: usize, partition: i32, key: Option<&[u8]>) -> usize {
        let known = self.targets.get(target);
        match (self.placement, key) {
            (Placement::Keep, _) => usize::try_from(partition).unwrap_or_default(),
            (Placement::Hash, Some(key)) => {
                let count = known.map_or(1, |target| target.packers.len());
                usize::try_from(partition_of_key(key, count)).unwrap_or_default()
            }
            (Placement::Hash, None) => known.map_or(0, |target| target.turn),
        }
    }

    fn flush(&mut self, target: usize, partition: usize) -> Result<()> {
        let packers = self.targets.get_mut(target).map(|target| &mut target.packers);
        let packed = packers.and_then(|packers| packers.get_mut(partition)?.take());
        packed.map_or(Ok(()), |packed| self.send_one_packed(target, partition, packed))
    }

    fn send_one_packed(&mut self, target: usize, partition: usize, packed: Packed) -> Result<()> {
        let Some(target) = self.targets.get_mut(target) else {
            return Ok(());
        };
        if target.turn == partition {
            target.turn = (partition + 1) % target.packers.len().max(1);
        }
        let records = packed.origins.len() as u32;
        let first_tag = self.account.ledger.send(records, Origins::Each(packed.origins));
        if let Some(transactions) = &mut self.transactions {
            transactions.include(&target.topic, partition as i32)?;
        }
        let batch = OutgoingBatch {
            topic: &target.topic,
            partition: partition as i32,
            bytes: OutgoingBytes::Open(packed.bytes, packed.codec),
            records,
            first_tag,
        };
        self.sink.send_batch(batch, &mut self.account)
    }
}
