//! Markers that wait until their decision is on every in-sync replica: a coordinator that takes over must not decide
//! otherwise. Only in a cluster of several nodes.

use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::super::lock;
use super::coordinator::TransactionCoordinator;
use super::events::Markers;
use crate::broker::node::replica::{Replica, Role};
use crate::topic_partition::Offset;

/// The markers of one decision.
#[derive(Debug)]
pub(in crate::broker) struct Decided {
    /// The transactional id.
    pub(super) id: String,
    pub(super) markers: Markers,
    /// The replica of the partition that holds the id.
    pub(super) replica: Arc<Replica>,
    /// The offset after the decision's record.
    pub(super) end: Offset,
    /// The leader epoch of the coordinator that decided.
    pub(super) epoch: i32,
}

impl Decided {
    /// Returns when the decision is replicated; false if it may be lost.
    pub(super) async fn is_replicated(&self) -> bool {
        let committed = self.replica.wait_until_committed(self.end, self.epoch);
        committed.await.is_ok()
    }

    /// Whether no other coordinator has taken over.
    pub(super) fn is_in_charge(&self) -> bool {
        self.replica.role() == (Role::Leader { epoch: self.epoch })
    }
}

/// Decisions in the order of their records.
#[derive(Debug, Default)]
pub(in crate::broker) struct HeldBack {
    decided: Mutex<Vec<Decided>>,
    added: Notify,
}

impl HeldBack {
    pub(super) fn add(&self, decided: Decided) {
        lock(&self.decided).push(decided);
        self.added.notify_one();
    }

    /// The decisions since the last call.
    pub(in crate::broker) fn take(&self) -> Vec<Decided> {
        std::mem::take(&mut *lock(&self.decided))
    }
}

/// Sends the markers of each decision as soon as possible. Never returns; `now_ms` is the broker's steady clock.
pub async fn run(coordinator: Arc<TransactionCoordinator>, now_ms: fn() -> i64) {
    let mut sending = JoinSet::new();
    loop {
        for decided in coordinator.held_back.take() {
            let coordinator = Arc::clone(&coordinator);
            sending.spawn(async move { coordinator.send_held_back(decided, now_ms).await });
        }
        tokio::select! {
            () = coordinator.held_back.added.notified() => {}
            Some(_) = sending.join_next() => {}
        }
    }
}
