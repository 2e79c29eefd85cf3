//! One replica of a partition: its log under a lock, its role, and who waits for its records.
//!
//! Owns the lock and the offsets that readers see; the log itself is storage's, what a leader knows of its followers
//! is in `isr`, and the exchange between the two in `replication`.

use std::cmp::Ordering;
use std::sync::atomic::{self, AtomicBool, AtomicI64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::BytesMut;
use kafka_protocol::ResponseError;
use tokio::sync::Notify;
use uuid::Uuid;

use super::fetch_signal::FetchSignals;
use super::held_batches::{HeldBatch, HeldBatches};
use super::isr::{Isr, Limits};
use crate::broker::cluster::partition_image::PartitionImage;
use crate::broker::config::topic_settings::TopicSettings;
use crate::broker::fetch::delayed_fetch::Waiters;
use crate::error::Result;
use crate::storage::{AppendError, Appended, LogConfig, Origin, PartitionLog};
use crate::topic_partition::Offset;

/// The role of a replica before the controller has given it one.
const NEW: Role = Role::Follower {
    epoch: -1,
    leader: -1,
};

/// The role of a replica in its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Accepts produced records and answers consumers, since the election that began `epoch`.
    Leader { epoch: i32 },
    /// Copies from the leader that was elected with `epoch`; `leader` is -1 if there is none.
    Follower { epoch: i32, leader: i32 },
}

impl Role {
    /// The role of the replica on `node` in the partition's image.
    pub(in crate::broker) fn of(node: i32, partition: &PartitionImage) -> Self {
        let epoch = partition.leader_epoch;
        let leader = partition.leader;
        if leader == node {
            Role::Leader { epoch }
        } else {
            Role::Follower { epoch, leader }
        }
    }

    /// The epoch of the partition's leader.
    pub fn leader_epoch(self) -> i32 {
        match self {
            Role::Leader { epoch } | Role::Follower { epoch, .. } => epoch,
        }
    }
}

/// The name of a replica: the partition and the broker.
#[derive(Clone, Debug)]
pub(in crate::broker) struct ReplicaName {
    pub(in crate::broker) topic: String,
    pub(in crate::broker) topic_id: Uuid,
    pub(in crate::broker) index: i32,
    /// The id of the broker.
    pub(in crate::broker) node: i32,
}

/// A replica.
#[derive(Debug)]
pub struct Replica {
    pub topic: String,
    pub topic_id: Uuid,
    pub index: i32,
    /// `topic-index`, for messages.
    pub name: String,
    pub(super) node: i32,
    log: Mutex<PartitionLog>,
    settings: RwLock<Arc<TopicSettings>>,
    role: RwLock<Role>,
    /// Whether other brokers have replicas too: an appended record is not committed at once then.
    is_replicated: AtomicBool,
    /// `Some` for the leader of a replicated partition.
    pub(super) followers: Mutex<Option<Isr>>,
    pub(super) fetch_signals: FetchSignals,
    pub(super) held_batches: HeldBatches,
    log_start: AtomicI64,
    /// Every replica in the ISR has the log up to here; no reader gets more.
    high_watermark: AtomicI64,
    /// The last stable offset: the first offset of an open transaction, or the high watermark if none is open.
    last_stable: AtomicI64,
    /// `replica.lag.time.max.ms`
    max_lag_ms: i64,
    /// The steady clock, in ms.
    clock: fn() -> i64,
    /// Notified when the high watermark or the role has changed.
    moved: Notify,
    pub(in crate::broker) waiters: Waiters,
}

impl Replica {
    /// A replica without a role. `high_watermark` is that of the checkpoint.
    pub(in crate::broker) fn new(
        name: &ReplicaName,
        log: PartitionLog,
        high_watermark: Offset,
        settings: Arc<TopicSettings>,
        max_lag_ms: i64,
        clock: fn() -> i64,
    ) -> Self {
        let mut log = log;
        let high_watermark = high_watermark.clamp(log.log_start_offset(), log.log_end_offset());
        log.high_watermark_moved(high_watermark);
        Self {
            name: format!("{}-{}", name.topic, name.index),
            topic: name.topic.clone(),
            topic_id: name.topic_id,
            index: name.index,
            node: name.node,
            settings: RwLock::new(settings),
            log_start: AtomicI64::new(log.log_start_offset()),
            high_watermark: AtomicI64::new(high_watermark),
            last_stable: AtomicI64::new(log.last_stable_offset(high_watermark)),
            role: RwLock::new(NEW),
            is_replicated: AtomicBool::new(false),
            followers: Mutex::default(),
            fetch_signals: FetchSignals::default(),
            held_batches: HeldBatches::default(),
            log: Mutex::new(log),
            max_lag_ms,
            clock,
            moved: Notify::new(),
            waiters: Waiters::default(),
        }
    }

