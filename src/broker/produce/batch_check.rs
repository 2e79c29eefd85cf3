//! What a producer's batch must keep to before it is appended, in Kafka's order and with Kafka's words.
//!
//! The records are read once, without keys and values, as Apache Kafka reads them: no one can read a batch later that
//! does not hold what its header says. Most refusals of records come without a text, as Kafka's do.

use kafka_protocol::ResponseError;

use crate::broker::config::topic_settings::TopicSettings;
use crate::records::batch_header::{self, BatchHeader, HEADER_LEN, LOG_OVERHEAD, TimestampType};
use crate::records::fields::i8_at;
use crate::records::record_walk::{self, RecordSummary, WalkError};
use crate::records::{Codec, inflate};

/// A batch that is packed anew is inflated up to this many bytes.
const UNPACK_LIMIT: usize = 128 * 1024 * 1024;
/// What a batch of the oldest format states as its length at least, in bytes.
const SHORTEST_BATCH: i32 = 14;
/// The most records whose faults are listed in an answer.
const MOST_RECORD_ERRORS: usize = 10_000;
/// The timestamp of a record that has none.
const NO_TIMESTAMP: i64 = -1;

/// Why a batch is not taken.
#[derive(Debug)]
pub(in crate::broker) struct Rejected {
    pub(in crate::broker) error: ResponseError,
    /// Empty where Kafka gives the code alone.
    pub(in crate::broker) message: String,
    /// The partition's start, which only refusals by the log itself tell; -1 otherwise.
    pub(in crate::broker) log_start_offset: i64,
    /// Which records are at fault, and why.
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

/// Bytes that are no batch, or a batch that is not what it says.
fn invalid() -> Rejected {
    Rejected::new(ResponseError::InvalidRecord, "")
}

fn corrupt(message: impl Into<String>) -> Rejected {
    Rejected::new(ResponseError::CorruptMessage, message)
}

/// What a partition's records come with.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct Rules<'a> {
    /// `topic-partition`, for the texts.
    pub(in crate::broker) partition: &'a str,
    pub(in crate::broker) now_ms: i64,
    pub(in crate::broker) settings: &'a TopicSettings,
}

/// What was found out about a batch that is taken.
#[derive(Debug)]
pub(in crate::broker) struct Checked {
    /// Milliseconds, of all its records; -1 where none has a time.
    pub(in crate::broker) max_timestamp: i64,
    /// The records of a compressed batch that must be packed anew, inflated.
    pub(in crate::broker) inflated: Option<Vec<u8>>,
}

/// The whole batch at the start of a partition's records, from version 3 on the only one and of format 2. A batch
/// behind it that is cut off does not count.
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

/// How many bytes the batch of any format at the start of `bytes` has; `None` if it is not there to its end.
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

/// Checks the batch whose header [`one_batch`] has found; `bytes` end with it.
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
        // The length of a record is read another way out of a compressed body.
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
        // Kafka fails when it writes such records anew.
        return Err(Rejected::new(ResponseError::UnknownServerError, ""));
    }
    Ok(Checked {
        max_timestamp: faults.max_timestamp,
        inflated,
    })
}

/// What is wrong with the records of one batch, by the rules of its topic.
struct Faults<'a> {
    header: &'a BatchHeader,
    rules: &'a Rules<'a>,
    /// What Kafka's texts call a record.
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

    /// The answer if any record is at fault.
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
