//! Records by a template, or as JSON lines.
//!
//! Owns which records are shown, and that those of Kafka's own topics are shown decoded in JSON.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use super::batches::tell_end;
use super::files::DumpFile;
use super::in_order::{Early, Output, Stopped, work_in_order};
use super::segment::{Segment, WalkEnd, WholeBatch, whole_batches};
use super::{Range, Records};
use crate::client::record_sink::HeaderView;
use crate::client::record_source::{ConsumedRecord, TimestampType};
use crate::error::{Error, Result};
use crate::output::log_dump::internal_json;
use crate::output::log_dump::progress::FileProgress;
use crate::output::record::RecordFormatter;
use crate::output::record_json::JsonFormatter;
use crate::output::record_template::Template;
use crate::output::{Printer, log_dump::rows::grouped};
use crate::records::Record;
use crate::records::batch_header;
use crate::storage::file_name;
use crate::storage::segment_scan::Chunk;
use crate::topic_partition::TopicPartition;

/// How the records of one log are shown.
#[derive(Clone, Debug)]
enum Formatter {
    Template(Template),
    Json,
    /// A topic of Kafka's own.
    Internal(internal_json::Topic),
}

/// What a thread works with.
struct Worker<'a> {
    formatter: Formatter,
    partition: &'a TopicPartition,
    range: Range,
    scratch: Vec<u8>,
    /// How many batches were shown whose checksum does not hold.
    corrupt: &'a AtomicU64,
}

pub(super) fn show(file: &DumpFile, how: &Records, range: Range, printer: &mut Printer) -> Result<u64> {
    let partition = partition_of(file);
    let formatter = match how {
        Records::Template(text) => Formatter::Template(
            Template::compile(text).map_err(|why| Error::usage(format!("--format: {why}")))?,
        ),
        Records::Json => match internal_json::Topic::of(&partition.topic) {
            Some(topic) => Formatter::Internal(topic),
            None => Formatter::Json,
        },
    };
    let mut segment = Segment::open(file, range)?;
    let corrupt = AtomicU64::new(0);
    let worker = || {
        let mut worker = Worker {
            formatter: formatter.clone(),
            partition: &partition,
            range,
            scratch: Vec::new(),
            corrupt: &corrupt,
        };
        move |chunk: &Chunk, output: &mut Output<'_, '_, _, Stop>| worker.chunk(chunk, output)
    };
    let progress = FileProgress::beside_lines(segment.length, &segment.name, printer.is_quiet());
    let ended = work_in_order(
        &mut segment.scan,
        segment.length,
        &progress,
        printer.out(),
        worker,
        |()| {},
    );
    progress.finish();
    let behind = match ended {
        Ok(()) => {
            let end = segment.end()?;
            tell_end(&segment.name, &end, printer)
        }
        Err(Stopped::Work(Stop::EndOfRange)) => 0,
        Err(Stopped::Work(Stop::NoBatch(end))) => tell_end(&segment.name, &end, printer),
        Err(Stopped::Work(Stop::Failed(error))) => return Err(error.context(&segment.name)),
        Err(Stopped::Input(error)) => return Err(Error::from(error).context(&segment.name)),
        Err(Stopped::Output(error)) => return Err(error.into()),
    };
    Ok(corrupt.into_inner() + behind)
}

/// Why a walk ends before the log does.
#[derive(Debug)]
enum Stop {
    EndOfRange,
    NoBatch(WalkEnd),
    Failed(Error),
}

/// The partition by the folder's name; the folder itself when it is none.
fn partition_of(file: &DumpFile) -> TopicPartition {
    let path = std::fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
    let folder = path
        .parent()
        .and_then(|folder| folder.file_name())
        .unwrap_or_default()
        .to_string_lossy();
    file_name::parse_partition_folder(&folder).unwrap_or_else(|| TopicPartition::new(folder, 0))
}

impl Worker<'_> {
    fn chunk<W: Write>(
        &mut self,
        chunk: &Chunk,
        output: &mut Output<'_, '_, W, Stop>,
    ) -> Result<(), Early<Stop>> {
        for batch in whole_batches(chunk) {
            let batch = batch.map_err(|(position, why)| Stop::NoBatch(WalkEnd::NoBatch { position, why }))?;
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

    fn batch<W: Write>(
        &mut self,
        batch: &WholeBatch<'_>,
        output: &mut Output<'_, '_, W, Stop>,
    ) -> Result<(), Early<Stop>> {
        let corrupt = |why: String| {
            let position = grouped(batch.position);
            let problem = format!("byte {position}: {why}");
            let hint = "--verify looks closer, --recover saves what is good";
            Early::Failed(Stop::Failed(Error::bad_data(problem).hint(hint)))
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        let header = &batch.header;
        batch.bytes.each_record(header, &mut scratch, |record| {
            let record = record.map_err(|error| corrupt(error.to_string()))?;
            if self.range.has_offset(record.offset) && self.range.has_time(record.timestamp) {
                self.record(header.timestamp_type(), &record, &mut output.text)
                    .map_err(|why| corrupt(format!("record {}: {why}", record.offset)))?;
                output.flush_if_long()?;
            }
            Ok::<(), Early<Stop>>(())
        })?;
        self.scratch = scratch;
        Ok(())
    }

    fn record(
        &mut self,
        kind: batch_header::TimestampType,
        record: &Record<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        if let Formatter::Internal(topic) = &self.formatter {
            internal_json::write(*topic, record, out);
            return Ok(());
        }
        // Most records have no headers, and an empty list takes no memory.
        let headers: Vec<HeaderView<'_>> = record
            .headers
            .map(|header| HeaderView {
                name: std::str::from_utf8(header.key).unwrap_or("\u{fffd}"),
                value: header.value,
            })
            .collect();
        let view = ConsumedRecord {
            topic: &self.partition.topic,
            partition: self.partition.partition,
            offset: record.offset,
            timestamp: record.timestamp,
            timestamp_type: match kind {
                batch_header::TimestampType::NoTimestampType => TimestampType::None,
                batch_header::TimestampType::CreateTime => TimestampType::CreateTime,
                batch_header::TimestampType::LogAppendTime => TimestampType::LogAppendTime,
            },
            key: record.key,
            value: record.value,
            headers: &headers,
        };
        match &mut self.formatter {
            Formatter::Template(template) => template.write(&view, out),
            Formatter::Json => JsonFormatter.write(&view, out),
            Formatter::Internal(_) => Ok(()),
        }
    }
}
