//! Listens, accepts, limits connections, and stops in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connections::Listener;
use super::session::Session;
use crate::broker::node::Node;

/// Accepts on one listener until `shutdown` is set, and then ends its sessions.
pub(in crate::broker) async fn accept(
    node: Arc<Node>,
    socket: TcpListener,
    listener: Arc<Listener>,
    mut shutdown: watch::Receiver<bool>,
) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, peer)) => start_session(&node, &listener, stream, peer, &mut sessions),
                // Probably out of file descriptors: wait for other connections to close.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = sessions.join_next() => {}
            () = stopped(&mut shutdown) => break,
        }
    }
    sessions.shutdown().await;
}

fn start_session(
    node: &Arc<Node>,
    listener: &Arc<Listener>,
    stream: TcpStream,
    peer: SocketAddr,
    sessions: &mut JoinSet<()>,
) {
    let Some(guard) = node.connections.open_one(most_connections(node)) else {
        return;
    };
    let _ = stream.set_nodelay(true);
    let session = Session::new(Arc::clone(node), Arc::clone(listener), stream, peer.ip(), guard);
    sessions.spawn(session.run());
}

/// Returns when the broker has to stop.
pub(in crate::broker) async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

/// `max.connections` as it is in force now.
fn most_connections(node: &Node) -> usize {
    let image = node.cluster.image();
    usize::try_from(node.broker_values(&image).number("max.connections")).unwrap_or(0)
}
