//! Where a password comes from. Never from the command line, which every user of the machine can see.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::error::{Error, Result};
use crate::output::confirm;
use crate::wire::Secret;

/// The longest password that is read, in bytes; a file of another kind is noticed before it is hashed.
const LONGEST: u64 = 4096;

/// Where a password comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordSource {
    /// Typed twice, unseen.
    Prompt,
    /// A file's content; `-` is stdin.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// What a shell command prints.
    Command(String),
}

/// The password, without the line end that files and commands end with.
pub(super) fn read(source: &PasswordSource, user: &str) -> Result<Secret> {
    let text = match source {
        PasswordSource::Prompt => typed(user)?,
        PasswordSource::File(path) if path.as_os_str() == "-" => text_of(std::io::stdin().lock(), "stdin")?,
        PasswordSource::File(path) => {
            let place = path.display().to_string();
            let file = std::fs::File::open(path).map_err(|error| Error::from(error).context(&place))?;
            text_of(file, &place)?
        }
        PasswordSource::Variable(name) => std::env::var(name)
            .map_err(|_| Error::usage(format!("the environment has no variable {name} with a text")))?,
        PasswordSource::Command(line) => printed_by(line)?,
    };
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(Error::usage("the password is empty"));
    }
    Ok(Secret::new(text))
}

fn typed(user: &str) -> Result<String> {
    if !confirm::can_ask() {
        return Err(
            Error::usage("a password is needed, and there is no terminal to ask on")
                .hint("give --password-file, --password-env or --password-command"),
        );
    }
    let first = confirm::ask_secret(&format!("Password of {user}: "))?;
    if confirm::ask_secret("The same once more: ")? != first {
        return Err(Error::usage("the two passwords differ; nothing changed"));
    }
    Ok(first)
}

fn printed_by(line: &str) -> Result<String> {
    let failed = |why: &dyn std::fmt::Display| Error::failed(format!("the password command failed: {why}"));
    let mut child = Command::new("sh")
        .args(["-c", line])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Error::from(error).context("the password command cannot be run"))?;
    let text = match child.stdout.take() {
        Some(stdout) => text_of(stdout, "the password command")?,
        None => String::new(),
    };
    let status = child.wait().map_err(|error| failed(&error))?;
    if status.success() {
        Ok(text)
    } else {
        Err(failed(&status))
    }
}

fn text_of(reader: impl Read, place: &str) -> Result<String> {
    let mut bytes = Vec::new();
    reader
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::from(error).context(place))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::bad_data(format!(
            "{place}: a password has {LONGEST} bytes at most"
        )));
    }
    String::from_utf8(bytes).map_err(|_| Error::bad_data(format!("{place}: the password is not UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_end_of_files_and_commands_is_no_part_of_it() {
        let command = |line: &str| read(&PasswordSource::Command(line.to_owned()), "u");
        for line in ["printf 'a b'", "echo 'a b'", "printf 'a b\\r\\n'"] {
            assert_eq!(command(line).unwrap().reveal(), "a b", "{line}");
        }
        assert!(command("true").is_err());
        assert!(command("echo x; exit 3").is_err());
        assert!(command("head -c 5000 /dev/zero").is_err());
    }
}
