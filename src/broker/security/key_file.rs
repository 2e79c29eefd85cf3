//! The keys of a file (`sasl.oauthbearer.jwks.endpoint.url=file:…`), which is read for each token, so that keys can
//! change while the broker runs.
//!
//! While the file cannot be read, its last keys stay in force, as those of a server do; this is reported to the user
//! once, and again when the file can be read.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::signing_keys::{SigningKey, read_keys};
use crate::broker::notices::NoticeSink;

/// A file of keys.
pub(super) struct KeyFile {
    path: String,
    /// The listener and the setting, for messages.
    place: String,
    notices: NoticeSink,
    state: Mutex<State>,
}

struct State {
    /// The keys from the last successful read.
    keys: Arc<Vec<SigningKey>>,
    is_failing: bool,
}

impl KeyFile {
    /// Reads the file once; `place` is the beginning of messages.
    ///
    /// # Errors
    ///
    /// It cannot be read, or has no key.
    pub(super) fn open(path: &str, place: String, notices: &NoticeSink) -> Result<Self, String> {
        let keys = read_keys(path)?;
        Ok(Self {
            path: path.to_owned(),
            place,
            notices: Arc::clone(notices),
            state: Mutex::new(State {
                keys: Arc::new(keys),
                is_failing: false,
            }),
        })
    }

    /// The keys in force.
    pub(super) fn keys(&self) -> Arc<Vec<SigningKey>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let found = read_keys(&self.path);
        let line = self.turn(state.is_failing, &found);
        state.is_failing = found.is_err();
        if let Ok(keys) = found {
            state.keys = Arc::new(keys);
        }
        let keys = Arc::clone(&state.keys);
        drop(state);
        if let Some(line) = line {
            (self.notices)(&line);
        }
        keys
    }

    /// The line to report for a read of the file; `None` if nothing has changed.
    fn turn(&self, was_failing: bool, found: &Result<Vec<SigningKey>, String>) -> Option<String> {
        let Self { place, path, .. } = self;
        match found {
            Err(problem) if !was_failing => {
                Some(format!("{place}: {problem}; the keys from before stay in use"))
            }
            Ok(_) if was_failing => Some(format!("{place}: {path} gives keys again")),
            _ => None,
        }
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
