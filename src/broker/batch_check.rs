//! What a producer's batch must keep to before it is appended, in Kafka's order and with Kafka's words.
//!
//! Looks at the header and the checksum only. The records inside are read where a rule of the topic needs it: keys
//! of a compacted topic, timestamps out of the ordinary.

use kafka_protocol::ResponseError;

use super::topic_settings::TopicSettings;
use crate::records::batch_header::{self, BatchHeader};
use crate::records::batches::BatchRecords;
use crate::records::{Batch, Codec};

/// No batch of more than this many bytes is unpacked to look at its records.
pub(super) const UNPACK_LIMIT: usize = 128 * 1024 * 1024;
/// What a batch of the oldest format states as its length at least, in bytes.
const SHORTEST_BATCH: i32 = 14;
/// A batch of this attribute has the broker's time already: only a broker may say so.
const LOG_APPEND_TIME_BIT: i16 = 1 << 3;

/// Why a batch is not taken.
#[derive(Debug)]
pub(super) struct Rejected {
    pub(super) error: ResponseError,
    pub(super) message: String,
    /// The partition's start, which only refusals by the log itself tell; -1 otherwise.
    pub(super) log_start_offset: i64,
    /// Which records are at fault, and why.
    pub(super) records: Vec<(i32, String)>,
}

impl Rejected {
    pub(super) fn new(error: ResponseError, message: impl Into<String>) -> Self {
        Self {
            error,
            message: message.into(),
            log_start_offset: -1,
            records: Vec::new(),
        }
    }
}

fn invalid(message: impl Into<String>) -> Rejected {
    Rejected::new(ResponseError::InvalidRecord, message)
}

/// What a partition's records come with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    /// `topic-partition`, for the texts.
    pub(super) partition: &'a str,
    pub(super) version: i16,
    pub(super) now_ms: i64,
    pub(super) settings: &'a TopicSettings,
}

/// Checks one batch of which [`one_batch`] has found the header.
pub(super) fn check(bytes: &[u8], header: &BatchHeader, rules: &Rules<'_>) -> Result<(), Rejected> {
    let partition = rules.partition;
    if header.base_offset != 0 {
        return Err(invalid(format!(
            "The baseOffset of the record batch in the append to {partition} should be 0, but it is {}",
            header.base_offset
        )));
    }
    let limit = rules.settings.max_message_bytes;
    if bytes.len() > limit {
        return Err(Rejected::new(
            ResponseError::MessageTooLarge,
            format!(
                "The record batch size in the append to {partition} is {} bytes which exceeds the maximum \
                 configured value of {limit}.",
                bytes.len()
            ),
        ));
    }
    if !batch_header::crc_is_valid(bytes) {
        return Err(Rejected::new(
            ResponseError::CorruptMessage,
            format!(
                "Record is corrupt (stored crc = {}, computed crc = {}) in topic partition {partition}.",
                header.crc,
                batch_header::computed_crc(bytes)
            ),
        ));
    }
    check_header(header, partition)?;
    check_records(bytes, header, rules)
}

/// From version 3 on a partition's records are one batch of format 2, and zstd needs version 7.
pub(super) fn one_batch(bytes: &[u8], rules: &Rules<'_>) -> Result<BatchHeader, Rejected> {
    let version = rules.version;
    let none = || {
        invalid(format!(
            "Produce requests with version {version} must have at least one record batch per partition"
        ))
    };
    let corrupt = || {
        let message = format!("Record batch is corrupt in topic partition {}.", rules.partition);
        Rejected::new(ResponseError::CorruptMessage, message)
    };
    // Where the magic byte of any format stands; a batch that does not end here does not count.
    let magic = *bytes.get(16).ok_or_else(none)?;
    let length = bytes.get(8..12).and_then(|length| length.try_into().ok());
    let length = i32::from_be_bytes(length.unwrap_or_default());
    if length < SHORTEST_BATCH || magic > 2 {
        return Err(corrupt());
    }
    if bytes.len() as i64 - 12 < i64::from(length) {
        return Err(none());
    }
    if magic != 2 {
        return Err(invalid(format!(
            "Produce requests with version {version} are only allowed to contain record batches with magic version 2"
        )));
    }
    let header = BatchHeader::parse(bytes).map_err(|_| corrupt())?;
    if Codec::from_attributes(header.attributes) == Some(Codec::Zstd) && version < 7 {
        return Err(Rejected::new(
            ResponseError::UnsupportedCompressionType,
            format!("Produce requests with version {version} are not allowed to use ZStandard compression"),
        ));
    }
    if header.size_in_bytes() < bytes.len() {
        return Err(invalid(format!(
            "Produce requests with version {version} are only allowed to contain exactly one record batch per \
             partition"
        )));
    }
    Ok(header)
}

