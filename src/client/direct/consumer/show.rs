//! Decodes fetched batches to records, shown to a visitor several at a time, borrowed from the answer.
//!
//! Owns the checks of the bytes (lengths, checksums, counts), what is left out (markers, aborted transactions, records
//! before the position), and the errors about data that cannot be decoded.

use std::ops::ControlFlow;

use super::aborted::Aborted;
use super::position::Position;
use super::sifting::Sifting;
use crate::client::consume_settings::{ConsumeSettings, Isolation};
use crate::client::record_sink::HeaderView;
use crate::client::record_source::{ConsumedRecord, FetchedBatch, OnCorrupt, RecordVisitor, TimestampType};
use crate::error::{Error, Result};
use crate::records::batch_header::{self, crc_is_valid};
use crate::records::batches::BatchRecords;
use crate::records::compression::CompressionError;
use crate::records::control_record::ControlType;
use crate::records::message_stream::MessageStream;
use crate::records::record_stream::StreamedRecord;
use crate::records::{Batch, Batches, Codec, Record, RecordError};
use crate::topic_partition::Offset;
use crate::wire::{Frame, SharedSlice};

/// Records shown with one call.
const AT_ONCE: usize = 128;
/// A batch that inflates to more bytes is not held as a whole: its records are shown one by one, as they are inflated.
const HELD_AT_ONCE: usize = 8 << 20;
/// A batch that is passed on keeps at most this many times its size in memory.
const MUCH: usize = 4;
/// The largest record, in bytes.
const LARGEST: usize = 1 << 30;

/// The batches of one partition in one answer, and how far they were shown.
#[derive(Debug)]
pub(super) struct Section {
    /// The partition's index in the source's list.
    pub(super) place: usize,
    /// The position's generation when this was requested.
    pub(super) generation: u32,
    /// Where in the frame the batches are.
    pub(super) records: std::ops::Range<usize>,
    pub(super) aborted: Aborted,
    /// The end of the partition when this was answered.
    pub(super) end: Offset,
}

/// Shows batches according to the settings.
#[derive(Debug)]
pub(super) struct Viewer {
    checks_crcs: bool,
    isolation: Isolation,
    on_corrupt: OnCorrupt,
    /// Memory for inflated bodies.
    scratch: Vec<u8>,
    notices: Vec<String>,
}

