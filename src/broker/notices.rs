//! What the broker reports to the user who runs it, a line at a time.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// How many lines are remembered. After that many different ones `say_once` reports nothing more: clients decide what
/// the lines say, and could fill the memory.
const REMEMBERED: usize = 1000;

/// Reports a line to the user who runs the broker.
pub type NoticeSink = Arc<dyn Fn(&str) + Send + Sync>;

/// Where the lines go, and which of them were reported before.
pub(super) struct Notices {
    out: NoticeSink,
    said: Mutex<BTreeSet<String>>,
}

impl Notices {
    pub(super) fn new(out: NoticeSink) -> Self {
        Self {
            out,
            said: Mutex::default(),
        }
    }

    /// For code that reports on its own.
    pub(super) fn sink(&self) -> &NoticeSink {
        &self.out
    }

    pub(super) fn say(&self, line: &str) {
        (self.out)(line);
    }

    /// Reports a line unless it was reported before.
    pub(super) fn say_once(&self, line: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() < REMEMBERED && said.insert(line.to_owned()) {
            (self.out)(line);
        }
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notices").finish_non_exhaustive()
    }
}