fn check_header(header: &BatchHeader, partition: &str) -> Result<(), Rejected> {
    if Codec::from_attributes(header.attributes).is_none() {
        return Err(Rejected::new(
            ResponseError::UnsupportedCompressionType,
            format!("Unknown compression type in topic partition {partition}."),
        ));
    }
    if header.is_control() {
        return Err(invalid("Clients are not allowed to write control records."));
    }
    let by_offsets = i64::from(header.last_offset_delta) + 1;
    if by_offsets <= 0 {
        return Err(invalid(format!(
            "Batch has an invalid offset range: [0, {}] in topic partition {partition}.",
            header.last_offset_delta
        )));
    }
    if i64::from(header.records_count) != by_offsets {
        return Err(invalid(format!(
            "Inconsistent batch offset range [0, {}] and count of records {} in topic partition {partition}.",
            header.last_offset_delta, header.records_count
        )));
    }
    if header.producer_id >= 0 && header.base_sequence < 0 {
        return Err(invalid(format!(
            "Invalid sequence number {} in record batch with producerId {} in topic partition {partition}.",
            header.base_sequence, header.producer_id
        )));
    }
    if header.attributes & LOG_APPEND_TIME_BIT != 0 {
        return Err(Rejected::new(
            ResponseError::InvalidTimestamp,
            format!(
                "Invalid timestamp type in topic partition {partition}: only the broker sets LogAppendTime."
            ),
        ));
    }
    Ok(())
}

/// Reads the records only where a rule may be broken by one of them.
fn check_records(bytes: &[u8], header: &BatchHeader, rules: &Rules<'_>) -> Result<(), Rejected> {
    let settings = rules.settings;
    let earliest = rules.now_ms.saturating_sub(settings.timestamp_before_max_ms);
    let latest = rules.now_ms.saturating_add(settings.timestamp_after_max_ms);
    let any_time = settings.log_append_time
        || (settings.timestamp_before_max_ms == i64::MAX && header.max_timestamp <= latest);
    if any_time && !settings.compact {
        return Ok(());
    }
    let mut without_key = Vec::new();
    let mut out_of_time = Vec::new();
    let corrupt = || {
        let message = format!("Records cannot be read in topic partition {}.", rules.partition);
        Rejected::new(ResponseError::CorruptMessage, message)
    };
    let batch = Batch::parse(bytes).map_err(|_| corrupt())?;
    let mut scratch = Vec::new();
    let records: BatchRecords<'_> = batch.records(&mut scratch, UNPACK_LIMIT).map_err(|_| corrupt())?;
    for (index, record) in (0..).zip(records) {
        let record = record.map_err(|_| corrupt())?;
        if settings.compact && record.key.is_none() {
            let message = format!(
                "Compacted topic cannot accept message without key in topic partition {}",
                rules.partition
            );
            without_key.push((index, message));
        }
        if !any_time && !(earliest..=latest).contains(&record.timestamp) {
            let message = format!(
                "Timestamp {} of message with offset {} is out of range. The timestamp should be within [{earliest}, \
                 {latest}]",
                record.timestamp, record.offset
            );
            out_of_time.push((index, message));
        }
    }
    if !out_of_time.is_empty() {
        let message = "One or more records have been rejected due to invalid timestamp";
        return Err(Rejected {
            records: out_of_time,
            ..Rejected::new(ResponseError::InvalidTimestamp, message)
        });
    }
    if !without_key.is_empty() {
        let first = without_key.len();
        let message = format!("One or more records have been rejected due to {first} record errors in total");
        return Err(Rejected {
            records: without_key,
            ..invalid(message)
        });
    }
    Ok(())
}
