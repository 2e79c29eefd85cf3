//! Compaction: of the records with the same key only the last is kept, as in Apache Kafka's log cleaner.
//!
//! One pass over a log has three steps, during which the log stays in use:
//! - [`PartitionLog::begin_cleaning`] plans the work ([`dirty_range`] decides whether there is any);
//! - a [`CleaningPass`] reads the dirty part and remembers the last offset of every key ([`offset_map`]), then rewrites
//!   one group of old segments after the other into new files ([`batch_filter`] decides what is kept);
//! - [`PartitionLog::replace`] replaces each group by its new segment, and [`PartitionLog::finish_cleaning`] notes how
//!   far the pass came.
//!
//! [`dirty_range`], [`offset_map`], [`transactions`] and [`batch_filter`] touch no file.
//!
//! [`PartitionLog::begin_cleaning`]: super::PartitionLog::begin_cleaning
//! [`PartitionLog::replace`]: super::PartitionLog::replace
//! [`PartitionLog::finish_cleaning`]: super::PartitionLog::finish_cleaning

mod batch_filter;
mod cleaned_segment;
mod cleaning_pass;
pub mod dirty_range;
mod offset_map;
mod transactions;

pub use batch_filter::LastRecord;
pub use cleaned_segment::{CleanedSegment, FileStep, OldFiles};
pub(in crate::storage) use cleaning_pass::Source;
pub use cleaning_pass::{CleaningPass, CleaningPlan, KeepGoing};
pub use dirty_range::{CompactionConfig, DirtyRange};
