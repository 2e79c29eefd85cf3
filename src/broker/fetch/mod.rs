//! The hot path of reading: incremental fetch sessions (KIP-227), requests that wait for `fetch.min.bytes`, and a
//! response whose records the kernel sends straight from a segment.
//!
//! Owns no decision about one partition (`handlers/fetch.rs`) and no file of the log (storage/).

pub(in crate::broker) mod delayed_fetch;
pub(in crate::broker) mod fetch_response;
pub(in crate::broker) mod fetch_session;
