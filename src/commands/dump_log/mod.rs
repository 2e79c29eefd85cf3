//! Looks into the files of a log directory: opens them by kind, walks them, hands rows to the printer.
//!
//! Owns the order of things for both faces; `java` keeps Java's, `native` is ours.

pub mod in_order;
pub mod java;
mod java_batches;
mod java_index;
mod java_log;

use super::Context;
use crate::error::{Error, Result};

/// What the user asked for.
#[derive(Debug)]
pub struct Action {}

pub fn run(_action: Action, _context: &mut Context) -> Result<()> {
    Err(Error::failed("this command is being built"))
}
