//! The task for the deadlines of groups; it also expires committed offsets periodically.

use std::sync::Arc;

use super::super::deadlines;
use super::coordinator::GroupCoordinator;

/// Never returns; `now_ms` is the broker's steady clock.
pub async fn run(coordinator: Arc<GroupCoordinator>, now_ms: fn() -> i64) {
    deadlines::watch(
        &coordinator.deadlines,
        now_ms,
        coordinator.config().offsets_retention_check_interval_ms,
        |now_ms| coordinator.deadlines_passed(now_ms),
        |now_ms| coordinator.expire_offsets(now_ms),
    )
    .await;
}
