//! Opens files of a log directory by kind, walks them, hands rows to the printer.

use super::Context;
use crate::error::{Error, Result};

/// What the user asked for.
#[derive(Debug)]
pub struct Action {}

pub fn run(_action: Action, _context: &mut Context) -> Result<()> {
    Err(Error::failed("this command is being built"))
}
