//! A cluster that is looked at again and again, as values: what looks found, rates, what is on the screen.
//!
//! Pure: samples and keys in, rows and questions out. Owns no socket, no clock, no terminal and no layout;
//! `commands/top` takes the samples and `output/top` shows what this room knows.

pub mod counter;
pub mod field;
pub mod figures;
pub mod page;
mod rows;
pub mod sample;
#[cfg(test)]
pub(crate) mod scene;
pub mod schedule;
pub mod top_state;
#[cfg(test)]
mod top_state_test;
