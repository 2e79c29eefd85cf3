//! The admin client's connections, one a broker, opened when first needed.

use std::time::Duration;

use crate::wire::{Connection, ConnectionOptions, HostPort, WireError};

/// Connections by address, and where to ask first.
#[derive(Debug)]
pub(super) struct Pool {
    bootstrap: Vec<HostPort>,
    options: ConnectionOptions,
    connections: Vec<Connection>,
}

impl Pool {
    pub(super) fn new(bootstrap: Vec<HostPort>, options: ConnectionOptions) -> Self {
        Self {
            bootstrap,
            options,
            connections: Vec::new(),
        }
    }

    /// A connection to any broker: one that stands, or else to the first bootstrap broker that answers.
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
        let standing = self
            .connections
            .iter()
            .position(|connection| connection.address() == address);
        let place = if let Some(place) = standing {
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

    fn open_first(&self, limit: Duration) -> Result<Connection, WireError> {
        let options = self.options_within(limit);
        let mut failure = None;
        for address in &self.bootstrap {
            match Connection::open(address, &options) {
                Ok(connection) => return Ok(connection),
                // What stays wrong tells more than what may pass.
                Err(error) if failure.as_ref().is_none_or(WireError::is_passing) => failure = Some(error),
                Err(_) => {}
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

    fn options_within(&self, limit: Duration) -> ConnectionOptions {
        let mut options = self.options.clone();
        options.connect_timeout = options.connect_timeout.min(limit);
        options
    }
}
