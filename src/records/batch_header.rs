//! The 61-byte header of a record batch: read, checked, and the few fields that a broker sets in place.
//!
//! Messages of formats 0 and 1 are read into the same struct, with -1 in the fields that they lack, so that a walk over
//! a log need not tell the formats apart. <https://kafka.apache.org/documentation/#recordbatch>

use super::compression::Codec;
use super::error::BatchError;
use super::fields::{i8_at, i16_at, i32_at, i64_at, put, u32_at};

/// Bytes before the records of a batch of format 2.
pub const HEADER_LEN: usize = 61;
/// The base offset and the length field, which every format has; the length counts the bytes after them.
pub const LOG_OVERHEAD: usize = 12;
/// Bytes after which the format version is known.
pub const HEADER_UP_TO_MAGIC: usize = 17;
/// What a message of format 0 takes beside [`LOG_OVERHEAD`]; nothing shorter is a batch.
pub const MIN_LENGTH_V0: usize = 14;
/// What a message of format 1 takes beside [`LOG_OVERHEAD`].
pub const MIN_LENGTH_V1: usize = 22;

/// After the base offset.
const LENGTH_AT: usize = 8;
const LEADER_EPOCH_AT: usize = 12;
pub const MAGIC_AT: usize = 16;
pub(super) const CRC_AT: usize = 17;
/// Where the bytes start that the checksum of format 2 covers.
pub const ATTRIBUTES_AT: usize = 21;
const LAST_OFFSET_DELTA_AT: usize = 23;
const BASE_TIMESTAMP_AT: usize = 27;
const MAX_TIMESTAMP_AT: usize = 35;
const RECORDS_COUNT_AT: usize = 57;

const CODEC_MASK: i16 = 7;
const TIMESTAMP_TYPE_BIT: i16 = 1 << 3;
const TRANSACTIONAL_BIT: i16 = 1 << 4;
const CONTROL_BIT: i16 = 1 << 5;
const DELETE_HORIZON_BIT: i16 = 1 << 6;

/// Who gave a record its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// Format 0 knows no timestamps.
    NoTimestampType,
    /// The producer.
    CreateTime,
    /// The broker, when it appended the batch.
    LogAppendTime,
}

impl TimestampType {
    /// Kafka's own name, as its tools print it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoTimestampType => "NoTimestampType",
            Self::CreateTime => "CreateTime",
            Self::LogAppendTime => "LogAppendTime",
        }
    }
}

