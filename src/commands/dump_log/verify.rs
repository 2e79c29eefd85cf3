//! Everything held against everything: batches, records, indexes, aborted transactions, producers.
//!
//! Owns the order of files and the report. What is wrong with a log is `log_check`'s to say, with a producer
//! `producer_check`'s.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;

use super::entries::{json_object, text_of};
use super::files::{DumpFile, Kind};
use super::log_check::LogCheck;
use super::producer_check::Producers;
use crate::error::{Error, Result};
use crate::output::log_dump::rows::{Cell, Column, Rows, grouped, number, word};
use crate::output::{Format, Printer, plural};
use crate::storage::file_name::FileKind;
use crate::storage::offset_index::{self, OffsetIndex};
use crate::storage::producer_snapshot::SnapshotFile;
use crate::storage::time_index::{self, TimeIndex};
use crate::storage::{checkpoint, leader_epochs, transaction_index};

/// So many problems are told of one file.
const MOST_PROBLEMS: usize = 20;
/// One thing that is wrong.
#[derive(Debug)]
pub(super) struct Problem {
    file: String,
    /// Bytes from the file's start.
    position: Option<u64>,
    what: String,
    last_good_offset: Option<i64>,
    /// What a broker would do.
    broker: Option<String>,
}

/// What is wrong with one file, as far as it is told.
#[derive(Debug, Default)]
pub(super) struct Problems {
    told: Vec<Problem>,
    untold: u64,
}

impl Problems {
    pub(super) fn push(&mut self, problem: Problem) {
        if self.told.len() < MOST_PROBLEMS {
            self.told.push(problem);
        } else {
            self.untold += 1;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.told.len()
    }

    /// Says what a broker would do about the problem number `number`.
    pub(super) fn say_of(&mut self, number: usize, broker: String) {
        if let Some(problem) = self.told.get_mut(number) {
            problem.broker = Some(broker);
        }
    }

    fn count(&self) -> u64 {
        self.told.len() as u64 + self.untold
    }

    /// Those that are told, and how many are not.
    fn told(mut self) -> Vec<Problem> {
        if let Some(last) = self.told.last().filter(|_| self.untold > 0) {
            let more = Problem {
                file: last.file.clone(),
                position: None,
                what: format!("{} more that are not told", plural(self.untold, "problem")),
                last_good_offset: None,
                broker: None,
            };
            self.told.push(more);
        }
        self.told
    }
}

const COLUMNS: &[Column] = &[
    number("POSITION", 10),
    word("PROBLEM", 40),
    number("LAST_GOOD_OFFSET", 16),
    word("BROKER", 20),
];

pub(super) fn show(files: &[DumpFile], printer: &mut Printer) -> Result<()> {
    let mut rows = Rows::new(printer.format());
    let for_people = printer.format() == Format::Table;
    if !for_people {
        rows.begin("", None, COLUMNS, printer.out())?;
    }
    let mut problems = 0;
    let mut producers = Producers::default();
    for file in in_order_of_offsets(files) {
        let found = verify_file(file, &mut producers, printer);
        problems += found.count();
        for problem in found.told() {
            if for_people {
                printer.line(problem.to_line())?;
            } else {
                rows.go_on_with(&problem.file);
                rows.row(&problem.to_cells(), printer.out())?;
            }
        }
    }
    rows.end(printer.out())?;
    let of_all = plural(files.len() as u64, "file");
    if problems > 0 {
        return Err(Error::bad_data(format!(
            "{} in {of_all}",
            plural(problems, "problem")
        )));
    }
    if for_people {
        printer.line(format_args!("{of_all}, nothing wrong"))?;
    }
    Ok(())
}

/// The files, each folder's snapshots before the log that begins where they were taken.
fn in_order_of_offsets(files: &[DumpFile]) -> Vec<&DumpFile> {
    let mut files: Vec<&DumpFile> = files.iter().collect();
    files.sort_by_key(|file| {
        let folder = file.path.parent().map(Path::to_owned);
        let by_offset = match file.kind {
            Kind::ProducerSnapshot => (file.base_offset, 0),
            Kind::Log | Kind::OffsetIndex | Kind::TimeIndex | Kind::TransactionIndex => (file.base_offset, 1),
            _ => (i64::MAX, 1),
        };
        (folder, by_offset, file.path.clone())
    });
    files
}

impl Problem {
    pub(super) fn new(file: String, position: Option<u64>, what: String, broker: &str) -> Self {
        Self {
            file,
            position,
            what,
            last_good_offset: None,
            broker: Some(broker.to_owned()),
        }
    }

