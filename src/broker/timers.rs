//! The broker's clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, the clock of record timestamps.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
