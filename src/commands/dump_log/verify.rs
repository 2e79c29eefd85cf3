//! Everything held against everything: batches, records, indexes, aborted transactions, producers.
//!
//! Owns what counts as corrupt and what a broker would do about it. Reads each log once.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::Range;
use super::entries::json_object;
use super::files::{DumpFile, Kind};
use super::segment::{Segment, WalkEnd, WholeBatch};
use crate::error::{Error, Result};
use crate::output::log_dump::progress::FileProgress;
use crate::output::log_dump::rows::{Cell, Column, Rows, grouped, number, word};
use crate::output::{Format, Printer, plural};
use crate::records::batch_header::TimestampType;
use crate::records::compression::CompressionError;
use crate::records::control_record::EndTransactionMarker;
use crate::records::{RecordError, StreamedRecord};
use crate::storage::file_name::FileKind;
use crate::storage::offset_index::OffsetIndex;
use crate::storage::time_index::TimeIndex;
use crate::storage::{checkpoint, leader_epochs, producer_snapshot, transaction_index};

/// So many problems are told of one file.
const MOST_PROBLEMS: usize = 20;
/// So many producers are followed.
const MOST_PRODUCERS: usize = 1 << 17;

/// One thing that is wrong.
#[derive(Debug)]
struct Problem {
    file: String,
    /// Bytes from the file's start.
    position: Option<u64>,
    what: String,
    last_good_offset: Option<i64>,
    /// What a broker would do.
    broker: String,
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
    let mut problems = 0;
    let mut producers = BTreeMap::new();
    for file in files {
        let found = verify_file(file, &mut producers, printer);
        problems += found.len();
        if !for_people {
            rows.begin(&file.short_name(), None, COLUMNS, printer.out())?;
        }
        for problem in found {
            if for_people {
                printer.line(problem.to_line())?;
            } else {
                rows.row(&problem.to_cells(), printer.out())?;
            }
        }
    }
    rows.end(printer.out())?;
    let of_all = plural(files.len() as u64, "file");
    if problems > 0 {
        return Err(Error::bad_data(format!(
            "{} in {of_all}",
            plural(problems as u64, "problem")
        )));
    }
    if for_people {
        printer.line(format_args!("{of_all}, nothing wrong"))?;
    }
    Ok(())
}

impl Problem {
    fn to_line(&self) -> String {
        let position = self
            .position
            .map_or_else(String::new, |position| format!("byte {}: ", grouped(position)));
        let last = self
            .last_good_offset
            .map_or_else(String::new, |offset| format!("; last good offset {offset}"));
        format!(
            "{}: {position}{}{last}; a broker would {}",
            self.file, self.what, self.broker
        )
    }

    fn to_cells(&self) -> [Cell; 4] {
        [
            self.position.map_or(Cell::Nothing, Cell::from),
            self.what.as_str().into(),
            self.last_good_offset.map_or(Cell::Nothing, Cell::Number),
            self.broker.as_str().into(),
        ]
    }
}

/// The last data batch of a producer: epoch, last sequence, last offset.
type Producers = BTreeMap<i64, (i16, i32, i64)>;

fn verify_file(file: &DumpFile, producers: &mut Producers, printer: &Printer) -> Vec<Problem> {
    let problem = |error: String, broker: &str| Problem {
        file: file.short_name(),
        position: None,
        what: error,
        last_good_offset: None,
        broker: broker.to_owned(),
    };
    let read = |path: &std::path::Path| std::fs::read_to_string(path).map_err(Error::from);
    let outcome = match file.kind {
        Kind::Log => match LogCheck::new(file).and_then(|check| check.run(producers, printer)) {
            Ok(problems) => return problems,
            Err(error) => Err(error),
        },
        Kind::TransactionIndex => transaction_index::read(&file.path).map(|_| ()),
        Kind::ProducerSnapshot => {
            return match check_snapshot(file, producers) {
                Ok(wrong) => wrong
                    .into_iter()
                    .map(|what| problem(what, "rebuild it from the log"))
                    .collect(),
                Err(error) => vec![problem(error.message(), "drop it and rebuild it from the log")],
            };
        }
        Kind::LeaderEpochs => read(&file.path)
            .and_then(|text| leader_epochs::parse(&text))
            .map(|_| ()),
        Kind::Offsets => read(&file.path)
            .and_then(|text| checkpoint::parse_offsets(&text))
            .map(|_| ()),
        // Held against their log, which stands beside them; without it there is nothing to hold them against.
        Kind::OffsetIndex | Kind::TimeIndex if file.sibling(FileKind::Log).is_some() => Ok(()),
        Kind::OffsetIndex => OffsetIndex::open(&file.path, file.base_offset).map(|_| ()),
        Kind::TimeIndex => TimeIndex::open(&file.path, file.base_offset).map(|_| ()),
        Kind::Json => read(&file.path).and_then(|text| json_object(&text)).map(|_| ()),
        Kind::Properties | Kind::PartitionMetadata => read(&file.path).map(|_| ()),
    };
    match outcome {
        Ok(()) => Vec::new(),
        Err(error) => vec![problem(error.message(), "not start with it")],
    }
}

