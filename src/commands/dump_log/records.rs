//! Records by a template, or as JSON lines.
//!
//! Owns the choice of records, and that those of internal topics are shown decoded in JSON.

use std::sync::atomic::{AtomicU64, Ordering};

use super::batches::tell_end;
use super::{Range, Records};
use crate::client::record_sink::HeaderView;
use crate::client::record_source::{ConsumedRecord, TimestampType};
use crate::error::{Error, Result};
use crate::output::log_dump::internal_json;
use crate::output::log_dump::progress::FileProgress;
use crate::output::printable::{PrintablePieces, escape_in_json};
use crate::output::record::RecordFormatter;
use crate::output::record_json::JsonFormatter;
use crate::output::record_template::{Encoding, Section, Template};
use crate::output::{Printer, log_dump::cells::grouped, plural, stderr_line};
use crate::records::batch_header::{self, BatchHeader};
use crate::records::record_stream::{LargeRecord, Span};
use crate::records::{Record, RecordError, StreamedRecord};
use crate::storage::chunk::Chunk;
use crate::storage::file_name;
use crate::storage::read_only::LogDirFile;
use crate::storage::read_only::batch_bytes::Spans;
use crate::storage::read_only::in_order::{Early, Output};
use crate::storage::read_only::log_walk::{LogWalk, Stop, WholeBatch, whole_batches};
use crate::topic_partition::TopicPartition;

/// How the records of one log are shown.
#[derive(Clone, Debug)]
enum Formatter {
    Template(Template),
    Json,
    /// Records of an internal topic.
    Internal(internal_json::Topic),
}

/// The state of a thread.
struct Worker<'a> {
    formatter: Formatter,
    /// Whether data of records are made printable.
    is_for_terminal: bool,
    partition: &'a TopicPartition,
    range: Range,
    scratch: Vec<u8>,
    /// How many batches were shown with a wrong checksum.
    corrupt: &'a AtomicU64,
    /// How many records were too large to show.
    left_out: &'a AtomicU64,
}

pub(super) fn show(file: &LogDirFile, how: &Records, range: Range, printer: &mut Printer) -> Result<u64> {
    let partition = partition_of(file);
    let is_for_terminal = printer.is_terminal();
    let formatter = match how {
        Records::Template(text) => Formatter::Template(
            Template::compile(text)
                .map_err(|why| Error::usage(format!("--format: {why}")))?
                .for_terminal(is_for_terminal),
        ),
        Records::Json => match internal_json::Topic::of(&partition.topic) {
            Some(topic) => Formatter::Internal(topic),
            None => Formatter::Json,
        },
    };
    let mut segment = LogWalk::open(file, range)?;
    let (corrupt, left_out) = (AtomicU64::new(0), AtomicU64::new(0));
    let worker = || {
        let mut worker = Worker {
            formatter: formatter.clone(),
            is_for_terminal,
            partition: &partition,
            range,
            scratch: Vec::new(),
            corrupt: &corrupt,
            left_out: &left_out,
        };
        move |chunk: &Chunk, output: &mut Output<'_, '_, Stop>| worker.chunk(chunk, output)
    };
    let progress = FileProgress::beside_lines(segment.length, &segment.name, printer.is_quiet());
    let ended = segment.each_in_order(&progress, printer.out(), worker, |()| {});
    progress.finish();
    let behind = tell_end(&segment.name, &ended?, printer);
    match left_out.into_inner() {
        0 => Ok(corrupt.into_inner() + behind),
        records => Err(Error::failed(format!(
            "{}: {} left out",
            segment.name,
            plural(records, "record")
        ))),
    }
}

impl From<RecordError> for Early<Stop> {
    fn from(error: RecordError) -> Self {
        Self::Failed(Stop::Failed(Error::bad_data(error)))
    }
}

/// The partition that the folder's name says; the name as a topic where it says none.
fn partition_of(file: &LogDirFile) -> TopicPartition {
    let path = std::fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
    let folder = path
        .parent()
        .and_then(|folder| folder.file_name())
        .unwrap_or_default()
        .to_string_lossy();
    file_name::parse_partition_folder(&folder).unwrap_or_else(|| TopicPartition::new(folder, 0))
}

