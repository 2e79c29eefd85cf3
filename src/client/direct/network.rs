//! The connections of the direct lane: one for each broker, opened in the background, polled together.
//!
//! Owns sockets, reconnects and the state of brokers; knows no requests. `T` is the note of each request, which is
//! returned with its answer or when the connection is lost.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use kafka_protocol::messages::MetadataRequest;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::client::backoff::random_u32;
use crate::client::first_answer::open_first;
use crate::client::typed_settings::ClusterSettings;
use crate::topic_partition::BrokerId;
use crate::wire::{Answer, Channel, Connection, Frame, HostPort, Unanswered, WireError};

/// How long a node may owe an answer without sending a byte, before other nodes are asked instead.
const SILENCE: Duration = Duration::from_secs(1);

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Node {
    /// Any of the servers that the user named.
    Bootstrap,
    Broker(BrokerId),
}

/// What happened on a connection.
#[derive(Debug)]
pub(super) enum Event<T> {
    Opened(Node),
    /// An answer; give its frame back with [`Network::recycle`].
    Answered(Node, Answer<T>),
    /// The connection is lost, or was never open; its requests will not be answered.
    Lost {
        node: Node,
        unanswered: Vec<Unanswered<T>>,
    },
}

/// Wakes a thread that waits in [`Network::wait`].
#[derive(Clone, Debug)]
pub(super) struct Waker(Arc<UnixStream>);

impl Waker {
    pub(super) fn wake(&self) {
        // If the socket's buffer is full, the thread wakes up anyway.
        let _ = (&*self.0).write(&[1]);
    }
}

/// A connection that was opened, or authenticated again, in the background.
type Opened = (Node, Result<Connection, WireError>);

#[derive(Debug)]
enum State<T> {
    Closed {
        retry_at: Instant,
    },
    /// A thread opens it.
    Opening,
    Open(Box<Channel<T>>),
}

#[derive(Debug)]
struct Link<T> {
    node: Node,
    addresses: Vec<HostPort>,
    /// The address that is tried first the next time.
    turn: usize,
    state: State<T>,
    /// Failures in a row.
    failures: u32,
    last_error: Option<WireError>,
    /// The broker throttles us until then (KIP-219).
    muted_until: Option<Instant>,
    /// The node is no longer needed.
    is_forgotten: bool,
}

/// All connections of one client.
#[derive(Debug)]
pub(super) struct Network<T> {
    settings: ClusterSettings,
    links: Vec<Link<T>>,
    opened: Receiver<Opened>,
    opener: Sender<Opened>,
    waker: Waker,
    woken: UnixStream,
    events: Vec<Event<T>>,
}

impl<T> Network<T> {
    /// Opens no connection yet. The servers are tried in random order, so that many clients do not all ask the first.
    pub(super) fn new(settings: &ClusterSettings) -> io::Result<Self> {
        let mut servers = settings.servers.clone();
        let (waker, woken) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let (opener, results) = channel();
        if !servers.is_empty() {
            let turn = random_u32() as usize % servers.len();
            servers.rotate_left(turn);
        }
        let mut network = Self {
            settings: settings.clone(),
            links: Vec::new(),
            opened: results,
            opener,
            waker: Waker(Arc::new(waker)),
            woken,
            events: Vec::new(),
        };
        network.set_addresses(Node::Bootstrap, servers);
        Ok(network)
    }

    pub(super) fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Sets the addresses of a node. A node that moved is connected to at its new address once its connection is lost.
    pub(super) fn set_addresses(&mut self, node: Node, addresses: Vec<HostPort>) {
        if let Some(link) = self.link_mut(node) {
            link.is_forgotten = false;
            if link.addresses != addresses {
                link.addresses = addresses;
                link.turn = 0;
            }
            return;
        }
        self.links.push(Link {
            node,
            addresses,
            turn: 0,
            state: State::Closed {
                retry_at: Instant::now(),
            },
            failures: 0,
            last_error: None,
            muted_until: None,
            is_forgotten: false,
        });
    }

