//! Records of the coordinators' topics: `__consumer_offsets`, `__transaction_state`, `__share_group_state`.
//!
//! Owns the numbers in front of key and value; the schemas are tables. The key begins with the record's type, the
//! value with its own version (KIP-848 made the old "key version" a type).

use std::fmt;

use super::decode::{DecodeError, Reader, decode};
use super::encode::encode;
use super::json;
use super::schema::{Message, RecordType};
use super::tables::{control, group, share, transaction};
use super::value::{StructValue, Value};

/// A coordinator's topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// `__consumer_offsets`
    ConsumerOffsets,
    /// `__transaction_state`
    TransactionState,
    /// `__share_group_state`
    ShareGroupState,
}

/// A decoded record. A tombstone has no value.
#[derive(Clone, Debug, PartialEq)]
pub struct CoordinatorRecord<'a> {
    /// The number in front of the key.
    pub id: i16,
    pub key: StructValue<'a>,
    pub value: Option<StructValue<'a>>,
}

/// Why a record could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoordinatorError {
    /// Kafka 4.3 does not know the key's type.
    UnknownType(i16),
    /// Kafka 4.3 does not know the value's version.
    UnknownVersion { id: i16, version: i16 },
    /// Key or value has no version in front.
    NoVersion { of: &'static str },
    /// Key or value cannot be decoded in its version.
    Unreadable {
        of: &'static str,
        version: i16,
        cause: DecodeError,
    },
}

impl fmt::Display for CoordinatorError {
    /// Kafka's own texts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CoordinatorError::UnknownType(id) => write!(f, "Found an unknown record type {id}"),
            CoordinatorError::UnknownVersion { id, version } => {
                write!(f, "Found an unknown record version {version} for {id} type")
            }
            CoordinatorError::NoVersion { of } => write!(f, "Could not read version from {of}'s buffer."),
            CoordinatorError::Unreadable { of, version, cause } => {
                write!(
                    f,
                    "Could not read record with version {version} from {of}'s buffer due to: {cause}."
                )
            }
        }
    }
}

impl std::error::Error for CoordinatorError {}

impl Topic {
    /// The coordinator's topic of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "__consumer_offsets" => Some(Self::ConsumerOffsets),
            "__transaction_state" => Some(Self::TransactionState),
            "__share_group_state" => Some(Self::ShareGroupState),
            _ => None,
        }
    }

    /// The topic's record types by number.
    pub fn types(self) -> &'static [RecordType] {
        match self {
            Topic::ConsumerOffsets => group::RECORDS,
            Topic::TransactionState => transaction::RECORDS,
            Topic::ShareGroupState => share::RECORDS,
        }
    }

    /// The record type of this number.
    pub fn record_type(self, id: i16) -> Option<&'static RecordType> {
        self.types().iter().find(|record_type| record_type.id == id)
    }

    /// Decodes a record; no value is a tombstone.
    pub fn decode<'a>(
        self,
        key: &'a [u8],
        value: Option<&'a [u8]>,
    ) -> Result<CoordinatorRecord<'a>, CoordinatorError> {
        let (id, key) = self.decode_key(key)?;
        let value = value.map(|value| self.decode_value(id, value)).transpose()?;
        Ok(CoordinatorRecord { id, key, value })
    }

    /// Decodes a key alone, with its type.
    pub fn decode_key(self, key: &[u8]) -> Result<(i16, StructValue<'_>), CoordinatorError> {
        let mut reader = Reader::new(key);
        let id = reader
            .int16()
            .map_err(|_| CoordinatorError::NoVersion { of: "key" })?;
        let record_type = self.record_type(id).ok_or(CoordinatorError::UnknownType(id))?;
        // Keys have one version; Kafka's text names the type.
        let key = decode(record_type.key, 0, &mut reader).map_err(|cause| CoordinatorError::Unreadable {
            of: "key",
            version: id,
            cause,
        })?;
        Ok((id, key))
    }

    /// Decodes the value of a record of type `id`.
    pub fn decode_value(self, id: i16, value: &[u8]) -> Result<StructValue<'_>, CoordinatorError> {
        let record_type = self.record_type(id).ok_or(CoordinatorError::UnknownType(id))?;
        let message = record_type.value.ok_or(CoordinatorError::UnknownType(id))?;
        let mut reader = Reader::new(value);
        let version = reader
            .int16()
            .map_err(|_| CoordinatorError::NoVersion { of: "value" })?;
        if !message.supports(version) {
            return Err(CoordinatorError::UnknownVersion { id, version });
        }
        decode(message, version, &mut reader).map_err(|cause| CoordinatorError::Unreadable {
            of: "value",
            version,
            cause,
        })
    }

    /// An empty key of type `id`, to be filled.
    pub fn new_key(self, id: i16) -> Option<StructValue<'static>> {
        self.record_type(id)
            .map(|record_type| StructValue::new(&record_type.key.body, 0))
    }

    /// An empty value of type `id` in `version`, to be filled.
    pub fn new_value(self, id: i16, version: i16) -> Option<StructValue<'static>> {
        let message = self.record_type(id)?.value?;
        message
            .supports(version)
            .then(|| StructValue::new(&message.body, version))
    }

    /// The bytes of a key, its type in front.
    pub fn encode_key(self, id: i16, key: &StructValue<'_>) -> Vec<u8> {
        let mut out = id.to_be_bytes().to_vec();
        if let Some(record_type) = self.record_type(id) {
            encode(record_type.key, key, &mut out);
        }
        out
    }

    /// The bytes of a value of type `id`, its version in front.
    pub fn encode_value(self, id: i16, value: &StructValue<'_>) -> Vec<u8> {
        let mut out = value.version.to_be_bytes().to_vec();
        if let Some(message) = self.record_type(id).and_then(|record_type| record_type.value) {
            encode(message, value, &mut out);
        }
        out
    }
}

/// Appends the value of a group of the classic protocol with its members' subscriptions and assignments decoded, as
/// kafka-dump-log shows it. Other values are written as they are.
pub fn write_group_metadata(value: &StructValue<'_>, out: &mut Vec<u8>) {
    if value.schema.name != group::GROUP_METADATA_VALUE.body.name
        || value.text("protocolType") != Some("consumer")
    {
        return json::write_struct(value, out);
    }
    json::write_struct_with(value, out, &mut |name, value, out| {
        let (Some(message), Value::Bytes(bytes)) = (consumer_protocol(name), value) else {
            return false;
        };
        match versioned(message, bytes) {
            Ok(unfolded) => {
                json::write_struct(&unfolded, out);
                true
            }
            Err(_) => false,
        }
    });
}

fn consumer_protocol(field: &str) -> Option<&'static Message> {
    match field {
        "subscription" => Some(&control::CONSUMER_PROTOCOL_SUBSCRIPTION),
        "assignment" => Some(&control::CONSUMER_PROTOCOL_ASSIGNMENT),
        _ => None,
    }
}

/// A message with its version in front.
fn versioned<'a>(message: &'static Message, bytes: &'a [u8]) -> Result<StructValue<'a>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.int16()?;
    decode(message, version, &mut reader)
}
