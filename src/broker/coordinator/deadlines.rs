//! Deadlines of the groups or transactional ids of a coordinator, and the task that watches them. It sleeps until the
//! earliest deadline.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;

use super::lock;

/// Deadlines by time, in milliseconds of the broker's steady clock. Each key has at most one.
#[derive(Debug, Default)]
pub struct Deadlines {
    deadlines: Mutex<BTreeSet<(i64, String)>>,
    /// Notified when the earliest deadline has moved forward.
    earlier: Notify,
}

impl Deadlines {
    /// Replaces the deadline of `key`.
    pub fn set(&self, key: &str, old_ms: Option<i64>, new_ms: Option<i64>) {
        let mut deadlines = lock(&self.deadlines);
        let earliest = deadlines.first().map(|(at_ms, _)| *at_ms);
        if let Some(old_ms) = old_ms {
            deadlines.remove(&(old_ms, key.to_owned()));
        }
        if let Some(new_ms) = new_ms {
            deadlines.insert((new_ms, key.to_owned()));
            if earliest.is_none_or(|earliest| new_ms < earliest) {
                self.earlier.notify_one();
            }
        }
    }

    /// Removes and returns the keys whose deadline has passed.
    pub fn due(&self, now_ms: i64) -> Vec<String> {
        let mut deadlines = lock(&self.deadlines);
        let mut due = Vec::new();
        while deadlines.first().is_some_and(|(at_ms, _)| *at_ms <= now_ms) {
            due.extend(deadlines.pop_first().map(|(_, key)| key));
        }
        due
    }

    fn earliest_ms(&self) -> Option<i64> {
        lock(&self.deadlines).first().map(|(at_ms, _)| *at_ms)
    }
}

/// Calls `passed` whenever a deadline has passed, and `sweep` every `sweep_interval_ms` ms. Never returns; `now_ms`
/// is the clock of the deadlines.
pub async fn watch(
    deadlines: &Deadlines,
    now_ms: fn() -> i64,
    sweep_interval_ms: i64,
    passed: impl Fn(i64),
    sweep: impl Fn(i64),
) {
    let interval_ms = sweep_interval_ms.max(1);
    let mut sweep_at_ms = now_ms().saturating_add(interval_ms);
    loop {
        let next_ms = deadlines
            .earliest_ms()
            .map_or(sweep_at_ms, |earliest| earliest.min(sweep_at_ms));
        let wait = Duration::from_millis(u64::try_from(next_ms.saturating_sub(now_ms())).unwrap_or(0));
        tokio::select! {
            () = deadlines.earlier.notified() => continue,
            () = tokio::time::sleep(wait) => {}
        }
        passed(now_ms());
        if now_ms() >= sweep_at_ms {
            sweep(now_ms());
            sweep_at_ms = now_ms().saturating_add(interval_ms);
        }
    }
}