    /// The bootstrap connection becomes that of the broker at its address, if that broker has none yet.
    pub(super) fn adopt_bootstrap(&mut self, brokers: &[(BrokerId, HostPort)]) {
        let Some(State::Open(channel)) = self.link(Node::Bootstrap).map(|link| &link.state) else {
            return;
        };
        let address = channel.address().clone();
        let Some((id, _)) = brokers.iter().find(|(_, broker)| *broker == address) else {
            return;
        };
        let is_free = matches!(
            self.link(Node::Broker(*id)).map(|link| &link.state),
            Some(State::Closed { .. })
        );
        if !is_free {
            return;
        }
        let closed = State::Closed {
            retry_at: Instant::now(),
        };
        let state = match self.link_mut(Node::Bootstrap) {
            Some(link) => std::mem::replace(&mut link.state, closed),
            None => return,
        };
        if let Some(link) = self.link_mut(Node::Broker(*id)) {
            link.state = state;
            self.events.push(Event::Opened(Node::Broker(*id)));
        }
    }

    /// Connects to a node in the background, unless that is in progress, done, or has just failed.
    pub(super) fn open(&mut self, node: Node) {
        let (mut options, longest) = (
            self.settings.connection.clone(),
            self.settings.connect_timeout_max,
        );
        let (opener, waker) = (self.opener.clone(), self.waker.clone());
        let Some(link) = self.link_mut(node) else {
            return;
        };
        let is_due = matches!(&link.state, State::Closed { retry_at } if *retry_at <= Instant::now());
        if !is_due || link.addresses.is_empty() {
            return;
        }
        let mut addresses = link.addresses.clone();
        let turn = link.turn % addresses.len();
        addresses.rotate_left(turn);
        link.turn = turn + 1;
        // The limit grows with each failure, as in Java, for slow networks.
        let factor = 1_u32.checked_shl(link.failures).unwrap_or(u32::MAX);
        options.connect_timeout = options.connect_timeout.saturating_mul(factor).min(longest);
        link.state = State::Opening;
        // After a listener closed the connection without a reason, a request is sent to find it out: the channel
        // cannot.
        let asks_why = matches!(
            link.last_error.as_ref().map(WireError::bare),
            Some(WireError::Closed)
        );
        thread::spawn(move || {
            let connection = open_first(&addresses, &options);
            let connection = if asks_why {
                connection.and_then(prove)
            } else {
                connection
            };
            let _ = opener.send((node, connection));
            waker.wake();
        });
    }

    /// A node's connection, when it is open and the broker takes requests now.
    pub(super) fn channel(&mut self, node: Node) -> Option<&mut Channel<T>> {
        let now = Instant::now();
        let link = self.link_mut(node)?;
        if link.muted_until.is_some_and(|until| until > now) {
            return None;
        }
        match &mut link.state {
            State::Open(channel) if !channel.must_authenticate(now) => Some(channel),
            _ => None,
        }
    }

    /// An open node for a request to any broker, the least busy one; opens others if there is none or if it is silent.
    pub(super) fn any_node(&mut self) -> Option<Node> {
        let is_open = |link: &&Link<T>| matches!(link.state, State::Open(_)) && !link.is_forgotten;
        let load = |link: &&Link<T>| match &link.state {
            State::Open(channel) => (self.is_silent(link.node), channel.unanswered()),
            State::Closed { .. } | State::Opening => (true, usize::MAX),
        };
        let found = self.links.iter().filter(is_open).min_by_key(load);
        let found = found.map(|link| link.node);
        if let Some(node) = found.filter(|node| !self.is_silent(*node)) {
            return Some(node);
        }
        // Learned brokers first, the user's bootstrap servers last (KIP-899).
        let mut nodes: Vec<Node> = self.links.iter().map(|link| link.node).rev().collect();
        if !self.settings.may_rebootstrap && nodes.len() > 1 {
            nodes.retain(|node| *node != Node::Bootstrap);
        }
        for node in nodes {
            self.open(node);
        }
        // A silent node is asked only if there is no other.
        let is_opening = self.links.iter().any(|link| matches!(link.state, State::Opening));
        found.filter(|_| !is_opening)
    }

    /// Sends no new requests to a node for the throttle time that it stated (KIP-219).
    pub(super) fn mute(&mut self, node: Node, time: Duration) {
        if let Some(link) = self.link_mut(node) {
            link.muted_until = Some(Instant::now() + time);
            if let State::Open(channel) = &mut link.state {
                channel.extend_deadlines(time);
            }
        }
    }

    /// Takes back the memory of an answer.
    pub(super) fn recycle(&mut self, node: Node, frame: Frame) {
        if let Some(State::Open(channel)) = self.link_mut(node).map(|link| &mut link.state) {
            channel.recycle(frame);
        }
    }

