//! A log dir on disk, in Apache Kafka's own formats; shared by broker and dump-log. Owns every file name.
//!
//! Batches are stored as they were received. No clock: the time comes in as `now_ms`.

// The content of a file must not end the program: no index that may be out of range.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod batch_reader;
pub mod batch_search;
pub mod checkpoint;
pub mod chunk;
pub mod cleaner;
pub mod disk;
pub mod disk_faults;
pub mod entry_file;
pub mod file_name;
pub mod file_window;
pub mod flush;
mod folder_files;
pub mod future_log;
pub mod index_file;
pub mod large_batch;
pub mod leader_epochs;
mod log_answer;
pub mod log_config;
pub mod log_dir;
pub mod log_folder;
pub mod log_slice;
pub mod meta_properties;
pub mod offset_index;
mod partition_cleaning;
mod partition_folder;
pub mod partition_log;
pub mod partition_metadata;
mod partition_presence;
pub mod positioned;
pub mod producer_snapshot;
pub mod producer_state;
mod read_files;
pub mod read_only;
mod recovery;
mod retention;
pub mod segment;
pub mod segment_file;
pub mod segment_scan;
pub mod time_index;
pub mod time_lookup;
pub mod transaction_index;
mod truncation;

pub use log_answer::{AppendError, Appended, Origin, ReadError};
pub use log_config::{LogConfig, Recovery};
pub use log_dir::LogDir;
pub use log_slice::LogSlice;
pub use partition_log::PartitionLog;
