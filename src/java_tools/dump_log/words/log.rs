//! The lines of kafka-dump-log for a log: one a batch, one a record.
//!
//! Owns their exact text, including the incomplete line that Java prints when it fails in the middle of one.

use crate::internal_records::decode::DecodeError;
use crate::internal_records::{control, java_text, json};
use crate::records::batch_header::{self, BatchHeader, HEADER_LEN, HEADER_UP_TO_MAGIC, LOG_OVERHEAD};
use crate::records::control_record::{ControlType, EndTransactionMarker};
use crate::records::message_set;
use crate::records::record::{Record, RecordPlace};
use crate::records::record_stream::{LargeRecord, Span};

use super::decoders::{Decoder, write_contents};
use crate::output::digits::{push_i32, push_i64, push_u64};

/// Which lines are printed of a log.
#[derive(Clone, Copy, Debug)]
pub struct LogView {
    /// Records as well as batches.
    pub deep: bool,
    /// Keys and payloads of records.
    pub print_contents: bool,
    /// Only keys and payloads of records.
    pub skip_record_metadata: bool,
    pub decoder: Decoder,
}

/// The header of the batch at the start of `bytes` as Java reads it: unknown format versions are treated as the nearest
/// known one, and a batch that is too short for its header borrows bytes from what follows.
pub fn java_header(bytes: &[u8]) -> Result<BatchHeader, String> {
    let mut copy = [0_u8; HEADER_LEN];
    let available = bytes.len().min(HEADER_LEN);
    for (to, from) in copy.iter_mut().zip(bytes) {
        *to = *from;
    }
    let magic = copy.get(HEADER_UP_TO_MAGIC - 1).map_or(0, |byte| *byte as i8);
    let length = batch_header::length_field(&copy);
    let (known, needed) = match magic {
        2.. => (2, HEADER_LEN),
        0 => (0, LOG_OVERHEAD + batch_header::MIN_LENGTH_V0),
        _ => (1, LOG_OVERHEAD + batch_header::MIN_LENGTH_V1),
    };
    if available < needed {
        return Err(format!(
            "reached the end of the file in the middle of a batch header of {needed} bytes"
        ));
    }
    if let Some(byte) = copy.get_mut(HEADER_UP_TO_MAGIC - 1) {
        *byte = known;
    }
    if let Some(field) = copy.get_mut(8..LOG_OVERHEAD) {
        field.copy_from_slice(&(HEADER_LEN as i32).to_be_bytes());
    }
    let mut header = BatchHeader::parse(&copy).map_err(|error| error.to_string())?;
    header.batch_length = length;
    header.magic = magic;
    Ok(header)
}

/// Appends the line of a batch of `size` bytes.
pub fn write_batch(
    header: &BatchHeader,
    size: u64,
    is_valid: bool,
    position: u64,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let is_current = header.magic >= 2;
    if is_current {
        write_current_fields(header, out);
    } else {
        text(b"offset: ", out);
        push_i64(header.base_offset, out);
        if header.magic < 0 {
            return Err(format!("Invalid magic used in LegacyRecord: {}", header.magic));
        }
    }
    let Some(codec) = header.codec() else {
        return Err(format!("Unknown compression type id: {}", header.attributes & 7));
    };
    text(b" position: ", out);
    push_u64(position, out);
    out.push(b' ');
    text(header.timestamp_type().name().as_bytes(), out);
    text(b": ", out);
    push_i64(header.max_timestamp, out);
    text(b" size: ", out);
    push_u64(size, out);
    text(b" magic: ", out);
    push_i64(header.magic.into(), out);
    text(b" compresscodec: ", out);
    text(codec.name().as_bytes(), out);
    text(b" crc: ", out);
    push_u64(header.crc.into(), out);
    let long_enough = !is_current || size >= HEADER_LEN as u64;
    text(
        if long_enough && is_valid {
            b" isvalid: true\n"
        } else {
            b" isvalid: false\n"
        },
        out,
    );
    Ok(())
}

