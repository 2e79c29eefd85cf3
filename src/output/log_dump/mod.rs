//! What dump-log shows: batches, records, index entries, snapshots.
//!
//! Owns the lines and their wording, Java's among them; reads no file.

pub mod audit;
mod audit_words;
pub mod cells;
pub mod internal_json;
pub mod java_decoders;
pub mod java_files;
pub mod java_findings;
pub mod java_log;
pub mod numbers;
pub mod progress;
pub mod rows;
