//! Puts the program's own papers and names in place: completions, man pages, links.

use std::path::Path;

use super::Context;
use crate::error::{Error, Result};

pub fn completions(_shell: clap_complete::Shell, _context: &mut Context) -> Result<()> {
    Err(Error::failed("this command is being built"))
}

pub fn man(_dir: Option<&Path>, _context: &mut Context) -> Result<()> {
    Err(Error::failed("this command is being built"))
}

pub fn links(_dir: &Path, _force: bool, _context: &mut Context) -> Result<()> {
    Err(Error::failed("this command is being built"))
}
