//! What dump-log shows: batches, records, index entries, snapshots.
//!
//! Owns the lines and their wording; reads no file.

pub mod audit;
mod audit_words;
pub mod cells;
pub mod internal_json;
pub mod progress;
pub mod rows;
