//! The steps of moving replicas: plan, execute, verify, cancel, list, undo.

use super::Context;
use crate::error::{Error, Result};

/// What the user asked for.
#[derive(Debug)]
pub struct Action {}

pub fn run(_action: Action, _context: &mut Context) -> Result<()> {
    Err(Error::failed("this command is being built"))
}
