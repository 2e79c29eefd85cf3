//! One batch held against itself: its checksum, and its records where that holds.
//!
//! Owns what is wrong with the records, and what a broker and consumers make of it; nothing here needs the batches before,
//! so that threads look at many at once.

use crate::commands::dump_log::segment::WholeBatch;
use crate::records::batch_header::{BatchHeader, TimestampType};
use crate::records::compression::CompressionError;
use crate::records::control_record::EndTransactionMarker;
use crate::records::{RecordError, StreamedRecord};

/// What is wrong with a batch's records.
#[derive(Debug)]
pub(super) struct WrongRecords {
    pub(super) what: String,
    pub(super) broker: &'static str,
}

/// What there is to say of one batch, whatever is before it.
#[derive(Debug)]
pub(super) struct SeenBatch {
    pub(super) position: u64,
    pub(super) header: BatchHeader,
    pub(super) computed_crc: u32,
    /// The marker that ends a transaction, if it is one; only looked for where the checksum holds.
    pub(super) marker: Result<Option<EndTransactionMarker>, WrongRecords>,
}

impl SeenBatch {
    pub(super) fn of(batch: &WholeBatch<'_>, scratch: &mut Vec<u8>) -> Self {
        let computed_crc = batch.bytes.computed_crc(&batch.header);
        let marker = if computed_crc == batch.header.crc {
            marker_if_readable(batch, scratch)
        } else {
            Ok(None)
        };
        Self {
            position: batch.position,
            header: batch.header,
            computed_crc,
            marker,
        }
    }
}

/// Reads the records, for what only shows then; answers the marker that ends a transaction.
fn marker_if_readable(
    batch: &WholeBatch<'_>,
    scratch: &mut Vec<u8>,
) -> Result<Option<EndTransactionMarker>, WrongRecords> {
    let header = &batch.header;
    let offsets = header.base_offset..=header.last_offset();
    let (mut newest, mut marker, mut outside) = (None, None, None);
    batch.bytes.each_record(header, scratch, |record| {
        let record = record.map_err(|error| unreadable(&error, header.records_count))?;
        if header.magic == 2 && !offsets.contains(&record.offset()) {
            outside.get_or_insert(record.offset());
        }
        newest = newest.max(Some(record.timestamp()));
        if let StreamedRecord::Held(record) = &record
            && header.is_control()
        {
            marker = EndTransactionMarker::parse(record);
        }
        Ok(())
    })?;
    if let Some(offset) = outside {
        return Err(WrongRecords {
            what: format!(
                "record {offset} in the batch {}-{}",
                header.base_offset,
                header.last_offset()
            ),
            broker: "keep it, and consumers get that offset",
        });
    }
    let counts = header.timestamp_type() == TimestampType::CreateTime && header.magic == 2;
    match newest {
        Some(newest) if counts && newest > header.max_timestamp => Err(WrongRecords {
            what: format!(
                "a record of time {newest} in a batch whose newest is said to be {}",
                header.max_timestamp
            ),
            broker: "keep it, and who looks for a time may miss the record",
        }),
        _ => Ok(marker),
    }
}

fn unreadable(error: &RecordError, records_count: i32) -> WrongRecords {
    let (what, broker) = match error {
        // The limit is this program's, consumers have none.
        RecordError::Compression(CompressionError::TooLarge { .. }) => {
            (format!("not checked: {error}"), "keep it")
        }
        _ if records_count == 0 => (error.to_string(), "keep it, and consumers pass its records over"),
        _ => (error.to_string(), "keep it, and every consumer fail here"),
    };
    WrongRecords { what, broker }
}
