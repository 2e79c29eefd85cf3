//! One line a batch.
//!
//! Owns the columns, and the decision whether a batch belongs to a range.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Result;
use crate::internal_records::control;
use crate::output::log_dump::cells::{Cell, grouped};
use crate::output::log_dump::progress::FileProgress;
use crate::output::log_dump::rows::{Column, Rows, number, word};
use crate::output::{Format, Printer, plural};
use crate::records::StreamedRecord;
use crate::records::batch_header::BatchHeader;
use crate::records::control_record::ControlType;
use crate::storage::chunk::Chunk;
use crate::storage::read_only::LogDirFile;
use crate::storage::read_only::Range;
use crate::storage::read_only::in_order::Output;
use crate::storage::read_only::log_walk::{LogWalk, Stop, WalkEnd, WholeBatch, whole_batches};

pub(super) fn show(
    file: &LogDirFile,
    title: Option<&str>,
    range: Range,
    rows: &mut Rows,
    printer: &mut Printer,
) -> Result<u64> {
    let mut segment = LogWalk::open(file, range)?.in_place();
    let for_people = printer.format() == Format::Table;
    let few = columns_for_people(file, segment.length);
    let columns = if for_people { &few } else { FULL };
    rows.begin(&segment.name, title, columns, printer.out())?;
    let style = rows.style();
    let corrupt = AtomicU64::new(0);
    let progress = FileProgress::beside_lines(segment.length, &segment.name, printer.is_quiet());
    let mut out = RowsOut {
        rows,
        out: printer.out(),
    };
    let worker = || {
        |chunk: &Chunk, output: &mut Output<'_, '_, Stop>| {
            for batch in whole_batches(chunk) {
                let batch = batch.map_err(Stop::from)?;
                if batch.header.base_offset >= range.to {
                    return Err(Stop::EndOfRange.into());
                }
                if is_in(range, &batch.header) {
                    let is_valid = batch.is_valid();
                    corrupt.fetch_add(u64::from(!is_valid), Ordering::Relaxed);
                    if for_people {
                        style.row(&cells(&batch, is_valid), &mut output.text);
                    } else {
                        style.row(&all_cells(&batch, is_valid), &mut output.text);
                    }
                    output.flush_if_long()?;
                }
            }
            Ok(())
        }
    };
    let end = segment.each_in_order(&progress, &mut out, worker, |()| {});
    progress.finish();
    Ok(corrupt.load(Ordering::Relaxed) + tell_end(&segment.name, &end?, printer))
}

/// A writer for rows.
struct RowsOut<'a, W> {
    rows: &'a mut Rows,
    out: &'a mut W,
}