impl Worker<'_> {
    fn chunk(&mut self, chunk: &Chunk, output: &mut Output<'_, '_, Stop>) -> Result<(), Early<Stop>> {
        for batch in whole_batches(chunk) {
            let batch = batch.map_err(Stop::from)?;
            let header = &batch.header;
            if header.base_offset >= self.range.to {
                return Err(Stop::EndOfRange.into());
            }
            let newest_is_old = self.range.since.is_some_and(|since| header.max_timestamp < since);
            if header.last_offset() >= self.range.from && !newest_is_old && !header.is_control() {
                if !batch.is_valid() {
                    self.corrupt.fetch_add(1, Ordering::Relaxed);
                }
                self.batch(&batch, output)?;
            }
        }
        Ok(())
    }

    fn batch(
        &mut self,
        batch: &WholeBatch<'_>,
        output: &mut Output<'_, '_, Stop>,
    ) -> Result<(), Early<Stop>> {
        let corrupt = |why: String| {
            let position = grouped(batch.position);
            let problem = format!("byte {position}: {why}");
            let hint = "--verify looks closer, --recover saves what is good";
            Early::Failed(Stop::Failed(Error::bad_data(problem).hint(hint)))
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        let header = &batch.header;
        let mut spans = Spans::new(batch.bytes, header);
        batch.bytes.each_record(header, &mut scratch, |record| {
            let record = record.map_err(|error| corrupt(error.to_string()))?;
            if self.range.has_offset(record.offset()) && self.range.has_time(record.timestamp()) {
                match &record {
                    StreamedRecord::Held(record) => self
                        .record(header.timestamp_type(), record, &mut output.text)
                        .map_err(|why| corrupt(format!("record {}: {why}", record.offset)))?,
                    StreamedRecord::Large(record) => self.large(header, record, &mut spans, output)?,
                }
                output.flush_if_long()?;
            }
            Ok::<(), Early<Stop>>(())
        })?;
        self.scratch = scratch;
        Ok(())
    }

    /// Shows a record whose key and value are read piece by piece, where the format allows it; else the record is left
    /// out and counted.
    fn large(
        &mut self,
        header: &BatchHeader,
        record: &LargeRecord,
        spans: &mut Spans<'_>,
        output: &mut Output<'_, '_, Stop>,
    ) -> Result<(), Early<Stop>> {
        let Formatter::Template(template) = &self.formatter else {
            self.leave_out(record, "JSON");
            return Ok(());
        };
        let template = template.clone();
        if template.sections().any(|section| !section.comes_in_pieces()) {
            self.leave_out(record, "headers and JSON");
            return Ok(());
        }
        output.turn()?;
        let failed = |why: String| Early::Failed(Stop::Failed(Error::bad_data(why)));
        let length = |span: Option<Span>| span.map_or(-1, |span| i64::try_from(span.len).unwrap_or(i64::MAX));
        for section in template.sections() {
            let text = match section {
                Section::Key(encoding) | Section::Value(encoding) => {
                    let is_key = matches!(section, Section::Key(_));
                    if let Some(span) = if is_key { record.key } else { record.value } {
                        let mut printable = PrintablePieces::default();
                        spans.copy(span, |piece| {
                            if self.is_for_terminal && encoding == Encoding::Raw {
                                printable.push(piece, &mut output.text);
                            } else {
                                encoding.push_piece(piece, &mut output.text).map_err(failed)?;
                            }
                            output.flush_if_long()
                        })?;
                        printable.end(&mut output.text);
                    }
                    continue;
                }
                Section::KeyLength => length(record.key).to_string().into_bytes(),
                Section::ValueLength => length(record.value).to_string().into_bytes(),
                Section::BinaryValueLength => (length(record.value) as i32).to_be_bytes().to_vec(),
                Section::Text(mut template) => {
                    let place = record.place;
                    let view = view(
                        self.partition,
                        header.timestamp_type(),
                        place.offset,
                        place.timestamp,
                    );
                    let mut text = Vec::new();
                    template.write(&view, &mut text).map_err(failed)?;
                    text
                }
            };
            output.text.extend_from_slice(&text);
        }
        Ok(())
    }

    fn leave_out(&self, record: &LargeRecord, form: &str) {
        let bytes = record.value.map_or(0, |value| value.len) + record.key.map_or(0, |key| key.len);
        stderr_line(format_args!(
            "kafkit: record {}: its {} bytes are too many for {form}, left out; `-f '%s'` shows them",
            record.place.offset,
            grouped(bytes)
        ));
        self.left_out.fetch_add(1, Ordering::Relaxed);
    }

    fn record(
        &mut self,
        kind: batch_header::TimestampType,
        record: &Record<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let begin = out.len();
        if let Formatter::Internal(topic) = &self.formatter {
            internal_json::write(*topic, record, out);
            self.escape(begin, out);
            return Ok(());
        }
        // Most records have no headers, and an empty list allocates no memory.
        let headers: Vec<HeaderView<'_>> = record
            .headers
            .map(|header| HeaderView {
                name: std::str::from_utf8(header.key).unwrap_or("\u{fffd}"),
                value: header.value,
            })
            .collect();
        let partition = self.partition;
        let view = ConsumedRecord {
            topic: &partition.topic,
            key: record.key,
            value: record.value,
            headers: &headers,
            ..view(partition, kind, record.offset, record.timestamp)
        };
        match &mut self.formatter {
            Formatter::Template(template) => template.write(&view, out),
            Formatter::Json => {
                JsonFormatter.write(&view, out)?;
                self.escape(begin, out);
                Ok(())
            }
            Formatter::Internal(_) => Ok(()),
        }
    }

    /// Makes JSON printable if it goes to a terminal.
    fn escape(&self, begin: usize, out: &mut Vec<u8>) {
        if self.is_for_terminal {
            escape_in_json(begin, out);
        }
    }
}

/// A record without key, value and headers.
fn view(
    partition: &TopicPartition,
    kind: batch_header::TimestampType,
    offset: i64,
    timestamp: i64,
) -> ConsumedRecord<'_> {
    ConsumedRecord {
        topic: &partition.topic,
        partition: partition.partition,
        offset,
        timestamp,
        timestamp_type: match kind {
            batch_header::TimestampType::NoTimestampType => TimestampType::None,
            batch_header::TimestampType::CreateTime => TimestampType::CreateTime,
            batch_header::TimestampType::LogAppendTime => TimestampType::LogAppendTime,
        },
        key: None,
        value: None,
        headers: &[],
    }
}
