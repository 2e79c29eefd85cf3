//! Faults on purpose: requests that fail, wait, or get no answer, by rules that tests set.
//!
//! [`rule`] is what a rule says, [`rule_text`] how it is written, and [`table`] which rule holds for a request: all pure.
//! [`gate`] is where requests pass, between their header and their handler; [`error_answer`] makes answers that carry an
//! error, in the shape of real ones.

mod error_answer;
pub(in crate::broker) mod gate;
pub mod rule;
pub mod rule_text;
pub mod table;
pub(in crate::broker) mod topics;
