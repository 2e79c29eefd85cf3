//! The source of a password: never the command line, which every user of the machine can see.

use std::path::PathBuf;

use crate::client::secrets::{self, LONGEST_PASSWORD, terminal};
use crate::error::{Error, Result};
use crate::wire::Secret;

/// The source of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordSource {
    /// Typed twice, without echo.
    Prompt,
    /// A file's content; `-` is stdin.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// The output of a shell command.
    Command(String),
}

/// The password, without the line end that files and commands end with.
pub(super) fn read(source: &PasswordSource, user: &str) -> Result<Secret> {
    let text = match source {
        PasswordSource::Prompt => typed(user)?,
        PasswordSource::File(path) if path.as_os_str() == "-" => {
            secrets::text_of(std::io::stdin().lock(), "stdin", LONGEST_PASSWORD)?
        }
        PasswordSource::File(path) => {
            let place = path.display().to_string();
            let file = std::fs::File::open(path).map_err(|error| Error::from(error).context(&place))?;
            secrets::text_of(file, &place, LONGEST_PASSWORD)?
        }
        PasswordSource::Variable(name) => std::env::var(name)
            .map_err(|_| Error::usage(format!("the environment has no variable {name} with a text")))?,
        PasswordSource::Command(line) => secrets::printed_by(line, LONGEST_PASSWORD)
            .map_err(|error| error.context("cannot get the password"))?,
    };
    let text = secrets::without_line_end(&text);
    if text.is_empty() {
        return Err(Error::usage("the password is empty"));
    }
    Ok(Secret::new(text))
}

fn typed(user: &str) -> Result<String> {
    if !terminal::is_there() {
        return Err(
            Error::usage("a password is needed, and there is no terminal to ask on")
                .hint("give --password-file, --password-env or --password-command"),
        );
    }
    let first = terminal::ask_unseen(&format!("Password of {user}: "))?;
    if terminal::ask_unseen("The same once more: ")? != first {
        return Err(Error::usage("the two passwords differ; nothing changed"));
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_password_is_refused() {
        let command = |line: &str| read(&PasswordSource::Command(line.to_owned()), "u");
        assert_eq!(command("echo 'a b'").unwrap().reveal(), "a b");
        assert!(command("true").is_err());
        assert!(command("echo; exit 3").is_err());
    }
}
