//! The entries of everything that is no log: indexes, snapshots, checkpoints, properties.
//!
//! Owns their columns.

use std::fs;

use super::files::{DumpFile, Kind};
use crate::error::{Error, Result};
use crate::output::Printer;
use crate::output::log_dump::rows::{Cell, Column, Rows, number, time, word};
use crate::storage::offset_index::OffsetIndex;
use crate::storage::time_index::TimeIndex;
use crate::storage::{checkpoint, leader_epochs, producer_snapshot, transaction_index};

pub(super) fn show(
    file: &DumpFile,
    title: Option<&str>,
    rows: &mut Rows,
    printer: &mut Printer,
) -> Result<()> {
    let name = file.short_name();
    let context = |error: Error| error.context(file.path.display());
    let (columns, table) = table(file).map_err(context)?;
    rows.begin(&name, title, &columns, printer.out())?;
    table.iter().try_for_each(|row| rows.row(row, printer.out()))
}

type Table = (Vec<Column>, Vec<Vec<Cell>>);

fn table(file: &DumpFile) -> Result<Table> {
    match file.kind {
        Kind::Log => Ok((Vec::new(), Vec::new())),
        Kind::OffsetIndex => offset_index(file),
        Kind::TimeIndex => time_index(file),
        Kind::TransactionIndex => transactions(file),
        Kind::ProducerSnapshot => producers(file),
        Kind::LeaderEpochs => {
            let entries = leader_epochs::parse(&fs::read_to_string(&file.path)?)?;
            let rows = entries
                .iter()
                .map(|entry| vec![i64::from(entry.epoch).into(), entry.start_offset.into()]);
            Ok((
                vec![number("EPOCH", 5), number("START_OFFSET", 12)],
                rows.collect(),
            ))
        }
        Kind::Offsets => {
            let entries = checkpoint::parse_offsets(&fs::read_to_string(&file.path)?)?;
            let row = |(partition, offset): (&crate::topic_partition::TopicPartition, &i64)| {
                vec![
                    partition.topic.as_str().into(),
                    i64::from(partition.partition).into(),
                    (*offset).into(),
                ]
            };
            Ok((
                vec![word("TOPIC", 20), number("PARTITION", 9), number("OFFSET", 12)],
                entries.iter().map(row).collect(),
            ))
        }
        Kind::Properties => Ok((vec![word("KEY", 16), word("VALUE", 0)], pairs(file, '=')?)),
        Kind::Json => Ok((vec![word("KEY", 16), word("VALUE", 0)], fields(file)?)),
        Kind::PartitionMetadata => Ok((vec![word("KEY", 16), word("VALUE", 0)], pairs(file, ':')?)),
    }
}

fn pairs(file: &DumpFile, separator: char) -> Result<Vec<Vec<Cell>>> {
    let text = fs::read_to_string(&file.path)?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once(separator));
    Ok(pairs
        .map(|(key, value)| vec![key.trim().into(), value.trim().into()])
        .collect())
}

fn fields(file: &DumpFile) -> Result<Vec<Vec<Cell>>> {
    let fields = json_object(&fs::read_to_string(&file.path)?)?;
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(fields
        .iter()
        .map(|(key, value)| vec![key.as_str().into(), text(value).into()])
        .collect())
}

/// The one object that a file of [`Kind::Json`] holds.
pub(super) fn json_object(text: &str) -> Result<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_str(text).map_err(|error| Error::bad_data(format!("no JSON object: {error}")))
}

fn offset_index(file: &DumpFile) -> Result<Table> {
    let index = OffsetIndex::open(&file.path, file.base_offset)?;
    let mut rows = Vec::new();
    for at in 0..index.len() {
        let entry = index.get(at)?;
        // The first entry of an index that has none yet is preallocated zeros.
        if entry.position == 0 {
            continue;
        }
        rows.push(vec![entry.offset.into(), i64::from(entry.position).into()]);
    }
    Ok((vec![number("OFFSET", 12), number("POSITION", 10)], rows))
}

fn time_index(file: &DumpFile) -> Result<Table> {
    let index = TimeIndex::open(&file.path, file.base_offset)?;
    let mut rows = Vec::new();
    for at in 0..index.len() {
        let entry = index.get(at)?;
        if entry.timestamp == 0 {
            continue;
        }
        rows.push(vec![
            entry.timestamp.into(),
            time(entry.timestamp).into(),
            entry.offset.into(),
        ]);
    }
    Ok((
        vec![number("TIMESTAMP", 13), word("TIME", 23), number("OFFSET", 12)],
        rows,
    ))
}

fn transactions(file: &DumpFile) -> Result<Table> {
    let rows = transaction_index::read(&file.path)?.into_iter().map(|entry| {
        vec![
            entry.producer_id.into(),
            entry.first_offset.into(),
            entry.last_offset.into(),
            entry.last_stable_offset.into(),
        ]
    });
    Ok((ABORTED_COLUMNS.to_vec(), rows.collect()))
}

fn producers(file: &DumpFile) -> Result<Table> {
    let entries = producer_snapshot::parse(&fs::read(&file.path)?).map_err(Error::bad_data)?;
    let rows = entries.into_iter().map(|entry| {
        let open = entry.current_transaction_first_offset;
        vec![
            entry.producer_id.into(),
            i64::from(entry.producer_epoch).into(),
            i64::from(entry.last_sequence).into(),
            entry.last_offset.into(),
            i64::from(entry.offset_delta).into(),
            time(entry.timestamp).into(),
            i64::from(entry.coordinator_epoch).into(),
            if open < 0 { Cell::Nothing } else { open.into() },
        ]
    });
    Ok((PRODUCER_COLUMNS.to_vec(), rows.collect()))
}

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
