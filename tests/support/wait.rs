//! Waits for a condition: checks it repeatedly, and fails with its description.

use std::time::{Duration, Instant};

/// Returns when `holds` does; panics if it has not within a minute.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
