//! Coordinators: state of clients that is kept in an internal topic and read back from it after a restart.
//!
//! [`group`] coordinates consumer groups. Owns no log (node) and no protocol message (handlers).

pub mod group;
