//! The admin client's connections, one for each broker, opened when first needed.
//!
//! For requests to any broker, the first that answers is taken (`first_answer`).

use std::time::Duration;

use crate::client::first_answer::{self, any_of};
use crate::wire::{Connection, ConnectionOptions, HostPort, WireError};

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

    /// Adds brokers that can be asked when the bootstrap brokers are gone.
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

    /// Takes out the open connection to `address`, for use on another thread.
    pub(super) fn take(&mut self, address: &HostPort) -> Option<Connection> {
        self.place_of(address).map(|place| self.connections.remove(place))
    }

    /// Puts a connection back, or a new one in.
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

    /// A connection to the first broker that answers, of those that the user named or, after them, of all that are known.
    fn open_first(&self, limit: Duration) -> Result<Connection, WireError> {
        let others = self.known.iter().filter(|known| !self.bootstrap.contains(known));
        let addresses: Vec<HostPort> = self.bootstrap.iter().chain(others).cloned().collect();
        let opened = first_answer::open_first(&addresses, &self.options_within(limit));
        opened.map_err(|failure| match failure {
            WireError::At { failure, .. } if addresses.len() > 1 && failure.is_passing() => {
                failure.at(any_of(&self.bootstrap))
            }
            other => other,
        })
    }

    /// The options with no step longer than `limit`.
    pub(super) fn options_within(&self, limit: Duration) -> ConnectionOptions {
        let mut options = self.options.clone();
        options.connect_timeout = options.connect_timeout.min(limit);
        options.request_timeout = options.request_timeout.min(limit);
        options
    }
}
