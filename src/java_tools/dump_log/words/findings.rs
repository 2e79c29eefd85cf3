//! The messages of kafka-dump-log on stderr about indexes and logs that do not agree, after all files have been read.
//!
//! Owns their words and their order.

/// The kinds of mismatches of an index or a log, each with the meaning of its pair of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The offset of an index entry, and the last offset of the batch it points to.
    IndexMismatch,
    /// The timestamp of an index entry, and the newest of the batch.
    TimestampMismatch,
    /// The timestamp of an index entry, and that of the entry before.
    OutOfOrder,
    /// The offset of a time index entry, and the last offset of the batch found for it, -1 without one.
    OffsetNotFound,
    /// The offset of a record, and that of the next one.
    Gap,
}

impl Finding {
    /// All kinds, in the order in which they are printed.
    pub const ALL: [Self; 5] = [
        Self::IndexMismatch,
        Self::TimestampMismatch,
        Self::OutOfOrder,
        Self::OffsetNotFound,
        Self::Gap,
    ];

    /// The line above the findings of one file.
    pub fn heading(self, path: &str) -> String {
        match self {
            Self::IndexMismatch => format!("Mismatches in :{path}"),
            Self::TimestampMismatch => format!("Found timestamp mismatch in :{path}"),
            Self::OutOfOrder => format!("Found out of order timestamp in :{path}"),
            Self::OffsetNotFound => format!("The following indexed offsets are not found in :{path}"),
            Self::Gap => format!("Non-consecutive offsets in {path}"),
        }
    }

    /// The line of a pair.
    pub fn line(self, (one, other): (i64, i64)) -> String {
        match self {
            Self::IndexMismatch => format!("  Index offset: {one}, log offset: {other}"),
            Self::TimestampMismatch => format!("  Index timestamp: {one}, log timestamp: {other}"),
            Self::OutOfOrder => format!("  Index timestamp: {one}, Previously indexed timestamp: {other}"),
            Self::OffsetNotFound => format!("Indexed offset: {one}, found log offset: {other}"),
            Self::Gap => format!("  {one} is followed by {other}"),
        }
    }
}