    /// The log, locked while the guard lives. Never wait for anything else under this lock.
    pub fn log(&self) -> MutexGuard<'_, PartitionLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The topic's configs in force.
    pub fn settings(&self) -> Arc<TopicSettings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn log_start_offset(&self) -> i64 {
        self.log_start.load(atomic::Ordering::Acquire)
    }

    pub fn high_watermark(&self) -> i64 {
        self.high_watermark.load(atomic::Ordering::Acquire)
    }

    /// The end for readers with `read_committed`.
    pub fn last_stable_offset(&self) -> i64 {
        self.last_stable.load(atomic::Ordering::Acquire)
    }

    pub fn role(&self) -> Role {
        *self.role.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::broker) fn is_leader(&self) -> bool {
        matches!(self.role(), Role::Leader { .. })
    }

    pub(super) fn is_replicated(&self) -> bool {
        self.is_replicated.load(atomic::Ordering::Acquire)
    }

    /// The leader epoch of the partition, as far as this replica knows it.
    pub fn leader_epoch(&self) -> i32 {
        self.role().leader_epoch()
    }

    /// Whether a client's leader epoch is the current one; -1 is not checked.
    pub fn check_epoch(&self, epoch: i32) -> Result<(), ResponseError> {
        match epoch.cmp(&self.leader_epoch()) {
            _ if epoch < 0 => Ok(()),
            Ordering::Less => Err(ResponseError::FencedLeaderEpoch),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(ResponseError::UnknownLeaderEpoch),
        }
    }

    /// Whether the high watermark has reached the start of this leader's epoch: before, the leader cannot state the
    /// end of the log for readers.
    ///
    /// # Errors
    ///
    /// `OFFSET_NOT_AVAILABLE`.
    pub(in crate::broker) fn check_high_watermark(&self) -> Result<(), ResponseError> {
        let followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        match followers.as_ref() {
            Some(isr) if self.high_watermark() < isr.epoch_start() => Err(ResponseError::OffsetNotAvailable),
            _ => Ok(()),
        }
    }

    /// Takes the role that the image gives this replica, and the partition's ISR. A leader's epoch begins at its log
    /// end offset.
    ///
    /// # Errors
    ///
    /// The disk fails to store the start of the epoch.
    pub(in crate::broker) fn follow_image(&self, partition: &PartitionImage) -> Result<()> {
        let role = Role::of(self.node, partition);
        let is_replicated = partition.replicas.iter().any(|id| *id != self.node);
        {
            let mut log = self.log();
            let before = self.role();
            if let Role::Leader { epoch } = role
                && before != role
            {
                log.begin_leader_epoch(epoch)?;
            }
            let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
            if matches!(role, Role::Follower { .. }) || !is_replicated {
                *followers = None;
            } else {
                if before != role {
                    *followers = None;
                }
                let isr = followers.get_or_insert_with(|| Isr::new(self.node, log.log_end_offset()));
                let now_ms = (self.clock)();
                isr.committed(
                    partition.partition_epoch,
                    &partition.replicas,
                    &partition.isr,
                    now_ms,
                );
            }
            drop(followers);
            self.is_replicated.store(is_replicated, atomic::Ordering::Release);
            *self.role.write().unwrap_or_else(PoisonError::into_inner) = role;
            self.publish(&mut log);
        }
        self.wake_everybody();
        Ok(())
    }

    /// Stops leading, whatever the image says.
    pub(super) fn resign(&self) {
        {
            // Under the lock, so that nothing is appended meanwhile.
            let _log = self.log();
            let mut role = self.role.write().unwrap_or_else(PoisonError::into_inner);
            let epoch = role.leader_epoch();
            *role = Role::Follower { epoch, leader: -1 };
        }
        self.wake_everybody();
    }

