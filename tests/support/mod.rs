//! The common parts of all tests: the real program in a clean environment.

pub mod certificates;
pub mod cluster;
pub mod cutting_proxy;
pub mod gate;
pub mod picture;
pub mod prompt;
pub mod random;
pub mod shell;
pub mod suite;
pub mod terminal;
pub mod wait;