    /// Closes a node's connection because of `error`.
    pub(super) fn close(&mut self, node: Node, error: WireError) {
        let reconnect = self.settings.reconnect;
        let Some(link) = self.link_mut(node) else {
            return;
        };
        link.failures += 1;
        link.last_error = Some(error);
        let closed = State::Closed {
            retry_at: Instant::now() + reconnect.after(link.failures),
        };
        let unanswered = match std::mem::replace(&mut link.state, closed) {
            State::Open(channel) => channel.close(),
            State::Closed { .. } | State::Opening => Vec::new(),
        };
        self.events.push(Event::Lost { node, unanswered });
    }

    /// Why a node could not be reached the last time; `None` if it is reached.
    pub(super) fn last_error(&self, node: Node) -> Option<&WireError> {
        self.link(node)?.last_error.as_ref()
    }

    /// The failure that best explains why no broker can be reached.
    pub(super) fn error(&self) -> Option<WireError> {
        let mut errors = self.links.iter().filter_map(|link| link.last_error.as_ref());
        let error = errors
            .clone()
            .find(|error| is_hopeless(error))
            .or_else(|| errors.next());
        error.cloned()
    }

    /// Whether there was a permanent failure: a wrong password, an untrusted certificate.
    pub(super) fn is_hopeless(&self) -> bool {
        let mut errors = self.links.iter().filter_map(|link| link.last_error.as_ref());
        errors.any(is_hopeless)
    }

    /// Whether any connection is open.
    pub(super) fn is_connected(&self) -> bool {
        self.links.iter().any(|link| matches!(link.state, State::Open(_)))
    }

    /// Since when a connected node owes an answer without having sent a byte.
    pub(super) fn silent_since(&self, node: Node) -> Option<Instant> {
        match &self.link(node)?.state {
            State::Open(channel) => channel.silent_since(),
            State::Closed { .. } | State::Opening => None,
        }
    }

    /// Whether a node owes an answer for so long that others should be asked.
    pub(super) fn is_silent(&self, node: Node) -> bool {
        let since = self.silent_since(node);
        since.is_some_and(|since| since.elapsed() >= SILENCE)
    }

    /// Whether a node's connection is open.
    pub(super) fn is_open(&self, node: Node) -> bool {
        matches!(self.link(node).map(|link| &link.state), Some(State::Open(_)))
    }

    /// The next events; waits for them up to `wait`, until a [`Waker`] wakes us, or until a signal. A part of an
    /// answer is no event.
    pub(super) fn wait(&mut self, wait: Duration) -> Vec<Event<T>> {
        self.take_opened();
        self.close_idle();
        self.prolong_sessions();
        let wait = if self.events.is_empty() {
            wait.min(self.time_to_next_deadline())
        } else {
            Duration::ZERO
        };
        let begun = Instant::now();
        let mut left = wait;
        while self.poll(left) && self.events.is_empty() && !left.is_zero() {
            left = wait.saturating_sub(begun.elapsed());
        }
        self.take_opened();
        std::mem::take(&mut self.events)
    }

    fn time_to_next_deadline(&self) -> Duration {
        let deadlines = self.links.iter().filter_map(|link| match &link.state {
            State::Open(channel) => channel.deadline(),
            State::Closed { .. } | State::Opening => None,
        });
        let unmuted = self.links.iter().filter_map(|link| link.muted_until);
        let now = Instant::now();
        let next = deadlines.chain(unmuted.filter(|until| *until > now)).min();
        next.map_or(Duration::MAX, |next| next.saturating_duration_since(now))
    }

