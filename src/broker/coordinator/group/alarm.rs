//! The coordinator's alarm: which group asked to be woken when, and the task that does it. It sleeps until the
//! earliest deadline; where nothing is due, nothing wakes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use super::coordinator::{GroupCoordinator, lock};

/// Deadlines by time. Each group has at most one.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    deadlines: Mutex<BTreeSet<(i64, String)>>,
    /// Rung when the earliest deadline has come nearer.
    earlier: Notify,
}

impl Alarm {
    /// Replaces a group's deadline.
    pub(super) fn set(&self, group: &str, old_ms: Option<i64>, new_ms: Option<i64>) {
        let mut deadlines = lock(&self.deadlines);
        let earliest = deadlines.first().map(|(at_ms, _)| *at_ms);
        if let Some(old_ms) = old_ms {
            deadlines.remove(&(old_ms, group.to_owned()));
        }
        if let Some(new_ms) = new_ms {
            deadlines.insert((new_ms, group.to_owned()));
            if earliest.is_none_or(|earliest| new_ms < earliest) {
                self.earlier.notify_one();
            }
        }
    }

    /// Takes out the groups whose deadline has come.
    pub(super) fn due(&self, now_ms: i64) -> Vec<String> {
        let mut deadlines = lock(&self.deadlines);
        let mut due = Vec::new();
        while deadlines.first().is_some_and(|(at_ms, _)| *at_ms <= now_ms) {
            due.extend(deadlines.pop_first().map(|(_, group)| group));
        }
        due
    }

    fn earliest_ms(&self) -> Option<i64> {
        lock(&self.deadlines).first().map(|(at_ms, _)| *at_ms)
    }
}

/// Wakes groups when they asked for it, and lets offsets expire now and then. Never ends; `now_ms` is the broker's
/// clock.
pub async fn run(coordinator: Arc<GroupCoordinator>, now_ms: fn() -> i64) {
    let interval_ms = coordinator.config().offsets_retention_check_interval_ms.max(1);
    let mut check_at_ms = now_ms().saturating_add(interval_ms);
    loop {
        let alarm = &coordinator.alarm;
        let next_ms = alarm
            .earliest_ms()
            .map_or(check_at_ms, |earliest| earliest.min(check_at_ms));
        let wait = Duration::from_millis(u64::try_from(next_ms.saturating_sub(now_ms())).unwrap_or(0));
        tokio::select! {
            () = alarm.earlier.notified() => continue,
            () = tokio::time::sleep(wait) => {}
        }
        coordinator.deadlines_passed(now_ms());
        if now_ms() >= check_at_ms {
            coordinator.expire_offsets(now_ms());
            check_at_ms = now_ms().saturating_add(interval_ms);
        }
    }
}
