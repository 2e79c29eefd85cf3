//! Every partition that share groups read on this node, and the sessions of their members.
//!
//! A partition is loaded from the share coordinator by the first fetch, and dropped when its group has no members any
//! more. The end of a delivery is stored before it is applied; only the expiry of a lock is applied even if it cannot
//! be stored.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use kafka_protocol::ResponseError;
use uuid::Uuid;

use super::acknowledge::{Acknowledgement, Transition};
use super::share_config::{OffsetReset, ShareConfig};
use super::share_partition::{ShareLimits, SharePartition, StoredPartition};
use super::share_session::{SessionKey, ShareSessions};
use crate::broker::cluster::Cluster;
use crate::broker::config::BrokerConfig;
use crate::broker::coordinator::deadlines::{self, Deadlines};
use crate::broker::coordinator::group::ShareGroupListener;
use crate::broker::coordinator::lock;
use crate::broker::coordinator::share::coordinator::StateWrite;
use crate::broker::coordinator::share::{ShareCoordinator, StateKey};
use crate::broker::fetch::delayed_fetch::Waiters;
use crate::broker::node::replica::Replica;

/// How often the log of the share coordinator is pruned.
const PRUNE_INTERVAL_MS: i64 = 300_000;

/// A refusal: the error, and Kafka's message, if there is one.
pub type Refused = (ResponseError, Option<String>);

/// The state of one partition in one group, under a lock.
#[derive(Debug)]
pub struct LiveSharePartition {
    key: StateKey,
    /// The key as text, for the deadlines.
    name: String,
    state: Mutex<LiveState>,
    /// Fetches of the group that wait for records to be released.
    pub(in crate::broker) waiters: Waiters,
}

#[derive(Debug)]
pub(super) struct LiveState {
    pub(super) machine: SharePartition,
    /// The state epoch that was read.
    state_epoch: i32,
    leader_epoch: i32,
    /// Its deadline in the manager's `Deadlines`.
    alarm_ms: Option<i64>,
    /// Another leader has changed the stored state: the partition must be loaded again.
    fenced: bool,
}

impl LiveSharePartition {
    pub(super) fn lock(&self) -> MutexGuard<'_, LiveState> {
        lock(&self.state)
    }
}

/// Every partition that share groups read on this node.
#[derive(Debug)]
pub struct SharePartitionManager {
    states: Arc<ShareCoordinator>,
    cluster: Arc<Cluster>,
    config: Arc<BrokerConfig>,
    partitions: Mutex<HashMap<String, Arc<LiveSharePartition>>>,
    pub sessions: ShareSessions,
    deadlines: Deadlines,
}

impl SharePartitionManager {
    pub(in crate::broker) fn new(
        states: Arc<ShareCoordinator>,
        cluster: Arc<Cluster>,
        config: Arc<BrokerConfig>,
    ) -> Self {
        let limit = usize::try_from(config.number("group.share.max.share.sessions")).unwrap_or(0);
        Self {
            states,
            cluster,
            config,
            partitions: Mutex::default(),
            sessions: ShareSessions::new(limit),
            deadlines: Deadlines::default(),
        }
    }

    /// The share configs of a group.
    pub fn config_of(&self, group: &str) -> ShareConfig {
        ShareConfig::of(group, &self.cluster.image(), &self.config)
    }

    /// The same, to keep.
    pub(in crate::broker) fn shared_states(&self) -> Arc<ShareCoordinator> {
        Arc::clone(&self.states)
    }

    /// The share coordinator.
    pub fn states(&self) -> &ShareCoordinator {
        &self.states
    }

    fn find(&self, name: &str) -> Option<Arc<LiveSharePartition>> {
        lock(&self.partitions).get(name).cloned()
    }

