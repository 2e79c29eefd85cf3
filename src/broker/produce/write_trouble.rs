//! A disk that refuses writes: reported once when it begins, and once when it is over.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;

/// Whether the last write of records was refused.
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

    /// Records were not stored. Returns the line to report, for the first refusal in a row.
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

    /// Records were stored. Returns the line to report, for the first write after a refused one.
    pub(in crate::broker) fn write_accepted(&self) -> Option<String> {
        // Load before swap: this runs for every batch, and a load leaves the cache line shared.
        let is_first = self.refused.load(Ordering::Relaxed) && self.refused.swap(false, Ordering::Relaxed);
        is_first.then(|| format!("records can be stored in {} again", self.log_dir.display()))
    }
}
