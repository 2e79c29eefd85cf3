//! Ctrl-C while moves are watched: the first asks politely, a second ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::{Kind, Result};

/// How often a pause checks whether to end early.
const GLANCE: Duration = Duration::from_millis(50);

/// Whether Ctrl-C (or SIGTERM) came since it was made.
#[derive(Clone, Debug)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub(super) fn new() -> Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // The order matters: the second signal finds the flag that the first one set.
            let exit = i32::from(Kind::Interrupted.exit_code());
            flag::register_conditional_shutdown(signal, exit, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        Ok(Self(asked))
    }

    pub(super) fn was_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits, but not through an interrupt.
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