    /// The partition in the group; loads its state if it is not loaded.
    pub(super) fn open(
        &self,
        key: &StateKey,
        replica: &Replica,
        config: &ShareConfig,
        now_ms: i64,
    ) -> Result<Arc<LiveSharePartition>, ResponseError> {
        let name = key.to_string();
        let leader_epoch = replica.leader_epoch();
        if let Some(live) = self.find(&name) {
            let is_current = {
                let state = live.lock();
                !state.fenced && state.leader_epoch == leader_epoch
            };
            if is_current {
                return Ok(live);
            }
            self.forget(&name);
        }
        let stored = self.states.read(key, leader_epoch, now_ms);
        let stored = stored.map_err(|(error, _)| as_client_sees(error))?;
        let begin = StoredPartition {
            start: stored.start_offset,
            batches: stored.batches(),
        };
        let start = match begin.start {
            -1 => first_offset(replica, config.offset_reset, now_ms)?,
            start => start,
        };
        let live = Arc::new(LiveSharePartition {
            key: key.clone(),
            name: name.clone(),
            state: Mutex::new(LiveState {
                machine: SharePartition::restored(&begin, || start),
                state_epoch: stored.state_epoch,
                leader_epoch,
                alarm_ms: None,
                fenced: false,
            }),
            waiters: Waiters::default(),
        });
        // Another fetch may have loaded it meanwhile.
        Ok(Arc::clone(lock(&self.partitions).entry(name).or_insert(live)))
    }

    /// Handles a member's acknowledgements.
    pub fn acknowledge(
        &self,
        key: &StateKey,
        member: &str,
        acknowledgements: &[Acknowledgement],
        now_ms: i64,
    ) -> Result<(), Refused> {
        let live = self.find(&key.to_string());
        let live = live.ok_or((ResponseError::UnknownTopicOrPartition, None))?;
        let limits = self.config_of(&key.group).limits;
        let mut state = live.lock();
        let planned = state
            .machine
            .plan_acknowledgement(member, acknowledgements, &limits);
        let transition = planned.map_err(|(error, words)| (error, Some(words.to_owned())))?;
        self.happen(&live, &mut state, &transition, &limits, now_ms)
            .map_err(|error| (error, None))
    }

    /// Stores a transition and applies it.
    fn happen(
        &self,
        live: &LiveSharePartition,
        state: &mut LiveState,
        transition: &Transition,
        limits: &ShareLimits,
        now_ms: i64,
    ) -> Result<(), ResponseError> {
        self.store(live, state, transition, now_ms)?;
        state.machine.apply(transition, now_ms, limits);
        self.changed(live, state);
        Ok(())
    }

    fn store(
        &self,
        live: &LiveSharePartition,
        state: &mut LiveState,
        transition: &Transition,
        now_ms: i64,
    ) -> Result<(), ResponseError> {
        if transition.is_empty() {
            return Ok(());
        }
        let write = StateWrite {
            state_epoch: state.state_epoch,
            leader_epoch: state.leader_epoch,
            start_offset: state.machine.start(),
            delivery_complete_count: i32::try_from(transition.delivery_complete_count).unwrap_or(i32::MAX),
            batches: transition.changes.clone(),
        };
        self.states.write(&live.key, write, now_ms).map_err(|(error, _)| {
            state.fenced |= error != ResponseError::CoordinatorNotAvailable;
            as_client_sees(error)
        })
    }

    /// Sets the deadline of the next lock that expires, and wakes fetches that wait for records.
    pub(super) fn changed(&self, live: &LiveSharePartition, state: &mut LiveState) {
        self.watch_locks(live, state);
        live.waiters.wake_all();
    }

    /// Sets the deadline of the next lock that expires.
    pub(super) fn watch_locks(&self, live: &LiveSharePartition, state: &mut LiveState) {
        let next_ms = state.machine.next_deadline_ms();
        if next_ms != state.alarm_ms {
            self.deadlines.set(&live.name, state.alarm_ms, next_ms);
            state.alarm_ms = next_ms;
        }
    }

    /// Closes a member's session: its records can be delivered again.
    pub fn close_session(&self, key: &SessionKey, now_ms: i64) {
        for (topic, partition) in self.sessions.close(key) {
            self.release(&key.group, topic, partition, &key.member, now_ms);
        }
    }

    fn release(&self, group: &str, topic: Uuid, partition: i32, member: &str, now_ms: i64) {
        let key = StateKey {
            group: group.to_owned(),
            topic,
            partition,
        };
        let Some(live) = self.find(&key.to_string()) else {
            return;
        };
        let limits = self.config_of(group).limits;
        let mut state = live.lock();
        let transition = state.machine.plan_release(member, &limits);
        // Records whose release cannot be stored are released when their lock expires.
        let _ = self.happen(&live, &mut state, &transition, &limits, now_ms);
    }

