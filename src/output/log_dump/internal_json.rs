//! Records of Kafka's internal topics as JSON lines: offset, time, and key and value decoded.
//!
//! Owns that form; which topic has which schema belongs to `internal_records`.

use crate::internal_records::{cluster_metadata, coordinator, json, remote_log};
use crate::records::record::Record;

/// A topic whose records have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Coordinator(coordinator::Topic),
    ClusterMetadata,
    RemoteLogMetadata,
}

impl Topic {
    /// The topic of this name.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "__consumer_offsets" => Self::Coordinator(coordinator::Topic::ConsumerOffsets),
            "__transaction_state" => Self::Coordinator(coordinator::Topic::TransactionState),
            "__share_group_state" => Self::Coordinator(coordinator::Topic::ShareGroupState),
            "__cluster_metadata" => Self::ClusterMetadata,
            "__remote_log_metadata" => Self::RemoteLogMetadata,
            _ => return None,
        })
    }
}

/// Appends a record as one line; for one that cannot be decoded the line says why.
pub fn write(topic: Topic, record: &Record<'_>, out: &mut Vec<u8>) {
    let start = format!(
        "{{\"offset\":{},\"timestamp\":{}",
        record.offset, record.timestamp
    );
    out.extend_from_slice(start.as_bytes());
    let failed = match topic {
        Topic::Coordinator(topic) => write_coordinator(topic, record, out),
        Topic::ClusterMetadata => match cluster_metadata::decode_record(record.value.unwrap_or_default()) {
            Ok(decoded) => {
                out.extend_from_slice(b",\"value\":");
                decoded.write_json(out);
                None
            }
            Err(error) => Some(error.to_string()),
        },
        Topic::RemoteLogMetadata => match remote_log::decode_record(record.value.unwrap_or_default()) {
            Ok((id, value)) => {
                out.extend_from_slice(format!(",\"value\":{{\"type\":{id},\"data\":").as_bytes());
                json::write_struct(&value, out);
                out.push(b'}');
                None
            }
            Err(error) => Some(error.to_string()),
        },
    };
    if let Some(error) = failed {
        out.extend_from_slice(b",\"error\":");
        json::write_text(&error, out);
    }
    out.extend_from_slice(b"}\n");
}

fn write_coordinator(topic: coordinator::Topic, record: &Record<'_>, out: &mut Vec<u8>) -> Option<String> {
    let decoded = match topic.decode(record.key.unwrap_or_default(), record.value) {
        Ok(decoded) => decoded,
        Err(error) => return Some(error.to_string()),
    };
    out.extend_from_slice(format!(",\"key\":{{\"type\":{},\"data\":", decoded.id).as_bytes());
    json::write_struct(&decoded.key, out);
    out.extend_from_slice(b"},\"value\":");
    match decoded.value {
        None => out.extend_from_slice(b"null"),
        Some(value) => {
            out.extend_from_slice(format!("{{\"version\":{},\"data\":", value.version).as_bytes());
            coordinator::write_group_metadata(&value, out);
            out.push(b'}');
        }
    }
    None
}
