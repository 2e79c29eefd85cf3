//! Markers that wait until the decision behind them is on every replica in sync: a coordinator that takes over must not come
//! to another one. Only in a cluster of several nodes.

use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::super::lock;
use super::coordinator::TransactionCoordinator;
use super::events::Markers;

/// By transactional id.
#[derive(Debug, Default)]
pub(super) struct HeldBack {
    markers: Mutex<Vec<(String, Markers)>>,
    added: Notify,
}

impl HeldBack {
    pub(super) fn add(&self, id: &str, markers: Markers) {
        lock(&self.markers).push((id.to_owned(), markers));
        self.added.notify_one();
    }
}

/// Sends them, each as soon as it may be. Never ends; `now_ms` is the broker's steady clock.
pub async fn run(coordinator: Arc<TransactionCoordinator>, now_ms: fn() -> i64) {
    let mut sending = JoinSet::new();
    loop {
        for (id, markers) in std::mem::take(&mut *lock(&coordinator.held_back.markers)) {
            let coordinator = Arc::clone(&coordinator);
            sending.spawn(async move { coordinator.send_held_back(id, markers, now_ms).await });
        }
        tokio::select! {
            () = coordinator.held_back.added.notified() => {}
            Some(_) = sending.join_next() => {}
        }
    }
}