    /// Closes the sessions of a connection that was closed.
    pub fn connection_closed(&self, connection: u64, now_ms: i64) {
        for key in self.sessions.of_connection(connection) {
            self.close_session(&key, now_ms);
        }
    }

    /// Drops the partitions of a topic that was deleted.
    pub fn forget_topic(&self, topic: Uuid, now_ms: i64) {
        self.forget_where(|key| key.topic == topic);
        for key in self.states.keys().iter().filter(|key| key.topic == topic) {
            // A state that cannot be deleted now stays, and is not used any more.
            let _ = self.states.forget(key, now_ms);
        }
    }

    fn forget_where(&self, is_forgotten: impl Fn(&StateKey) -> bool) {
        lock(&self.partitions).retain(|_, live| {
            let stays = !is_forgotten(&live.key);
            if !stays {
                self.close(live);
            }
            stays
        });
    }

    fn forget(&self, name: &str) {
        if let Some(live) = lock(&self.partitions).remove(name) {
            self.close(&live);
        }
    }

    /// Fences the partition; fetches that wait for its records look it up again.
    fn close(&self, live: &LiveSharePartition) {
        let mut state = live.lock();
        self.deadlines.set(&live.name, state.alarm_ms.take(), None);
        state.fenced = true;
        drop(state);
        live.waiters.wake_all();
    }

    /// Visits every partition that groups read here, in no order.
    #[cfg(test)]
    pub(in crate::broker) fn look(&self, mut each: impl FnMut(&StateKey, &SharePartition)) {
        for live in lock(&self.partitions).values() {
            each(&live.key, &live.lock().machine);
        }
    }

    /// Ends the locks that have expired.
    pub(in crate::broker) fn deadlines_passed(&self, now_ms: i64) {
        for name in self.deadlines.due(now_ms) {
            let Some(live) = self.find(&name) else { continue };
            let limits = self.config_of(&live.key.group).limits;
            let mut state = live.lock();
            state.alarm_ms = None;
            let transition = state.machine.plan_expiry(now_ms, &limits);
            // The lock has expired, whether that can be stored or not.
            let _ = self.store(&live, &mut state, &transition, now_ms);
            state.machine.apply(&transition, now_ms, &limits);
            self.changed(&live, &mut state);
        }
    }
}

impl ShareGroupListener for SharePartitionManager {
    fn member_left(&self, group: &str, member: &str, now_ms: i64) {
        let key = SessionKey {
            group: group.to_owned(),
            member: member.to_owned(),
        };
        self.close_session(&key, now_ms);
    }

    fn group_emptied(&self, group: &str) {
        self.forget_where(|key| key.group == group);
    }
}

/// Ends locks that expire, and prunes the share coordinator's log. Never returns; `now_ms` is the broker's steady
/// clock.
pub async fn run_alarm(manager: Arc<SharePartitionManager>, now_ms: fn() -> i64) {
    deadlines::watch(
        &manager.deadlines,
        now_ms,
        PRUNE_INTERVAL_MS,
        |now_ms| manager.deadlines_passed(now_ms),
        |now_ms| manager.states.prune(now_ms),
    )
    .await;
}

/// The error for a group's member, from an error of the share coordinator.
fn as_client_sees(error: ResponseError) -> ResponseError {
    match error {
        ResponseError::CoordinatorNotAvailable | ResponseError::UnknownTopicOrPartition => error,
        ResponseError::NotCoordinator | ResponseError::CoordinatorLoadInProgress => {
            ResponseError::CoordinatorNotAvailable
        }
        ResponseError::FencedLeaderEpoch | ResponseError::FencedStateEpoch => {
            ResponseError::NotLeaderOrFollower
        }
        _ => ResponseError::UnknownServerError,
    }
}

/// The start offset of a group in a partition.
fn first_offset(replica: &Replica, reset: OffsetReset, now_ms: i64) -> Result<i64, ResponseError> {
    match reset {
        OffsetReset::Earliest => Ok(replica.log_start_offset()),
        OffsetReset::Latest => Ok(replica.high_watermark()),
        OffsetReset::ByDuration(milliseconds) => {
            let since_ms = now_ms.saturating_sub(milliseconds);
            let found = replica.log().offset_for_timestamp(since_ms);
            let found = found.map_err(|_| ResponseError::KafkaStorageError)?;
            Ok(found.map_or_else(|| replica.high_watermark(), |found| found.offset))
        }
    }
}
