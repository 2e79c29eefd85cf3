//! The schemas of Kafka's internal records, one file a topic.
//!
//! Owns data only: `tests/recorded/record_schemas.py` writes every file here but this one.

pub(super) mod control;
pub(super) mod group;
pub(super) mod metadata;
pub(super) mod remote;
pub(super) mod share;
pub(super) mod transaction;
