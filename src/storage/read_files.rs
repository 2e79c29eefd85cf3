//! Files of finished segments that stay open from one read to the next.
//!
//! A consumer that reads through old segments asks for the same files again and again. Each segment keeps its own
//! open until a periodic check of the broker finds them unused. The whole process keeps at most a few hundred; a
//! reader beyond that opens and closes its own.

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::offset_index::OffsetIndex;
use crate::error::Result;

/// Segments whose files are kept open at once, two files each.
const MOST: usize = 128;

static KEPT: AtomicUsize = AtomicUsize::new(0);

/// What reading a segment needs.
#[derive(Debug)]
pub(super) struct ReadFiles {
    pub(super) log: Arc<File>,
    /// `None` where the segment has no index.
    pub(super) offset_index: Option<OffsetIndex>,
}

/// One of the places for segments whose files are kept.
#[derive(Debug)]
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let taken = KEPT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |kept| {
            (kept < MOST).then_some(kept + 1)
        });
        taken.is_ok().then_some(Place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        KEPT.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A segment's files, if they are open.
#[derive(Debug, Default)]
pub(super) struct KeptFiles {
    kept: Mutex<Option<(Arc<ReadFiles>, Place)>>,
    used: AtomicBool,
}

impl KeptFiles {
    /// The files: those that are kept, or those that `open` returns.
    pub(super) fn get(&self, open: impl FnOnce() -> Result<ReadFiles>) -> Result<Arc<ReadFiles>> {
        self.used.store(true, Ordering::Relaxed);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((files, _)) = &*kept {
            return Ok(Arc::clone(files));
        }
        let files = Arc::new(open()?);
        *kept = Place::take().map(|place| (Arc::clone(&files), place));
        Ok(files)
    }

    /// Closes them: they are about to change, or are no longer needed.
    pub(super) fn close(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Closes them unless they were read since the last call.
    pub(super) fn close_unless_used(&self) {
        if !self.used.swap(false, Ordering::Relaxed) {
            self.close();
        }
    }
}
