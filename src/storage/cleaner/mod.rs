//! Compaction: of the records with the same key only the last stays, as Apache Kafka's log cleaner does it.
//!
//! One pass over a log has three steps, between which the log goes on serving:
//! - [`PartitionLog::begin_cleaning`] takes down what is to be done ([`dirty_range`] says whether anything is);
//! - a [`CleaningPass`] reads the dirty part and remembers the last offset of every key ([`offset_map`]), then writes one
//!   group of old segments after the other anew, into files of their own ([`batch_filter`] decides what stays);
//! - [`PartitionLog::replace`] puts each of them in the place of its group, and [`PartitionLog::finish_cleaning`] notes
//!   how far the pass came.
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
