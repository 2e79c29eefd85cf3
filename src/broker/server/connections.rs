//! Where clients reach the broker, and how many of them are connected. Accepting them is in `accept`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// An address the broker listens on, and the one that it advertises to the clients that connected there.
#[derive(Debug)]
pub struct Listener {
    pub name: String,
    pub bound: SocketAddr,
    pub advertised_host: String,
    pub advertised_port: u16,
}

/// Counts the connections: those that are open, and all since the start.
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

    /// How many were opened since the start.
    pub fn ever(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Counts one more; `None` if `limit` are open.
    pub(in crate::broker) fn open_one(self: &Arc<Self>, limit: usize) -> Option<ConnectionGuard> {
        if self.open() >= limit {
            return None;
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(ConnectionGuard {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            connections: Arc::clone(self),
        })
    }
}

/// Counts its connection as open until it is dropped, however the connection ends.
#[derive(Debug)]
pub(in crate::broker) struct ConnectionGuard {
    /// How many connections were opened before this one.
    pub(in crate::broker) number: u64,
    connections: Arc<Connections>,
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.connections.open.fetch_sub(1, Ordering::Relaxed);
        self.connections.closed.notify_one();
    }
}
