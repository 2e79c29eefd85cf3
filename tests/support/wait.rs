//! Waits for a condition: looks again and again, and gives up with what it was.

use std::time::{Duration, Instant};

/// Comes back when `holds` does; panics when it has not within a minute.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
