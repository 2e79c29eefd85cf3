//! The sources of secrets that are not in a setting: a file, a command, a keyring, the terminal.
//!
//! Owns how each is read. The caller knows what a secret is for, and when it is needed.

pub mod terminal;

use std::fmt;
use std::io::Read;
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// The longest password that is read, in bytes, so that a wrong file is noticed.
pub const LONGEST_PASSWORD: u64 = 4096;

/// The output of a shell command, without the line end. It shares our stderr, so that its messages are seen.
///
/// # Errors
///
/// The command cannot be run, fails, or prints more than `most` bytes or no UTF-8. The message does not have
/// its output.
pub fn printed_by(line: &str, most: u64) -> Result<String> {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    output_of(command, "the command", most)
}

/// The password of `account` at `service` in the keyring of the desktop, from the system's own tool.
///
/// The keyring is read by a command: a library for it would need a D-Bus client.
pub fn from_keyring(service: &str, account: &str) -> Result<String> {
    let mut command = if cfg!(target_os = "macos") {
        let mut command = Command::new("security");
        command.args(["find-generic-password", "-s", service, "-a", account, "-w"]);
        command
    } else {
        let mut command = Command::new("secret-tool");
        command.args(["lookup", "service", service, "username", account]);
        command
    };
    command.stderr(Stdio::null());
    let program = command.get_program().to_string_lossy().into_owned();
    let text = output_of(command, &program, LONGEST_PASSWORD)?;
    if text.is_empty() {
        return Err(Error::failed(format!("{program} found no password")));
    }
    Ok(text)
}

fn output_of(mut command: Command, what: &str, most: u64) -> Result<String> {
    let failed = |why: &dyn fmt::Display| Error::failed(format!("{what} failed: {why}"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Error::from(error).context(format!("{what} cannot be run")))?;
    let text = match child.stdout.take() {
        Some(stdout) => text_of(stdout, what, most),
        None => Ok(String::new()),
    };
    // Since its pipe is closed, a command with endless output ends too.
    let status = child.wait().map_err(|error| failed(&error))?;
    let text = text?;
    if status.success() {
        Ok(without_line_end(&text).to_owned())
    } else {
        Err(failed(&status))
    }
}

/// The text of a reader; more than `most` bytes are an error.
pub fn text_of(reader: impl Read, place: &str, most: u64) -> Result<String> {
    let mut bytes = Vec::new();
    reader
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::from(error).context(place))?;
    if bytes.len() as u64 > most {
        return Err(Error::bad_data(format!("{place}: more than {most} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| Error::bad_data(format!("{place}: it is not UTF-8")))
}

/// The text without the line end that files and commands end with.
pub fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_end_of_a_command_s_output_is_no_part_of_it() {
        let printed = |line: &str| printed_by(line, LONGEST_PASSWORD);
        for line in ["printf 'a b'", "echo 'a b'", "printf 'a b\\r\\n'"] {
            assert_eq!(printed(line).unwrap(), "a b", "{line}");
        }
        assert!(printed("echo x; exit 3").is_err());
        assert!(printed("head -c 5000 /dev/zero").is_err());
        assert!(printed("yes").is_err());
    }
}
