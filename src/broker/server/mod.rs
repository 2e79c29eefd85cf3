//! The sockets of a node: what accepts a connection, reads requests from it and writes responses to it.
//!
//! [`accept`] listens, [`session`] serves one connection, [`connections`] counts them, [`connection_limits`] limits
//! them, [`stream`] reads and writes their bytes, [`send`] writes frames. Owns no field of any API: the table in
//! `apis` decides which handler answers.

pub(in crate::broker) mod accept;
mod connection_limits;
pub mod connections;
mod request_log;
mod send;
pub(in crate::broker) mod session;
mod stream;
mod thread_time;
