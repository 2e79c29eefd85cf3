//! One replica of a partition: its log under a lock, its role, and who waits for its records.
//!
//! Owns the lock and the offsets that readers see; the log itself is storage's.

use std::cmp::Ordering;
use std::sync::atomic::{self, AtomicI64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use kafka_protocol::ResponseError;

use crate::broker::cluster::partition_image::PartitionImage;
use crate::broker::config::topic_settings::TopicSettings;
use crate::broker::fetch::delayed_fetch::Waiters;
use crate::error::Result;
use crate::storage::{AppendError, Appended, LogConfig, Origin, PartitionLog};

/// The role of a replica to which the cluster has given none yet.
const NEW: Role = Role::Follower { epoch: -1 };

/// What a replica is to its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Takes what producers send and answers consumers, since the election that began `epoch`.
    Leader { epoch: i32 },
    /// Copies from the leader that was elected with `epoch`.
    Follower { epoch: i32 },
}

impl Role {
    /// The role of the replica on `node`, as the cluster states it.
    pub(in crate::broker) fn of(node: i32, partition: &PartitionImage) -> Self {
        let epoch = partition.leader_epoch;
        if partition.leader == node {
            Role::Leader { epoch }
        } else {
            Role::Follower { epoch }
        }
    }

    /// The epoch of the partition's leader.
    pub fn leader_epoch(self) -> i32 {
        match self {
            Role::Leader { epoch } | Role::Follower { epoch } => epoch,
        }
    }
}

/// A replica.
#[derive(Debug)]
pub struct Replica {
    pub topic: String,
    pub index: i32,
    /// `topic-index`, as texts name it.
    pub name: String,
    log: Mutex<PartitionLog>,
    settings: RwLock<Arc<TopicSettings>>,
    role: RwLock<Role>,
    log_start: AtomicI64,
    /// What every replica in the ISR has; no reader gets more.
    high_watermark: AtomicI64,
    /// Before the first transaction that has not ended; the high watermark where there is none.
    last_stable: AtomicI64,
    pub(in crate::broker) waiters: Waiters,
}

impl Replica {
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
            role: RwLock::new(NEW),
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

    pub fn role(&self) -> Role {
        *self.role.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The epoch of the partition's leader, as far as this replica knows it.
    pub fn leader_epoch(&self) -> i32 {
        self.role().leader_epoch()
    }

    /// Whether the leader epoch that a client knows is the present one; -1: it knows none.
    pub fn check_epoch(&self, epoch: i32) -> Result<(), ResponseError> {
        match epoch.cmp(&self.leader_epoch()) {
            _ if epoch < 0 => Ok(()),
            Ordering::Less => Err(ResponseError::FencedLeaderEpoch),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(ResponseError::UnknownLeaderEpoch),
        }
    }

    /// Takes the role that the cluster gives it. A leader's epoch begins where its log ends.
    pub(in crate::broker) fn take_role(&self, role: Role) -> Result<()> {
        if let Role::Leader { epoch } = role {
            self.log().begin_leader_epoch(epoch)?;
        }
        *self.role.write().unwrap_or_else(PoisonError::into_inner) = role;
        Ok(())
    }

    /// Obeys other configs from now on.
    pub(in crate::broker) fn set_settings(&self, settings: &Arc<TopicSettings>, log_config: LogConfig) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(settings);
        self.log().set_config(log_config);
    }

    /// Appends one checked batch and wakes who waits for it.
    pub fn append(&self, batch: &mut [u8], origin: Origin, now_ms: i64) -> Result<Appended, AppendError> {
        let appended = {
            let mut log = self.log();
            let appended = log.append_from(origin, batch, self.leader_epoch(), now_ms)?;
            self.publish(&mut log);
            appended
        };
        if matches!(origin, Origin::Marker { .. }) {
            // What the transaction held back can be read now, however few bytes came.
            self.waiters.wake_all();
        } else {
            self.waiters.arrived(batch.len());
        }
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

/// Moves the high watermark to the end of the log, as there is no other replica to wait for. Returns the last stable
/// offset.
fn settle(log: &mut PartitionLog) -> i64 {
    let high_watermark = log.log_end_offset();
    log.high_watermark_moved(high_watermark);
    log.last_stable_offset(high_watermark)
}
