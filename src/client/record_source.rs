//! Records from a cluster: the trait that `consume` reads through; each engine implements it.
//!
//! Owns the promises: order within a partition, ends of partitions reported by position (so that markers and compacted
//! tails count), a group commits exactly what the visitor took. Names no engine's types and allocates nothing per
//! record.

use std::ops::ControlFlow;
use std::time::Duration;

use super::record_sink::HeaderView;
use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::records::Batch;
use crate::topic_partition::Offset;
use crate::wire::SharedSlice;

/// What a record's timestamp means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    None,
    CreateTime,
    LogAppendTime,
}

/// A record read, borrowed from the engine until the visitor returns.
#[derive(Clone, Copy, Debug)]
pub struct ConsumedRecord<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub offset: Offset,
    /// Milliseconds since 1970; -1 without a timestamp.
    pub timestamp: i64,
    pub timestamp_type: TimestampType,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: &'a [HeaderView<'a>],
}

/// A whole batch as it was fetched, not decoded. If `check.crcs` is on, its checksum is correct, unless it is
/// [`FetchedBatch::is_unchecked`]. It is no marker and, with `read_committed`, not part of an aborted transaction.
#[derive(Clone, Copy, Debug)]
pub struct FetchedBatch<'a> {
    pub topic: &'a str,
    pub partition: i32,
    /// Records before this offset were not requested.
    pub from: Offset,
    pub batch: &'a Batch<'a>,
    /// Its checksum must be checked before its bytes are trusted.
    pub is_unchecked: bool,
    /// The memory that holds the batch, at its [`Batch::position`], for sending it on without a copy; `None` if that
    /// would keep much more memory than the batches need.
    pub memory: Option<&'a SharedSlice>,
}

/// Receives the records.
pub trait RecordVisitor {
    /// A batch before its records are decoded: `None` requests its records one by one, anything else takes the whole
    /// batch, and a break ends the poll after it. Only the direct lane shows batches.
    fn batch(&mut self, _batch: &FetchedBatch<'_>) -> Result<Option<ControlFlow<()>>> {
        Ok(None)
    }

    /// Whether [`Self::batch`] takes every batch, and ensures that the checksum of each is checked.
    fn checks_batches(&self) -> bool {
        false
    }

    /// Whether [`Self::first_wanted`] can find the wanted records, so that others are skipped without decoding.
    fn sifts(&self) -> bool {
        false
    }

    /// A position within the first record that may be wanted, in the bytes of a batch's records: records that end
    /// before this byte may be skipped; with `None` all of them.
    fn first_wanted(&self, _records: &[u8]) -> Option<usize> {
        Some(0)
    }

    /// One record. A break ends the poll; this record counts as taken.
    fn record(&mut self, record: &ConsumedRecord<'_>) -> Result<ControlFlow<()>>;

    /// Several records of one partition, in order. Returns how many were taken, and whether the poll continues. A break
    /// ends it; the record that caused it counts as taken.
    fn records(&mut self, records: &[ConsumedRecord<'_>]) -> (usize, Result<ControlFlow<()>>) {
        for (place, record) in records.iter().enumerate() {
            match self.record(record) {
                Ok(ControlFlow::Continue(())) => {}
                outcome => return (place + 1, outcome),
            }
        }
        (records.len(), Ok(ControlFlow::Continue(())))
    }

    /// The partition has no more records for now; the next one will have at least the offset `next`.
    fn partition_end(&mut self, topic: &str, partition: i32, next: Offset) -> Result<ControlFlow<()>>;

    /// Whether headers are used; otherwise a source may leave them out.
    fn wants_headers(&self) -> bool {
        true
    }
}

/// The cluster's metadata of a topic.
#[derive(Clone, Debug)]
pub struct TopicPartitions {
    pub name: String,
    /// In order; empty if there is a problem.
    pub partitions: Vec<i32>,
    pub problem: Option<TopicProblem>,
}

/// Why a topic cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicProblem {
    Unknown,
    Invalid,
    Denied,
    /// Temporary, such as a leader election.
    NotYet(String),
}

/// A position in a partition: an offset, or one that the cluster must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// The log start offset.
    Beginning,
    /// The high watermark, or the last stable offset with `read_committed`.
    End,
    At(Offset),
    /// The first record at or after this time, in milliseconds since 1970; the end if there is none.
    Time(i64),
}

/// A partition to read, and from where.
#[derive(Clone, Debug)]
pub struct Start {
    pub topic: String,
    pub partition: i32,
    pub offset: Offset,
    /// Records from this offset on are not wanted, so that the source need not fetch them; a source that supports this
    /// reports it as the end of the partition. Further records may be shown nevertheless.
    pub end: Option<Offset>,
}

/// What to do with a batch that cannot be decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCorrupt {
    /// It ends the reading.
    #[default]
    Fail,
    /// It is reported and skipped.
    Skip,
}

/// How a source works, beyond the settings.
#[derive(Clone, Debug, Default)]
pub struct SourceOptions {
    /// Settings that take precedence over the user's, with Java's or librdkafka's names.
    pub overrides: Vec<(String, String)>,
    /// Settings that apply where neither of the others has a value.
    pub defaults: Vec<(String, String)>,
    pub on_corrupt: OnCorrupt,
    /// Ends all waits.
    pub interrupt: Interrupt,
    /// How long a partition may be without a broker that serves it before the reading ends with
    /// [`Kind::Unreachable`](crate::error::Kind::Unreachable); `None` waits without end.
    pub give_up_after: Option<Duration>,
}

/// Reads records.
pub trait RecordSource {
    /// Requests the metadata of one topic (which the cluster may create, if it does so and the settings allow it), or
    /// of all.
    fn topics(&mut self, topic: Option<&str>, wait: Duration) -> Result<Vec<TopicPartitions>>;

    /// Finds the offsets of positions, with one request for each broker; a partition without an answer is an error.
    fn offsets(&mut self, questions: &[(&str, i32, Position)], wait: Duration) -> Result<Vec<Offset>>;

    /// Reads these partitions too.
    fn assign(&mut self, starts: &[Start]) -> Result<()>;

    /// Stops reading these partitions.
    fn unassign(&mut self, partitions: &[(String, i32)]) -> Result<()>;

    /// Joins the group of the settings for these topics, which replace the earlier ones.
    fn subscribe(&mut self, topics: &[String]) -> Result<()>;

    /// Shows the visitor the available records, waiting up to `wait` for the first.
    fn poll(&mut self, wait: Duration, visitor: &mut dyn RecordVisitor) -> Result<ControlFlow<()>>;

    /// The partitions that are read now: those assigned by the caller, or by the group.
    fn assignment(&mut self) -> Vec<(String, i32)>;

    /// What the visitor took so far has been written out: the group may commit it, periodically and at the end.
    fn acknowledge(&mut self);

    /// Commits what was acknowledged and leaves the group; stops reading.
    fn close(&mut self);

    /// Notices for the user, one line each.
    fn take_notices(&mut self) -> Vec<String>;
}
