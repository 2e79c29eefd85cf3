//! The share coordinator (KIP-932): requests about the state of partitions, over the records of
//! `__share_group_state`.
//!
//! Messages of refusals are Apache Kafka's.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use kafka_protocol::ResponseError;

use super::partition_state::PartitionState;
use super::record::{Snapshot, StateKey, StateRecord, Update};
use super::record_state::StateBatch;
use crate::broker::cluster::Cluster;
use crate::broker::coordinator::loading::{Replayed, partitions, replay};
use crate::broker::coordinator::lock;
use crate::broker::coordinator::log::CoordinatorLog;
use crate::broker::coordinator::ownership::Ownership;
use crate::broker::internal_topics::SHARE_GROUP_STATE;
use crate::error::Result;
use crate::topic_partition::Offset;

/// A state that was not written for this long (ms) gets a new snapshot, so that the log before it can be deleted.
const COLD_MS: i64 = 300_000;

/// A refusal: the error, and Kafka's message.
pub type Refused = (ResponseError, String);

/// A change that the leader of a partition wants to store.
#[derive(Clone, Debug)]
pub struct StateWrite {
    /// The state epoch that the leader has read; -1 if unknown.
    pub state_epoch: i32,
    /// -1 if unknown.
    pub leader_epoch: i32,
    /// -1 for "unchanged".
    pub start_offset: i64,
    /// -1 if unknown.
    pub delivery_complete_count: i32,
    pub batches: Vec<StateBatch>,
}

/// Access to share coordinators on other nodes.
pub trait OtherShareCoordinators: Debug + Send + Sync {
    /// The coordinator on the node `leader`; `None` if that is out of reach.
    fn share_coordinator(&self, leader: i32) -> Option<Arc<ShareCoordinator>>;
}

/// The share states on this node, and the access to those on other nodes.
#[derive(Debug)]
pub struct ShareCoordinator {
    log: CoordinatorLog,
    cluster: Arc<Cluster>,
    others: Arc<dyn OtherShareCoordinators>,
    states: Mutex<HashMap<StateKey, PartitionState>>,
}

impl ShareCoordinator {
    /// The coordinator of the states in `log`; loads all of them if there is no other node.
    pub(in crate::broker) fn load(
        log: CoordinatorLog,
        cluster: Arc<Cluster>,
        others: Arc<dyn OtherShareCoordinators>,
    ) -> Result<Self> {
        let coordinator = Self {
            log,
            cluster,
            others,
            states: Mutex::default(),
        };
        if coordinator.ownership().is_everything() {
            for partition in partitions(&coordinator.log) {
                coordinator.load_partition(partition, 0)?;
            }
        }
        Ok(coordinator)
    }

    /// The partitions of `__share_group_state` that this node coordinates.
    pub(in crate::broker) fn ownership(&self) -> &Ownership {
        self.log.ownership()
    }

    /// Loads the states in a partition, which this node leads since `epoch`.
    pub(in crate::broker) fn load_partition(&self, partition: i32, epoch: i32) -> Result<()> {
        let mut states = HashMap::new();
        replay(&self.log, partition, &mut |step| {
            if let Replayed::Record {
                offset, key, value, ..
            } = step
                && let Some((key, record)) = StateRecord::decode(key, value)
            {
                apply(&mut states, key, &record, offset);
            }
        })?;
        self.unload_partition(partition);
        if self.ownership().loaded(partition, epoch) {
            lock(&self.states).extend(states);
        }
        Ok(())
    }

    /// Unloads the states in a partition that this node does not lead any more.
    pub(in crate::broker) fn unload_partition(&self, partition: i32) {
        lock(&self.states).retain(|key, _| !self.log.keeps(partition, &key.to_string()));
    }

    /// Runs `act` on the coordinator of a state, on this or on another node.
    fn at<R>(&self, key: &StateKey, act: impl FnOnce(&Self) -> Result<R, Refused>) -> Result<R, Refused> {
        let refused = |error| (error, String::new());
        let name = key.to_string();
        match self.log.check_owner(&name) {
            Ok(()) => return act(self),
            Err(ResponseError::NotCoordinator) => {}
            Err(error) => return Err(refused(error)),
        }
        let other = self
            .leader_of(&name)
            .and_then(|leader| self.others.share_coordinator(leader));
        let other = other.ok_or_else(|| refused(ResponseError::CoordinatorNotAvailable))?;
        other.log.check_owner(&name).map_err(refused)?;
        act(&other)
    }

