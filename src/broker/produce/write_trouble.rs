//! A disk that refuses writes: said once when it begins, and once when it is over.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::broker::Broker;
use crate::error::Error;

/// Whether the last write of records was refused.
#[derive(Debug, Default)]
pub(in crate::broker) struct WriteTrouble(AtomicBool);

impl Broker {
    /// Records were not stored.
    pub(in crate::broker) fn write_refused(&self, error: &Error) {
        if !self.write_trouble.0.swap(true, Ordering::Relaxed) {
            self.notice(format_args!(
                "cannot store records in {}: {}; records are refused until they can be stored, reading goes on",
                self.config.data_dir.display(),
                error.message()
            ));
        }
    }

    /// Records were stored.
    pub(in crate::broker) fn write_accepted(&self) {
        // A plain look first: this is on the way of every batch.
        if self.write_trouble.0.load(Ordering::Relaxed) && self.write_trouble.0.swap(false, Ordering::Relaxed)
        {
            self.notice(format_args!(
                "records can be stored in {} again",
                self.config.data_dir.display()
            ));
        }
    }
}
