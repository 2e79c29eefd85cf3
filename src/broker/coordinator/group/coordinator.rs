//! The group coordinator: group id → group, one lock per group. Owns loading and unloading, finding, creating and
//! removing groups; the requests are in `membership`, `commits` and `inspection`, the rules of a group in
//! `classic_group`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use kafka_protocol::ResponseError;

use super::super::deadlines::Deadlines;
use super::super::loading::partitions;
use super::super::lock;
use super::super::log::CoordinatorLog;
use super::super::ownership::Ownership;
use super::classic_group::{ClassicGroup, GroupLimits};
use super::environment::Environment;
use super::events::GroupEvent;
use super::group_config::GroupConfig;
use super::group_kind::GroupKind;
use super::live_group::LiveGroup;
use super::loading::{self, LoadedGroup};
use super::offsets_writer::OffsetsWriter;
use super::open_transactions::OpenTransactions;
use super::share_group::ShareGroup;

/// Every group that this node coordinates.
#[derive(Debug)]
pub struct GroupCoordinator {
    pub(super) config: GroupConfig,
    environment: Arc<dyn Environment>,
    groups: Mutex<HashMap<String, Arc<Mutex<LiveGroup>>>>,
    pub(super) writer: OffsetsWriter,
    pub(super) deadlines: Deadlines,
    pub(super) open_transactions: Mutex<OpenTransactions>,
}

impl GroupCoordinator {
    /// The coordinator of the groups in `log`; loads all of them if there is no other node.
    pub fn load(
        config: GroupConfig,
        log: Arc<CoordinatorLog>,
        environment: Arc<dyn Environment>,
        now_ms: i64,
    ) -> crate::error::Result<Self> {
        let coordinator = Self {
            config,
            environment,
            groups: Mutex::default(),
            writer: OffsetsWriter::new(log),
            deadlines: Deadlines::default(),
            open_transactions: Mutex::default(),
        };
        if coordinator.ownership().is_everything() {
            for partition in partitions(coordinator.writer.log()) {
                coordinator.load_partition(partition, 0, now_ms)?;
            }
        }
        Ok(coordinator)
    }

    /// The partitions of `__consumer_offsets` whose groups this node coordinates.
    pub(in crate::broker) fn ownership(&self) -> &Ownership {
        self.writer.log().ownership()
    }

    /// Whether this node coordinates a group.
    ///
    /// # Errors
    ///
    /// `NOT_COORDINATOR`, or `COORDINATOR_LOAD_IN_PROGRESS`.
    pub fn check_owner(&self, group: &str) -> Result<(), ResponseError> {
        self.writer.log().check_owner(group)
    }

    /// Loads the groups in a partition, which this node leads since `epoch`.
    pub(in crate::broker) fn load_partition(
        &self,
        partition: i32,
        epoch: i32,
        now_ms: i64,
    ) -> crate::error::Result<()> {
        let loaded = loading::read_groups(self.writer.log(), partition)?;
        self.unload_partition(partition);
        lock(&self.open_transactions).merge(loaded.open_transactions);
        for (id, stored) in loaded.groups {
            let mut group = self.restored(&id, stored, now_ms);
            self.reset_alarm(&mut group);
            lock(&self.groups).insert(id, Arc::new(Mutex::new(group)));
        }
        if !self.ownership().loaded(partition, epoch) {
            self.unload_partition(partition);
        }
        Ok(())
    }

    fn restored(&self, id: &str, stored: LoadedGroup, now_ms: i64) -> LiveGroup {
        let limits = self.limits();
        let kind = match (stored.consumer, stored.metadata) {
            _ if stored.share.is_some() => {
                let mut group = stored.share.unwrap_or_else(|| ShareGroup::new(id));
                let settings = self.share_settings(id);
                group.start_timers(self.share_surroundings(now_ms, &settings));
                GroupKind::Share(Box::new(group))
            }
            (Some(mut group), _) => {
                let settings = self.consumer_settings(id);
                group.start_timers(self.surroundings(now_ms, &settings));
                GroupKind::Consumer(Box::new(group))
            }
            (None, Some(metadata)) => {
                GroupKind::Classic(Box::new(ClassicGroup::restored(limits, now_ms, &metadata)))
            }
            (None, None) => GroupKind::Classic(Box::new(ClassicGroup::new(limits, now_ms))),
        };
        let mut group = LiveGroup::with(id, kind, stored.offsets);
        group.kept = true;
        group
    }

