//! Records of `__remote_log_metadata` as Kafka's tools print them. KIP-405.
//!
//! Owns that text, which is Java's `toString` and no JSON; the schemas are tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cluster_metadata::framed;
use super::decode::DecodeError;
use super::tables::remote;
use super::value::{StructValue, Value};

/// Decodes a record's value; the number is the record type.
pub fn decode_record(bytes: &[u8]) -> Result<(i16, StructValue<'_>), DecodeError> {
    framed(remote::RECORDS, bytes)
}

/// The record as `RemoteLogMetadata.toString` shows it, or Kafka's reason why there is none.
pub fn to_text(bytes: &[u8]) -> Result<String, DecodeError> {
    let (id, value) = decode_record(bytes)?;
    check(id, &value)?;
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = match id {
        0 => segment(&value, &mut out),
        1 => segment_update(&value, &mut out),
        2 => partition_delete(&value, &mut out),
        _ => segment_snapshot(&value, &mut out),
    };
    Ok(out)
}

fn segment(value: &StructValue<'_>, out: &mut String) -> std::fmt::Result {
    write!(
        out,
        "RemoteLogSegmentMetadata{{remoteLogSegmentId={}, startOffset={}, endOffset={}, brokerId={}, \
         maxTimestampMs={}, eventTimestampMs={}, segmentLeaderEpochs={}, segmentSizeInBytes={}, customMetadata={}, \
         state={}, txnIdxEmpty={}}}",
        segment_id(value),
        value.number("startOffset"),
        value.number("endOffset"),
        value.number("brokerId"),
        value.number("maxTimestampMs"),
        value.number("eventTimestampMs"),
        leader_epochs(value),
        value.number("segmentSizeInBytes"),
        custom_metadata(value),
        segment_state(value),
        value.get("txnIndexEmpty") == Some(&Value::Bool(true)),
    )
}

fn segment_update(value: &StructValue<'_>, out: &mut String) -> std::fmt::Result {
    write!(
        out,
        "RemoteLogSegmentMetadataUpdate{{remoteLogSegmentId={}, customMetadata={}, state={}, eventTimestampMs={}, \
         brokerId={}}}",
        segment_id(value),
        custom_metadata(value),
        segment_state(value),
        value.number("eventTimestampMs"),
        value.number("brokerId"),
    )
}

fn partition_delete(value: &StructValue<'_>, out: &mut String) -> std::fmt::Result {
    write!(
        out,
        "RemotePartitionDeleteMetadata{{topicPartition={}, state={}, eventTimestampMs={}, brokerId={}}}",
        topic_id_partition(value.get("topicIdPartition")),
        delete_state(value),
        value.number("eventTimestampMs"),
        value.number("brokerId"),
    )
}

fn segment_snapshot(value: &StructValue<'_>, out: &mut String) -> std::fmt::Result {
    write!(
        out,
        "RemoteLogSegmentMetadataSnapshot{{segmentId={}, startOffset={}, endOffset={}, maxTimestampMs={}, \
         segmentLeaderEpochs={}, segmentSizeInBytes={}, customMetadata={}, state={}, txnIdxEmpty={}}}",
        uuid(value.get("segmentId")),
        value.number("startOffset"),
        value.number("endOffset"),
        value.number("maxTimestampMs"),
        leader_epochs(value),
        value.number("segmentSizeInBytes"),
        custom_metadata(value),
        segment_state(value),
        value.get("txnIndexEmpty") == Some(&Value::Bool(true)),
    )
}

/// What Java's constructors refuse, in their order and their words.
fn check(id: i16, value: &StructValue<'_>) -> Result<(), DecodeError> {
    let refused = |message: String| Err(DecodeError::Malformed(message));
    if id == 2 {
        let known = delete_state(value) != "null";
        return if known { Ok(()) } else { refused("null".to_owned()) };
    }
    let no_state = segment_state(value) == "null";
    if id != 0 && no_state {
        return refused("state can not be null".to_owned());
    }
    let (start, end) = (value.number("startOffset"), value.number("endOffset"));
    if id == 0 && start < 0 {
        return refused(format!(
            "Unexpected start offset = {start}. StartOffset for a remote segment cannot be negative"
        ));
    }
    if id == 0 && end < start {
        return refused(format!(
            "Unexpected end offset = {end}. EndOffset for a remote segment cannot be less than startOffset = {start}"
        ));
    }
    if id != 1 && value.array("segmentLeaderEpochs").is_empty() {
        return refused("segmentLeaderEpochs can not be null or empty".to_owned());
    }
    // A segment's metadata is made with its first state and then updated to this one.
    if id == 0 && no_state {
        return refused("state can not be null".to_owned());
    }
    Ok(())
}

fn segment_id(value: &StructValue<'_>) -> String {
    let Some(id) = value.get("remoteLogSegmentId").and_then(Value::as_struct) else {
        return "null".to_owned();
    };
    format!(
        "RemoteLogSegmentId{{topicIdPartition={}, id={}}}",
        topic_id_partition(id.get("topicIdPartition")),
        uuid(id.get("id"))
    )
}

fn topic_id_partition(value: Option<&Value<'_>>) -> String {
    let Some(value) = value.and_then(Value::as_struct) else {
        return "null".to_owned();
    };
    let name = value.text("name").unwrap_or("null");
    format!("{}:{name}-{}", uuid(value.get("id")), value.number("partition"))
}

fn uuid(value: Option<&Value<'_>>) -> String {
    match value {
        Some(Value::Uuid(id)) => URL_SAFE_NO_PAD.encode(id),
        _ => "null".to_owned(),
    }
}

/// As in Java's `TreeMap`: sorted, and of two entries for an epoch the last counts.
fn leader_epochs(value: &StructValue<'_>) -> String {
    let entries = value
        .array("segmentLeaderEpochs")
        .iter()
        .filter_map(Value::as_struct);
    let epochs: BTreeMap<i64, i64> = entries
        .map(|entry| (entry.number("leaderEpoch"), entry.number("offset")))
        .collect();
    let epochs: Vec<String> = epochs
        .iter()
        .map(|(epoch, offset)| format!("{epoch}={offset}"))
        .collect();
    format!("{{{}}}", epochs.join(", "))
}

fn custom_metadata(value: &StructValue<'_>) -> String {
    match value.get("customMetadata") {
        Some(Value::Bytes(bytes)) => format!("Optional[CustomMetadata{{{} bytes}}]", bytes.len()),
        _ => "Optional.empty".to_owned(),
    }
}

fn segment_state(value: &StructValue<'_>) -> &'static str {
    match value.number("remoteLogSegmentState") {
        0 => "COPY_SEGMENT_STARTED",
        1 => "COPY_SEGMENT_FINISHED",
        2 => "DELETE_SEGMENT_STARTED",
        3 => "DELETE_SEGMENT_FINISHED",
        _ => "null",
    }
}

fn delete_state(value: &StructValue<'_>) -> &'static str {
    match value.number("remotePartitionDeleteState") {
        0 => "DELETE_PARTITION_MARKED",
        1 => "DELETE_PARTITION_STARTED",
        2 => "DELETE_PARTITION_FINISHED",
        _ => "null",
    }
}