fn write_current_fields(header: &BatchHeader, out: &mut Vec<u8>) {
    text(b"baseOffset: ", out);
    push_i64(header.base_offset, out);
    text(b" lastOffset: ", out);
    push_i64(
        header.base_offset.wrapping_add(header.last_offset_delta.into()),
        out,
    );
    text(b" count: ", out);
    push_i32(header.records_count, out);
    text(b" baseSequence: ", out);
    push_i32(header.base_sequence, out);
    text(b" lastSequence: ", out);
    push_i32(last_sequence(header), out);
    text(b" producerId: ", out);
    push_i64(header.producer_id, out);
    text(b" producerEpoch: ", out);
    push_i32(header.producer_epoch.into(), out);
    text(b" partitionLeaderEpoch: ", out);
    push_i32(header.partition_leader_epoch, out);
    text(b" isTransactional: ", out);
    text(boolean(header.attributes & 0x10 != 0), out);
    text(b" isControl: ", out);
    text(boolean(is_control(header)), out);
    text(b" deleteHorizonMs: ", out);
    let horizon = (header.attributes & 0x40 != 0).then_some(header.base_timestamp);
    optional_long(horizon, out);
}

/// `OptionalLong.toString`.
pub fn optional_long(value: Option<i64>, out: &mut Vec<u8>) {
    match value {
        None => text(b"OptionalLong.empty", out),
        Some(value) => {
            text(b"OptionalLong[", out);
            push_i64(value, out);
            out.push(b']');
        }
    }
}

/// The last sequence as Java calculates it: only -1 is special, and it wraps around.
fn last_sequence(header: &BatchHeader) -> i32 {
    if header.base_sequence == -1 {
        return -1;
    }
    batch_header::increment_sequence(header.base_sequence, header.last_offset_delta)
}

/// Whether the batch is a control batch, for unknown format versions as well.
pub fn is_control(header: &BatchHeader) -> bool {
    header.magic >= 2 && header.attributes & 0x20 != 0
}

/// Appends the line of a record. `message` is the whole message of a record of format 0 or 1.
#[inline]
pub fn write_record(
    view: LogView,
    header: &BatchHeader,
    record: &Record<'_>,
    message: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    begin_record(view, header, record, message, out)?;
    if view.print_contents && !is_control(header) {
        let prefix: &[u8] = if view.skip_record_metadata { b"| " } else { b" " };
        write_contents(view.decoder, record, prefix, out)?;
    }
    out.push(b'\n');
    Ok(())
}

/// Appends the line of a record up to its key and payload.
pub fn begin_record(
    view: LogView,
    header: &BatchHeader,
    record: &Record<'_>,
    message: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    if !view.skip_record_metadata {
        let sizes = match message {
            None => (size(record.key), size(record.value)),
            Some(message) => message_set::stored_sizes(header.magic, message),
        };
        let place = RecordPlace {
            offset: record.offset,
            timestamp: record.timestamp,
            sequence: record.sequence,
        };
        let header_names = record.headers.map(|header| header.key);
        write_metadata(header, place, sizes, header_names, message, out);
        if is_control(header) {
            write_control(record, out)?;
        }
    }
    Ok(())
}

/// Appends the line of a record that is not in memory, up to its key and payload.
pub fn begin_large_record(view: LogView, header: &BatchHeader, record: &LargeRecord, out: &mut Vec<u8>) {
    if !view.skip_record_metadata {
        let size = |span: Option<Span>| span.map_or(-1, |span| span.len as i32);
        let sizes = (size(record.key), size(record.value));
        let names = record.header_names.iter().map(Vec::as_slice);
        write_metadata(header, record.place, sizes, names, None, out);
    }
}

