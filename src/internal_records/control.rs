//! The contents of the control records that Raft writes: leader changes, snapshot header and footer, version, voters.
//!
//! Owns their schemas by control type; the types themselves and transaction markers belong to `records`.

use super::decode::{DecodeError, Reader, decode};
use super::encode::encode;
use super::schema::Message;
use super::tables::control;
use super::value::StructValue;

/// Decodes the value of a control record of this type (2 leader change, 3 snapshot header, 4 snapshot footer,
/// 5 KRaft version, 6 KRaft voters); None for any other type.
pub fn decode_value(control_type: i16, value: &[u8]) -> Option<Result<StructValue<'_>, DecodeError>> {
    Some(read(message(control_type)?, value))
}

/// The value of a control record of this type in version 0, with the fields that `fill` sets; None for a type that
/// [`decode_value`] does not know.
pub fn encode_value<'a>(control_type: i16, fill: impl FnOnce(&mut StructValue<'a>)) -> Option<Vec<u8>> {
    let message = message(control_type)?;
    let mut value = StructValue::new(&message.body, 0);
    fill(&mut value);
    let mut bytes = Vec::new();
    encode(message, &value, &mut bytes);
    Some(bytes)
}

/// The version is the first field; one newer than Kafka 4.3 is read as the newest that it knows.
fn read<'a>(message: &'static Message, value: &'a [u8]) -> Result<StructValue<'a>, DecodeError> {
    let version = Reader::new(value).int16()?;
    let known = version.clamp(message.body.versions.0, message.body.versions.1);
    decode(message, known, &mut Reader::new(value))
}

/// [`decode_value`] as Kafka's own tools do it: always read as version 0, shown as the version that the record
/// states.
pub fn decode_value_as_version_0(
    control_type: i16,
    value: &[u8],
) -> Option<Result<StructValue<'_>, DecodeError>> {
    let message = message(control_type)?;
    let decoded = decode(message, 0, &mut Reader::new(value)).map(|mut decoded| {
        decoded.show_as_version(decoded.number("version") as i16);
        decoded
    });
    Some(decoded)
}

fn message(control_type: i16) -> Option<&'static Message> {
    Some(match control_type {
        2 => &control::LEADER_CHANGE_MESSAGE,
        3 => &control::SNAPSHOT_HEADER_RECORD,
        4 => &control::SNAPSHOT_FOOTER_RECORD,
        5 => &control::KRAFT_VERSION_RECORD,
        6 => &control::VOTERS_RECORD,
        _ => return None,
    })
}

/// The name of a type of Raft's control records; `None` for any other type.
pub fn name(control_type: i16) -> Option<&'static str> {
    Some(match control_type {
        2 => "leader change",
        3 => "snapshot header",
        4 => "snapshot footer",
        5 => "kraft version",
        6 => "kraft voters",
        _ => return None,
    })
}