    /// The offset up to which all is good.
    pub(super) fn behind(self, last_good_offset: Option<i64>) -> Self {
        Self {
            last_good_offset,
            ..self
        }
    }

    fn to_line(&self) -> String {
        let position = self
            .position
            .map_or_else(String::new, |position| format!("byte {}: ", grouped(position)));
        let last = self
            .last_good_offset
            .map_or_else(String::new, |offset| format!("; last good offset {offset}"));
        let broker = self
            .broker
            .as_ref()
            .map_or_else(String::new, |broker| format!("; a broker would {broker}"));
        format!("{}: {position}{}{last}{broker}", self.file, self.what)
    }

    fn to_cells(&self) -> [Cell; 4] {
        [
            self.position.map_or(Cell::Nothing, Cell::from),
            self.what.as_str().into(),
            self.last_good_offset.map_or(Cell::Nothing, Cell::Number),
            self.broker.clone().map_or(Cell::Nothing, Cell::Text),
        ]
    }
}

fn verify_file(file: &DumpFile, producers: &mut Producers, printer: &Printer) -> Problems {
    let mut problems = Problems::default();
    producers.enter(file.path.parent().unwrap_or(Path::new("")));
    let outcome = match file.kind {
        Kind::Log => match LogCheck::new(file, producers).run(printer) {
            Ok(problems) => return problems,
            Err(error) => Err(error),
        },
        Kind::ProducerSnapshot => {
            if let Err(error) = check_snapshot(file, producers, &mut problems) {
                let broker = "drop it and rebuild it from the log";
                problems.push(Problem::new(file.short_name(), None, error.message(), broker));
            }
            return problems;
        }
        Kind::OffsetIndex => check_index(file, offset_index::ENTRY_LEN, &mut problems, || {
            OffsetIndex::open(&file.path, file.base_offset).map(drop)
        }),
        Kind::TimeIndex => check_index(file, time_index::ENTRY_LEN, &mut problems, || {
            TimeIndex::open(&file.path, file.base_offset).map(drop)
        }),
        Kind::TransactionIndex => check_index(file, transaction_index::ENTRY_LEN, &mut problems, || {
            transaction_index::entries(&file.path)?.try_for_each(|entry| entry.map(drop))
        }),
        Kind::LeaderEpochs => text_of(file)
            .and_then(|text| leader_epochs::parse(&text))
            .map(drop),
        Kind::Offsets => text_of(file)
            .and_then(|text| checkpoint::parse_offsets(&text))
            .map(drop),
        Kind::Json => text_of(file).and_then(|text| json_object(&text)).map(drop),
        Kind::Properties | Kind::PartitionMetadata => text_of(file).map(drop),
    };
    if let Err(error) = outcome {
        problems.push(Problem::new(
            file.short_name(),
            None,
            error.message(),
            "not start with it",
        ));
    }
    problems
}

/// The length of an index; its entries are held against the log that stands beside it, or else only read.
fn check_index(
    file: &DumpFile,
    entry_len: usize,
    problems: &mut Problems,
    read: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let left_over = std::fs::metadata(&file.path)?.len() % entry_len as u64;
    if left_over > 0 {
        let what = format!("{left_over} bytes behind the last whole entry");
        let broker = "rebuild it when it recovers the segment";
        problems.push(Problem::new(file.short_name(), None, what, broker));
    }
    if file.sibling(FileKind::Log).is_some() {
        return Ok(());
    }
    if stands_among_logs(file) {
        let what = "an index without its log".to_owned();
        problems.push(Problem::new(file.short_name(), None, what, "delete it"));
    }
    read()
}

/// Whether the folder has logs of other segments; an index that somebody has copied alone misses nothing, and one on its
/// way out has another name.
fn stands_among_logs(file: &DumpFile) -> bool {
    let kind = |name: &OsStr| name.to_str().and_then(FileKind::of);
    let folder = file.path.parent().unwrap_or(Path::new(""));
    let mut names = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name());
    file.path.file_name().and_then(kind).is_some() && names.any(|name| kind(&name) == Some(FileKind::Log))
}

/// A snapshot says what producers had written before its offset.
fn check_snapshot(file: &DumpFile, producers: &Producers, problems: &mut Problems) -> Result<()> {
    let mut snapshot = SnapshotFile::new(File::open(&file.path)?)?;
    for entry in snapshot.entries() {
        if let Some(what) = producers.wrong_entry(&entry?, file.base_offset) {
            let broker = "rebuild it from the log if it cannot start with it";
            problems.push(Problem::new(file.short_name(), None, what, broker));
        }
    }
    Ok(())
}
