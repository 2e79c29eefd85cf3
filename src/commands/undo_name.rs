//! The name of a new undo file: no existing file is overwritten.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// How many names are tried: `billing.undo.json`, `billing.undo.2.json`, …
const NAMES: usize = 1000;
/// How many characters of `what` become part of the name: groups may have longer names than files.
const NAME_LENGTH: usize = 100;

/// Writes a new file and returns its name. `wanted` must not exist; `None` makes a name of `what`, in the working
/// directory.
pub(super) fn write_new(wanted: Option<&Path>, what: &str, text: &str) -> Result<PathBuf> {
    if let Some(path) = wanted {
        create(path, text).map_err(|error| not_written(path, error))?;
        return Ok(path.to_owned());
    }
    for number in 1..NAMES {
        let path = PathBuf::from(match number {
            1 => format!("{}.undo.json", file_stem(what)),
            number => format!("{}.undo.{number}.json", file_stem(what)),
        });
        match create(&path, text) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                let elsewhere = "nothing was changed; --undo FILE writes it elsewhere";
                return Err(not_written(&path, error).hint(elsewhere));
            }
        }
    }
    Err(Error::failed(format!(
        "too many undo files like {}.undo.json",
        file_stem(what)
    )))
}

fn create(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn not_written(path: &Path, error: std::io::Error) -> Error {
    Error::from(error).context(format_args!("cannot write the undo file {}", path.display()))
}

/// The name with only characters that every file system allows.
fn file_stem(what: &str) -> String {
    let plain = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() || "._-".contains(letter) => letter,
        _ => '_',
    };
    let stem: String = what.chars().take(NAME_LENGTH).map(plain).collect();
    match stem.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_of_any_name_has_a_file() {
        assert_eq!(file_stem("billing-1.x"), "billing-1.x");
        assert_eq!(file_stem("../Größe"), "_._Gr__e");
        assert_eq!(file_stem(&"x".repeat(300)).len(), NAME_LENGTH);
    }
}
