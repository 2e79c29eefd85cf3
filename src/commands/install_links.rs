//! Prints or installs the program's own documents and names: completions, man pages, links.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::command::{Command, Needs};
use super::context::Context;
use crate::error::{Error, Kind, Result, io_words};
use crate::output::plural;

/// A man page: the name of its file, and its text.
#[derive(Debug)]
pub struct Page {
    pub file: String,
    pub text: Vec<u8>,
}

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    /// A text to print, and the same with colours where it has them.
    Text { plain: String, coloured: Option<String> },
    /// The script to print.
    Completions(Vec<u8>),
    /// Pages to print (the first), or to write into a directory (all).
    Man { pages: Vec<Page>, dir: Option<PathBuf> },
    /// Links to this program under these names; `force` replaces other files of these names.
    InstallLinks {
        names: Vec<String>,
        dir: PathBuf,
        force: bool,
    },
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        match *self {
            Self::Text { plain, coloured } => {
                // Coloured text has already been fitted to the terminal.
                match coloured {
                    Some(coloured) if context.printer.is_coloured() => context.printer.text(coloured),
                    Some(_) => context.printer.text(plain),
                    None => context.printer.prose(&plain),
                }
            }
            Self::Completions(script) => completions(&script, context),
            Self::Man { pages, dir } => man(&pages, dir.as_deref(), context),
            Self::InstallLinks { names, dir, force } => links(&names, &dir, force, context),
        }
    }
}

fn completions(script: &[u8], context: &mut Context) -> Result<()> {
    Ok(context.printer.out().write_all(script)?)
}

/// The first page to stdout, or all of them into a directory.
fn man(pages: &[Page], dir: Option<&Path>, context: &mut Context) -> Result<()> {
    let Some(dir) = dir else {
        let first = pages.first().map_or(&[][..], |page| &page.text);
        return Ok(context.printer.out().write_all(first)?);
    };
    fs::create_dir_all(dir).map_err(|error| in_the_way(&error, dir))?;
    for page in pages {
        let path = dir.join(&page.file);
        fs::write(&path, &page.text).map_err(|error| in_the_way(&error, &path))?;
    }
    context.printer.note(format_args!(
        "{} in {}",
        plural(pages.len() as u64, "man page"),
        dir.display()
    ));
    Ok(())
}

/// Makes a link to this program under each name. Other files of these names stay, unless `force`.
fn links(names: &[String], dir: &Path, force: bool, context: &mut Context) -> Result<()> {
    let program = std::env::current_exe()?;
    let program = fs::canonicalize(&program).unwrap_or(program);
    fs::create_dir_all(dir).map_err(|error| in_the_way(&error, dir))?;
    let mut foreign = Vec::new();
    let mut made: u64 = 0;
    for name in names {
        let path = dir.join(name);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(in_the_way(&error, &path)),
            Ok(_) if fs::canonicalize(&path).is_ok_and(|target| target == program) => continue,
            Ok(found) if found.is_dir() || !force => {
                foreign.push(name.as_str());
                continue;
            }
            Ok(_) => fs::remove_file(&path).map_err(|error| in_the_way(&error, &path))?,
        }
        symlink(&program, &path).map_err(|error| in_the_way(&error, &path))?;
        made += 1;
    }
    context.printer.note(format_args!(
        "{} made in {}, {} in all",
        plural(made, "link"),
        dir.display(),
        names.len() - foreign.len()
    ));
    if foreign.is_empty() {
        return Ok(());
    }
    Err(
        Error::failed(format!("{} in {} is not ours", foreign.join(", "), dir.display()))
            .hint("--force replaces files of other programs"),
    )
}

pub(super) fn in_the_way(error: &io::Error, path: &Path) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => Kind::NotFound,
        _ => Kind::Failed,
    };
    Error::new(
        kind,
        format_args!("cannot write {}: {}", path.display(), io_words(error)),
    )
}
