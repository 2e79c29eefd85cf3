//! Asking a person at a terminal before something is destroyed.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::error::Result;

/// Whether somebody sits there who can see the question and answer it.
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

/// Asks for something that nobody else may see: what is typed is not shown.
pub fn ask_secret(question: &str) -> Result<String> {
    let stdin = io::stdin();
    let mut stderr = io::stderr().lock();
    let before = tcgetattr(&stdin).map_err(io::Error::from)?;
    let mut unseen = before.clone();
    unseen.local_modes.remove(LocalModes::ECHO);
    write!(stderr, "{question}")?;
    stderr.flush()?;
    tcsetattr(&stdin, OptionalActions::Flush, &unseen).map_err(io::Error::from)?;
    let mut answer = String::new();
    let read = stdin.lock().read_line(&mut answer);
    // The terminal is as it was, whatever came of the answer.
    tcsetattr(&stdin, OptionalActions::Now, &before).map_err(io::Error::from)?;
    writeln!(stderr)?;
    read?;
    let answer = answer.strip_suffix('\n').unwrap_or(&answer);
    Ok(answer.strip_suffix('\r').unwrap_or(answer).to_owned())
}
