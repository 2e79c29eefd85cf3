//! Accepts connections within their limits, and ends them when the broker stops.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::connection_limits::{Overrides, has_room, of_address, wait_after};
use super::connections::Listener;
use super::session;
use crate::broker::node::Node;
use crate::broker::quotas::connection_quotas::Verdict;
use crate::broker::timers::steady_ms;
use crate::wire::security_protocol::SecurityProtocol;

/// How many clients of a listener may be logging in at once: a handshake takes memory before the client is known.
const MOST_LOGINS: usize = 1000;

/// How late a raised limit may be noticed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A connection that was accepted and is not served yet.
struct Arrival {
    stream: TcpStream,
    /// When the rate limit for new connections lets it in.
    due: Instant,
}

/// What a listener needs to decide on new connections.
struct Admission {
    overrides: Overrides,
    logins: Arc<Semaphore>,
}

/// Accepts on one listener until `shutdown` is set, and then ends its sessions. While a connection waits for a limit
/// of the broker or of the listener, those behind it wait in the system's queue.
pub(in crate::broker) async fn accept(
    node: Arc<Node>,
    socket: TcpListener,
    listener: Arc<Listener>,
    mut shutdown: watch::Receiver<bool>,
) {
    let mut sessions = JoinSet::new();
    let mut admission = Admission {
        overrides: Overrides::default(),
        logins: Arc::new(Semaphore::new(MOST_LOGINS)),
    };
    let mut arrival: Option<Arrival> = None;
    loop {
        let due = arrival.as_ref().map(|arrival| arrival.due);
        tokio::select! {
            accepted = socket.accept(), if due.is_none() => match accepted {
                Ok((stream, _)) => {
                    let due = Instant::now() + wait_after(&node, &listener);
                    arrival = Some(Arrival { stream, due });
                }
                // Probably out of file descriptors: wait for other connections to close.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
            () = turn(&node, &listener, due) => {
                if let Some(arrival) = arrival.take() {
                    start_session(&node, &listener, arrival, &mut admission, &mut sessions);
                }
            }
            Some(_) = sessions.join_next() => {}
            () = stopped(&mut shutdown) => break,
        }
    }
    sessions.shutdown().await;
}

/// Returns when the connection that waits may be served; never if none waits.
async fn turn(node: &Node, listener: &Listener, due: Option<Instant>) {
    let Some(due) = due else {
        return std::future::pending().await;
    };
    sleep_until(due).await;
    loop {
        // Taken before the check, so that a connection closed between the two is not missed.
        let closed = node.connections.one_closed();
        if has_room(node, listener) {
            return;
        }
        let _ = timeout(LOOK_AGAIN, closed).await;
    }
}

fn start_session(
    node: &Arc<Node>,
    listener: &Arc<Listener>,
    Arrival { stream, .. }: Arrival,
    admission: &mut Admission,
    sessions: &mut JoinSet<()>,
) {
    let Ok(peer) = stream.peer_addr() else { return };
    let address = peer.ip().to_canonical();
    let limits = of_address(node, &mut admission.overrides, address);
    match node.connections.open_one(listener, address, limits, steady_ms()) {
        Ok(guard) => {
            let _ = stream.set_nodelay(true);
            // Too many clients are logging in: this one is closed, and may try again.
            let Ok(login) = place_to_log_in(listener, &admission.logins) else {
                return;
            };
            let (node, listener) = (Arc::clone(node), Arc::clone(listener));
            sessions.spawn(session::run(node, listener, stream, guard, login));
        }
        Err(Verdict::CloseAfter(ms)) => {
            let time = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
            sessions.spawn(async move {
                sleep(time).await;
                drop(stream);
            });
        }
        // Dropping closes it.
        Err(_) => {}
    }
}

/// A permit to log in, on a listener where clients have to.
fn place_to_log_in(
    listener: &Listener,
    logins: &Arc<Semaphore>,
) -> Result<Option<OwnedSemaphorePermit>, TryAcquireError> {
    if listener.security.protocol == SecurityProtocol::Plaintext {
        return Ok(None);
    }
    Arc::clone(logins).try_acquire_owned().map(Some)
}

/// Returns when the broker has to stop.
pub(in crate::broker) async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}
