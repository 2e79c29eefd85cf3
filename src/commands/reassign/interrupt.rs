//! Ctrl-C while moves are watched: the first ends the command in order, a second ends the program at once.

use std::time::{Duration, Instant};

use crate::error::Result;
use crate::interrupt;

/// How often a pause checks whether to end early.
const GLANCE: Duration = Duration::from_millis(50);

/// Whether Ctrl-C (or SIGTERM, or SIGHUP) came since it was made.
#[derive(Clone, Debug)]
pub(super) struct Interrupt(interrupt::Interrupt);

impl Interrupt {
    pub(super) fn new() -> Result<Self> {
        interrupt::Interrupt::install_ending_at_the_second().map(Self)
    }

    pub(super) fn was_asked(&self) -> bool {
        self.0.is_raised()
    }

    /// Waits for `length`, or until an interrupt.
    pub(super) fn pause(&self, length: Duration) {
        let start = Instant::now();
        while !self.was_asked() {
            let left = length.saturating_sub(start.elapsed());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(GLANCE));
        }
    }
}