#[inline]
fn write_metadata<'n>(
    header: &BatchHeader,
    place: RecordPlace,
    (key_size, value_size): (i32, i32),
    header_names: impl Iterator<Item = &'n [u8]>,
    message: Option<&[u8]>,
    out: &mut Vec<u8>,
) {
    text(b"| offset: ", out);
    push_i64(place.offset, out);
    out.push(b' ');
    text(header.timestamp_type().name().as_bytes(), out);
    text(b": ", out);
    push_i64(place.timestamp, out);
    text(b" keySize: ", out);
    push_i32(key_size, out);
    text(b" valueSize: ", out);
    push_i32(value_size, out);
    if header.magic >= 2 {
        text(b" sequence: ", out);
        push_i32(place.sequence, out);
        text(b" headerKeys: [", out);
        for (at, name) in header_names.enumerate() {
            if at > 0 {
                out.push(b',');
            }
            java_text::push_decoded(name, out);
        }
        out.push(b']');
    }
    if let Some(message) = message {
        let stored = message
            .get(LOG_OVERHEAD..)
            .and_then(|bytes| bytes.first_chunk::<4>());
        text(b" isValid: ", out);
        text(boolean(batch_header::crc_is_valid(message)), out);
        text(b" crc: ", out);
        push_u64(stored.map_or(0, |bytes| u32::from_be_bytes(*bytes)).into(), out);
    }
}

#[inline]
fn size(bytes: Option<&[u8]>) -> i32 {
    bytes.map_or(-1, |bytes| bytes.len() as i32)
}

fn write_control(record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), String> {
    let control_type = type_of(record)?;
    let heading: &[u8] = match control_type {
        ControlType::Abort | ControlType::Commit => {
            let marker = end_transaction_marker(record)?;
            text(b" endTxnMarker: ", out);
            text(if marker.committed { b"COMMIT" } else { b"ABORT" }, out);
            text(b" coordinatorEpoch: ", out);
            push_i32(marker.coordinator_epoch, out);
            return Ok(());
        }
        ControlType::LeaderChange => b" LeaderChange: ",
        ControlType::SnapshotHeader => b" SnapshotHeader ",
        ControlType::SnapshotFooter => b" SnapshotFooter ",
        ControlType::KRaftVersion => b" KRaftVersion ",
        ControlType::KRaftVoters => b" KRaftVoters ",
        ControlType::Unknown(id) => {
            text(b" controlType: UNKNOWN(", out);
            push_i32(id.into(), out);
            out.push(b')');
            return Ok(());
        }
    };
    let value = record.value.unwrap_or_default();
    let decoded = control::decode_value_as_version_0(control_type.id(), value);
    let decoded = decoded.ok_or_else(|| "no such control record".to_owned())?;
    let decoded = decoded.map_err(|error| match error {
        DecodeError::Underflow => cut_off(record),
        error @ DecodeError::Malformed(_) => format!("control record at offset {}: {error}", record.offset),
    })?;
    text(heading, out);
    json::write_struct(&decoded, out);
    Ok(())
}

/// The type in the key of a control record.
fn type_of(record: &Record<'_>) -> Result<ControlType, String> {
    let Some(key) = record.key else {
        return Err(format!("control record at offset {} has no key", record.offset));
    };
    ControlType::parse(key).ok_or_else(|| match key {
        [first, second, _, _, ..] => no_version("control record", [*first, *second]),
        _ => format!(
            "Invalid value size found for control record key. Must have at least 4 bytes, but found only {}",
            key.len()
        ),
    })
}

fn end_transaction_marker(record: &Record<'_>) -> Result<EndTransactionMarker, String> {
    match record.value {
        Some([first, second, ..]) if *first >= 0x80 => {
            Err(no_version("end transaction marker", [*first, *second]))
        }
        _ => EndTransactionMarker::parse(record).ok_or_else(|| cut_off(record)),
    }
}

fn no_version(of: &str, version: [u8; 2]) -> String {
    let version = i16::from_be_bytes(version);
    format!("Invalid version found for {of}: {version}. May indicate data corruption")
}

fn cut_off(record: &Record<'_>) -> String {
    format!("control record at offset {}: its value is cut off", record.offset)
}

#[inline]
fn text(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(text);
}

fn boolean(value: bool) -> &'static [u8] {
    if value { b"true" } else { b"false" }
}
