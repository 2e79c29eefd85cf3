//! Everything held against everything: batches, records, indexes, aborted transactions, producers.
//!
//! Owns the order of files and the report. What is wrong with a log is `log_check`'s to say, with a producer
//! `producer_check`'s, with a leader epoch `epoch_check`'s.

mod epoch_check;
mod index_check;
mod log_check;
mod order_check;
mod problems;
mod producer_check;
mod record_check;
mod recovery_model;

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;

use self::epoch_check::Epochs;
use self::log_check::{Known, LogCheck};
use self::problems::{Problem, Problems};
use self::producer_check::Producers;
use crate::commands::dump_log::entries::{json_object, text_of};
use crate::commands::dump_log::files::{DumpFile, Kind};
use crate::error::{Error, Result};
use crate::output::log_dump::cells::{Cell, grouped};
use crate::output::log_dump::rows::{Column, Rows, number, word};
use crate::output::{Format, Printer, plural};
use crate::storage::file_name::FileKind;
use crate::storage::meta_properties::MetaProperties;
use crate::storage::offset_index::{self, OffsetIndex};
use crate::storage::producer_snapshot::SnapshotFile;
use crate::storage::time_index::{self, TimeIndex};
use crate::storage::{checkpoint, leader_epochs, partition_metadata, transaction_index};

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
    let mut known = Known::default();
    for file in in_order_of_offsets(files) {
        let found = verify_file(file, &mut known, printer);
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

fn verify_file(file: &DumpFile, known: &mut Known, printer: &Printer) -> Problems {
    let mut problems = Problems::default();
    known.enter(file);
    let outcome = match file.kind {
        Kind::Log => match LogCheck::new(file, known).run(printer) {
            Ok(problems) => return problems,
            Err(error) => Err(error),
        },
        Kind::ProducerSnapshot => {
            if let Err(error) = check_snapshot(file, &known.producers, &mut problems) {
                let broker = "drop it and rebuild it from the log";
                problems.push(Problem::new(file.short_name(), None, error.message(), broker));
            }
            return problems;
        }
        Kind::OffsetIndex => check_index(file, offset_index::ENTRY_LEN, known, &mut problems, || {
            OffsetIndex::open(&file.path, file.base_offset).map(|index| index.len())
        }),
        Kind::TimeIndex => check_index(file, time_index::ENTRY_LEN, known, &mut problems, || {
            TimeIndex::open(&file.path, file.base_offset).map(|index| index.len())
        }),
        Kind::TransactionIndex => {
            check_index(file, transaction_index::ENTRY_LEN, known, &mut problems, || {
                let mut entries = transaction_index::entries(&file.path)?;
                entries.try_fold(0, |count, entry| entry.map(|_| count + 1))
            })
        }
        Kind::LeaderEpochs => check_epochs(file, &known.epochs, &mut problems),
        Kind::Offsets => text_of(file)
            .and_then(|text| checkpoint::parse_offsets(&text))
            .map(drop),
        Kind::Json => text_of(file).and_then(|text| json_object(&text)).map(drop),
        Kind::Properties => text_of(file)
            .and_then(|text| MetaProperties::parse(&text))
            .map(drop),
        Kind::PartitionMetadata => text_of(file)
            .and_then(|text| partition_metadata::parse(&text))
            .map(drop),
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

/// The length of an index; its entries are held against the log that stands beside it, or else only read. `read` says how
/// many there are.
fn check_index(
    file: &DumpFile,
    entry_len: usize,
    known: &Known,
    problems: &mut Problems,
    read: impl FnOnce() -> Result<usize>,
) -> Result<()> {
    let broker = "rebuild it when it recovers the segment";
    let length = std::fs::metadata(&file.path)?.len();
    let left_over = length % entry_len as u64;
    if left_over > 0 {
        let what = format!("{} behind the last whole entry", plural(left_over, "byte"));
        problems.push(Problem::new(file.short_name(), None, what, broker));
    }
    let has_log = file.sibling(FileKind::Log).is_some();
    if !has_log && stands_among_logs(file) {
        let what = "an index without its log".to_owned();
        problems.push(Problem::new(file.short_name(), None, what, "delete it"));
    }
    let used = match read() {
        // It has been told with the log.
        Err(_) if has_log => return Ok(()),
        entries => entries? as u64 * entry_len as u64,
    };
    // Only the segment that is written to has room set aside.
    if used + left_over < length && known.later_segments(file).count > 0 {
        let set_aside = grouped(length - left_over - used);
        let what = format!("{set_aside} bytes behind its entries are none, though other segments follow");
        problems.push(Problem::new(file.short_name(), Some(used), what, broker));
    }
    Ok(())
}

/// A checkpoint of leader epochs, held against the batches of its folder.
fn check_epochs(file: &DumpFile, epochs: &Epochs, problems: &mut Problems) -> Result<()> {
    let text = text_of(file)?;
    leader_epochs::parse(&text)?;
    for (what, broker) in epochs.wrong_checkpoint(&text) {
        problems.push(Problem::new(file.short_name(), None, what, broker));
    }
    Ok(())
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
