//! Writes a shell's completion script to where the shell looks for it.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::command::{Command, Needs};
use super::context::Context;
use super::install_links::in_the_way;
use crate::error::{Error, Result};
use crate::output::plural;

/// A word in every script of kafkit, by which it is recognised.
const OURS: &str = "kafkit";

/// What the user asked for.
#[derive(Debug)]
pub struct Action {
    /// The path of the script, and its text.
    pub script: PathBuf,
    pub text: Vec<u8>,
    /// Links to it, in the same folder.
    pub links: Vec<PathBuf>,
    /// What the user should do afterwards.
    pub advice: String,
    pub is_dry_run: bool,
    /// Whether files of others are replaced.
    pub replaces: bool,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        if !self.may_write(&self.script) {
            let message = format!("{} is not of kafkit's making", self.script.display());
            return Err(Error::failed(message).hint("--force replaces it"));
        }
        let (links, foreign): (Vec<_>, Vec<_>) = self.links.iter().partition(|link| self.may_write(link));
        if !self.is_dry_run {
            self.write(&links)?;
        }
        let verb = if self.is_dry_run { "would write" } else { "wrote" };
        context
            .printer
            .line(format_args!("{verb} {}", self.script.display()))?;
        if !links.is_empty() {
            let verb = if self.is_dry_run { "would link" } else { "linked" };
            let count = plural(links.len() as u64, "name");
            context
                .printer
                .line(format_args!("{verb} {count} of Apache Kafka's tools to it"))?;
        }
        for path in foreign {
            context.printer.warning(format_args!(
                "{} is of another program and stays; --force replaces it",
                path.display()
            ));
        }
        context.printer.line(&self.advice)
    }
}

impl Action {
    /// Whether the path may be written: it is free, holds a file of kafkit, or `replaces` is set.
    fn may_write(&self, path: &Path) -> bool {
        if self.replaces || fs::symlink_metadata(path).is_err() {
            return true;
        }
        match fs::read(path) {
            Ok(text) => text.windows(OURS.len()).any(|part| part == OURS.as_bytes()),
            // A dangling link can be replaced.
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    fn write(&self, links: &[&PathBuf]) -> Result<()> {
        if let Some(folder) = self.script.parent() {
            fs::create_dir_all(folder).map_err(|error| in_the_way(&error, folder))?;
        }
        fs::write(&self.script, &self.text).map_err(|error| in_the_way(&error, &self.script))?;
        let target = self.script.file_name().unwrap_or_default();
        for link in links {
            match fs::remove_file(link) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(in_the_way(&error, link));
                }
                _ => symlink(target, link).map_err(|error| in_the_way(&error, link))?,
            }
        }
        Ok(())
    }
}