/// A snapshot says what producers had written before its offset.
fn check_snapshot(file: &DumpFile, producers: &Producers) -> Result<Vec<String>> {
    let entries = producer_snapshot::parse(&std::fs::read(&file.path)?).map_err(Error::bad_data)?;
    let mut wrong = Vec::new();
    for entry in entries {
        if entry.last_offset >= file.base_offset {
            wrong.push(format!(
                "producer {} wrote offset {}, which is not before the snapshot's {}",
                entry.producer_id, entry.last_offset, file.base_offset
            ));
        }
        if let Some((epoch, sequence, offset)) = producers.get(&entry.producer_id)
            && *offset == entry.last_offset
            && (*epoch, *sequence) != (entry.producer_epoch, entry.last_sequence)
            && *epoch >= entry.producer_epoch
        {
            wrong.push(format!(
                "producer {} is at epoch {} and sequence {} here, at epoch {epoch} and sequence {sequence} in the log",
                entry.producer_id, entry.producer_epoch, entry.last_sequence
            ));
        }
    }
    wrong.truncate(MOST_PROBLEMS);
    Ok(wrong)
}

/// Why the records of a batch cannot be read.
enum Refused {
    ByConsumers(String),
    /// By the limits of this program, which consumers have not.
    Here(String),
}

impl From<RecordError> for Refused {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Compression(CompressionError::TooLarge { .. }) => Self::Here(error.to_string()),
            _ => Self::ByConsumers(error.to_string()),
        }
    }
}

/// A walk over one log with all that stands beside it.
struct LogCheck<'f> {
    file: &'f DumpFile,
    name: String,
    offset_entries: Vec<(i64, u64)>,
    next_offset_entry: usize,
    time_entries: Vec<(i64, i64)>,
    next_time_entry: usize,
    aborted: BTreeMap<i64, i64>,
    last_good: Option<i64>,
    /// The first corrupt place: position, what, and how many whole batches stand from there on.
    corrupt: Option<(u64, String, Option<i64>, u64)>,
    problems: Vec<Problem>,
    scratch: Vec<u8>,
}

impl<'f> LogCheck<'f> {
    fn new(file: &'f DumpFile) -> Result<Self> {
        let mut offset_entries = Vec::new();
        if let Some(path) = file.sibling(FileKind::OffsetIndex) {
            let index = OffsetIndex::open(&path, file.base_offset)?;
            for at in 0..index.len() {
                let entry = index.get(at)?;
                // The first entry of an index that has none yet is preallocated zeros.
                if entry.position > 0 {
                    offset_entries.push((entry.offset, entry.position.into()));
                }
            }
        }
        let mut time_entries = Vec::new();
        if let Some(path) = file.sibling(FileKind::TimeIndex) {
            let index = TimeIndex::open(&path, file.base_offset)?;
            for at in 0..index.len() {
                let entry = index.get(at)?;
                if entry.timestamp != 0 {
                    time_entries.push((entry.timestamp, entry.offset));
                }
            }
        }
        let aborted = match file.sibling(FileKind::TransactionIndex) {
            Some(path) => transaction_index::read(&path)?,
            None => Vec::new(),
        };
        Ok(Self {
            file,
            name: file.short_name(),
            offset_entries,
            next_offset_entry: 0,
            time_entries,
            next_time_entry: 0,
            aborted: aborted
                .into_iter()
                .map(|entry| (entry.last_offset, entry.producer_id))
                .collect(),
            last_good: None,
            corrupt: None,
            problems: Vec::new(),
            scratch: Vec::new(),
        })
    }

