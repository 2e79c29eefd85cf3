//! The output of kafka-dump-log, to the letter: batches, records, snapshots, and mismatches.
//!
//! Owns the lines and their wording; reads no file.

pub mod decoders;
pub mod files;
pub mod findings;
pub mod log;
