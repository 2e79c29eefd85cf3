//! The checks of a producer's batch before it is appended, in Kafka's order and with Kafka's messages.
//!
//! The records are walked once, without keys and values, as in Apache Kafka: a batch that does not match its header
//! could not be read later. As in Kafka, most refusals of records have no message.

use kafka_protocol::ResponseError;

use crate::broker::config::topic_settings::TopicSettings;
use crate::records::batch_header::{self, BatchHeader, HEADER_LEN, LOG_OVERHEAD, TimestampType};
use crate::records::fields::i8_at;
use crate::records::record_walk::{self, RecordSummary, WalkError};
use crate::records::{Codec, inflate};

/// The most bytes of a batch after decompression, if it has to be compressed again.
const UNPACK_LIMIT: usize = 128 * 1024 * 1024;
/// The smallest length field of a batch of the oldest format, in bytes.
const SHORTEST_BATCH: i32 = 14;
/// The most faulty records listed in an answer.
const MOST_RECORD_ERRORS: usize = 10_000;
/// The timestamp of a record without one.
const NO_TIMESTAMP: i64 = -1;

/// Why a batch is refused.
#[derive(Debug)]
pub(in crate::broker) struct Rejected {
    pub(in crate::broker) error: ResponseError,
    /// Empty if Kafka has only the code.
    pub(in crate::broker) message: String,
    /// The log start offset, which only refusals by the log state; -1 otherwise.
    pub(in crate::broker) log_start_offset: i64,
    /// The faulty records by index, with messages.
    pub(in crate::broker) records: Vec<(i32, String)>,
}

impl Rejected {
    pub(in crate::broker) fn new(error: ResponseError, message: impl Into<String>) -> Self {
        Self {
            error,
            message: message.into(),
            log_start_offset: -1,
            records: Vec::new(),
        }
    }
}

/// The refusal of bytes that are no batch, or of a batch that does not match its header.
fn invalid() -> Rejected {
    Rejected::new(ResponseError::InvalidRecord, "")
}

fn corrupt(message: impl Into<String>) -> Rejected {
    Rejected::new(ResponseError::CorruptMessage, message)
}

/// The conditions for a partition's records.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct Rules<'a> {
    /// `topic-partition`, for messages.
    pub(in crate::broker) partition: &'a str,
    pub(in crate::broker) now_ms: i64,
    pub(in crate::broker) settings: &'a TopicSettings,
}

/// The results of the check of a valid batch.
#[derive(Debug)]
pub(in crate::broker) struct Checked {
    /// The largest timestamp of its records in ms; -1 if none has one.
    pub(in crate::broker) max_timestamp: i64,
    /// The decompressed records of a batch that has to be compressed again.
    pub(in crate::broker) inflated: Option<Vec<u8>>,
}

/// The complete batch at the start of a partition's records; from version 3 on it must be the only one, of format 2.
/// An incomplete batch after it is ignored.
pub(in crate::broker) fn one_batch(records: &[u8], version: i16) -> Result<BatchHeader, Rejected> {
    let size = next_batch(records).map_err(corrupt)?.ok_or_else(invalid)?;
    if i8_at(records, batch_header::MAGIC_AT) != 2 {
        return Err(invalid());
    }
    let attributes = batch_header::attributes_field(records);
    if version < 7 && Codec::from_attributes(attributes) == Some(Codec::Zstd) {
        return Err(Rejected::new(ResponseError::UnsupportedCompressionType, ""));
    }
    let behind = records.get(size..).unwrap_or_default();
    if next_batch(behind).map_err(|_| corrupt(""))?.is_some() {
        return Err(invalid());
    }
    BatchHeader::parse(records).map_err(|_| corrupt(""))
}

