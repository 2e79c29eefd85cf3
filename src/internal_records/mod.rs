//! The records Kafka keeps for itself: groups and offsets, transactions, share groups, cluster metadata, remote log
//! metadata, control records.
//!
//! Owns their schemas (tables in `tables/`), and bytes ⇄ values ⇄ JSON with Kafka's field names. Owns no file, no
//! socket, and no opinion on what to show of a record.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod cluster_metadata;
pub mod control;
pub mod coordinator;
pub mod decode;
pub mod encode;
pub mod java_text;
pub mod json;
pub mod remote_log;
pub mod schema;
mod tables;
pub mod value;
