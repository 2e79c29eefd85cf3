//! One partition that this node leads: its log under a lock, and who waits for it.
//!
//! Owns the lock and the offsets that readers see; the log itself is storage's.

use std::cmp::Ordering;
use std::sync::atomic::{self, AtomicI64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use kafka_protocol::ResponseError;

use super::config::topic_settings::TopicSettings;
use super::fetch::delayed_fetch::Waiters;
use crate::error::Result;
use crate::storage::{AppendError, Appended, LogConfig, PartitionLog};

/// A replica, and the only one.
#[derive(Debug)]
pub struct Partition {
    pub topic: String,
    pub index: i32,
    /// `topic-index`, as texts name it.
    pub name: String,
    log: Mutex<PartitionLog>,
    settings: RwLock<Arc<TopicSettings>>,
    log_start: AtomicI64,
    /// With one replica the high watermark is the log's end.
    high_watermark: AtomicI64,
    /// Before the first transaction that has not ended; the high watermark where there is none.
    last_stable: AtomicI64,
    pub(super) waiters: Waiters,
}

impl Partition {
    pub fn new(topic: &str, index: i32, log: PartitionLog, settings: Arc<TopicSettings>) -> Self {
        let mut log = log;
        let last_stable = settle(&mut log);
        Self {
            topic: topic.to_owned(),
            index,
            name: format!("{topic}-{index}"),
            settings: RwLock::new(settings),
            log_start: AtomicI64::new(log.log_start_offset()),
            high_watermark: AtomicI64::new(log.log_end_offset()),
            last_stable: AtomicI64::new(last_stable),
            log: Mutex::new(log),
            waiters: Waiters::default(),
        }
    }

    /// The log, for as long as the guard is held; nothing waits under it.
    pub fn log(&self) -> MutexGuard<'_, PartitionLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The topic's configs as they are now.
    pub fn settings(&self) -> Arc<TopicSettings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn log_start_offset(&self) -> i64 {
        self.log_start.load(atomic::Ordering::Acquire)
    }

    pub fn high_watermark(&self) -> i64 {
        self.high_watermark.load(atomic::Ordering::Acquire)
    }

    /// Up to where readers of committed records may read.
    pub fn last_stable_offset(&self) -> i64 {
        self.last_stable.load(atomic::Ordering::Acquire)
    }

    /// The leader's epoch: one node that never loses its leadership stays in the first.
    pub fn leader_epoch(&self) -> i32 {
        0
    }

    /// Whether a client's idea of the leader's epoch is ours; -1 is no idea.
    pub fn check_epoch(&self, epoch: i32) -> Result<(), ResponseError> {
        match epoch.cmp(&self.leader_epoch()) {
            _ if epoch < 0 => Ok(()),
            Ordering::Less => Err(ResponseError::FencedLeaderEpoch),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(ResponseError::UnknownLeaderEpoch),
        }
    }

    /// Notes where this leader's epoch begins.
    pub(super) fn begin_leadership(&self) -> Result<()> {
        self.log().begin_leader_epoch(self.leader_epoch())
    }

    /// Obeys other configs from now on.
    pub(super) fn set_settings(&self, settings: &Arc<TopicSettings>, log_config: LogConfig) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(settings);
        self.log().set_config(log_config);
    }

    /// Appends one checked batch and wakes who waits for it.
    pub fn append(&self, batch: &mut [u8], now_ms: i64) -> Result<Appended, AppendError> {
        let appended = {
            let mut log = self.log();
            let appended = log.append(batch, self.leader_epoch(), now_ms)?;
            self.publish(&mut log);
            appended
        };
        self.waiters.arrived(batch.len());
        Ok(appended)
    }

    /// Shows the log's bounds to readers.
    pub fn publish(&self, log: &mut PartitionLog) {
        self.log_start
            .store(log.log_start_offset(), atomic::Ordering::Release);
        self.high_watermark
            .store(log.log_end_offset(), atomic::Ordering::Release);
        self.last_stable.store(settle(log), atomic::Ordering::Release);
    }
}

/// What is appended is replicated: nobody else has to have it. Answers the last stable offset.
fn settle(log: &mut PartitionLog) -> i64 {
    let high_watermark = log.log_end_offset();
    log.high_watermark_moved(high_watermark);
    log.last_stable_offset(high_watermark)
}