/// The size in bytes of the batch, of any format, at the start of `bytes`; `None` if it is incomplete.
fn next_batch(bytes: &[u8]) -> Result<Option<usize>, String> {
    if bytes.len() < LOG_OVERHEAD {
        return Ok(None);
    }
    let length = batch_header::length_field(bytes);
    if length < SHORTEST_BATCH {
        return Err(format!(
            "Record size {length} is less than the minimum record overhead ({SHORTEST_BATCH})"
        ));
    }
    if bytes.len() < batch_header::HEADER_UP_TO_MAGIC {
        return Ok(None);
    }
    let magic = i8_at(bytes, batch_header::MAGIC_AT);
    if !(0..=2).contains(&magic) {
        return Err(format!("Invalid magic found in record: {magic}"));
    }
    let size = LOG_OVERHEAD + usize::try_from(length).unwrap_or(0);
    Ok((size <= bytes.len()).then_some(size))
}

/// Checks the batch whose header [`one_batch`] has returned; `bytes` end with it.
pub(in crate::broker) fn check(
    bytes: &[u8],
    header: &BatchHeader,
    rules: &Rules<'_>,
) -> Result<Checked, Rejected> {
    if header.base_offset != 0 {
        return Err(invalid());
    }
    if bytes.len() > rules.settings.max_message_bytes {
        return Err(Rejected::new(ResponseError::MessageTooLarge, ""));
    }
    if !batch_header::crc_is_valid(bytes) {
        return Err(corrupt(""));
    }
    let codec = header
        .codec()
        .ok_or_else(|| Rejected::new(ResponseError::UnknownServerError, ""))?;
    check_header(header)?;
    check_records(bytes.get(HEADER_LEN..).unwrap_or_default(), codec, header, rules)
}

fn check_header(header: &BatchHeader) -> Result<(), Rejected> {
    let by_offsets = i64::from(header.last_offset_delta) + 1;
    let count_is_right = by_offsets > 0 && i64::from(header.records_count) == by_offsets;
    let lacks_sequence = header.has_producer_id() && header.base_sequence < 0;
    if !count_is_right || header.is_control() || lacks_sequence {
        return Err(invalid());
    }
    Ok(())
}

fn check_records(
    body: &[u8],
    codec: Codec,
    header: &BatchHeader,
    rules: &Rules<'_>,
) -> Result<Checked, Rejected> {
    let is_repacked = rules
        .settings
        .packing
        .is_some_and(|packing| packing.codec != codec);
    let in_place = codec != Codec::None && !is_repacked;
    let mut faults = Faults::new(
        header,
        rules,
        if in_place {
            "PartialDefaultRecord"
        } else {
            "DefaultRecord"
        },
    );
    let count = header.records_count;
    let mut inflated = None;
    let walked = if codec == Codec::None {
        record_walk::walk_plain(body, count, |record| faults.look_at(record))
    } else if in_place {
        record_walk::walk_compressed(codec, body, count, |record| faults.look_at(record))
    } else {
        let records = inflate::into_memory(codec, body, UNPACK_LIMIT)
            .map_err(|_| Rejected::new(ResponseError::UnknownServerError, ""))?;
        let records = inflated.insert(records);
        // In compressed bodies the length of a record is decoded differently.
        match record_walk::walk_plain(records, count, |record| faults.look_at(record)) {
            Err(WalkError::EndlessLength) => Err(WalkError::Malformed),
            walked => walked,
        }
    };
    walked.map_err(|error| match error {
        WalkError::Malformed => invalid(),
        WalkError::EndlessLength | WalkError::Inflate(_) => {
            Rejected::new(ResponseError::UnknownServerError, "")
        }
    })?;
    faults.refusal()?;
    let rebuilds = in_place && !faults.offsets_in_order;
    if rebuilds || (is_repacked && faults.before_1970) {
        // Kafka fails when it rewrites such records.
        return Err(Rejected::new(ResponseError::UnknownServerError, ""));
    }
    Ok(Checked {
        max_timestamp: faults.max_timestamp,
        inflated,
    })
}

/// Collects the faults of one batch's records, by the rules of its topic.
struct Faults<'a> {
    header: &'a BatchHeader,
    rules: &'a Rules<'a>,
    /// The word for a record in Kafka's messages.
    record_name: &'static str,
    append_time: bool,
    /// The index of the next record.
    index: i32,
    offsets_in_order: bool,
    before_1970: bool,
    max_timestamp: i64,
    errors: usize,
    timestamp_errors: usize,
    listed: Vec<(i32, String)>,
}

