//! Every kind of problem that an audit looks for, with the numbers that show it.
//!
//! Owns the kinds, by the kind of file. Offsets are offsets of records; positions and lengths are in bytes; timestamps are
//! milliseconds since 1970.

use crate::error::Error;
use crate::records::RecordError;
use crate::records::batch_header::BatchHeader;
use crate::records::error::BatchError;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    Log(LogProblem),
    Index(IndexProblem),
    TransactionIndex(TransactionProblem),
    LeaderEpochs(EpochProblem),
    ProducerSnapshot(SnapshotProblem),
    /// The file cannot be read, or does not hold what its kind of file holds.
    Unreadable {
        /// The message of the reader of that kind of file.
        reason: String,
    },
    /// Further problems of the same file (1 or more), which are not listed to keep memory bounded.
    NotListed {
        count: u64,
    },
}

/// The offsets of a batch, which identify it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOffsets {
    pub first: i64,
    pub last: i64,
}

impl From<&BatchHeader> for BatchOffsets {
    fn from(header: &BatchHeader) -> Self {
        Self {
            first: header.base_offset,
            last: header.last_offset(),
        }
    }
}

/// What is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogProblem {
    /// The checksum of a batch does not match.
    Checksum {
        batch: BatchOffsets,
        stated: u32,
        computed: u32,
    },
    /// A batch is not where its offset belongs.
    OutOfPlace { batch: BatchOffsets, why: OutOfPlace },
    /// Less than a whole batch is left at the end of the log.
    PartialBatch { bytes: u64 },
    /// Zeros up to the end of the log, though only the last segment has preallocated space.
    ZerosBeforeNextSegment { bytes: u64 },
    /// The bytes cannot be the header of a batch.
    NoBatch(BatchError),
    /// The records of a batch cannot be read, though its checksum matches.
    Records(RecordError),
    /// The records of a batch are too large to be read here; consumers have another limit.
    RecordsNotChecked(RecordError),
    /// A record has an offset outside its batch.
    RecordOutsideBatch { batch: BatchOffsets, offset: i64 },
    /// A record is newer than the newest timestamp that its batch states.
    RecordTooNew { timestamp: i64, stated_newest: i64 },
    /// A control batch of a producer holds no marker that ends a transaction.
    NoMarker { batch: BatchOffsets },
    /// A batch without a transaction is in an open transaction of the same producer, which began at `began`.
    OutsideTransaction {
        batch: BatchOffsets,
        producer_id: i64,
        began: i64,
    },
    /// A batch has an earlier leader epoch than one before it.
    EpochGoesBack {
        batch: BatchOffsets,
        epoch: i32,
        before: i32,
    },
}

/// Why a batch is out of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfPlace {
    /// Its last offset is before its first.
    EndsBeforeItBegins,
    /// Its first offset is before the base offset of the segment.
    BeforeSegment { base_offset: i64 },
    /// Its last offset is not before the base offset of the next segment.
    InNextSegment { base_offset: i64 },
    /// Its first offset is not after `before`, the last offset of the batch before it.
    Repeats { before: i64 },
    /// The next batch has a lower offset, `next`, and is in its place.
    JumpsAhead { next: i64 },
}

/// What is wrong with an offset index, a time index, or the form of any index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexProblem {
    /// The offset of an entry is not after that of the entry before.
    NotAscending { offset: i64, before: i64 },
    /// An entry points to a byte of the log where no batch begins.
    NoBatchThere { offset: i64, position: u32 },
    /// An entry points to a batch that is after its offset.
    WrongBatch { offset: i64, batch: BatchOffsets },
    /// The last entry is for an offset that is not in the log.
    OffsetNotInLog { offset: i64, position: u32 },
    /// An entry points to a byte after the last batch.
    AfterLastBatch { offset: i64, position: u32 },
    /// The timestamp of an entry is not the newest of the batch that its offset is in.
    WrongTimestamp {
        offset: i64,
        timestamp: i64,
        newest: i64,
    },
    /// The entry for a timestamp has an offset that is not in the log.
    TimestampNotInLog { timestamp: i64, offset: i64 },
    /// The length of the index is no multiple of that of an entry.
    PartialEntry { bytes: u64 },
    /// There is no log for the index.
    NoLog,
    /// The index has unused space after its entries, though only the last segment has preallocated space.
    UnusedSpace { bytes: u64 },
}

/// What is wrong with a transaction index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionProblem {
    /// It has no entry for an aborted transaction: from its first offset to its abort marker.
    NoEntry {
        producer_id: i64,
        first_offset: i64,
        marker: i64,
    },
    /// The log has no abort marker where an entry has one.
    NoMarker { producer_id: i64, marker: i64 },
    /// An entry has another first offset for a transaction than the log.
    WrongStart {
        producer_id: i64,
        marker: i64,
        stated: i64,
        in_log: i64,
    },
}

/// What is wrong with a checkpoint of leader epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochProblem {
    /// An entry and the one before, whose epoch or start offset is not lower.
    NotAscending {
        epoch: i32,
        start_offset: i64,
        before: i32,
        before_start: i64,
    },
    /// The batch at an offset has another epoch than the checkpoint says.
    WrongEpoch { offset: i64, stated: i32, in_log: i32 },
    /// The batch at an offset has an epoch that the checkpoint has no entry for.
    NoEntry { epoch: i32, offset: i64 },
    /// An epoch begins after the end of the log.
    AfterLog {
        epoch: i32,
        start_offset: i64,
        end_offset: i64,
    },
}

/// What is wrong with the entry of a producer in a snapshot, which covers the records before the snapshot's offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotProblem {
    pub producer_id: i64,
    pub why: WrongEntry,
}

/// Why the entry of a producer in a snapshot is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongEntry {
    /// Its last offset is not before the snapshot's.
    AfterSnapshot { last_offset: i64, snapshot_offset: i64 },
    /// For the same last batch it has another epoch or last sequence number than the log.
    OtherSequence {
        epoch: i16,
        sequence: i32,
        epoch_in_log: i16,
        sequence_in_log: i32,
    },
    /// The producer has written later batches before the snapshot's offset.
    TooOld { last_offset: i64, in_log: i64 },
    /// It has no open transaction; in the log one is open since `began`.
    TransactionMissing { began: i64 },
    /// It has an open transaction since `began`, which has ended in the log.
    TransactionEnded { began: i64 },
}

impl From<LogProblem> for Problem {
    fn from(problem: LogProblem) -> Self {
        Self::Log(problem)
    }
}

impl From<IndexProblem> for Problem {
    fn from(problem: IndexProblem) -> Self {
        Self::Index(problem)
    }
}

impl From<TransactionProblem> for Problem {
    fn from(problem: TransactionProblem) -> Self {
        Self::TransactionIndex(problem)
    }
}

impl From<EpochProblem> for Problem {
    fn from(problem: EpochProblem) -> Self {
        Self::LeaderEpochs(problem)
    }
}

impl From<SnapshotProblem> for Problem {
    fn from(problem: SnapshotProblem) -> Self {
        Self::ProducerSnapshot(problem)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Unreadable {
            reason: error.message(),
        }
    }
}