/// Takes whole rows, as workers deliver them.
impl<W: Write> Write for RowsOut<'_, W> {
    fn write(&mut self, rows: &[u8]) -> io::Result<usize> {
        self.rows.write(rows, self.out).map(|()| rows.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether a record of the batch can be in the range.
fn is_in(range: Range, header: &BatchHeader) -> bool {
    let newest_is_old = range.since.is_some_and(|since| header.max_timestamp < since);
    let oldest_is_new = range
        .until
        .is_some_and(|until| header.base_timestamp >= until && header.delete_horizon_ms().is_none());
    header.last_offset() >= range.from && !newest_is_old && !oldest_is_new
}

/// Reports on stderr what follows the last whole batch: in a live log that is a batch being written. Returns the number
/// of corrupt places in it.
pub(super) fn tell_end(name: &str, end: &WalkEnd, printer: &mut Printer) -> u64 {
    match end {
        WalkEnd::Clean => {}
        WalkEnd::SetAside { position, bytes } => printer.note(format_args!(
            "{name}: {} at byte {} {}, set aside for what will be written",
            plural(*bytes, "byte"),
            grouped(*position),
            if *bytes == 1 { "is zero" } else { "are zeros" }
        )),
        WalkEnd::Trailing { position, bytes } => printer.note(format_args!(
            "{name}: {} at byte {} {} no whole batch",
            plural(*bytes, "byte"),
            grouped(*position),
            if *bytes == 1 { "is" } else { "are" }
        )),
        WalkEnd::NoBatch { position, why } => {
            printer.note(format_args!(
                "{name}: no batch at byte {}: {why}",
                grouped(*position)
            ));
            return 1;
        }
    }
    0
}

/// The columns of a table for a log of `length` bytes, `u64::MAX` if it is not known.
fn columns_for_people(file: &LogDirFile, length: u64) -> [Column; 8] {
    let position_width = if length == u64::MAX {
        11
    } else {
        length.to_string().len().max(5)
    };
    let offset_width = (file.base_offset.max(0).to_string().len() * 2 + 3).max(13);
    [
        number("BATCH", position_width),
        word("OFFSETS", offset_width),
        number("RECORDS", 7),
        number("BYTES", 7),
        word("CODEC", 6),
        word("TIME", 23),
        word("PRODUCER", 8),
        word("FLAGS", 5),
    ]
}

fn cells(batch: &WholeBatch<'_>, is_valid: bool) -> [Cell; 8] {
    let header = &batch.header;
    let producer = if header.has_producer_id() {
        Cell::Text(format!("{}/{}", header.producer_id, header.producer_epoch))
    } else {
        Cell::Nothing
    };
    [
        batch.position.into(),
        Cell::Offsets(header.base_offset, header.last_offset()),
        u64::try_from(header.records_count).map_or(Cell::Nothing, Cell::from),
        batch.bytes.len().into(),
        Cell::Word(codec(batch)),
        Cell::Time(header.max_timestamp),
        producer,
        flags(batch, is_valid).into(),
    ]
}

fn codec(batch: &WholeBatch<'_>) -> &'static str {
    batch.header.codec().map_or("?", |codec| codec.name())
}

fn flags(batch: &WholeBatch<'_>, is_valid: bool) -> String {
    let header = &batch.header;
    let mut flags = Vec::new();
    if header.magic < 2 {
        flags.push(format!("format {}", header.magic));
    }
    match control_type(batch) {
        Some(control) => flags.push(format!("control: {control}")),
        None if header.is_transactional() => flags.push("transactional".to_owned()),
        None => {}
    }
    if header.delete_horizon_ms().is_some() {
        flags.push("compacted".to_owned());
    }
    if !is_valid {
        flags.push("CORRUPT".to_owned());
    }
    flags.join(", ")
}

/// The type of a control batch, in Kafka's words.
fn control_type(batch: &WholeBatch<'_>) -> Option<String> {
    if !batch.header.is_control() {
        return None;
    }
    // A control batch has one record, which has the type.
    let mut control = None;
    let _ = batch.bytes.each_record(&batch.header, &mut Vec::new(), |record| {
        if let Ok(StreamedRecord::Held(record)) = record {
            control = record.key.and_then(ControlType::parse);
        }
        Err::<(), ()>(())
    });
    Some(control.map_or_else(|| "unreadable".to_owned(), control_name))
}

/// Kafka's name of a control record, in lower case.
pub(super) fn control_name(control: ControlType) -> String {
    match control {
        ControlType::Abort => "abort".to_owned(),
        ControlType::Commit => "commit".to_owned(),
        ControlType::LeaderChange => "leader change".to_owned(),
        other => control::name(other.id()).map_or_else(|| format!("type {}", other.id()), str::to_owned),
    }
}

/// Every field, in the formats for programs.
const FULL: &[Column] = &[
    number("POSITION", 0),
    number("BASE_OFFSET", 0),
    number("LAST_OFFSET", 0),
    number("RECORDS", 0),
    number("BYTES", 0),
    number("MAGIC", 0),
    word("CODEC", 0),
    word("TIMESTAMP_TYPE", 0),
    number("BASE_TIMESTAMP", 0),
    number("MAX_TIMESTAMP", 0),
    number("DELETE_HORIZON", 0),
    number("LEADER_EPOCH", 0),
    number("PRODUCER_ID", 0),
    number("PRODUCER_EPOCH", 0),
    number("BASE_SEQUENCE", 0),
    number("LAST_SEQUENCE", 0),
    word("TRANSACTIONAL", 0),
    word("CONTROL", 0),
    number("CRC", 0),
    word("VALID", 0),
];

fn all_cells(batch: &WholeBatch<'_>, is_valid: bool) -> [Cell; 20] {
    let header = &batch.header;
    let int = |value: i32| Cell::Number(value.into());
    let horizon = header.delete_horizon_ms();
    [
        batch.position.into(),
        header.base_offset.into(),
        header.last_offset().into(),
        if header.records_count < 0 {
            Cell::Nothing
        } else {
            int(header.records_count)
        },
        (batch.bytes.len()).into(),
        int(header.magic.into()),
        Cell::Word(codec(batch)),
        Cell::Word(header.timestamp_type().name()),
        if horizon.is_some() {
            Cell::Nothing
        } else {
            header.base_timestamp.into()
        },
        header.max_timestamp.into(),
        horizon.map_or(Cell::Nothing, Cell::Number),
        int(header.partition_leader_epoch),
        header.producer_id.into(),
        int(header.producer_epoch.into()),
        int(header.base_sequence),
        int(header.last_sequence()),
        Cell::Bool(header.is_transactional()),
        control_type(batch).map_or(Cell::Nothing, Cell::Text),
        i64::from(header.crc).into(),
        Cell::Bool(is_valid),
    ]
}
