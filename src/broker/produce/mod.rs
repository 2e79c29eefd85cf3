//! The way of records into the log: decoding a Produce request without copying, checking its batches, and
//! recompressing them where the topic asks for another codec.
//!
//! Owns no field of the response (`handlers/produce.rs`) and no file of the log (storage/).

pub(in crate::broker) mod batch_check;
pub(in crate::broker) mod produce_request;
pub(in crate::broker) mod recompress;
pub(in crate::broker) mod write_trouble;
