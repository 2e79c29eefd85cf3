//! Shows the files of a log directory: opens them by kind, reads them, passes rows to the printer.
//!
//! Owns the action of the native face.

mod batches;
mod entries;
mod records;
mod recover;
mod stats;
mod verify;

use std::path::{Path, PathBuf};

use super::command::{Command, Needs};
use super::context::Context;
use crate::error::{Error, Result};
use crate::output::log_dump::rows::Rows;
use crate::output::{Printer, plural};
use crate::storage::read_only::{self, Kind, LogDirFile};

pub use crate::storage::read_only::Range;

/// What the user asked for.
#[derive(Debug)]
pub struct Action {
    /// Files and folders; `-` is stdin.
    pub paths: Vec<PathBuf>,
    pub view: View,
    pub range: Range,
}

/// What to show of the files.
#[derive(Clone, Debug)]
pub enum View {
    /// A line for each batch, and for each entry of other files.
    Batches,
    Records(Records),
    Stats,
    Verify,
    /// Good batches to a new file.
    Recover(PathBuf),
}

/// How to show records.
#[derive(Clone, Debug)]
pub enum Records {
    Template(String),
    Json,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        run(&self, context)
    }
}

/// Shows the files.
pub fn run(action: &Action, context: &mut Context) -> Result<()> {
    if action.paths.iter().any(|path| path == Path::new("-")) {
        if action.paths.len() > 1 {
            return Err(Error::usage("stdin (-) is read alone, without other files"));
        }
        return show(action, &[LogDirFile::stdin()], context);
    }
    let files = read_only::find(&action.paths)?;
    show(action, &files, context)
}

fn show(action: &Action, files: &[LogDirFile], context: &mut Context) -> Result<()> {
    let logs: Vec<LogDirFile> = files
        .iter()
        .filter(|file| file.kind == Kind::Log)
        .cloned()
        .collect();
    let wants_logs = matches!(action.view, View::Records(_) | View::Stats | View::Recover(_));
    if wants_logs && logs.is_empty() {
        let of_all = plural(files.len() as u64, "file");
        return Err(Error::not_found(format!("no log among {of_all}"))
            .hint("the entries of other files are shown by default"));
    }
    let range = action.range;
    let printer = &mut context.printer;
    let mut rows = Rows::new(printer.format());
    match &action.view {
        View::Batches => {
            let seen = each_file(files, printer, |file, printer| {
                let title = (files.len() > 1).then(|| file.short_name());
                if file.kind == Kind::Log {
                    batches::show(file, title.as_deref(), range, &mut rows, printer)
                } else {
                    entries::show(file, title.as_deref(), &mut rows, printer).map(|()| 0)
                }
            });
            rows.end(printer.out())?;
            seen
        }
        View::Records(how) => each_file(&logs, printer, |file, printer| {
            records::show(file, how, range, printer)
        }),
        View::Stats => {
            let mut is_first = true;
            let seen = each_file(&logs, printer, |file, printer| {
                let is_first = std::mem::replace(&mut is_first, false);
                stats::show(file, is_first, range, &mut rows, printer)
            });
            rows.end(printer.out())?;
            seen
        }
        View::Verify => verify::show(files, printer),
        View::Recover(out) => match logs.as_slice() {
            [file] => recover::run(file, out, range, printer),
            found => Err(Error::usage(format!(
                "--recover takes one log, not {}",
                found.len()
            ))),
        },
    }
}

/// Shows every file, even if others are corrupt. `show` returns the number of corrupt places in a file.
fn each_file(
    files: &[LogDirFile],
    printer: &mut Printer,
    mut show: impl FnMut(&LogDirFile, &mut Printer) -> Result<u64>,
) -> Result<()> {
    let (mut corrupt, mut failed) = (0, Vec::new());
    for file in files {
        match show(file, printer) {
            Ok(places) => corrupt += places,
            Err(error) if files.len() == 1 || is_of_output(&error) => return Err(error),
            Err(error) => {
                printer.warn(format_args!("kafkit: {error}"));
                failed.push(error.kind());
            }
        }
    }
    let of_all = plural(files.len() as u64, "file");
    if let Some(kind) = failed.first() {
        let failed = failed.len();
        return Err(Error::new(
            *kind,
            format!("{failed} of {of_all} could not be read"),
        ));
    }
    if corrupt > 0 {
        let what = plural(corrupt, "corrupt place");
        return Err(Error::bad_data(format!("{what} in {of_all}"))
            .hint("--verify says where, and what a broker would do"));
    }
    Ok(())
}

/// Whether the error is that the reader of our output has gone.
fn is_of_output(error: &Error) -> bool {
    error
        .cause::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
