//! The records of a batch as kafka-dump-log shows them.
//!
//! Owns Java's order of records and failures: a compressed batch is inflated whole before anything of it is shown, and
//! bytes behind the last record are noticed before that one is shown.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use crate::output::log_dump::java_log::{LogView, write_record};
use crate::records::batch_header::{BatchHeader, HEADER_LEN};
use crate::records::compression::{self, Codec, CompressionError};
use crate::records::message_set::Messages;
use crate::records::record::{Record, Records};

use super::batch_bytes::{BatchBytes, HELD_INFLATED, LEGACY_LIMIT};
use super::in_order::{Early, FLUSH_BYTES, Output};
use super::java_log::{LogOffsets, Offsets};

/// What one thread makes text of batches with.
#[derive(Debug)]
pub(super) struct BatchText<'l> {
    pub(super) view: LogView,
    offsets: Offsets,
    scratch: Vec<u8>,
    /// Where offsets go in the log's order.
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

    /// What the chunk's batches say about offsets.
    pub(super) fn take_offsets(&mut self) -> Offsets {
        std::mem::take(&mut self.offsets)
    }

    /// The records of a batch of format 2.
    pub(super) fn records<W: Write>(
        &mut self,
        header: &BatchHeader,
        bytes: BatchBytes<'_>,
        output: &mut Output<'_, '_, W, String>,
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

    /// The records of a body in memory. `lazily`: what is good is shown before a failure; else all or nothing is.
    fn held<W: Write>(
        &mut self,
        header: &BatchHeader,
        body: &[u8],
        lazily: bool,
        output: &mut Output<'_, '_, W, String>,
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
            // Between batches nothing needs to be looked at twice; only a batch with much text does not wait for that.
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

    /// The records of a body that is not held.
    fn stream<W: Write>(
        &mut self,
        header: &BatchHeader,
        codec: Codec,
        bytes: BatchBytes<'_>,
        output: &mut Output<'_, '_, W, String>,
    ) -> Result<(), Early<String>> {
        // One at a time: each has a window of its own.
        output.flush()?;
        let failed = |error: crate::records::RecordError| Early::Failed(error.to_string());
        if codec != Codec::None {
            let mut all = bytes.stream(header).map_err(failed)?;
            while let Some(record) = all.next_record() {
                record.map_err(failed)?;
            }
        }
        let mut records = bytes.stream(header).map_err(failed)?;
        while let Some(record) = records.next_record() {
            let record = record.map_err(failed)?;
            self.one_record(header, &record, None, output)?;
            output.flush_if_long()?;
        }
        Ok(())
    }

    /// The messages of an entry of format 0 or 1.
    pub(super) fn messages<W: Write>(
        &mut self,
        header: &BatchHeader,
        bytes: BatchBytes<'_>,
        output: &mut Output<'_, '_, W, String>,
    ) -> Result<(), Early<String>> {
        let failed = |error: crate::records::RecordError| Early::Failed(error.to_string());
        let mut buffer = Vec::new();
        let whole = bytes.legacy(&mut buffer).map_err(failed)?;
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut messages = Messages::new(header, whole, &mut scratch, LEGACY_LIMIT).map_err(failed)?;
        while let Some(message) = messages.next_message() {
            let (record, bytes) = message.map_err(failed)?;
            self.one_record(header, &record, Some(bytes), output)?;
            output.flush_if_long()?;
        }
        self.scratch = scratch;
        Ok(())
    }

    #[inline]
    fn one_record<W: Write>(
        &mut self,
        header: &BatchHeader,
        record: &Record<'_>,
        message: Option<&[u8]>,
        output: &mut Output<'_, '_, W, String>,
    ) -> Result<(), Early<String>> {
        self.offsets.add(record.offset);
        if self.offsets.are_many() {
            output.turn()?;
            self.log
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(&mut self.offsets);
        }
        Ok(write_record(
            self.view,
            header,
            record,
            message,
            &mut output.text,
        )?)
    }
}
