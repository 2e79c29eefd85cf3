//! Looks into the files of a log directory: opens them by kind, walks them, hands rows to the printer.
//!
//! Owns what the native face can be asked for; `java` keeps the order of things of kafka-dump-log.

mod batch_bytes;
mod batches;
mod entries;
pub mod files;
mod gaps;
mod in_order;
pub mod java;
mod java_batches;
mod java_index;
mod java_log;
mod java_records;
mod records;
mod recover;
mod segment;
mod stats;
mod verify;

use std::path::{Path, PathBuf};

use self::files::{DumpFile, Kind};
use super::Context;
use crate::error::{Error, Result};
use crate::output::log_dump::rows::Rows;

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
    /// A line a batch, and the entries of everything that is no log.
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

/// Which part of the logs.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The first offset.
    pub from: i64,
    /// The offset behind the last.
    pub to: i64,
    /// Milliseconds since 1970.
    pub since: Option<i64>,
    /// Milliseconds since 1970, not included.
    pub until: Option<i64>,
}

impl Range {
    /// Whether a record of this time is asked for.
    fn has_time(&self, timestamp: i64) -> bool {
        self.since.is_none_or(|since| timestamp >= since) && self.until.is_none_or(|until| timestamp < until)
    }

    fn has_offset(&self, offset: i64) -> bool {
        self.from <= offset && offset < self.to
    }
}

/// Runs it.
pub fn run(action: &Action, context: &mut Context) -> Result<()> {
    if action.paths.iter().any(|path| path == Path::new("-")) {
        if action.paths.len() > 1 {
            return Err(Error::usage("stdin (-) is read alone, without other files"));
        }
        let file = DumpFile {
            path: PathBuf::from("-"),
            kind: Kind::Log,
            base_offset: 0,
        };
        return show(action, &[file], context);
    }
    let files = files::find(&action.paths)?;
    show(action, &files, context)
}

fn show(action: &Action, files: &[DumpFile], context: &mut Context) -> Result<()> {
    let logs = || files.iter().filter(|file| file.kind == Kind::Log);
    match &action.view {
        View::Batches => {
            let mut rows = Rows::new(context.printer.format());
            for file in files {
                let title = (files.len() > 1).then(|| file.short_name());
                if file.kind == Kind::Log {
                    batches::show(
                        file,
                        title.as_deref(),
                        action.range,
                        &mut rows,
                        &mut context.printer,
                    )?;
                } else {
                    entries::show(file, title.as_deref(), &mut rows, &mut context.printer)?;
                }
            }
            rows.end(context.printer.out())
        }
        View::Records(how) => {
            logs().try_for_each(|file| records::show(file, how, action.range, &mut context.printer))
        }
        View::Stats => stats::show(&logs().collect::<Vec<_>>(), action.range, &mut context.printer),
        View::Verify => verify::show(files, &mut context.printer),
        View::Recover(out) => match logs().collect::<Vec<_>>().as_slice() {
            [file] => recover::run(file, out, action.range, &mut context.printer),
            found => Err(Error::usage(format!(
                "--recover takes one log, not {}",
                found.len()
            ))),
        },
    }
}