    fn leader_of(&self, key: &str) -> Option<i32> {
        let partition = self.log.partition_of(key).ok()?;
        let image = self.cluster.image();
        Some(image.partition(SHARE_GROUP_STATE.name, partition)?.leader)
    }

    /// Creates the state of a partition, or resets it to `start_offset`; -1 if the group's configs decide.
    pub fn initialize(
        &self,
        key: &StateKey,
        state_epoch: i32,
        start_offset: i64,
        now_ms: i64,
    ) -> Result<(), Refused> {
        self.check_exists(key)?;
        self.at(key, |owner| {
            owner.initialize_here(key, state_epoch, start_offset, now_ms)
        })
    }

    fn initialize_here(
        &self,
        key: &StateKey,
        state_epoch: i32,
        start_offset: i64,
        now_ms: i64,
    ) -> Result<(), Refused> {
        let mut states = lock(&self.states);
        let known = states.get(key);
        if known.is_some_and(|known| state_epoch != -1 && state_epoch < known.state_epoch) {
            return Err(fenced_state_epoch());
        }
        let snapshot = Snapshot {
            snapshot_epoch: known.map_or(0, |known| known.snapshot_epoch.saturating_add(1)),
            state_epoch,
            leader_epoch: 0,
            start_offset,
            delivery_complete_count: if start_offset == -1 { -1 } else { 0 },
            created_ms: now_ms,
            written_ms: now_ms,
            batches: Vec::new(),
        };
        self.write_record(&mut states, key, &StateRecord::Snapshot(Some(snapshot)), now_ms)
    }

    /// The state of a partition for its leader, whose epoch is stored.
    pub fn read(&self, key: &StateKey, leader_epoch: i32, now_ms: i64) -> Result<PartitionState, Refused> {
        check_partition(key)?;
        self.at(key, |owner| owner.read_here(key, leader_epoch, now_ms))
    }

    fn read_here(&self, key: &StateKey, leader_epoch: i32, now_ms: i64) -> Result<PartitionState, Refused> {
        let mut states = lock(&self.states);
        let state = states.get(key).ok_or_else(|| uninitialized("Read"))?;
        if leader_epoch < state.leader_epoch {
            return Err(fenced_leader_epoch());
        }
        if leader_epoch > state.leader_epoch {
            let update = Update {
                snapshot_epoch: state.snapshot_epoch,
                leader_epoch,
                start_offset: state.start_offset,
                delivery_complete_count: state.delivery_complete_count,
                batches: Vec::new(),
            };
            let record = state.record_of(update, now_ms);
            self.write_record(&mut states, key, &record, now_ms)?;
        }
        states.get(key).cloned().ok_or_else(|| uninitialized("Read"))
    }

    /// Stores the changes of a leader.
    pub fn write(&self, key: &StateKey, write: StateWrite, now_ms: i64) -> Result<(), Refused> {
        check_partition(key)?;
        self.at(key, |owner| owner.write_here(key, write, now_ms))
    }

    fn write_here(&self, key: &StateKey, write: StateWrite, now_ms: i64) -> Result<(), Refused> {
        let mut states = lock(&self.states);
        let state = states.get(key).ok_or_else(|| uninitialized("Write"))?;
        if write.leader_epoch != -1 && write.leader_epoch < state.leader_epoch {
            return Err(fenced_leader_epoch());
        }
        if write.state_epoch != -1 && write.state_epoch < state.state_epoch {
            return Err(fenced_state_epoch());
        }
        let update = Update {
            snapshot_epoch: state.snapshot_epoch,
            leader_epoch: if write.leader_epoch == -1 {
                state.leader_epoch
            } else {
                write.leader_epoch
            },
            start_offset: write.start_offset,
            delivery_complete_count: write.delivery_complete_count,
            batches: write.batches,
        };
        let record = state.record_of(update, now_ms);
        self.write_record(&mut states, key, &record, now_ms)
    }

    /// The state of a partition without a leader's epoch; `None` if the group does not read it.
    pub fn summary(&self, key: &StateKey) -> Option<PartitionState> {
        let found = self.at(key, |owner| Ok(lock(&owner.states).get(key).cloned()));
        found.ok().flatten()
    }

    /// Deletes the state of a partition.
    pub fn delete(&self, key: &StateKey, now_ms: i64) -> Result<(), Refused> {
        self.check_exists(key)?;
        self.forget(key, now_ms)
    }

