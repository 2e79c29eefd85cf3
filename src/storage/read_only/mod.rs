//! The files of a log dir, opened for reading alone: a broker may be writing to them at the same time.
//!
//! Owns which files a path stands for, what each of them holds, and the walk over the batches of a log. Creates, locks
//! and repairs nothing; the modules beside this one work on a broker's own files.

pub(crate) mod batch_bytes;
mod content;
mod find;
pub(crate) mod in_order;
pub mod log_dir_file;
pub(crate) mod log_walk;
pub mod progress;
pub mod range;
pub mod segments_reader;
pub(crate) mod text_file;

pub use find::find;
pub use log_dir_file::{Kind, LogDirFile};
pub use progress::WalkProgress;
pub use range::Range;
