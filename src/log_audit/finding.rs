//! What an audit finds: what is wrong, where, and what a broker would do about it.
//!
//! Owns the parts of a finding; every kind of problem is in `problem`. All are values; output has the words.

use std::path::PathBuf;

use super::problem::Problem;

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file that it is about: the audited one, or an index of the audited log.
    pub path: PathBuf,
    /// Bytes from the file's start to the place; None for a file as a whole and for an entry of an index.
    pub position: Option<u64>,
    pub problem: Problem,
    /// The offset up to which the log is good; None when no batch before is good, and for files that are no log.
    pub last_good_offset: Option<i64>,
    /// None for [`Problem::NotListed`] alone.
    pub action: Option<BrokerAction>,
}

impl Finding {
    /// Something that is wrong with a file as a whole.
    pub(super) fn of_file(
        path: impl Into<PathBuf>,
        problem: impl Into<Problem>,
        action: BrokerAction,
    ) -> Self {
        Self {
            path: path.into(),
            position: None,
            problem: problem.into(),
            last_good_offset: None,
            action: Some(action),
        }
    }

    /// How many problems it represents: 1, except for those that are not listed.
    pub fn count(&self) -> u64 {
        match self.problem {
            Problem::NotListed { count } => count,
            _ => 1,
        }
    }
}

/// What Apache Kafka's broker does about a problem when it starts after a crash, or later when it reads the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerAction {
    /// It keeps the file as it is.
    Keep(Consequence),
    /// It truncates the log at the place, before the first of `batches` whole batches (1 or more).
    TruncateBatches {
        batches: u64,
        bytes_after: BytesAfter,
        /// How many segments after this one it deletes.
        later_segments: u64,
    },
    /// It truncates the log at the place, where no whole batch is.
    Truncate {
        /// How many segments after this one it deletes.
        later_segments: u64,
    },
    /// It truncates the log at an earlier place, which removes this one too.
    TruncateEarlier,
    /// It truncates the segment to nothing.
    EmptySegment {
        /// How many segments after this one it deletes.
        later_segments: u64,
    },
    /// It reads the batch as one of format 2, and keeps it if its checksum matches.
    ReadAsFormat2,
    /// It does not start.
    NotStart,
    /// It rebuilds the index when it recovers the segment.
    RebuildIndex {
        /// Until then `read_committed` consumers get wrong records.
        misleads_consumers: bool,
    },
    /// It deletes the file.
    Delete,
    /// It drops the snapshot and rebuilds it from the log.
    DropSnapshot,
    /// It rebuilds the snapshot from the log if it cannot start with it.
    RebuildRefusedSnapshot,
    /// It rewrites the checkpoint when it recovers the log.
    RewriteCheckpoint,
    /// It drops the entry of the checkpoint.
    DropEntry,
}

/// What follows from a problem that a broker keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// No known consequence.
    None,
    /// Consumers get offsets that do not ascend.
    OffsetsOutOfOrder,
    /// Consumers get the record with its wrong offset.
    OffsetAsItIs,
    /// A lookup by time may miss the record.
    TimeLookupMisses,
    /// Consumers skip the records of the batch.
    RecordsSkipped,
    /// Every consumer fails at this batch.
    ConsumersFail,
    /// Followers may truncate their logs at a wrong offset.
    FollowersTruncate,
}

/// The bytes after the last whole batch of a log that is truncated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BytesAfter {
    /// There are none.
    None,
    /// Their number: 1 or more.
    Known(u64),
    /// There are some; for a pipe their number is not known.
    Unknown,
}
