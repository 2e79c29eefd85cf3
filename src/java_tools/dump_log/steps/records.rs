//! The records of a batch as kafka-dump-log prints them.
//!
//! Owns Java's order of records and failures: a compressed batch is decompressed whole before anything of it is
//! printed, and bytes after the last record are detected before that one is printed.

use std::sync::{Mutex, PoisonError};

use crate::java_tools::dump_log::words::decoders::{Decoder, ElementDecoder, ElementPieces};
use crate::java_tools::dump_log::words::log::{
    LogView, begin_large_record, begin_record, is_control, write_record,
};
use crate::records::RecordError;
use crate::records::batch_header::{BatchHeader, HEADER_LEN};
use crate::records::compression::{self, Codec, CompressionError};
use crate::records::message_set::Messages;
use crate::records::record::{Record, Records};
use crate::records::record_stream::{LargeRecord, Span, StreamedRecord};

use super::log::{LogOffsets, Offsets};
use crate::storage::read_only::batch_bytes::{BatchBytes, HELD_INFLATED, LEGACY_LIMIT, Spans};
use crate::storage::read_only::in_order::{Early, FLUSH_BYTES, Output};

/// The state of a thread that makes text of batches.
#[derive(Debug)]
pub(super) struct BatchText<'l> {
    pub(super) view: LogView,
    offsets: Offsets,
    scratch: Vec<u8>,
    /// Collects the offsets in the log's order.
    log: &'l Mutex<LogOffsets>,
}

impl<'l> BatchText<'l> {
    pub(super) fn new(view: LogView, log: &'l Mutex<LogOffsets>) -> Self {
        Self {
            view,
            offsets: Offsets::default(),
            scratch: Vec::new(),
            log,
        }
    }

    /// Takes the offsets of the chunk's batches.
    pub(super) fn take_offsets(&mut self) -> Offsets {
        std::mem::take(&mut self.offsets)
    }

