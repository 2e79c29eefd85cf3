//! Why a connection is closed without an answer, for the broker's log.

use std::fmt;

/// The reason, as one line.
#[derive(Debug)]
pub struct Refusal(String);

impl Refusal {
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