    /// Unloads the groups in a partition that this node does not lead any more. Requests that wait are answered with
    /// an error.
    pub(in crate::broker) fn unload_partition(&self, partition: i32) {
        lock(&self.open_transactions).forget(partition);
        let mut gone = Vec::new();
        lock(&self.groups).retain(|id, group| {
            let stays = !self.writer.log().keeps(partition, id);
            if !stays {
                gone.push(Arc::clone(group));
            }
            stays
        });
        for group in gone {
            let mut group = lock(&group);
            self.deadlines.set(&group.id, group.alarm_ms, None);
            group.alarm_ms = None;
            group.kind.die();
            group.drop_waiters();
        }
    }

    pub(super) fn environment(&self) -> &dyn Environment {
        &*self.environment
    }

    pub fn config(&self) -> &GroupConfig {
        &self.config
    }

    /// The partition of `__consumer_offsets` that holds `group`.
    pub fn partition_of(&self, group: &str) -> Result<i32, ResponseError> {
        self.writer.partition_of(group)
    }

    /// Handles the deadlines that have passed.
    pub(in crate::broker) fn deadlines_passed(&self, now_ms: i64) {
        for id in self.deadlines.due(now_ms) {
            self.enter(&id, |group| {
                group.alarm_ms = None;
                group.handle(&self.writer, now_ms, GroupEvent::DeadlinePassed);
                self.consumer_deadlines_passed(group, now_ms);
                self.share_deadlines_passed(group, now_ms);
            });
        }
    }

    pub(super) fn limits(&self) -> GroupLimits {
        GroupLimits {
            max_size: self.config.max_size,
            initial_rebalance_delay_ms: self.config.initial_rebalance_delay_ms,
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<Mutex<LiveGroup>>> {
        lock(&self.groups).values().cloned().collect()
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Mutex<LiveGroup>>> {
        lock(&self.groups).get(id).cloned()
    }

    /// Runs `act` on a group if it exists.
    pub(super) fn enter<R>(&self, id: &str, act: impl FnOnce(&mut LiveGroup) -> R) -> Option<R> {
        self.enter_shared(&self.find(id)?, act).ok()
    }

    /// Runs `act` on a group, which is created if it does not exist.
    pub(super) fn enter_or_create<R>(
        &self,
        id: &str,
        now_ms: i64,
        mut act: impl FnOnce(&mut LiveGroup) -> R,
    ) -> R {
        loop {
            let shared = lock(&self.groups)
                .entry(id.to_owned())
                .or_insert_with(|| Arc::new(Mutex::new(LiveGroup::new(id, self.limits(), now_ms))))
                .clone();
            match self.enter_shared(&shared, act) {
                Ok(result) => return result,
                Err(not_done) => act = not_done,
            }
        }
    }

    /// Runs `act`, or returns it if the group was deleted meanwhile.
    fn enter_shared<R, F: FnOnce(&mut LiveGroup) -> R>(
        &self,
        shared: &Arc<Mutex<LiveGroup>>,
        act: F,
    ) -> Result<R, F> {
        let mut group = lock(shared);
        let outcome = if group.kind.is_dead() {
            Err(act)
        } else {
            Ok(act(&mut group))
        };
        if group.is_forgettable() {
            group.kind.die();
        }
        self.reset_alarm(&mut group);
        if group.kind.is_dead() {
            let id = group.id.clone();
            drop(group);
            self.forget(&id, shared);
        }
        outcome
    }

    pub(super) fn forget(&self, id: &str, dead: &Arc<Mutex<LiveGroup>>) {
        let mut groups = lock(&self.groups);
        if groups.get(id).is_some_and(|group| Arc::ptr_eq(group, dead)) {
            groups.remove(id);
        }
    }

    fn reset_alarm(&self, group: &mut LiveGroup) {
        let next_ms = group.kind.next_deadline_ms();
        if next_ms != group.alarm_ms {
            self.deadlines.set(&group.id, group.alarm_ms, next_ms);
            group.alarm_ms = next_ms;
        }
    }
}
