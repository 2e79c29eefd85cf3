//! What the broker does periodically: retention, compaction, flushing finished segments, removing expired delegation
//! tokens.
//!
//! Deadlines of coordinators are in `coordinator/deadlines.rs`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;

pub(in crate::broker) use super::clock::shift as shift_clock;
pub use super::clock::{now_ms, steady_ms};
use super::node::Node;

/// How often it is checked that the folders of partitions are there.
const PRESENCE_INTERVAL: Duration = Duration::from_secs(1);
/// How late a changed setting may be noticed.
const LONGEST_NAP: Duration = Duration::from_secs(1);
/// Even with a backoff of 0 ms the cleaner pauses this long between two rounds.
const SHORTEST_BACKOFF_MS: u64 = 10;

/// Up to this many folders are checked on the runtime's own thread: that takes some hundred microseconds.
const FOLDERS_IN_PLACE: usize = 64;

/// Sleeps for `time`; from one second on up to a second less, so that all sleepers wake the process together.
pub(super) async fn nap(time: Duration) {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let first = *FIRST.get_or_init(Instant::now);
    if time < LONGEST_NAP {
        return tokio::time::sleep(time).await;
    }
    let until = (Instant::now() + time).duration_since(first);
    tokio::time::sleep_until(first + Duration::from_secs(until.as_secs())).await;
}

/// Compacts logs every `log.cleaner.backoff.ms`. Never returns. The work runs on a blocking thread.
pub(super) async fn compaction(node: Arc<Node>) {
    if !node.config.flag("log.cleaner.enable") {
        return std::future::pending().await;
    }
    let mut waited = Duration::ZERO;
    loop {
        let backoff = node.replicas.cleaner_setting("log.cleaner.backoff.ms");
        let backoff = u64::try_from(backoff).unwrap_or(0).max(SHORTEST_BACKOFF_MS);
        let rest = Duration::from_millis(backoff).saturating_sub(waited);
        if !rest.is_zero() {
            // The setting may become shorter meanwhile.
            let time = rest.min(LONGEST_NAP);
            nap(time).await;
            waited += time;
            continue;
        }
        waited = Duration::ZERO;
        let replicas = Arc::clone(&node.replicas);
        let work = tokio::task::spawn_blocking(move || replicas.compact(now_ms()));
        for note in work.await.unwrap_or_default() {
            node.notice_once(note);
        }
    }
}

/// Notices folders of partitions that are deleted under the broker. Never returns.
pub(super) async fn presence(node: Arc<Node>) {
    loop {
        nap(PRESENCE_INTERVAL).await;
        let replicas = Arc::clone(&node.replicas);
        let notes = if replicas.count() <= FOLDERS_IN_PLACE {
            replicas.look_for_folders()
        } else {
            let work = tokio::task::spawn_blocking(move || replicas.look_for_folders());
            work.await.unwrap_or_default()
        };
        for note in notes {
            node.notice_once(note);
        }
    }
}

/// Removes expired delegation tokens every `delegation.token.expiry.check.interval.ms`. Never returns.
pub(super) async fn token_expiry(node: Arc<Node>) {
    if node.config.token_key().is_none() {
        return std::future::pending().await;
    }
    let interval_ms = node.config.number("delegation.token.expiry.check.interval.ms");
    let interval = Duration::from_millis(u64::try_from(interval_ms).unwrap_or(0).max(1));
    loop {
        tokio::time::sleep(interval).await;
        node.gate.open().await;
        if let Err(error) = node.cluster.remove_expired_tokens(now_ms()) {
            node.notice_once(format_args!("cannot remove expired delegation tokens: {error}"));
        }
    }
}

/// Removes followers that lag from the ISR, checking twice in `replica.lag.time.max.ms`. Never returns.
pub(super) async fn isr_shrinking(node: Arc<Node>) {
    let max_lag_ms = u64::try_from(node.config.number("replica.lag.time.max.ms")).unwrap_or(0);
    let interval = Duration::from_millis((max_lag_ms / 2).max(SHORTEST_BACKOFF_MS));
    loop {
        nap(interval).await;
        node.gate.open().await;
        node.replicas.shrink_isrs();
    }
}

/// Forgets idle producers every `producer.id.expiration.check.interval.ms`. Never returns.
pub(super) async fn producer_expiration(node: Arc<Node>) {
    let interval_ms = node.config.number("producer.id.expiration.check.interval.ms");
    let interval = Duration::from_millis(u64::try_from(interval_ms).unwrap_or(0).max(SHORTEST_BACKOFF_MS));
    loop {
        tokio::time::sleep(interval).await;
        let replicas = Arc::clone(&node.replicas);
        // This waits for locks of logs that are held during disk writes.
        let _ = tokio::task::spawn_blocking(move || replicas.expire_producers(now_ms())).await;
    }
}

/// Applies retention, closes unused files and flushes finished segments. Never returns. The work may wait for the
/// disk, so it runs on blocking threads.
pub(super) async fn housekeeping(node: Arc<Node>) {
    let interval =
        |name: &str| Duration::from_millis(u64::try_from(node.config.number(name)).unwrap_or(0).max(1));
    let retention = interval("log.retention.check.interval.ms");
    let flush = interval("log.flush.offset.checkpoint.interval.ms");
    let mut since_retention = Duration::ZERO;
    loop {
        let time = flush.min(retention);
        nap(time).await;
        since_retention += time;
        let retention_due = since_retention >= retention;
        if retention_due {
            since_retention = Duration::ZERO;
        }
        let replicas = Arc::clone(&node.replicas);
        let work = tokio::task::spawn_blocking(move || {
            if retention_due {
                replicas.apply_retention(now_ms())?;
            }
            replicas.close_unused_files()?;
            replicas.flush_finished_segments()
        });
        if let Ok(Err(error)) = work.await {
            node.notice(format_args!("cannot clean up: {error}"));
        }
    }
}
