//! Listens, accepts, limits connections, and stops in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::Broker;
use super::session::Session;

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

    /// Comes back when nobody is connected.
    pub(super) async fn none(&self) {
        while self.open() > 0 {
            self.closed.notified().await;
        }
    }

    /// How many there have been.
    pub fn ever(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }
}

/// Accepts on one listener until `shutdown` says so; then lets the requests in work end.
pub(super) async fn accept(
    broker: Arc<Broker>,
    socket: TcpListener,
    listener: Arc<Listener>,
    mut shutdown: watch::Receiver<bool>,
) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, peer)) => start_session(&broker, &listener, stream, peer, &mut sessions),
                // Out of file descriptors: give those that have them time to end.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = sessions.join_next() => {}
            () = stopped(&mut shutdown) => break,
        }
    }
    sessions.shutdown().await;
}

fn start_session(
    broker: &Arc<Broker>,
    listener: &Arc<Listener>,
    stream: TcpStream,
    peer: SocketAddr,
    sessions: &mut JoinSet<()>,
) {
    let connections = &broker.connections;
    if connections.open() >= broker.config.max_connections {
        return;
    }
    let _ = stream.set_nodelay(true);
    let connection = connections.next.fetch_add(1, Ordering::Relaxed);
    connections.open.fetch_add(1, Ordering::Relaxed);
    let session = Session::new(
        Arc::clone(broker),
        Arc::clone(listener),
        stream,
        peer.ip(),
        connection,
    );
    let broker = Arc::clone(broker);
    sessions.spawn(async move {
        session.run().await;
        broker.connections.open.fetch_sub(1, Ordering::Relaxed);
        broker.connections.closed.notify_one();
    });
}

/// Comes back when the broker is to stop.
pub(super) async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}
