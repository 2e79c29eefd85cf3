//! Asks for a secret on the terminal, whatever stdin and stdout are: what is typed is not shown.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use crate::error::{Error, Result};

/// The bytes of control keys.
const INTERRUPT: u8 = 3;
const END: u8 = 4;
const BACKSPACE: u8 = 8;
const CLEAR_LINE: u8 = 21;
const DELETE: u8 = 127;

/// The longest answer, in bytes.
const LONGEST: usize = 4096;

/// Whether there is a terminal on which a user can see a question and answer it.
pub fn is_there() -> bool {
    io::stderr().is_terminal() && open().is_ok()
}

fn open() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

/// Asks, and returns the line that is typed.
///
/// # Errors
///
/// There is no terminal; Ctrl-C (`Kind::Interrupted`).
pub fn ask_unseen(question: &str) -> Result<String> {
    let terminal = open().map_err(|error| Error::from(error).context("the terminal"))?;
    let mut screen = &terminal;
    // Hides the input before the question, for a user who types at once.
    let unseen = Unseen::begin(&terminal)?;
    write!(screen, "{question}")?;
    screen.flush()?;
    let answer = read_line(&mut &terminal);
    drop(unseen);
    writeln!(screen)?;
    answer
}

/// A terminal without echo that delivers each key; when dropped it is restored.
struct Unseen<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Unseen<'a> {
    fn begin(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut unseen = before.clone();
        // Ctrl-C arrives as a key, so that the terminal can be restored before the program ends.
        unseen
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        unseen.special_codes[SpecialCodeIndex::VMIN] = 1;
        unseen.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Flush, &unseen)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Unseen<'_> {
    fn drop(&mut self) {
        // A terminal that is gone cannot be restored.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

fn read_line(keys: &mut impl Read) -> Result<String> {
    let mut line = Vec::new();
    let mut key = [0];
    while keys.read(&mut key)? != 0 {
        match key[0] {
            b'\n' | b'\r' | END => break,
            INTERRUPT => return Err(Error::interrupted()),
            BACKSPACE | DELETE => take_last_letter(&mut line),
            CLEAR_LINE => line.clear(),
            _ if line.len() == LONGEST => return Err(Error::usage("the answer is too long")),
            byte => line.push(byte),
        }
    }
    String::from_utf8(line).map_err(|_| Error::usage("the answer is not UTF-8"))
}

/// Removes a character, which may have several bytes in UTF-8: those after the first begin with the
/// bits 10.
fn take_last_letter(line: &mut Vec<u8>) {
    while line.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn keys_that_correct_are_no_part_of_the_answer() {
        for (keys, answer) in [
            ("secret\nrest", "secret"),
            ("secrex\u{7f}t\r", "secret"),
            ("wrong\u{15}right\n", "right"),
            ("gr\u{fc}\u{7f}\u{fc}n\u{4}", "gr\u{fc}n"),
            ("\u{7f}\u{7f}a\n", "a"),
            ("", ""),
        ] {
            assert_eq!(read_line(&mut keys.as_bytes()).unwrap(), answer, "{keys:?}");
        }
        let interrupted = read_line(&mut &b"ab\x03"[..]).unwrap_err();
        assert_eq!(interrupted.kind(), Kind::Interrupted);
        assert!(read_line(&mut "x".repeat(5000).as_bytes()).is_err());
    }
}