    fn run(mut self, producers: &mut Producers, printer: &Printer) -> Result<Vec<Problem>> {
        const EVERYTHING: Range = Range {
            from: i64::MIN,
            to: i64::MAX,
            since: None,
            until: None,
        };
        let mut segment = Segment::open(self.file, EVERYTHING)?;
        let progress = FileProgress::new(segment.length, &self.name, printer.is_quiet());
        let end = segment.each(&progress, |batch| {
            self.batch(&batch, producers);
            Ok(ControlFlow::Continue(()))
        })?;
        progress.finish();
        self.end(&end);
        Ok(self.problems)
    }

    fn batch(&mut self, batch: &WholeBatch<'_>, producers: &mut Producers) {
        if let Some((.., batches)) = &mut self.corrupt {
            *batches += 1;
            return;
        }
        if let Some(what) = self.what_a_broker_refuses(batch) {
            let range = format!("{}-{}", batch.header.base_offset, batch.header.last_offset());
            self.corrupt = Some((
                batch.position,
                format!("{what} (batch {range})"),
                self.last_good,
                1,
            ));
            return;
        }
        if let Some(what) = self.what_consumers_refuse(batch) {
            let (what, broker) = match what {
                Refused::ByConsumers(what) => (what, "keep it, and every consumer fail here"),
                Refused::Here(why) => (format!("not checked: {why}"), "keep it"),
            };
            self.problem(Some(batch.position), what, broker);
        }
        self.last_good = Some(batch.header.last_offset());
        self.check_indexes(batch);
        let header = &batch.header;
        if header.has_producer_id() && !header.is_control() && producers.len() < MOST_PRODUCERS {
            let last = (
                header.producer_epoch,
                header.last_sequence(),
                header.last_offset(),
            );
            producers.insert(header.producer_id, last);
        }
    }

    fn problem(&mut self, position: Option<u64>, what: String, broker: &str) {
        self.problem_in(self.name.clone(), position, what, broker);
    }

