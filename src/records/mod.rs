//! The record batch as bytes; shared by storage, broker, client and dump-log. No file, no socket, no clock.
//!
//! Everything works on slices, allocates nothing per record, and answers any input with an error, never a panic.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod batch_builder;
pub mod batch_header;
pub mod batches;
mod checksum_change;
pub mod compacted_batch;
pub mod compression;
pub mod control_record;
pub mod error;
pub mod fields;
mod gzip;
pub mod inflate;
pub mod lz4_header;
pub mod message_set;
pub mod message_stream;
pub mod producer_fields;
pub mod recast;
pub mod record;
pub mod record_stream;
pub mod record_walk;
pub mod snappy;
mod snappy_stream;
pub mod varint;
mod whole_frame;

pub use batch_builder::BatchBuilder;
pub use batch_header::BatchHeader;
pub use batches::{Batch, Batches};
pub use compression::Codec;
pub use error::{BatchError, RecordError};
pub use record::{Header, Record, Records};
pub use record_stream::{RecordStream, StreamedRecord};
