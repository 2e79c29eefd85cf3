//! The hot path of writing: decoding a Produce request without copying, checking its batches, and recompressing them
//! if the topic has another codec.
//!
//! Owns no field of the response (`handlers/produce.rs`) and no file of the log (storage/).

pub(in crate::broker) mod batch_check;
pub(in crate::broker) mod produce_request;
pub(in crate::broker) mod recompress;
pub(in crate::broker) mod write_trouble;