impl Viewer {
    pub(super) fn new(settings: &ConsumeSettings, on_corrupt: OnCorrupt) -> Self {
        Self {
            checks_crcs: settings.checks_crcs,
            isolation: settings.isolation,
            on_corrupt,
            scratch: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// What was skipped, one line each.
    pub(super) fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Shows the records of a section from the position on, and moves the position.
    pub(super) fn show(
        &mut self,
        section: &mut Section,
        frame: &Frame,
        position: &mut Position,
        visitor: &mut dyn RecordVisitor,
    ) -> Result<ControlFlow<()>> {
        let bytes = frame.get(section.records.clone()).unwrap_or_default();
        // A batch that is held keeps the whole answer in memory, which must not be mainly records of other partitions.
        let is_much = bytes.len() >= frame.len() / MUCH;
        let memory = is_much.then(|| frame.share(section.records.clone())).flatten();
        let mut batches = Batches::new(bytes);
        for batch in batches.by_ref() {
            let batch = batch.map_err(|error| corrupt_at(position, &RecordError::from(error)))?;
            let next = batch.header.next_offset();
            if next <= position.shown {
                continue;
            }
            match self.show_batch(&batch, memory.as_ref(), &mut section.aborted, position, visitor) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return Ok(ControlFlow::Break(())),
                Err(Trouble::Visitor(error)) => return Err(error),
                Err(Trouble::Corrupt(why)) => self.pass_over(corrupt(position, &batch, &why))?,
            }
            position.shown = next;
        }
        if batches.remaining() > 0 && batches.position() == 0 && position.shown >= position.offset {
            let available = batches.remaining();
            let stated = batch_header::length_field(bytes);
            return Err(corrupt_at(
                position,
                &format_args!("a batch states a length of {stated} bytes, and {available} came"),
            ));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Notes that a batch is skipped, or ends the reading.
    fn pass_over(&mut self, error: Error) -> Result<()> {
        if self.on_corrupt == OnCorrupt::Fail {
            return Err(error.hint("pass over it with --skip-corrupt"));
        }
        self.notices.push(format!("passing over {error}"));
        Ok(())
    }

    fn show_batch(
        &mut self,
        batch: &Batch<'_>,
        memory: Option<&SharedSlice>,
        aborted: &mut Aborted,
        position: &mut Position,
        visitor: &mut dyn RecordVisitor,
    ) -> Result<ControlFlow<()>, Trouble> {
        let header = &batch.header;
        let is_unchecked = self.checks_crcs && visitor.checks_batches() && !header.is_control();
        if self.checks_crcs && !is_unchecked && !crc_is_valid(batch.bytes) {
            return Err(Trouble::Corrupt(batch_header::WRONG_CHECKSUM.to_owned()));
        }
        if header.is_control() {
            let marker = batch.records(&mut self.scratch, LARGEST)?.next().transpose()?;
            let kind = marker.and_then(|record| ControlType::parse(record.key?));
            aborted.marker(header.producer_id, kind, header.last_offset());
            return Ok(ControlFlow::Continue(()));
        }
        if self.isolation == Isolation::ReadCommitted
            && header.is_transactional()
            && aborted.leaves_out(header.producer_id, header.last_offset())
        {
            return Ok(ControlFlow::Continue(()));
        }
        let fetched = FetchedBatch {
            topic: &position.topic,
            partition: position.partition,
            from: position.shown,
            batch,
            is_unchecked,
            memory,
        };
        if let Some(flow) = visitor.batch(&fetched).map_err(Trouble::Visitor)? {
            position.shown = header.next_offset();
            return Ok(flow);
        }
        let timestamp_type = match header.timestamp_type() {
            batch_header::TimestampType::NoTimestampType => TimestampType::None,
            batch_header::TimestampType::CreateTime => TimestampType::CreateTime,
            batch_header::TimestampType::LogAppendTime => TimestampType::LogAppendTime,
        };
        let is_compressed = header.codec() != Some(Codec::None);
        let mut records = match batch.records(&mut self.scratch, HELD_AT_ONCE) {
            Err(RecordError::Compression(CompressionError::TooLarge { .. })) if is_compressed => {
                return if header.magic < 2 {
                    stream_messages(batch, timestamp_type, position, visitor)
                } else {
                    stream_batch(batch, timestamp_type, position, visitor)
                };
            }
            records => records?,
        };
        let mut gathered: Vec<Record<'_>> = Vec::with_capacity(AT_ONCE);
        let mut sifting = Sifting::new(visitor);
        loop {
            let mut pass_over = |records: &mut BatchRecords<'_>| sifting.pass_over(records, visitor);
            let failure = gather(&mut records, position.shown, &mut pass_over, &mut gathered).err();
            if gathered.is_empty() && failure.is_none() {
                return Ok(ControlFlow::Continue(()));
            }
            let flow =
                show_records(&gathered, timestamp_type, position, visitor).map_err(Trouble::Visitor)?;
            if flow.is_break() {
                return Ok(flow);
            }
            if let Some(error) = failure {
                return Err(error.into());
            }
        }
    }
}

/// Shows the records of a large batch while they are inflated.
fn stream_batch(
    batch: &Batch<'_>,
    timestamp_type: TimestampType,
    position: &mut Position,
    visitor: &mut dyn RecordVisitor,
) -> Result<ControlFlow<()>, Trouble> {
    batch.stream(LARGEST, |records| {
        while let Some(record) = records.next_record() {
            let record = match record? {
                StreamedRecord::Held(record) => record,
                StreamedRecord::Large(record) => {
                    let offset = record.place.offset;
                    return Err(Trouble::Corrupt(format!("the record {offset} is over 1 GB")));
                }
            };
            let flow = show_one(record, timestamp_type, position, visitor)?;
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    })?
}

/// [`stream_batch`] for a large message set of an old format.
fn stream_messages(
    batch: &Batch<'_>,
    timestamp_type: TimestampType,
    position: &mut Position,
    visitor: &mut dyn RecordVisitor,
) -> Result<ControlFlow<()>, Trouble> {
    let mut messages = MessageStream::new(&batch.header, batch.bytes, LARGEST)?;
    while let Some(record) = messages.next_record() {
        let flow = show_one(record?, timestamp_type, position, visitor)?;
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Shows one record, unless it is before the position.
fn show_one(
    record: Record<'_>,
    timestamp_type: TimestampType,
    position: &mut Position,
    visitor: &mut dyn RecordVisitor,
) -> Result<ControlFlow<()>, Trouble> {
    if record.offset < position.shown {
        return Ok(ControlFlow::Continue(()));
    }
    show_records(&[record], timestamp_type, position, visitor).map_err(Trouble::Visitor)
}

/// Takes the next records from offset `from` on, as many as are shown at once, without those that `pass_over` skips.
#[inline]
fn gather<'a>(
    records: &mut BatchRecords<'a>,
    from: Offset,
    pass_over: &mut impl FnMut(&mut BatchRecords<'a>),
    gathered: &mut Vec<Record<'a>>,
) -> Result<(), RecordError> {
    gathered.clear();
    while gathered.len() < AT_ONCE {
        pass_over(records);
        let Some(record) = records.next() else {
            break;
        };
        let record = record?;
        if record.offset >= from {
            gathered.push(record);
        }
    }
    Ok(())
}

/// Why a batch was not shown to its end.
enum Trouble {
    Visitor(Error),
    Corrupt(String),
}

impl From<RecordError> for Trouble {
    fn from(error: RecordError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

fn show_records(
    records: &[Record<'_>],
    timestamp_type: TimestampType,
    position: &mut Position,
    visitor: &mut dyn RecordVisitor,
) -> Result<ControlFlow<()>> {
    let wants_headers = visitor.wants_headers() && records.iter().any(|record| !record.headers.is_empty());
    let names: Vec<std::borrow::Cow<'_, str>> = if wants_headers {
        let headers = records.iter().flat_map(|record| record.headers);
        headers
            .map(|header| String::from_utf8_lossy(header.key))
            .collect()
    } else {
        Vec::new()
    };
    let views: Vec<HeaderView<'_>> = if wants_headers {
        let values = records.iter().flat_map(|record| record.headers);
        values
            .zip(&names)
            .map(|(header, name)| HeaderView {
                name,
                value: header.value,
            })
            .collect()
    } else {
        Vec::new()
    };
    let mut rest = views.as_slice();
    let consumed: Vec<ConsumedRecord<'_>> = records
        .iter()
        .map(|record| {
            let count = if wants_headers { record.headers.len() } else { 0 };
            let (headers, after) = rest.split_at_checked(count).unwrap_or_default();
            rest = after;
            ConsumedRecord {
                topic: &position.topic,
                partition: position.partition,
                offset: record.offset,
                timestamp: record.timestamp,
                timestamp_type,
                key: record.key,
                value: record.value,
                headers,
            }
        })
        .collect();
    let (taken, flow) = visitor.records(&consumed);
    let last = taken.checked_sub(1).and_then(|last| records.get(last));
    if let Some(last) = last {
        position.shown = last.offset + 1;
    }
    flow
}

/// The error of a batch that cannot be decoded.
fn corrupt(position: &Position, batch: &Batch<'_>, why: &str) -> Error {
    let (topic, partition) = (&position.topic, position.partition);
    let (first, last) = (batch.header.base_offset, batch.header.last_offset());
    Error::bad_data(format!(
        "{topic}-{partition} offset {first}: damaged batch of offsets {first} to {last}: {why}"
    ))
}

/// The error of bytes that are no batch.
fn corrupt_at(position: &Position, why: &dyn std::fmt::Display) -> Error {
    let (topic, partition, offset) = (&position.topic, position.partition, position.shown);
    Error::bad_data(format!(
        "{topic}-{partition} offset {offset}: damaged batch: {why}"
    ))
}
