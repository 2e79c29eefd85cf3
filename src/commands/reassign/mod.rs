//! The steps of moving replicas: plan, execute, verify, cancel, list, undo.

pub mod java;
mod throttles;

use super::Context;
use crate::error::{Error, Result};

/// What the user asked for.
#[derive(Debug)]
pub struct Action {}

pub fn run(_action: Action, _context: &mut Context) -> Result<()> {
    Err(Error::failed("this command is being built"))
}

/// A seed for decisions between equals.
fn seed() -> Result<u64> {
    getrandom::u64().map_err(|error| Error::failed(format!("no random numbers: {error}")))
}
