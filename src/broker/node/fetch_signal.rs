//! How a leader tells the fetchers of its followers that a partition has new records or a new high watermark.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Notify;
use uuid::Uuid;

/// The partitions that a fetcher should fetch from.
#[derive(Debug, Default)]
pub(in crate::broker) struct FetchSignal {
    partitions: Mutex<BTreeSet<(Uuid, i32)>>,
    rung: Notify,
}

impl FetchSignal {
    pub(super) fn ring(&self, topic: Uuid, partition: i32) {
        let mut partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        if partitions.insert((topic, partition)) && partitions.len() == 1 {
            self.rung.notify_one();
        }
    }

    /// Returns when there is a partition to fetch from.
    pub(super) async fn heard(&self) {
        self.rung.notified().await;
    }

    /// The partitions that were signalled since the last call.
    pub(super) fn take(&self) -> BTreeSet<(Uuid, i32)> {
        std::mem::take(&mut *self.partitions.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The fetchers of a node, one per leader; created on first use.
#[derive(Debug, Default)]
pub(in crate::broker) struct Fetchers(Mutex<BTreeMap<i32, Arc<FetchSignal>>>);

impl Fetchers {
    pub(super) fn of(&self, leader: i32) -> Arc<FetchSignal> {
        let mut fetchers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(fetchers.entry(leader).or_default())
    }
}

/// The fetchers of the followers of one partition.
#[derive(Debug, Default)]
pub(super) struct FetchSignals(Mutex<Vec<Weak<FetchSignal>>>);

impl FetchSignals {
    /// Adds a fetcher to those that are signalled.
    pub(super) fn register(&self, signal: &Arc<FetchSignal>) {
        let mut signals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if signals
            .iter()
            .any(|known| std::ptr::eq(known.as_ptr(), &raw const **signal))
        {
            return;
        }
        signals.retain(|known| known.strong_count() > 0);
        signals.push(Arc::downgrade(signal));
    }

    /// Signals every fetcher.
    pub(super) fn ring(&self, topic: Uuid, partition: i32) {
        let signals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for signal in signals.iter().filter_map(Weak::upgrade) {
            signal.ring(topic, partition);
        }
    }
}