    /// Deletes the state of a partition, which may be gone already.
    pub fn forget(&self, key: &StateKey, now_ms: i64) -> Result<(), Refused> {
        self.at(key, |owner| owner.forget_here(key, now_ms))
    }

    fn forget_here(&self, key: &StateKey, now_ms: i64) -> Result<(), Refused> {
        let mut states = lock(&self.states);
        if !states.contains_key(key) {
            return Ok(());
        }
        self.write_record(&mut states, key, &StateRecord::Snapshot(None), now_ms)
    }

    /// Every state on this node.
    pub fn keys(&self) -> Vec<StateKey> {
        lock(&self.states).keys().cloned().collect()
    }

    fn write_record(
        &self,
        states: &mut HashMap<StateKey, PartitionState>,
        key: &StateKey,
        record: &StateRecord,
        now_ms: i64,
    ) -> Result<(), Refused> {
        let not_available = |_| (ResponseError::CoordinatorNotAvailable, String::new());
        let partition = self.log.partition_of(&key.to_string()).map_err(not_available)?;
        let encoded = [record.encode(key)];
        let offset = self
            .log
            .append(partition, now_ms, &encoded)
            .map_err(not_available)?;
        apply(states, key.clone(), record, offset);
        if let Some(state) = states.get_mut(key) {
            state.touched_ms = now_ms;
        }
        Ok(())
    }

    fn check_exists(&self, key: &StateKey) -> Result<(), Refused> {
        check_partition(key)?;
        let image = self.cluster.image();
        let topic = image.topic_by_id(key.topic);
        match topic.and_then(|topic| topic.partition(key.partition)) {
            Some(_) => Ok(()),
            None => Err((
                ResponseError::UnknownTopicOrPartition,
                "This server does not host this topic-partition.".to_owned(),
            )),
        }
    }

    /// Writes new snapshots of states that have not changed for long, and deletes records before the first that is
    /// needed. The topic is not compacted: this keeps it small.
    pub(in crate::broker) fn prune(&self, now_ms: i64) {
        let mut states = lock(&self.states);
        let is_cold = |state: &PartitionState| {
            state.has_updates() && state.touched_ms.saturating_add(COLD_MS) <= now_ms
        };
        let cold: Vec<(StateKey, StateRecord)> = states
            .iter()
            .filter(|(_, state)| is_cold(state))
            .map(|(key, state)| (key.clone(), state.snapshot(now_ms)))
            .collect();
        for (key, record) in cold {
            // A write that fails is repeated at the next call.
            let _ = self.write_record(&mut states, &key, &record, now_ms);
        }
        let mut needed: HashMap<i32, Offset> = HashMap::new();
        for (key, state) in states.iter() {
            let Ok(partition) = self.log.partition_of(&key.to_string()) else {
                return;
            };
            let least = needed.entry(partition).or_insert(state.snapshot_offset);
            *least = state.snapshot_offset.min(*least);
        }
        for replica in self.log.replicas().iter().filter(|replica| replica.is_leader()) {
            if self.ownership().check(replica.index).is_err() {
                continue;
            }
            let mut log = replica.log();
            let needed = needed.get(&replica.index).copied();
            let needed = needed.unwrap_or_else(|| log.log_end_offset());
            // Keeping records longer than needed does no harm.
            let _ = log.delete_records(needed);
            replica.publish(&mut log);
        }
    }
}

fn apply(
    states: &mut HashMap<StateKey, PartitionState>,
    key: StateKey,
    record: &StateRecord,
    offset: Offset,
) {
    let state = states.remove(&key);
    if let Some(state) = PartitionState::apply(state, record, offset) {
        states.insert(key, state);
    }
}

fn check_partition(key: &StateKey) -> Result<(), Refused> {
    if key.partition < 0 {
        let words = "The partition id cannot be a negative number.".to_owned();
        return Err((ResponseError::InvalidRequest, words));
    }
    Ok(())
}

fn uninitialized(operation: &str) -> Refused {
    let words = format!("{operation} operation on uninitialized share partition not allowed.");
    (ResponseError::InvalidRequest, words)
}

fn fenced_leader_epoch() -> Refused {
    let words = "The leader epoch in the request is older than the epoch on the broker.";
    (ResponseError::FencedLeaderEpoch, words.to_owned())
}

fn fenced_state_epoch() -> Refused {
    let words =
        "The share coordinator rejected the request because the share-group state epoch did not match.";
    (ResponseError::FencedStateEpoch, words.to_owned())
}
