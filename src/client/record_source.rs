//! Records from a cluster: the trait that `consume` reads through; each engine implements it.
//!
//! Owns the promises: order within a partition, ends of partitions told by position (so that markers and
//! compacted tails count), a group's commits of exactly what the visitor took. Names no engine's types and
//! allocates nothing per record.

use std::ops::ControlFlow;
use std::time::Duration;

use super::record_sink::HeaderView;
use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::records::Batch;
use crate::topic_partition::Offset;
use crate::wire::SharedSlice;

/// What a record's time means.
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
    /// Milliseconds since 1970; -1 without a time.
    pub timestamp: i64,
    pub timestamp_type: TimestampType,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: &'a [HeaderView<'a>],
}

/// A whole batch as it was fetched, with nothing in it decoded; its checksum is right, where these are checked, unless it is
/// [`FetchedBatch::is_unchecked`]. Neither a marker nor, for a reader of committed records, part of an aborted transaction.
#[derive(Clone, Copy, Debug)]
pub struct FetchedBatch<'a> {
    pub topic: &'a str,
    pub partition: i32,
    /// Records before this offset were not asked for.
    pub from: Offset,
    pub batch: &'a Batch<'a>,
    /// Its checksum must be held against its bytes before any of them are believed.
    pub is_unchecked: bool,
    /// The memory that the batch is in, at its [`Batch::position`], for who passes it on as it is; nothing where that would
    /// keep much more memory than the batches take.
    pub memory: Option<&'a SharedSlice>,
}

/// Who is shown the records.
pub trait RecordVisitor {
    /// A batch before its records are decoded: `None` asks for these one by one, anything else takes all of it, and a break
    /// ends the poll behind it. Only the direct lane has batches to show.
    fn batch(&mut self, _batch: &FetchedBatch<'_>) -> Result<Option<ControlFlow<()>>> {
        Ok(None)
    }

    /// Whether [`Self::batch`] takes every batch, and checks the checksum of each that it does not hand to somebody who does.
    fn checks_batches(&self) -> bool {
        false
    }

    /// Whether most records may be left out, because [`Self::first_wanted`] can tell.
    fn sifts(&self) -> bool {
        false
    }

    /// Where the first record that may be wanted is at, in the bytes of a batch's records: what ends before this byte may be
    /// left out, and everything where there is none.
    fn first_wanted(&self, _records: &[u8]) -> Option<usize> {
        Some(0)
    }

    /// A break ends the poll; this record counts as taken.
    fn record(&mut self, record: &ConsumedRecord<'_>) -> Result<ControlFlow<()>>;

    /// Several records of one partition, in order: how many were taken, and whether the poll goes on. A break ends it;
    /// the record that it came for counts as taken.
    fn records(&mut self, records: &[ConsumedRecord<'_>]) -> (usize, Result<ControlFlow<()>>) {
        for (place, record) in records.iter().enumerate() {
            match self.record(record) {
                Ok(ControlFlow::Continue(())) => {}
                outcome => return (place + 1, outcome),
            }
        }
        (records.len(), Ok(ControlFlow::Continue(())))
    }

    /// Nothing more in this partition for now; the next record there will have at least this offset.
    fn partition_end(&mut self, topic: &str, partition: i32, next: Offset) -> Result<ControlFlow<()>>;

    /// Whether records are looked at for their headers; without, a source may leave them out.
    fn wants_headers(&self) -> bool {
        true
    }
}

/// What the cluster says of a topic.
#[derive(Clone, Debug)]
pub struct TopicPartitions {
    pub name: String,
    /// In order; empty when there is a problem.
    pub partitions: Vec<i32>,
    pub problem: Option<TopicProblem>,
}

/// Why a topic cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicProblem {
    Unknown,
    Invalid,
    Denied,
    /// Passing, such as a leader that is being chosen.
    NotYet(String),
}

/// Where in a partition: a number, or a question to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// The first offset there is.
    Beginning,
    /// After the last record (after the last stable one with `read_committed`).
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
    /// Nothing from this offset on is wanted, so that the source need not ask for it; it is told as an end of the
    /// partition where the source knows it. More may be shown all the same.
    pub end: Option<Offset>,
}

/// What to do about a batch that cannot be decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCorrupt {
    /// It ends the reading.
    #[default]
    Fail,
    /// It is told of and passed over.
    Skip,
}

/// How a source works, beyond the settings.
#[derive(Clone, Debug, Default)]
pub struct SourceOptions {
    /// Settings that win over the user's, in either kind of names.
    pub overrides: Vec<(String, String)>,
    /// Settings that hold where nothing else speaks.
    pub defaults: Vec<(String, String)>,
    pub on_corrupt: OnCorrupt,
    /// Ends waits.
    pub interrupt: Interrupt,
    /// How long a partition may be without a broker that serves it before the reading ends with
    /// [`Kind::Unreachable`](crate::error::Kind::Unreachable); `None` waits without end.
    pub give_up_after: Option<Duration>,
}

/// Reads records.
pub trait RecordSource {
    /// Asks the cluster for one topic (the cluster may create it, if it does and the source may ask), or for all.
    fn topics(&mut self, topic: Option<&str>, wait: Duration) -> Result<Vec<TopicPartitions>>;

    /// Turns questions into offsets, one request a broker; a partition that the cluster will not answer for is an error.
    fn offsets(&mut self, questions: &[(&str, i32, Position)], wait: Duration) -> Result<Vec<Offset>>;

    /// Reads these partitions too.
    fn assign(&mut self, starts: &[Start]) -> Result<()>;

    /// Reads these partitions no more.
    fn unassign(&mut self, partitions: &[(String, i32)]) -> Result<()>;

    /// Joins the settings' group for these topics; replaces the topics joined for before.
    fn subscribe(&mut self, topics: &[String]) -> Result<()>;

    /// Shows the visitor what is there, waiting up to `wait` for the first record.
    fn poll(&mut self, wait: Duration, visitor: &mut dyn RecordVisitor) -> Result<ControlFlow<()>>;

    /// The partitions that are read now: those assigned, or those that the group gave.
    fn assignment(&mut self) -> Vec<(String, i32)>;

    /// What the visitor took so far is safely out: the group may commit it, by and by and at the end.
    fn acknowledge(&mut self);

    /// Commits what was acknowledged and leaves the group; stops reading.
    fn close(&mut self);

    /// What happened on the way that a person should know, one line each.
    fn take_notices(&mut self) -> Vec<String>;
}
