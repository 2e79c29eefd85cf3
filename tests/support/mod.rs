//! What every test stands on: the real binary in a clean environment.

pub mod cluster;
pub mod suite;
pub mod terminal;
