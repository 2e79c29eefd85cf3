//! The broker's two clocks: the time of day, for the timestamps of records, and a steady one, for deadlines.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// See [`shift`].
static SHIFT_MS: AtomicI64 = AtomicI64::new(0);

/// Milliseconds since 1970, the clock of record timestamps.
pub fn now_ms() -> i64 {
    let shifted = || day_ms().saturating_add(SHIFT_MS.load(Ordering::Relaxed));
    simulated().map_or_else(shifted, |clock| clock.day_ms)
}

/// Sets the clock of record timestamps ahead of the machine's clock, or behind it, in milliseconds: for tests of what
/// happens when a machine's clock is set.
pub(super) fn shift(milliseconds: i64) {
    SHIFT_MS.store(milliseconds, Ordering::Relaxed);
}

/// A clock for deadlines: milliseconds since 1970 when it was first read, plus the time that has passed since.
/// Setting the machine's clock neither ends a session nor makes a member wait for hours.
pub fn steady_ms() -> i64 {
    simulated().map_or_else(passed_ms, |clock| clock.steady_ms)
}

fn day_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn passed_ms() -> i64 {
    static FIRST: OnceLock<(Instant, i64)> = OnceLock::new();
    let (first, at_ms) = FIRST.get_or_init(|| (Instant::now(), day_ms()));
    let passed = i64::try_from(first.elapsed().as_millis()).unwrap_or(i64::MAX);
    at_ms.saturating_add(passed)
}

/// The time that a simulation sets for its own thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Simulated {
    pub(super) day_ms: i64,
    pub(super) steady_ms: i64,
}

#[cfg(not(test))]
const fn simulated() -> Option<Simulated> {
    None
}

#[cfg(test)]
pub(super) use in_tests::{set, simulated};

#[cfg(test)]
mod in_tests {
    use std::cell::Cell;

    use super::Simulated;

    thread_local! {
        static CLOCK: Cell<Option<Simulated>> = const { Cell::new(None) };
    }

    pub(in crate::broker) fn simulated() -> Option<Simulated> {
        CLOCK.get()
    }

    /// Sets the time in this thread; `None` returns to the machine's clocks.
    pub(in crate::broker) fn set(clock: Option<Simulated>) {
        CLOCK.set(clock);
    }
}
