//! The admin client's connections, one a broker, opened when first needed.
//!
//! Where any broker will do, the first that answers is taken: a broker that is gone, frozen or behind a firewall is not
//! waited for while another one can be asked.

use std::collections::VecDeque;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::wire::{Connection, ConnectionOptions, HostPort, WireError};

/// How long a broker is waited for before the next one is tried as well.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connections by address, and where to ask first.
#[derive(Debug)]
pub(super) struct Pool {
    bootstrap: Vec<HostPort>,
    /// The brokers that the cluster names itself.
    known: Vec<HostPort>,
    options: ConnectionOptions,
    connections: Vec<Connection>,
}

impl Pool {
    pub(super) fn new(bootstrap: Vec<HostPort>, options: ConnectionOptions) -> Self {
        Self {
            bootstrap,
            known: Vec::new(),
            options,
            connections: Vec::new(),
        }
    }

    /// Brokers that can be asked as well when the bootstrap brokers are gone.
    pub(super) fn learn(&mut self, brokers: &[HostPort]) {
        self.known = brokers.to_vec();
    }

    /// Whether there is another broker to ask when one does not answer.
    pub(super) fn has_choice(&self) -> bool {
        self.bootstrap.len() > 1 || self.known.len() > 1
    }

    /// A connection to any broker: an open one, or else to the first broker that answers.
    pub(super) fn anybody(&mut self, limit: Duration) -> Result<&mut Connection, WireError> {
        if self.connections.is_empty() {
            let connection = self.open_first(limit)?;
            self.connections.push(connection);
        }
        let request_timeout = self.options.request_timeout;
        let connection = self.connections.first_mut().ok_or(WireError::Closed)?;
        connection.set_request_timeout(request_timeout.min(limit));
        Ok(connection)
    }

    /// A connection to the broker at `address`.
    pub(super) fn at(&mut self, address: &HostPort, limit: Duration) -> Result<&mut Connection, WireError> {
        let open = self.place_of(address);
        let place = if let Some(place) = open {
            place
        } else {
            let connection = Connection::open(address, &self.options_within(limit))?;
            self.connections.push(connection);
            self.connections.len() - 1
        };
        let request_timeout = self.options.request_timeout;
        let connection = self.connections.get_mut(place).ok_or(WireError::Closed)?;
        connection.set_request_timeout(request_timeout.min(limit));
        Ok(connection)
    }

    /// Forgets a connection that failed.
    pub(super) fn close(&mut self, address: &HostPort) {
        self.connections
            .retain(|connection| connection.address() != address);
    }

    /// Lends out the open connection to `address`, for use on another thread.
    pub(super) fn take(&mut self, address: &HostPort) -> Option<Connection> {
        self.place_of(address).map(|place| self.connections.remove(place))
    }

    /// Takes a connection back, or a new one in.
    pub(super) fn put(&mut self, connection: Connection) {
        if self.place_of(connection.address()).is_none() {
            self.connections.push(connection);
        }
    }

    fn place_of(&self, address: &HostPort) -> Option<usize> {
        self.connections
            .iter()
            .position(|connection| connection.address() == address)
    }

    /// Tries the brokers one after the other, the next as soon as one has failed or has kept us waiting for a moment,
    /// and takes the first that answers. A broker that is frozen accepts connections and then says nothing.
    fn open_first(&self, limit: Duration) -> Result<Connection, WireError> {
        let options = self.options_within(limit);
        let end = Instant::now() + options.connect_timeout;
        let mut waiting: VecDeque<&HostPort> = self.bootstrap.iter().collect();
        let others = self.known.iter().filter(|known| !self.bootstrap.contains(known));
        waiting.extend(others);
        if let [only] = *waiting.make_contiguous() {
            return Connection::open(only, &options);
        }
        let (sender, answers) = mpsc::channel();
        let mut under_way = 0;
        let mut failure: Option<WireError> = None;
        loop {
            if let Some(address) = waiting.pop_front() {
                let (sender, address, options) = (sender.clone(), address.clone(), options.clone());
                thread::spawn(move || {
                    // Nobody listens any more once another broker has answered.
                    let _ = sender.send(Connection::open(&address, &options));
                });
                under_way += 1;
            }
            if under_way == 0 {
                break;
            }
            let left = end.saturating_duration_since(Instant::now());
            let wait = if waiting.is_empty() {
                left
            } else {
                left.min(HEAD_START)
            };
            match answers.recv_timeout(wait) {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => {
                    under_way -= 1;
                    // What stays wrong tells more than what may pass.
                    if failure.as_ref().is_none_or(WireError::is_passing) {
                        failure = Some(error);
                    }
                }
                Err(RecvTimeoutError::Timeout) if !left.saturating_sub(wait).is_zero() => {}
                Err(_) => {
                    failure = failure.filter(|failure| !failure.is_passing()).or(Some(
                        WireError::TimedOut(options.connect_timeout).at(self.all_of_them()),
                    ));
                    break;
                }
            }
        }
        let failure = failure.unwrap_or(WireError::Closed);
        Err(match failure {
            WireError::At { failure, .. } if failure.is_passing() => failure.at(self.all_of_them()),
            other => other,
        })
    }

    /// The bootstrap brokers as a phrase: `a:9092, b:9092 or c:9092`.
    fn all_of_them(&self) -> String {
        let names: Vec<String> = self.bootstrap.iter().map(ToString::to_string).collect();
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => names.join(""),
        }
    }

    /// The options with no step longer than `limit`.
    pub(super) fn options_within(&self, limit: Duration) -> ConnectionOptions {
        let mut options = self.options.clone();
        options.connect_timeout = options.connect_timeout.min(limit);
        options.request_timeout = options.request_timeout.min(limit);
        options
    }
}
