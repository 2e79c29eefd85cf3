//! Failing writes: reported when they begin to fail, and when they work again.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;

/// Whether the last write of records has failed.
#[derive(Debug)]
pub(in crate::broker) struct WriteTrouble {
    log_dir: PathBuf,
    refused: AtomicBool,
}

impl WriteTrouble {
    pub(in crate::broker) fn new(log_dir: PathBuf) -> Self {
        Self {
            log_dir,
            refused: AtomicBool::new(false),
        }
    }

    /// Records were not stored. Returns the line to report, for the first failure in a row.
    pub(in crate::broker) fn write_refused(&self, error: &Error) -> Option<String> {
        let is_first = !self.refused.swap(true, Ordering::Relaxed);
        is_first.then(|| {
            format!(
                "cannot store records in {}: {}; records are refused until they can be stored, reading goes on",
                self.log_dir.display(),
                error.message()
            )
        })
    }

    /// Records were stored. Returns the line to report, for the first success after a failure.
    pub(in crate::broker) fn write_accepted(&self) -> Option<String> {
        // A load before the swap: this runs for every batch, and a load does not take the cache line from other
        // cores.
        let is_first = self.refused.load(Ordering::Relaxed) && self.refused.swap(false, Ordering::Relaxed);
        is_first.then(|| format!("records can be stored in {} again", self.log_dir.display()))
    }
}
