//! The listeners of a node, and how many clients are connected. Accepting is in `accept`; the limits are in
//! `connection_limits`.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::broker::config::BrokerConfig;
use crate::broker::quotas::client_window;
use crate::broker::quotas::connection_quotas::{AddressLimits, ConnectionQuotas, Verdict};
use crate::broker::security::ListenerSecurity;
use crate::wire::security_protocol::SecurityProtocol;

/// An address the broker listens on, and the one that it advertises to the clients that connected there.
#[derive(Debug)]
pub struct Listener {
    pub name: String,
    pub bound: SocketAddr,
    pub advertised_host: String,
    pub advertised_port: u16,
    pub(in crate::broker) security: Arc<ListenerSecurity>,
}

impl Listener {
    /// The security protocol that clients have to use.
    pub fn protocol(&self) -> SecurityProtocol {
        self.security.protocol
    }
}

/// The connections to all nodes of a process.
#[derive(Debug, Default)]
pub struct Clients {
    open: AtomicUsize,
    next: AtomicU64,
    closed: Notify,
}

impl Clients {
    /// How many connections are open now.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// How many were opened since the start.
    pub fn ever(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Returns when no client is connected.
    pub(in crate::broker) async fn none(&self) {
        loop {
            // Taken before the check, so that a connection closed between the two is not missed.
            let closed = self.closed.notified();
            if self.open() == 0 {
                return;
            }
            closed.await;
        }
    }
}

/// The connections of one node, counted for its limits.
#[derive(Debug)]
pub struct Connections {
    clients: Arc<Clients>,
    open: AtomicUsize,
    quotas: Mutex<ConnectionQuotas>,
    closed: Notify,
}

impl Connections {
    /// Without any connection. `clients` counts those of all nodes.
    pub(in crate::broker) fn new(config: &BrokerConfig, clients: Arc<Clients>) -> Self {
        Self {
            clients,
            open: AtomicUsize::new(0),
            quotas: Mutex::new(ConnectionQuotas::new(client_window(config))),
            closed: Notify::new(),
        }
    }

    /// How many are open now.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Returns when the next connection is closed.
    pub(in crate::broker) async fn one_closed(&self) {
        self.closed.notified().await;
    }

    /// The counts that the limits apply to.
    pub(in crate::broker) fn quotas(&self) -> MutexGuard<'_, ConnectionQuotas> {
        self.quotas.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more connection, or says why it is not served.
    pub(in crate::broker) fn open_one(
        self: &Arc<Self>,
        listener: &Arc<Listener>,
        address: IpAddr,
        limits: AddressLimits,
        now_ms: i64,
    ) -> Result<ConnectionGuard, Verdict> {
        match self.quotas().open(&listener.name, address, limits, now_ms) {
            Verdict::Serve => {}
            refused => return Err(refused),
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        self.clients.open.fetch_add(1, Ordering::Relaxed);
        Ok(ConnectionGuard {
            number: self.clients.next.fetch_add(1, Ordering::Relaxed),
            connections: Arc::clone(self),
            listener: Arc::clone(listener),
            address,
        })
    }
}

/// Counts its connection as open until it is dropped, however the connection ends.
#[derive(Debug)]
pub(in crate::broker) struct ConnectionGuard {
    /// How many connections were opened before this one, to any node.
    pub(in crate::broker) number: u64,
    connections: Arc<Connections>,
    listener: Arc<Listener>,
    address: IpAddr,
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.connections.quotas().close(&self.listener.name, self.address);
        let Connections {
            clients,
            open,
            closed,
            ..
        } = &*self.connections;
        open.fetch_sub(1, Ordering::Relaxed);
        clients.open.fetch_sub(1, Ordering::Relaxed);
        closed.notify_waiters();
        clients.closed.notify_waiters();
    }
}