    /// Wakes everything that waits here, to check its condition again.
    pub(in crate::broker) fn wake_everybody(&self) {
        self.moved.notify_waiters();
        self.waiters.wake_all();
        self.fetch_signals.ring(self.topic_id, self.index);
    }

    /// Applies other configs from here on.
    pub(in crate::broker) fn set_settings(&self, settings: &Arc<TopicSettings>, log_config: LogConfig) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(settings);
        self.log().set_config(log_config);
    }

    /// Appends one checked batch if this is the leader, and wakes readers and followers.
    pub fn append(&self, batch: &mut [u8], origin: Origin, now_ms: i64) -> Result<Appended, AppendError> {
        let (appended, has_moved) = {
            let mut log = self.log();
            let Role::Leader { epoch } = self.role() else {
                return Err(AppendError::NotLeader);
            };
            let appended = log.append_from(origin, batch, epoch, now_ms)?;
            (appended, self.publish(&mut log))
        };
        if self.is_replicated() {
            self.fetch_signals.ring(self.topic_id, self.index);
            if has_moved {
                self.committed();
            }
        } else if matches!(origin, Origin::Marker { .. }) {
            // The end of a transaction makes its records readable: wake readers, however few bytes arrived.
            self.waiters.wake_all();
        } else {
            self.waiters.arrived(batch.len());
        }
        Ok(appended)
    }

    /// Remembers that an appended batch is in `request` for as long as that waits: followers may copy it from there.
    pub(in crate::broker) fn hold(&self, batch: HeldBatch, request: &Arc<BytesMut>) {
        self.held_batches.add(batch, request);
    }

    /// Announces an advanced high watermark to readers and followers.
    pub(super) fn committed(&self) {
        self.moved.notify_waiters();
        self.waiters.wake_all();
        self.fetch_signals.ring(self.topic_id, self.index);
    }

    /// Publishes the log's bounds to readers. Returns whether the high watermark has changed.
    pub fn publish(&self, log: &mut PartitionLog) -> bool {
        self.log_start
            .store(log.log_start_offset(), atomic::Ordering::Release);
        let before = self.high_watermark();
        let end = log.log_end_offset();
        let high_watermark = match self.role() {
            // There is no other replica to wait for.
            Role::Leader { .. } if !self.is_replicated() => end,
            Role::Leader { .. } => {
                let followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
                let isr = followers.as_ref();
                isr.map_or(before, |isr| isr.high_watermark(before, end, self.limits()))
            }
            Role::Follower { .. } => before.min(end),
        };
        self.set_high_watermark(log, high_watermark.max(log.log_start_offset()))
    }

    /// Sets the high watermark, which must lie within the log. Returns whether it has changed.
    pub(super) fn set_high_watermark(&self, log: &mut PartitionLog, high_watermark: Offset) -> bool {
        log.high_watermark_moved(high_watermark);
        let before = self.high_watermark.swap(high_watermark, atomic::Ordering::AcqRel);
        let last_stable = log.last_stable_offset(high_watermark);
        self.last_stable.store(last_stable, atomic::Ordering::Release);
        before != high_watermark
    }

    /// The settings and the time that decide who is in sync.
    pub(super) fn limits(&self) -> Limits {
        let min_isr = self.settings().min_insync_replicas;
        Limits {
            max_lag_ms: self.max_lag_ms,
            min_isr: usize::try_from(min_isr).unwrap_or(1),
            now_ms: (self.clock)(),
        }
    }

    /// Returns when every record below `offset` is committed.
    ///
    /// # Errors
    ///
    /// `NOT_LEADER_OR_FOLLOWER`: the replica is not the leader of `epoch` any more, and the records may be lost.
    pub(in crate::broker) async fn wait_until_committed(
        &self,
        offset: Offset,
        epoch: i32,
    ) -> Result<(), ResponseError> {
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            if self.role() != (Role::Leader { epoch }) {
                return Err(ResponseError::NotLeaderOrFollower);
            }
            if self.high_watermark() >= offset {
                return Ok(());
            }
            moved.await;
        }
    }
}
