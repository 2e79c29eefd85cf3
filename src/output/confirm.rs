//! Asking the user at a terminal before something is destroyed.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::error::Result;

/// Whether there is a user who can see the question and answer it.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Shows `lines`, asks, and says whether the answer was yes; anything else is no.
pub fn ask(lines: &str, question: &str) -> Result<bool> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{lines}\n{question} [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
