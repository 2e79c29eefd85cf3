//! What kafka-dump-log prints, to the letter: batches, records, snapshots, and what disagrees.
//!
//! Owns the lines and their wording; reads no file.

pub mod decoders;
pub mod files;
pub mod findings;
pub mod log;
