//! Keys and payloads as the decoders of kafka-dump-log print them.
//!
//! Owns their texts; the schemas of Kafka's own records belong to `internal_records`.

use crate::internal_records::coordinator::{self, CoordinatorError, Topic};
use crate::internal_records::{cluster_metadata, java_text, json, remote_log};
use crate::records::record::Record;

use crate::output::digits::{push_i32, push_i64};

/// How keys and payloads are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoder {
    /// `--offsets-decoder`
    Offsets,
    /// `--transaction-log-decoder`
    TransactionLog,
    /// `--cluster-metadata-decoder`
    ClusterMetadata,
    /// `--remote-log-metadata-decoder`
    RemoteLogMetadata,
    /// `--share-group-state-decoder`
    ShareGroupState,
    /// `--key-decoder-class` and `--value-decoder-class`
    Elements {
        key: ElementDecoder,
        value: ElementDecoder,
    },
}

/// The decoder classes that Kafka ships.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementDecoder {
    Text,
    Integer,
    Long,
    /// A byte array as Java prints it: its identity, not its content.
    Bytes,
}

/// Appends `key: …` and `payload: …` of a record other than a control record, after `prefix`.
pub fn write_contents(
    decoder: Decoder,
    record: &Record<'_>,
    prefix: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), String> {
    match decoder {
        Decoder::Elements { key, value } => elements(key, value, record, prefix, out),
        Decoder::Offsets => coordinator_record(Topic::ConsumerOffsets, record, prefix, out),
        Decoder::TransactionLog => coordinator_record(Topic::TransactionState, record, prefix, out),
        Decoder::ShareGroupState => coordinator_record(Topic::ShareGroupState, record, prefix, out),
        Decoder::ClusterMetadata => {
            out.extend_from_slice(prefix);
            out.extend_from_slice(b"payload: ");
            metadata_record(record, out);
            Ok(())
        }
        Decoder::RemoteLogMetadata => {
            out.extend_from_slice(prefix);
            out.extend_from_slice(b"payload: ");
            remote_record(record, out);
            Ok(())
        }
    }
}

#[inline]
fn elements(
    key_decoder: ElementDecoder,
    value_decoder: ElementDecoder,
    record: &Record<'_>,
    prefix: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), String> {
    // Both are decoded before either is printed.
    let before = out.len();
    let mut prefix = prefix;
    if let Some(key) = record.key {
        out.extend_from_slice(prefix);
        out.extend_from_slice(b"key: ");
        prefix = b" ";
        element(key_decoder, key, before, out)?;
    }
    if let Some(value) = record.value {
        out.extend_from_slice(prefix);
        out.extend_from_slice(b"payload: ");
        element(value_decoder, value, before, out)?;
    }
    Ok(())
}

#[inline]
fn element(decoder: ElementDecoder, bytes: &[u8], before: usize, out: &mut Vec<u8>) -> Result<(), String> {
    match decoder {
        ElementDecoder::Text => java_text::push_decoded(bytes, out),
        ElementDecoder::Integer => match bytes.first_chunk::<4>() {
            Some(bytes) => push_i32(i32::from_be_bytes(*bytes), out),
            None => return too_short("an integer has four bytes", bytes, before, out),
        },
        ElementDecoder::Long => match bytes.first_chunk::<8>() {
            Some(bytes) => push_i64(i64::from_be_bytes(*bytes), out),
            None => return too_short("a long has eight bytes", bytes, before, out),
        },
        ElementDecoder::Bytes => {
            out.extend_from_slice(b"[B@");
            out.extend_from_slice(format!("{:x}", crc32c::crc32c(bytes)).as_bytes());
        }
    }
    Ok(())
}

/// A key or value that is read piece by piece.
#[derive(Debug)]
pub struct ElementPieces {
    decoder: ElementDecoder,
    /// Text that may continue in the next piece, or the first bytes of a number.
    held: Vec<u8>,
    crc: u32,
}

impl ElementPieces {
    pub fn new(decoder: ElementDecoder) -> Self {
        Self {
            decoder,
            held: Vec::new(),
            crc: 0,
        }
    }

    /// Appends the text of a piece, as far as it is complete.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        match self.decoder {
            ElementDecoder::Text => {
                self.held.extend_from_slice(piece);
                let whole = self.held.len() - java_text::unfinished(&self.held);
                java_text::push_decoded(self.held.get(..whole).unwrap_or_default(), out);
                self.held.drain(..whole);
            }
            ElementDecoder::Bytes => self.crc = crc32c::crc32c_append(self.crc, piece),
            ElementDecoder::Integer | ElementDecoder::Long => {
                let missing = 8_usize.saturating_sub(self.held.len());
                self.held.extend(piece.iter().take(missing));
            }
        }
    }

    /// Appends the rest at the end.
    pub fn end(self, out: &mut Vec<u8>) {
        match self.decoder {
            ElementDecoder::Bytes => out.extend_from_slice(format!("[B@{:x}", self.crc).as_bytes()),
            // Elements in pieces are far longer than a number.
            decoder => drop(element(decoder, &self.held, out.len(), out)),
        }
    }
}

fn too_short(what: &str, bytes: &[u8], before: usize, out: &mut Vec<u8>) -> Result<(), String> {
    out.truncate(before);
    Err(format!("{what}, this key or value has {}", bytes.len()))
}

fn coordinator_record(
    topic: Topic,
    record: &Record<'_>,
    prefix: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let Some(key) = record.key else {
        return Err(format!(
            "Failed to decode message at offset {} using the specified decoder (message had a missing key)",
            record.offset
        ));
    };
    out.extend_from_slice(prefix);
    out.extend_from_slice(b"key: ");
    match topic.decode(key, record.value) {
        Ok(decoded) => {
            write_numbered("type", decoded.id, out);
            json::write_struct(&decoded.key, out);
            out.extend_from_slice(b"} payload: ");
            match decoded.value {
                None => out.extend_from_slice(b"<DELETE>"),
                Some(value) => {
                    write_numbered("version", value.version, out);
                    coordinator::write_group_metadata(&value, out);
                    out.push(b'}');
                }
            }
        }
        Err(CoordinatorError::UnknownType(id)) => {
            let text = format!("Unknown record type {id} at offset {}, skipping.", record.offset);
            out.extend_from_slice(text.as_bytes());
        }
        Err(error) => {
            let text = format!("Error at offset {}, skipping. {error}", record.offset);
            out.extend_from_slice(text.as_bytes());
        }
    }
    Ok(())
}

/// `{"type":"1","data":`, with the number as a string.
fn write_numbered(name: &str, number: i16, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{{\"{name}\":\"{number}\",\"data\":").as_bytes());
}

fn metadata_record(record: &Record<'_>, out: &mut Vec<u8>) {
    match cluster_metadata::decode_record(record.value.unwrap_or_default()) {
        Ok(decoded) => decoded.write_json(out),
        Err(error) => {
            let text = format!("Error at {}, skipping. {error}", record.offset);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

fn remote_record(record: &Record<'_>, out: &mut Vec<u8>) {
    // The JVM's message about a null value.
    const NO_VALUE: &str = "Cannot invoke \"java.nio.ByteBuffer.remaining()\" because the return value of \
                            \"org.apache.kafka.common.record.internal.Record.value()\" is null";
    let decoded = match record.value {
        Some(value) => remote_log::to_text(value).map_err(|error| error.to_string()),
        None => Err(NO_VALUE.to_owned()),
    };
    let text =
        decoded.unwrap_or_else(|error| format!("Error at offset {}, skipping. {error}", record.offset));
    out.extend_from_slice(text.as_bytes());
}