    /// The records of a batch of format 2.
    pub(super) fn records(
        &mut self,
        header: &BatchHeader,
        bytes: BatchBytes<'_>,
        output: &mut Output<'_, '_, String>,
    ) -> Result<(), Early<String>> {
        if bytes.len() < HEADER_LEN as u64 {
            let size = bytes.len();
            return Err(Early::Failed(format!(
                "a batch of {size} bytes has no room for its header"
            )));
        }
        if header.records_count == 0 {
            return Ok(());
        }
        let codec = header.codec().unwrap_or_default();
        let BatchBytes::Held(held) = bytes else {
            return self.stream(header, codec, bytes, output);
        };
        let body = held.get(HEADER_LEN..).unwrap_or_default();
        if codec == Codec::None {
            return self.held(header, body, true, output);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        match compression::decompress_into(codec, body, &mut scratch, HELD_INFLATED) {
            Ok(()) => {
                let shown = self.held(header, &scratch, false, output);
                self.scratch = scratch;
                shown
            }
            Err(CompressionError::TooLarge { .. }) => {
                drop(scratch);
                self.stream(header, codec, bytes, output)
            }
            Err(error) => Err(Early::Failed(format!(
                "Failed to decompress record stream: {error}"
            ))),
        }
    }

    /// Prints the records of a body in memory. `lazily`: valid ones are printed before a failure; else all or none.
    fn held(
        &mut self,
        header: &BatchHeader,
        body: &[u8],
        lazily: bool,
        output: &mut Output<'_, '_, String>,
    ) -> Result<(), Early<String>> {
        let mut start = output.text.len();
        let mut may_flush = lazily;
        let mut records = Records::new(header, body);
        let mut next = records.next();
        while let Some(record) = next.take() {
            let is_last = records.is_complete();
            let checked = match (record, records.next()) {
                (Err(error), _) => Err(error),
                (Ok(_), Some(Err(error))) if is_last => Err(error),
                (Ok(record), following) => {
                    next = following;
                    Ok(record)
                }
            };
            let record = checked.map_err(|error| {
                if !lazily {
                    output.text.truncate(start);
                }
                Early::Failed(error.to_string())
            })?;
            self.one_record(header, &record, None, output)?;
            // Up to here a failure can still remove the text of the batch; only a batch with much text is not held back
            // for that.
            if output.text.len() >= FLUSH_BYTES.saturating_add(start) && output.is_long() {
                if !may_flush {
                    let mut rest = next.clone().into_iter().chain(records.clone());
                    if let Some(Err(error)) = rest.find(Result::is_err) {
                        output.text.truncate(start);
                        return Err(Early::Failed(error.to_string()));
                    }
                    may_flush = true;
                }
                output.flush()?;
                start = 0;
            }
        }
        Ok(())
    }

    /// Prints the records of a body that is not in memory.
    fn stream(
        &mut self,
        header: &BatchHeader,
        codec: Codec,
        bytes: BatchBytes<'_>,
        output: &mut Output<'_, '_, String>,
    ) -> Result<(), Early<String>> {
        // One thread at a time: each has a window of its own.
        output.flush()?;
        let failed = |error: crate::records::RecordError| Early::Failed(error.to_string());
        if codec != Codec::None {
            let mut all = bytes.stream(header).map_err(failed)?;
            while let Some(record) = all.next_record() {
                record.map_err(failed)?;
            }
        }
        let mut records = bytes.stream(header).map_err(failed)?;
        let mut spans = Spans::new(bytes, header);
        while let Some(record) = records.next_record() {
            match record.map_err(failed)? {
                StreamedRecord::Held(record) => self.one_record(header, &record, None, output)?,
                StreamedRecord::Large(record) => self.large_record(header, &record, &mut spans, output)?,
            }
            output.flush_if_long()?;
        }
        Ok(())
    }

    /// Prints a record whose key and value are read piece by piece.
    fn large_record(
        &mut self,
        header: &BatchHeader,
        record: &LargeRecord,
        spans: &mut Spans<'_>,
        output: &mut Output<'_, '_, String>,
    ) -> Result<(), Early<String>> {
        self.see(record.place.offset, output)?;
        begin_large_record(self.view, header, record, &mut output.text);
        if self.view.print_contents && !is_control(header) {
            let mut prefix: &[u8] = if self.view.skip_record_metadata {
                b"| "
            } else {
                b" "
            };
            let Decoder::Elements { key, value } = self.view.decoder else {
                let text = format!(
                    "payload: Error at offset {}, skipping. the record is too large to be decoded\n",
                    record.place.offset
                );
                output.text.extend_from_slice(prefix);
                output.text.extend_from_slice(text.as_bytes());
                return Ok(());
            };
            for (name, span, decoder) in [("key: ", record.key, key), ("payload: ", record.value, value)] {
                if let Some(span) = span {
                    output.text.extend_from_slice(prefix);
                    output.text.extend_from_slice(name.as_bytes());
                    element_in_pieces(decoder, span, spans, output)?;
                    prefix = b" ";
                }
            }
        }
        output.text.push(b'\n');
        Ok(())
    }

    /// Prints the messages of an entry of format 0 or 1.
    pub(super) fn messages(
        &mut self,
        header: &BatchHeader,
        bytes: BatchBytes<'_>,
        output: &mut Output<'_, '_, String>,
    ) -> Result<(), Early<String>> {
        let failed = |error: crate::records::RecordError| Early::Failed(error.to_string());
        let mut buffer = Vec::new();
        let whole = bytes.legacy(&mut buffer).map_err(failed)?;
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut messages = Messages::new(header, whole, &mut scratch, LEGACY_LIMIT).map_err(failed)?;
        while let Some(message) = messages.next_message() {
            let message = message.map_err(failed)?;
            if message.is_cut && self.view.print_contents {
                // Java reads key and value after it has begun the line.
                begin_record(
                    self.view,
                    header,
                    &message.record,
                    Some(message.bytes),
                    &mut output.text,
                )?;
                return Err(failed(RecordError::Malformed("value")));
            }
            self.one_record(header, &message.record, Some(message.bytes), output)?;
            output.flush_if_long()?;
        }
        self.scratch = scratch;
        Ok(())
    }

    #[inline]
    fn one_record(
        &mut self,
        header: &BatchHeader,
        record: &Record<'_>,
        message: Option<&[u8]>,
        output: &mut Output<'_, '_, String>,
    ) -> Result<(), Early<String>> {
        self.see(record.offset, output)?;
        Ok(write_record(
            self.view,
            header,
            record,
            message,
            &mut output.text,
        )?)
    }

    /// Notes the offset of a record.
    #[inline]
    fn see(&mut self, offset: i64, output: &mut Output<'_, '_, String>) -> Result<(), Early<String>> {
        self.offsets.add(offset);
        if self.offsets.are_many() {
            output.turn()?;
            self.log
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(&mut self.offsets);
        }
        Ok(())
    }
}

/// Appends a key or value as its decoder shows it, a piece at a time.
fn element_in_pieces(
    decoder: ElementDecoder,
    span: Span,
    spans: &mut Spans<'_>,
    output: &mut Output<'_, '_, String>,
) -> Result<(), Early<String>> {
    let mut element = ElementPieces::new(decoder);
    spans.copy(span, |piece| {
        element.push(piece, &mut output.text);
        output.flush_if_long().map_err(PieceError::Output)
    })?;
    element.end(&mut output.text);
    Ok(())
}

/// Why a piece could not be printed.
enum PieceError {
    Input(RecordError),
    Output(Early<String>),
}

impl From<RecordError> for PieceError {
    fn from(error: RecordError) -> Self {
        Self::Input(error)
    }
}

impl From<PieceError> for Early<String> {
    fn from(error: PieceError) -> Self {
        match error {
            PieceError::Input(error) => Self::Failed(error.to_string()),
            PieceError::Output(early) => early,
        }
    }
}
