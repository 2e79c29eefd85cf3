//! The Kafka protocol on a connection; shared by client and broker.
//!
//! Owns framing, headers, version choice, the client's connection, TLS and SASL, and one request to
//! an HTTP server; owns no messages (kafka-protocol has them, except versions that it does not
//! know) and knows no settings file.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod channel;
pub mod connection;
pub mod decode;
pub mod error;
pub mod error_codes;
pub mod first_steps;
pub mod frame;
pub mod header;
pub mod host_port;
pub mod http;
mod jks;
pub mod key_store;
pub mod primitives;
pub mod sasl;
pub mod secret;
pub mod security_protocol;
pub mod share_group_offsets;
mod shared_slice;
pub mod system_authorities;
pub mod tls;
pub mod tls_names;
pub mod tls_server;
mod transport;
pub mod versions;

pub use channel::{Answer, Channel, Frame, Piece, Unanswered};
pub use connection::{Connection, ConnectionOptions};
pub use error::WireError;
pub use host_port::{HostPort, Servers};
pub use secret::Secret;
pub use shared_slice::SharedSlice;
