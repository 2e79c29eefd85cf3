//! Where clients reach the broker, and how many of them are connected; accepting them is the server's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// An address the broker listens on, and the one it tells to the clients that came in by it.
#[derive(Debug)]
pub struct Listener {
    pub name: String,
    pub bound: SocketAddr,
    pub advertised_host: String,
    pub advertised_port: u16,
}

/// Connections now and ever.
#[derive(Debug, Default)]
pub struct Connections {
    open: AtomicUsize,
    next: AtomicU64,
    closed: Notify,
}

impl Connections {
    /// How many are open now.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Returns when no client is connected.
    pub(in crate::broker) async fn none(&self) {
        while self.open() > 0 {
            self.closed.notified().await;
        }
    }

    /// How many there have been.
    pub fn ever(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Counts one more, unless `limit` are open.
    pub(in crate::broker) fn enter(self: &Arc<Self>, limit: usize) -> Option<Visit> {
        if self.open() >= limit {
            return None;
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(Visit {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            connections: Arc::clone(self),
        })
    }
}

/// A connection, which counts until it is dropped, however it ends.
#[derive(Debug)]
pub(in crate::broker) struct Visit {
    /// How many came before.
    pub(in crate::broker) number: u64,
    connections: Arc<Connections>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.connections.open.fetch_sub(1, Ordering::Relaxed);
        self.connections.closed.notify_one();
    }
}