    /// Reads and writes what the sockets are ready for; returns whether only parts of answers were read.
    fn poll(&mut self, wait: Duration) -> bool {
        let mut sockets = Vec::with_capacity(self.links.len() + 1);
        let mut nodes = Vec::with_capacity(self.links.len());
        for link in &self.links {
            if let State::Open(channel) = &link.state {
                let mut wanted = PollFlags::IN;
                wanted.set(PollFlags::OUT, channel.has_output());
                sockets.push(PollFd::new(channel.socket(), wanted));
                nodes.push(link.node);
            }
        }
        sockets.push(PollFd::new(&self.woken, PollFlags::IN));
        let limit = Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: wait.subsec_nanos().into(),
        };
        // A signal ends the wait without an event.
        let is_ready = poll(&mut sockets, Some(&limit)).is_ok_and(|ready| ready > 0);
        let states: Vec<PollFlags> = sockets.iter().map(PollFd::revents).collect();
        drop(sockets);
        let is_woken = states.last().is_some_and(|state| !state.is_empty());
        if is_woken {
            let _ = (&self.woken).read(&mut [0; 64]);
        }
        let is_input = |state: &PollFlags| state.is_empty() || *state == PollFlags::IN;
        let is_input_alone = is_ready && !is_woken && states.iter().all(is_input);
        let now = Instant::now();
        for (node, state) in nodes.into_iter().zip(states) {
            let is_late = match self.link(node).map(|link| &link.state) {
                Some(State::Open(channel)) => channel.deadline().is_some_and(|deadline| deadline <= now),
                _ => false,
            };
            if !state.is_empty() || is_late {
                self.exchange(node, state);
            }
        }
        is_input_alone
    }

    /// Writes and reads what a socket is ready for.
    fn exchange(&mut self, node: Node, state: PollFlags) {
        let Some(link) = self.links.iter_mut().find(|link| link.node == node) else {
            return;
        };
        let State::Open(channel) = &mut link.state else {
            return;
        };
        let mut outcome = if state.contains(PollFlags::OUT) {
            channel.flush()
        } else {
            Ok(())
        };
        while outcome.is_ok() {
            match channel.receive() {
                Ok(Some(answer)) => {
                    link.failures = 0;
                    link.last_error = None;
                    self.events.push(Event::Answered(node, answer));
                }
                Ok(None) => return,
                Err(error) => outcome = Err(error),
            }
        }
        if let Err(error) = outcome {
            let error = error.at(channel.address());
            self.close(node, error);
        }
    }

    fn take_opened(&mut self) {
        while let Ok((node, connection)) = self.opened.try_recv() {
            match connection.and_then(Channel::over) {
                Ok(channel) => {
                    if let Some(link) = self.link_mut(node) {
                        link.state = State::Open(Box::new(channel));
                        link.last_error = None;
                        self.events.push(Event::Opened(node));
                    }
                }
                Err(error) => self.close(node, error),
            }
        }
    }

    /// Closes idle connections, before the broker does.
    fn close_idle(&mut self) {
        let Some(limit) = self.settings.max_idle else {
            return;
        };
        for link in &mut self.links {
            if let State::Open(channel) = &link.state
                && channel.idle_since().is_some_and(|since| since.elapsed() >= limit)
            {
                link.state = State::Closed {
                    retry_at: Instant::now(),
                };
            }
        }
    }

    /// Lets a thread authenticate again if a session ends soon and nothing is in flight (KIP-368).
    fn prolong_sessions(&mut self) {
        let now = Instant::now();
        for link in &mut self.links {
            let State::Open(channel) = &link.state else {
                continue;
            };
            if !channel.must_authenticate(now) || channel.unanswered() > 0 || channel.has_output() {
                continue;
            }
            if let State::Open(channel) = std::mem::replace(&mut link.state, State::Opening) {
                let (node, opener, waker) = (link.node, self.opener.clone(), self.waker.clone());
                let connection = channel.into_connection();
                thread::spawn(move || {
                    let _ = opener.send((node, connection.and_then(Connection::authenticate_again)));
                    waker.wake();
                });
            }
        }
    }

    fn link(&self, node: Node) -> Option<&Link<T>> {
        self.links.iter().find(|link| link.node == node)
    }

    fn link_mut(&mut self, node: Node) -> Option<&mut Link<T>> {
        self.links.iter_mut().find(|link| link.node == node)
    }
}

/// Whether another try, or another broker, would fail in the same way.
fn is_hopeless(error: &WireError) -> bool {
    matches!(
        error.bare(),
        WireError::Authentication { .. }
            | WireError::Tls(_)
            | WireError::WantsTls
            | WireError::WantsSasl(_)
            | WireError::HasNoSasl(_)
            | WireError::NotKafka(_)
            | WireError::Unsupported(_)
    )
}

/// Sends a request that only an accepted client may send; if the listener closes the connection, the error has the
/// reason.
fn prove(mut connection: Connection) -> Result<Connection, WireError> {
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    match connection.send(&request) {
        Ok(_) => Ok(connection),
        Err(error) => Err(error.at(connection.address())),
    }
}
