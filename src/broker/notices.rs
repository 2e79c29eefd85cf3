//! What the broker tells whoever runs it, a line at a time.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::lifecycle;

/// How many lines are remembered; more different ones are not said at all, since clients choose their words.
const REMEMBERED: usize = 1000;

/// Where the lines go, and which of them were said.
pub(super) struct Notices {
    out: lifecycle::Notices,
    said: Mutex<BTreeSet<String>>,
}

impl Notices {
    pub(super) fn new(out: lifecycle::Notices) -> Self {
        Self {
            out,
            said: Mutex::default(),
        }
    }

    pub(super) fn say(&self, line: &str) {
        (self.out)(line);
    }

    /// Says a line unless it was said before.
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
