//! One batch by itself: its checksum, and its records if that matches.
//!
//! Owns what is wrong with the records, and what it means for a broker and for consumers. Nothing here needs the
//! batches before, so that several threads check batches at the same time.

use super::finding::{BrokerAction, Consequence};
use super::problem::LogProblem;
use crate::records::batch_header::{BatchHeader, TimestampType};
use crate::records::compression::CompressionError;
use crate::records::control_record::EndTransactionMarker;
use crate::records::{RecordError, StreamedRecord};
use crate::storage::read_only::log_walk::WholeBatch;

/// What is wrong with the records of a batch.
#[derive(Debug)]
pub(super) struct WrongRecords {
    pub(super) problem: LogProblem,
    pub(super) action: BrokerAction,
}

impl WrongRecords {
    fn kept(problem: LogProblem, consequence: Consequence) -> Self {
        Self {
            problem,
            action: BrokerAction::Keep(consequence),
        }
    }
}

/// A batch that has been checked by itself.
#[derive(Debug)]
pub(super) struct CheckedBatch {
    /// Bytes from the start of the log.
    pub(super) position: u64,
    pub(super) header: BatchHeader,
    pub(super) computed_crc: u32,
    /// The marker that ends a transaction, if it is one; only searched if the checksum matches.
    pub(super) marker: Result<Option<EndTransactionMarker>, WrongRecords>,
}

impl CheckedBatch {
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

/// Reads the records. Returns the marker that ends a transaction, if there is one.
fn marker_if_readable(
    batch: &WholeBatch<'_>,
    scratch: &mut Vec<u8>,
) -> Result<Option<EndTransactionMarker>, WrongRecords> {
    let header = &batch.header;
    let offsets = header.base_offset..=header.last_offset();
    let (mut newest, mut marker, mut outside) = (None, None, None);
    batch.bytes.each_record(header, scratch, |record| {
        let record = record.map_err(|error| unreadable(error, header.records_count))?;
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
        let batch = header.into();
        let problem = LogProblem::RecordOutsideBatch { batch, offset };
        return Err(WrongRecords::kept(problem, Consequence::OffsetAsItIs));
    }
    let counts = header.timestamp_type() == TimestampType::CreateTime && header.magic == 2;
    match newest {
        Some(timestamp) if counts && timestamp > header.max_timestamp => {
            let problem = LogProblem::RecordTooNew {
                timestamp,
                stated_newest: header.max_timestamp,
            };
            Err(WrongRecords::kept(problem, Consequence::TimeLookupMisses))
        }
        _ => Ok(marker),
    }
}

fn unreadable(error: RecordError, records_count: i32) -> WrongRecords {
    // The limit is this program's, consumers have none.
    if matches!(error, RecordError::Compression(CompressionError::TooLarge { .. })) {
        return WrongRecords::kept(LogProblem::RecordsNotChecked(error), Consequence::None);
    }
    let consequence = if records_count == 0 {
        Consequence::RecordsSkipped
    } else {
        Consequence::ConsumersFail
    };
    WrongRecords::kept(LogProblem::Records(error), consequence)
}
