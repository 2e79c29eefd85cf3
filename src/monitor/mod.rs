//! A cluster that is sampled repeatedly, as values: results of looks, rates, the state of the screen.
//!
//! Pure: samples and keys in, rows and requests out. Owns no socket, no clock, no terminal and no layout;
//! `commands/top` takes the samples and `output/top` shows the values of this room.

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