/// A batch's header as it is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record; in formats 0 and 1 the offset of the (last) message.
    pub base_offset: i64,
    /// Bytes after this field.
    pub batch_length: i32,
    /// -1 in formats 0 and 1. Not covered by the checksum.
    pub partition_leader_epoch: i32,
    /// Format version: 0, 1 or 2.
    pub magic: i8,
    /// CRC-32C in format 2, CRC-32 before.
    pub crc: u32,
    pub attributes: i16,
    pub last_offset_delta: i32,
    /// Milliseconds; the delete horizon where [`BatchHeader::delete_horizon_ms`] says so.
    pub base_timestamp: i64,
    /// Milliseconds; -1 in format 0.
    pub max_timestamp: i64,
    /// -1 without idempotence.
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    /// 0 in a batch that compaction emptied; -1 (unknown) in formats 0 and 1.
    pub records_count: i32,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`, which need not hold the whole batch.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        let truncated = |needed| BatchError::Truncated {
            needed,
            available: bytes.len(),
        };
        if bytes.len() < LOG_OVERHEAD {
            return Err(truncated(HEADER_UP_TO_MAGIC));
        }
        let length = i32_at(bytes, 8);
        let at_least = |minimum: usize| {
            if length < minimum as i32 {
                Err(BatchError::TooSmall { length, minimum })
            } else if bytes.len() < LOG_OVERHEAD + minimum {
                Err(truncated(LOG_OVERHEAD + minimum))
            } else {
                Ok(())
            }
        };
        if length < MIN_LENGTH_V0 as i32 || bytes.len() < HEADER_UP_TO_MAGIC {
            at_least(MIN_LENGTH_V0)?;
        }
        match i8_at(bytes, MAGIC_AT) {
            2 => at_least(HEADER_LEN - LOG_OVERHEAD).map(|()| Self::parse_v2(bytes)),
            1 => at_least(MIN_LENGTH_V1).map(|()| Self::parse_legacy(bytes)),
            0 => at_least(MIN_LENGTH_V0).map(|()| Self::parse_legacy(bytes)),
            magic => Err(BatchError::UnknownMagic(magic)),
        }
    }

    fn parse_v2(bytes: &[u8]) -> Self {
        Self {
            base_offset: i64_at(bytes, 0),
            batch_length: i32_at(bytes, 8),
            partition_leader_epoch: i32_at(bytes, LEADER_EPOCH_AT),
            magic: 2,
            crc: u32_at(bytes, CRC_AT),
            attributes: i16_at(bytes, ATTRIBUTES_AT),
            last_offset_delta: i32_at(bytes, LAST_OFFSET_DELTA_AT),
            base_timestamp: i64_at(bytes, BASE_TIMESTAMP_AT),
            max_timestamp: i64_at(bytes, MAX_TIMESTAMP_AT),
            producer_id: i64_at(bytes, 43),
            producer_epoch: i16_at(bytes, 51),
            base_sequence: i32_at(bytes, 53),
            records_count: i32_at(bytes, RECORDS_COUNT_AT),
        }
    }

    fn parse_legacy(bytes: &[u8]) -> Self {
        let magic = i8_at(bytes, MAGIC_AT);
        let timestamp = if magic == 0 { -1 } else { i64_at(bytes, 18) };
        Self {
            base_offset: i64_at(bytes, 0),
            batch_length: i32_at(bytes, 8),
            partition_leader_epoch: -1,
            magic,
            crc: u32_at(bytes, 12),
            attributes: i16::from(i8_at(bytes, 17)),
            last_offset_delta: 0,
            base_timestamp: timestamp,
            max_timestamp: timestamp,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            records_count: -1,
        }
    }

    /// Offset of the last record, also where compaction removed it.
    pub fn last_offset(&self) -> i64 {
        self.base_offset.saturating_add(i64::from(self.last_offset_delta))
    }

    /// The offset that follows the batch.
    pub fn next_offset(&self) -> i64 {
        self.last_offset().saturating_add(1)
    }

    /// Bytes of the whole batch, header included.
    pub fn size_in_bytes(&self) -> usize {
        LOG_OVERHEAD + usize::try_from(self.batch_length).unwrap_or(0)
    }

    /// Where the body starts: the records of format 2, the message after offset and length before.
    pub fn body_at(&self) -> usize {
        if self.magic >= 2 { HEADER_LEN } else { LOG_OVERHEAD }
    }

    /// The codec of the body; `None` for a number that no codec has.
    pub fn codec(&self) -> Option<Codec> {
        Codec::from_attributes(self.attributes)
    }

    pub fn timestamp_type(&self) -> TimestampType {
        if self.magic == 0 {
            TimestampType::NoTimestampType
        } else if self.attributes & TIMESTAMP_TYPE_BIT != 0 {
            TimestampType::LogAppendTime
        } else {
            TimestampType::CreateTime
        }
    }

    pub fn is_transactional(&self) -> bool {
        self.magic == 2 && self.attributes & TRANSACTIONAL_BIT != 0
    }

    /// Whether the batch holds a marker of Kafka's own instead of a user's records.
    pub fn is_control(&self) -> bool {
        self.magic == 2 && self.attributes & CONTROL_BIT != 0
    }

    /// When compaction may drop the batch's tombstones, in milliseconds (KIP-534).
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        (self.magic == 2 && self.attributes & DELETE_HORIZON_BIT != 0).then_some(self.base_timestamp)
    }

    pub fn has_producer_id(&self) -> bool {
        self.producer_id > -1
    }

    /// Sequence number of the last record; -1 without one. After 2³¹-1 sequence numbers continue at 0.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            -1
        } else {
            increment_sequence(self.base_sequence, self.last_offset_delta)
        }
    }
}

/// The sequence number `by` records after `sequence`.
pub fn increment_sequence(sequence: i32, by: i32) -> i32 {
    // Kafka's own arithmetic, so that numbers that make no sense give the same result too.
    if sequence > i32::MAX.wrapping_sub(by) {
        by.wrapping_sub(i32::MAX.wrapping_sub(sequence)).wrapping_sub(1)
    } else {
        sequence.wrapping_add(by)
    }
}

/// The sequence number `by` records before `sequence`.
pub fn decrement_sequence(sequence: i32, by: i32) -> i32 {
    if sequence < by {
        i32::MAX.wrapping_sub(by.wrapping_sub(sequence)).wrapping_add(1)
    } else {
        sequence.wrapping_sub(by)
    }
}

/// Attributes of a batch that is being written.
pub fn attributes(codec: Codec, timestamp_type: TimestampType, transactional: bool, control: bool) -> i16 {
    let mut attributes = codec.id();
    if timestamp_type == TimestampType::LogAppendTime {
        attributes |= TIMESTAMP_TYPE_BIT;
    }
    if transactional {
        attributes |= TRANSACTIONAL_BIT;
    }
    if control {
        attributes |= CONTROL_BIT;
    }
    attributes
}

/// The length field of the batch at the start of `bytes`: the bytes after this field; 0 if `bytes` is too short.
pub fn length_field(bytes: &[u8]) -> i32 {
    i32_at(bytes, LENGTH_AT)
}

/// The attributes of the batch of format 2 at the start of `bytes`; 0 if `bytes` is too short.
pub fn attributes_field(bytes: &[u8]) -> i16 {
    i16_at(bytes, ATTRIBUTES_AT)
}

/// Whether the batch at the start of `bytes` is of format 2 and part of a transaction.
pub fn is_transactional(bytes: &[u8]) -> bool {
    i8_at(bytes, MAGIC_AT) == 2 && attributes_field(bytes) & TRANSACTIONAL_BIT != 0
}

/// The checksum that the header of the whole batch in `bytes` should hold.
pub fn computed_crc(bytes: &[u8]) -> u32 {
    let magic = i8_at(bytes, MAGIC_AT);
    crc_of(magic, bytes.get(crc_covers_from(magic)..).unwrap_or_default())
}

/// The position of the first byte that the checksum of a batch of format `magic` covers.
pub fn crc_covers_from(magic: i8) -> usize {
    if magic < 2 { MAGIC_AT } else { ATTRIBUTES_AT }
}

/// The checksum of `covered`, by the algorithm of format `magic`.
pub fn crc_of(magic: i8, covered: &[u8]) -> u32 {
    if magic < 2 {
        crc32fast::hash(covered)
    } else {
        crc32c::crc32c(covered)
    }
}

/// The message for a batch whose checksum is wrong.
pub const WRONG_CHECKSUM: &str = "its checksum does not match its bytes";

/// Whether the whole batch in `bytes` has the checksum that its header states.
pub fn crc_is_valid(bytes: &[u8]) -> bool {
    let at = if i8_at(bytes, MAGIC_AT) < 2 { 12 } else { CRC_AT };
    bytes.len() >= LOG_OVERHEAD + MIN_LENGTH_V0 && u32_at(bytes, at) == computed_crc(bytes)
}

/// Gives the batch its offset in the log. The checksum does not cover it.
pub fn set_base_offset(bytes: &mut [u8], base_offset: i64) {
    put(bytes, 0, &base_offset.to_be_bytes());
}

/// Stamps the batch with its leader epoch. The checksum does not cover it.
pub fn set_leader_epoch(bytes: &mut [u8], leader_epoch: i32) {
    put(bytes, LEADER_EPOCH_AT, &leader_epoch.to_be_bytes());
}

/// Gives every record of the batch the time of its append, and the batch a new checksum.
pub fn set_log_append_time(bytes: &mut [u8], now_ms: i64) {
    set_max_timestamp(bytes, TimestampType::LogAppendTime, now_ms);
}

/// Sets the timestamp type and the largest timestamp (ms). A batch that has both already stays as it is; any other also
/// loses its undefined attributes, as in Kafka, and gets a new checksum.
pub fn set_max_timestamp(bytes: &mut [u8], timestamp_type: TimestampType, max_timestamp: i64) {
    let before = i16_at(bytes, ATTRIBUTES_AT);
    let append_time = timestamp_type == TimestampType::LogAppendTime;
    let is_set = (before & TIMESTAMP_TYPE_BIT != 0) == append_time;
    if is_set && i64_at(bytes, MAX_TIMESTAMP_AT) == max_timestamp {
        return;
    }
    let kept = CODEC_MASK | TRANSACTIONAL_BIT | CONTROL_BIT | DELETE_HORIZON_BIT;
    let append_time = if append_time { TIMESTAMP_TYPE_BIT } else { 0 };
    put(bytes, ATTRIBUTES_AT, &(before & kept | append_time).to_be_bytes());
    put(bytes, MAX_TIMESTAMP_AT, &max_timestamp.to_be_bytes());
    set_crc(bytes);
}

/// Clears all attributes but the codec, and sets whether the batch is part of a transaction. The caller sets the
/// checksum.
pub fn keep_codec(bytes: &mut [u8], is_transactional: bool) {
    let transactional = if is_transactional { TRANSACTIONAL_BIT } else { 0 };
    let attributes = i16_at(bytes, ATTRIBUTES_AT) & CODEC_MASK | transactional;
    put(bytes, ATTRIBUTES_AT, &attributes.to_be_bytes());
}

/// Sets the offsets that a batch spans. The checksum covers the last offset delta; the caller sets it.
pub fn set_offsets(bytes: &mut [u8], base_offset: i64, last_offset_delta: i32) {
    set_base_offset(bytes, base_offset);
    put(bytes, LAST_OFFSET_DELTA_AT, &last_offset_delta.to_be_bytes());
}

/// Takes the batch out of its transaction. The caller sets the checksum.
pub fn clear_transactional(bytes: &mut [u8]) {
    let attributes = i16_at(bytes, ATTRIBUTES_AT) & !TRANSACTIONAL_BIT;
    put(bytes, ATTRIBUTES_AT, &attributes.to_be_bytes());
}

/// Writes a finished batch's length and another codec, and computes the checksum.
pub fn set_codec(bytes: &mut [u8], codec: Codec) {
    let attributes = (i16_at(bytes, ATTRIBUTES_AT) & !CODEC_MASK) | codec.id();
    let length = bytes.len().saturating_sub(LOG_OVERHEAD) as i32;
    put(bytes, LENGTH_AT, &length.to_be_bytes());
    put(bytes, ATTRIBUTES_AT, &attributes.to_be_bytes());
    set_crc(bytes);
}

/// Writes what compaction changes in the header of a finished batch: its length, the number of its records, base and
/// largest timestamp (`times`, ms), whether the former is a delete horizon, the codec, and the checksum. Undefined
/// attributes are lost, as in Kafka.
pub fn set_contents(bytes: &mut [u8], count: i32, times: (i64, i64), has_delete_horizon: bool, codec: Codec) {
    let kept = TIMESTAMP_TYPE_BIT | TRANSACTIONAL_BIT | CONTROL_BIT;
    let horizon = if has_delete_horizon { DELETE_HORIZON_BIT } else { 0 };
    let attributes = i16_at(bytes, ATTRIBUTES_AT) & kept | horizon | codec.id();
    let length = bytes.len().saturating_sub(LOG_OVERHEAD) as i32;
    put(bytes, LENGTH_AT, &length.to_be_bytes());
    put(bytes, ATTRIBUTES_AT, &attributes.to_be_bytes());
    put(bytes, BASE_TIMESTAMP_AT, &times.0.to_be_bytes());
    put(bytes, MAX_TIMESTAMP_AT, &times.1.to_be_bytes());
    put(bytes, RECORDS_COUNT_AT, &count.to_be_bytes());
    set_crc(bytes);
}

/// Computes and stores the checksum of a batch of format 2.
pub fn set_crc(bytes: &mut [u8]) {
    let crc = crc32c::crc32c(bytes.get(ATTRIBUTES_AT..).unwrap_or_default());
    put(bytes, CRC_AT, &crc.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_wrap_to_zero() {
        assert_eq!(increment_sequence(i32::MAX, 1), 0);
        assert_eq!(increment_sequence(i32::MAX - 1, 3), 1);
        assert_eq!(decrement_sequence(0, 1), i32::MAX);
        assert_eq!(decrement_sequence(7, 7), 0);
        // kafka-dump-log of Apache Kafka 4.3.1 shows the same for a snapshot with these numbers.
        assert_eq!(decrement_sequence(45, i32::MIN), -2_147_483_603);
    }

    #[test]
    fn a_lying_length_is_an_error() {
        let mut bytes = [0u8; 80];
        assert_eq!(
            BatchHeader::parse(&bytes),
            Err(BatchError::TooSmall {
                length: 0,
                minimum: 14
            })
        );
        put(&mut bytes, 8, &(-5i32).to_be_bytes());
        assert!(matches!(
            BatchHeader::parse(&bytes),
            Err(BatchError::TooSmall { length: -5, .. })
        ));
        put(&mut bytes, 8, &48i32.to_be_bytes());
        put(&mut bytes, MAGIC_AT, &[2]);
        assert_eq!(
            BatchHeader::parse(&bytes),
            Err(BatchError::TooSmall {
                length: 48,
                minimum: 49
            })
        );
        put(&mut bytes, MAGIC_AT, &[3]);
        assert_eq!(BatchHeader::parse(&bytes), Err(BatchError::UnknownMagic(3)));
        assert!(matches!(
            BatchHeader::parse(&bytes[..11]),
            Err(BatchError::Truncated { .. })
        ));
        assert!(!crc_is_valid(&bytes[..11]));
    }
}