    fn problem_in(&mut self, file: String, position: Option<u64>, what: String, broker: &str) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem {
                file,
                position,
                what,
                last_good_offset: None,
                broker: broker.to_owned(),
            });
        }
    }

    /// What the recovery after a crash cuts a log off for.
    fn what_a_broker_refuses(&self, batch: &WholeBatch<'_>) -> Option<String> {
        let header = &batch.header;
        let computed = batch.bytes.computed_crc(header);
        if computed != header.crc {
            return Some(format!("CRC is 0x{:08x}, should be 0x{computed:08x}", header.crc));
        }
        if header.base_offset < self.file.base_offset {
            return Some(format!(
                "offset {} is before the segment's {}",
                header.base_offset, self.file.base_offset
            ));
        }
        match self.last_good {
            Some(last) if header.base_offset <= last => {
                Some(format!("offset {} follows {last}", header.base_offset))
            }
            _ => None,
        }
    }

    /// What only shows when the records are read.
    fn what_consumers_refuse(&mut self, batch: &WholeBatch<'_>) -> Option<Refused> {
        let header = &batch.header;
        let (mut newest, mut marker) = (None, None);
        let mut scratch = std::mem::take(&mut self.scratch);
        let read = batch.bytes.each_record(header, &mut scratch, |record| {
            let record = record.map_err(Refused::from)?;
            if header.magic == 2 && !(header.base_offset..=header.last_offset()).contains(&record.offset()) {
                return Err(Refused::ByConsumers(format!(
                    "record {} in the batch {}-{}",
                    record.offset(),
                    header.base_offset,
                    header.last_offset()
                )));
            }
            newest = newest.max(Some(record.timestamp()));
            if let StreamedRecord::Held(record) = &record
                && header.is_control()
            {
                marker = EndTransactionMarker::parse(record);
            }
            Ok(())
        });
        self.scratch = scratch;
        if let Err(what) = read {
            return Some(what);
        }
        if marker.is_some_and(|marker| !marker.committed)
            && self.aborted.get(&header.base_offset) == Some(&header.producer_id)
        {
            self.aborted.remove(&header.base_offset);
        }
        let counts = header.timestamp_type() == TimestampType::CreateTime && header.magic == 2;
        match newest {
            Some(newest) if counts && newest > header.max_timestamp => Some(Refused::ByConsumers(format!(
                "a record of time {newest} in a batch whose newest is said to be {}",
                header.max_timestamp
            ))),
            _ => None,
        }
    }

    fn check_indexes(&mut self, batch: &WholeBatch<'_>) {
        let header = batch.header;
        while let Some(&(offset, position)) = self.offset_entries.get(self.next_offset_entry) {
            if position > batch.position {
                break;
            }
            self.next_offset_entry += 1;
            if position < batch.position {
                let what =
                    format!("the entry for offset {offset} points to byte {position}, where no batch begins");
                self.index_problem(FileKind::OffsetIndex, what);
            } else if offset < header.base_offset {
                let what = format!(
                    "the entry for offset {offset} points to batch {}-{}",
                    header.base_offset,
                    header.last_offset()
                );
                self.index_problem(FileKind::OffsetIndex, what);
            }
        }
        while let Some(&(timestamp, offset)) = self.time_entries.get(self.next_time_entry) {
            if offset > header.last_offset() {
                break;
            }
            self.next_time_entry += 1;
            if timestamp != header.max_timestamp {
                let what = format!(
                    "offset {offset} is entered with time {timestamp}, its batch's newest is {}",
                    header.max_timestamp
                );
                self.index_problem(FileKind::TimeIndex, what);
            }
        }
    }

    fn index_problem(&mut self, kind: FileKind, what: String) {
        self.problem_in(
            self.sibling_name(kind),
            None,
            what,
            "rebuild it when it recovers the segment",
        );
    }

    fn sibling_name(&self, kind: FileKind) -> String {
        let path = self
            .file
            .path
            .with_extension(kind.suffix().trim_start_matches('.'));
        let sibling = DumpFile {
            path,
            ..self.file.clone()
        };
        sibling.short_name()
    }

    fn end(&mut self, end: &WalkEnd) {
        if let Some((position, what, last_good, batches)) = self.corrupt.take() {
            let s = if batches == 1 { "" } else { "es" };
            let broker = format!("truncate {batches} batch{s} here");
            self.problems.push(Problem {
                file: self.name.clone(),
                position: Some(position),
                what,
                last_good_offset: last_good,
                broker,
            });
            return;
        }
        let (position, what) = match end {
            WalkEnd::Clean | WalkEnd::SetAside { .. } => (None, None),
            WalkEnd::Trailing { position, bytes } => (
                Some(*position),
                Some(format!("{} bytes that are no whole batch", grouped(*bytes))),
            ),
            WalkEnd::NoBatch { position, why } => (Some(*position), Some(why.to_string())),
        };
        if let Some(what) = what {
            self.problems.push(Problem {
                file: self.name.clone(),
                position,
                what,
                last_good_offset: self.last_good,
                broker: "truncate the log here".to_owned(),
            });
            return;
        }
        let past_end = |entry: Option<&(i64, u64)>| {
            entry.map(|(offset, position)| {
                format!("the entry for offset {offset} points to byte {position}, behind the last batch")
            })
        };
        if let Some(what) = past_end(self.offset_entries.get(self.next_offset_entry)) {
            self.index_problem(FileKind::OffsetIndex, what);
        }
        if let Some((timestamp, offset)) = self.time_entries.get(self.next_time_entry) {
            let what = format!("the entry of time {timestamp} is for offset {offset}, which the log has not");
            self.index_problem(FileKind::TimeIndex, what);
        }
        for (offset, producer) in std::mem::take(&mut self.aborted) {
            let what = format!(
                "says that producer {producer} aborted a transaction at offset {offset}, where the log has no abort marker"
            );
            self.index_problem(FileKind::TransactionIndex, what);
        }
    }
}
