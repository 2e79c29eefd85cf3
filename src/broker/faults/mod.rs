//! Fault injection: requests that fail, wait, or get no answer, by rules that tests set.
//!
//! [`rule`] is a rule, [`rule_text`] its text form, and [`table`] decides which rules hit a request: all pure.
//! [`gate`] applies them between a request's header and its handler; [`error_answer`] makes answers with an error, in
//! the shape of real ones.

mod error_answer;
pub(in crate::broker) mod gate;
pub mod rule;
pub mod rule_text;
pub mod table;
pub(in crate::broker) mod topics;
