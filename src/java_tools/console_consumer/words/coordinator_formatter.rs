//! The records of Kafka's internal topics as the console consumer's formatters print them: JSON objects, one after
//! the other, without line ends; those of the remote log as lines.

use crate::client::record_source::ConsumedRecord;
use crate::internal_records::coordinator::{CoordinatorError, Topic};
use crate::internal_records::{json, remote_log};
use crate::output::digits::push_i32;
use crate::output::record::RecordFormatter;

/// Prints records of some types of one internal topic, and skips all others.
#[derive(Clone, Copy, Debug)]
pub struct CoordinatorFormatter {
    topic: Topic,
    types: (i16, i16),
}

/// The formatters' class names, and the record types of each.
const CLASSES: &[(&str, Topic, (i16, i16))] = &[
    (
        "org.apache.kafka.tools.consumer.OffsetsMessageFormatter",
        Topic::ConsumerOffsets,
        (0, 1),
    ),
    (
        "org.apache.kafka.tools.consumer.GroupMetadataMessageFormatter",
        Topic::ConsumerOffsets,
        (2, 2),
    ),
    (
        "org.apache.kafka.tools.consumer.ShareGroupMessageFormatter",
        Topic::ConsumerOffsets,
        (9, 15),
    ),
    (
        "org.apache.kafka.tools.consumer.TransactionLogMessageFormatter",
        Topic::TransactionState,
        (0, 0),
    ),
    (
        "org.apache.kafka.tools.consumer.group.share.ShareGroupStateMessageFormatter",
        Topic::ShareGroupState,
        (0, i16::MAX),
    ),
];

impl CoordinatorFormatter {
    /// The formatter with this class name.
    pub fn of_class(class: &str) -> Option<Self> {
        let found = CLASSES.iter().find(|(name, _, _)| *name == class);
        found.map(|(_, topic, types)| Self {
            topic: *topic,
            types: *types,
        })
    }
}

impl RecordFormatter for CoordinatorFormatter {
    fn write(&mut self, record: &ConsumedRecord<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        let Some(key) = record.key else {
            return Ok(());
        };
        let decoded = match self.topic.decode(key, record.value) {
            Ok(decoded) => decoded,
            Err(CoordinatorError::UnknownType(_)) => return Ok(()),
            Err(error) => {
                return Err(format!(
                    "Could not read record at offset {} due to: {error}",
                    record.offset
                ));
            }
        };
        if decoded.id < self.types.0 || decoded.id > self.types.1 {
            return Ok(());
        }
        out.extend_from_slice(b"{\"key\":{\"type\":");
        push_i32(i32::from(decoded.id), out);
        out.extend_from_slice(b",\"data\":");
        json::write_struct(&decoded.key, out);
        out.extend_from_slice(b"},\"value\":");
        match &decoded.value {
            Some(value) => {
                out.extend_from_slice(b"{\"version\":");
                push_i32(i32::from(value.version), out);
                out.extend_from_slice(b",\"data\":");
                json::write_struct(value, out);
                out.extend_from_slice(b"}}");
            }
            None => out.extend_from_slice(b"null}"),
        }
        Ok(())
    }
}

/// Prints records about remote log segments, a line each.
#[derive(Clone, Copy, Debug)]
pub struct RemoteLogFormatter;

impl RemoteLogFormatter {
    /// Its class name in Java.
    pub const CLASS: &str = "org.apache.kafka.server.log.remote.metadata.storage.serialization.\
                             RemoteLogMetadataSerde$RemoteLogMetadataFormatter";
}

impl RecordFormatter for RemoteLogFormatter {
    fn write(&mut self, record: &ConsumedRecord<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        let value = record.value.ok_or("the record has no value")?;
        let text = remote_log::to_text(value).map_err(|error| error.to_string())?;
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
        Ok(())
    }
}
