//! The entries of all files other than logs: indexes, snapshots, checkpoints, properties.
//!
//! Owns their columns.

use std::fs::File;

use super::is_of_output;
use crate::error::Result;
use crate::output::Printer;
use crate::output::log_dump::cells::{Cell, time};
use crate::output::log_dump::rows::{Column, Rows, number, word};
use crate::storage::offset_index::OffsetIndex;
use crate::storage::producer_snapshot::SnapshotFile;
use crate::storage::read_only::text_file::{json_object, read_text};
use crate::storage::read_only::{Kind, LogDirFile};
use crate::storage::time_index::TimeIndex;
use crate::storage::{checkpoint, leader_epochs, transaction_index};

pub(super) fn show(
    file: &LogDirFile,
    title: Option<&str>,
    rows: &mut Rows,
    printer: &mut Printer,
) -> Result<()> {
    let name = file.short_name();
    let mut table = Table {
        begin: Some((&name, title)),
        rows,
        printer,
    };
    match file.kind {
        Kind::Log => Ok(()),
        Kind::OffsetIndex => offset_index(file, &mut table),
        Kind::TimeIndex => time_index(file, &mut table),
        Kind::TransactionIndex => transactions(file, &mut table),
        Kind::ProducerSnapshot => producers(file, &mut table),
        Kind::LeaderEpochs => leader_epochs(file, &mut table),
        Kind::Offsets => offsets(file, &mut table),
        Kind::Properties => pairs(file, '=', &mut table),
        Kind::PartitionMetadata => pairs(file, ':', &mut table),
        Kind::Json => fields(file, &mut table),
    }
    .map_err(|error| {
        if is_of_output(&error) {
            error
        } else {
            error.context(file.path.display())
        }
    })
}

/// A table whose head is written with the first row, when its file has proved to be readable.
struct Table<'a> {
    begin: Option<(&'a str, Option<&'a str>)>,
    rows: &'a mut Rows,
    printer: &'a mut Printer,
}

impl Table<'_> {
    fn begin(&mut self, columns: &[Column]) -> Result<()> {
        match self.begin.take() {
            Some((name, title)) => self.rows.begin(name, title, columns, self.printer.out()),
            None => Ok(()),
        }
    }

    fn row(&mut self, cells: &[Cell]) -> Result<()> {
        self.rows.row(cells, self.printer.out())
    }
}

fn leader_epochs(file: &LogDirFile, table: &mut Table<'_>) -> Result<()> {
    let entries = leader_epochs::parse(&read_text(file)?)?;
    table.begin(&[number("EPOCH", 5), number("START_OFFSET", 12)])?;
    entries
        .iter()
        .try_for_each(|entry| table.row(&[i64::from(entry.epoch).into(), entry.start_offset.into()]))
}

fn offsets(file: &LogDirFile, table: &mut Table<'_>) -> Result<()> {
    let entries = checkpoint::parse_offsets(&read_text(file)?)?;
    table.begin(&[word("TOPIC", 20), number("PARTITION", 9), number("OFFSET", 12)])?;
    entries.iter().try_for_each(|(partition, offset)| {
        table.row(&[
            partition.topic.as_str().into(),
            i64::from(partition.partition).into(),
            (*offset).into(),
        ])
    })
}

fn pairs(file: &LogDirFile, separator: char, table: &mut Table<'_>) -> Result<()> {
    let text = read_text(file)?;
    table.begin(PAIR_COLUMNS)?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(separator))
        .try_for_each(|(key, value)| table.row(&[key.trim().into(), value.trim().into()]))
}

fn fields(file: &LogDirFile, table: &mut Table<'_>) -> Result<()> {
    let fields = json_object(&read_text(file)?)?;
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    table.begin(PAIR_COLUMNS)?;
    fields
        .iter()
        .try_for_each(|(key, value)| table.row(&[key.as_str().into(), text(value).into()]))
}

fn offset_index(file: &LogDirFile, table: &mut Table<'_>) -> Result<()> {
    let index = OffsetIndex::open(&file.path, file.base_offset)?;
    table.begin(&[number("OFFSET", 12), number("POSITION", 10)])?;
    for entry in index.into_entries() {
        let entry = entry?;
        // The first entry of an empty index is preallocated zeros.
        if entry.position > 0 {
            table.row(&[entry.offset.into(), i64::from(entry.position).into()])?;
        }
    }
    Ok(())
}

fn time_index(file: &LogDirFile, table: &mut Table<'_>) -> Result<()> {
    let index = TimeIndex::open(&file.path, file.base_offset)?;
    table.begin(&[number("TIMESTAMP", 13), word("TIME", 23), number("OFFSET", 12)])?;
    for entry in index.into_entries() {
        let entry = entry?;
        if entry.timestamp != 0 {
            table.row(&[
                entry.timestamp.into(),
                time(entry.timestamp).into(),
                entry.offset.into(),
            ])?;
        }
    }
    Ok(())
}

fn transactions(file: &LogDirFile, table: &mut Table<'_>) -> Result<()> {
    let entries = transaction_index::entries(&file.path)?;
    table.begin(ABORTED_COLUMNS)?;
    for entry in entries {
        let entry = entry?;
        table.row(&[
            entry.producer_id.into(),
            entry.first_offset.into(),
            entry.last_offset.into(),
            entry.last_stable_offset.into(),
        ])?;
    }
    Ok(())
}

fn producers(file: &LogDirFile, table: &mut Table<'_>) -> Result<()> {
    let mut snapshot = SnapshotFile::new(File::open(&file.path)?)?;
    table.begin(PRODUCER_COLUMNS)?;
    for entry in snapshot.entries() {
        let entry = entry?;
        let open = entry.current_transaction_first_offset;
        table.row(&[
            entry.producer_id.into(),
            i64::from(entry.producer_epoch).into(),
            i64::from(entry.last_sequence).into(),
            entry.last_offset.into(),
            i64::from(entry.offset_delta).into(),
            time(entry.timestamp).into(),
            i64::from(entry.coordinator_epoch).into(),
            if open < 0 { Cell::Nothing } else { open.into() },
        ])?;
    }
    Ok(())
}

const PAIR_COLUMNS: &[Column] = &[word("KEY", 16), word("VALUE", 0)];

const ABORTED_COLUMNS: &[Column] = &[
    number("PRODUCER_ID", 11),
    number("FIRST_OFFSET", 12),
    number("LAST_OFFSET", 12),
    number("STABLE_OFFSET", 13),
];

const PRODUCER_COLUMNS: &[Column] = &[
    number("PRODUCER_ID", 11),
    number("EPOCH", 5),
    number("LAST_SEQUENCE", 13),
    number("LAST_OFFSET", 12),
    number("OFFSET_DELTA", 12),
    word("TIME", 23),
    number("COORDINATOR_EPOCH", 17),
    number("OPEN_SINCE", 10),
];
