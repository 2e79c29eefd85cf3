//! How an audit reports how far it has come.

use crate::storage::read_only::WalkProgress;
use crate::storage::read_only::progress::NoProgress;

/// Receives how far an audit has come: [`WalkProgress::at`] is called between `begin` and `end`, with bytes of that log.
pub trait AuditProgress: WalkProgress {
    /// A log of `length` bytes begins, `u64::MAX` for a pipe. `name` is its folder and its file name.
    fn begin(&mut self, name: &str, length: u64);

    /// The log has been read, or could not be read further.
    fn end(&mut self);
}

impl AuditProgress for NoProgress {
    fn begin(&mut self, _name: &str, _length: u64) {}

    fn end(&mut self) {}
}
