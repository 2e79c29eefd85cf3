//! The sockets of a node: what accepts a connection, reads requests from it and writes responses to it.
//!
//! [`accept`] listens, [`session`] serves one connection, [`connections`] counts them, [`connection_limits`] limits them,
//! [`stream`] is what their bytes go through, [`send`] writes frames. Owns
//! no field of any API: which handler answers is decided by the table in `apis`.

pub(in crate::broker) mod accept;
mod connection_limits;
pub mod connections;
mod request_log;
mod send;
pub(in crate::broker) mod session;
mod stream;
mod thread_time;
