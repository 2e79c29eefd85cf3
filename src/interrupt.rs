//! Ctrl-C and its kin, as a flag that long work looks at between steps.
//!
//! The first signal asks for an orderly end, the second for an end now; whoever sees the first takes it, so that
//! the flag is free to tell of the second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::error::{Error, Result};

/// The flag, shared by everything that waits.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    raised: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// A flag that SIGINT and SIGTERM raise from now on, instead of killing the process.
    pub fn install() -> Result<Self> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM] {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&interrupt.signal), number)
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&interrupt.raised)))
                .map_err(|error| Error::from(error).context("watching for Ctrl-C"))?;
        }
        Ok(interrupt)
    }

    /// Whether a signal came since the last `take`.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }

    /// Whether a signal came; lowers the flag for the next one.
    pub fn take(&self) -> bool {
        self.raised.swap(false, Ordering::Relaxed)
    }

    /// 128 and the number of the last signal, as shells show it.
    pub fn exit_code(&self) -> u8 {
        let signal = self.signal.load(Ordering::Relaxed);
        u8::try_from(128 + signal).unwrap_or(130)
    }
}