impl<'a> Faults<'a> {
    fn new(header: &'a BatchHeader, rules: &'a Rules<'a>, record_name: &'static str) -> Self {
        Self {
            header,
            rules,
            record_name,
            append_time: header.timestamp_type() == TimestampType::LogAppendTime,
            index: 0,
            offsets_in_order: true,
            before_1970: false,
            max_timestamp: NO_TIMESTAMP,
            errors: 0,
            timestamp_errors: 0,
            listed: Vec::new(),
        }
    }

    #[inline]
    fn look_at(&mut self, record: &RecordSummary) {
        let timestamp = if self.append_time {
            self.header.max_timestamp
        } else {
            self.header.base_timestamp.wrapping_add(record.timestamp_delta)
        };
        self.max_timestamp = self.max_timestamp.max(timestamp);
        self.offsets_in_order &= record.offset_delta == self.index;
        self.before_1970 |= timestamp < NO_TIMESTAMP;
        let settings = self.rules.settings;
        if settings.compact && record.key_size < 0 {
            self.list(format!(
                "Compacted topic cannot accept message without key in topic partition {}",
                self.rules.partition
            ));
        } else if !settings.log_append_time && timestamp != NO_TIMESTAMP {
            let age = self.rules.now_ms.wrapping_sub(timestamp);
            if age > settings.timestamp_before_max_ms || age.wrapping_neg() > settings.timestamp_after_max_ms
            {
                self.list_out_of_range(record, timestamp);
            }
        } else if self.append_time {
            self.list_stamped(record, timestamp);
        }
        self.index += 1;
    }

    fn list(&mut self, message: String) {
        self.errors += 1;
        if self.listed.len() < MOST_RECORD_ERRORS {
            self.listed.push((self.index, message));
        }
    }

    #[cold]
    fn list_out_of_range(&mut self, record: &RecordSummary, timestamp: i64) {
        let settings = self.rules.settings;
        self.timestamp_errors += 1;
        self.list(format!(
            "Timestamp {timestamp} of message with offset {} is out of range. The timestamp should be within [{}, {}]",
            record.offset_delta,
            self.rules.now_ms.wrapping_sub(settings.timestamp_before_max_ms),
            self.rules.now_ms.wrapping_add(settings.timestamp_after_max_ms),
        ));
    }

    #[cold]
    fn list_stamped(&mut self, record: &RecordSummary, timestamp: i64) {
        let size = |size: i32| {
            if self.record_name == "DefaultRecord" {
                size.max(0)
            } else {
                size
            }
        };
        self.timestamp_errors += 1;
        self.list(format!(
            "Invalid timestamp type in message {}(offset={}, timestamp={timestamp}, key={} bytes, value={} bytes). \
             Producer should not set timestamp type to LogAppendTime.",
            self.record_name,
            record.offset_delta,
            size(record.key_size),
            size(record.value_size),
        ));
    }

    /// The refusal, if any record is faulty.
    fn refusal(&mut self) -> Result<(), Rejected> {
        if self.errors == 0 {
            return Ok(());
        }
        let records = std::mem::take(&mut self.listed);
        if self.timestamp_errors > 0 {
            let message = "One or more records have been rejected due to invalid timestamp";
            return Err(Rejected {
                records,
                ..Rejected::new(ResponseError::InvalidTimestamp, message)
            });
        }
        let first: Vec<_> = records
            .iter()
            .take(3)
            .map(|(index, message)| format!("RecordError(batchIndex={index}, message='{message}')"))
            .collect();
        let message = format!(
            "One or more records have been rejected due to {} record errors in total, and only showing the first \
             three errors at most: [{}]",
            self.errors,
            first.join(", ")
        );
        Err(Rejected {
            records,
            ..Rejected::new(ResponseError::InvalidRecord, message)
        })
    }
}
