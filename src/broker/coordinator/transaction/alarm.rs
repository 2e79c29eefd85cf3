//! The task for the deadlines of transactional ids: it aborts transactions that time out, retries failed writes, and
//! expires unused ids.

use std::sync::Arc;

use super::super::deadlines;
use super::coordinator::TransactionCoordinator;

/// Never returns; `now_ms` is the broker's steady clock.
pub async fn run(coordinator: Arc<TransactionCoordinator>, now_ms: fn() -> i64) {
    deadlines::watch(
        &coordinator.deadlines,
        now_ms,
        coordinator.config().expiration_check_interval_ms,
        |now_ms| coordinator.deadlines_passed(now_ms),
        |now_ms| coordinator.expire_ids(now_ms),
    )
    .await;
}
