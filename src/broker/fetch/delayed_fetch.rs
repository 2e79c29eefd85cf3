//! Fetches that wait: each partition has a list of those that wait for its bytes, and an append wakes them when there
//! are enough.
//!
//! Owns no clock: the waiting fetch has its own deadline.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Notify;

/// One waiting fetch, registered with every partition that it waits for.
#[derive(Debug)]
pub(in crate::broker) struct Waiter {
    /// Bytes that arrived since the registration, over all its partitions.
    arrived: AtomicI64,
    /// Bytes after which it is woken.
    needed: AtomicI64,
    woken: Notify,
}

impl Waiter {
    /// Not registered yet.
    pub(in crate::broker) fn new() -> Arc<Self> {
        Arc::new(Self {
            arrived: AtomicI64::new(0),
            needed: AtomicI64::new(i64::MAX),
            woken: Notify::new(),
        })
    }

    /// Waits until this many bytes have arrived since the registration. Bytes that arrive before this call may be
    /// counted twice: a fetch may be woken early, never too late.
    pub(in crate::broker) async fn enough(&self, bytes: usize) {
        let needed = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.needed.store(needed, Ordering::SeqCst);
        if self.arrived.load(Ordering::SeqCst) < needed {
            self.woken.notified().await;
        }
    }

    fn arrived(&self, bytes: i64) {
        let arrived = self
            .arrived
            .fetch_add(bytes, Ordering::SeqCst)
            .saturating_add(bytes);
        if arrived >= self.needed.load(Ordering::SeqCst) {
            self.woken.notify_one();
        }
    }
}

/// The fetches that wait for one partition.
#[derive(Debug, Default)]
pub(in crate::broker) struct Waiters {
    any: AtomicBool,
    waiting: Mutex<Vec<Weak<Waiter>>>,
}

impl Waiters {
    pub(in crate::broker) fn register(&self, waiter: &Arc<Waiter>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Fetches that have ended are removed here, so that they need not remove themselves.
        waiting.retain(|waiter| waiter.strong_count() > 0);
        waiting.push(Arc::downgrade(waiter));
        self.any.store(true, Ordering::Release);
    }

    /// Counts `bytes` more for the waiting fetches. The append must be visible before.
    pub(in crate::broker) fn arrived(&self, bytes: usize) {
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|waiter| match waiter.upgrade() {
            Some(waiter) => {
                waiter.arrived(i64::try_from(bytes).unwrap_or(i64::MAX));
                true
            }
            None => false,
        });
        self.any.store(!waiting.is_empty(), Ordering::Release);
    }

    /// Wakes every fetch: the partition was removed, or its bounds have moved.
    pub(in crate::broker) fn wake_all(&self) {
        self.arrived(usize::MAX >> 2);
    }
}
