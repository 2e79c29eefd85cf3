//! Conversions between the protocol's types and the group coordinator's, for all handlers of group requests.

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::protocol::StrBytes;

use crate::broker::coordinator::group::events::MemberIdentity;

/// The code of an outcome; 0 for success.
pub(super) fn error_code(error: Option<ResponseError>) -> i16 {
    error.map_or(0, |error| error.code())
}

/// A string that may be absent.
pub(super) fn optional(text: Option<&StrBytes>) -> Option<String> {
    text.map(ToString::to_string)
}

/// A copy of bytes that outlive their request, so that they do not keep the whole frame in memory.
pub(super) fn keep(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

/// The member that sent a request.
pub(super) fn member(id: &StrBytes, instance_id: Option<&StrBytes>, generation: i32) -> MemberIdentity {
    MemberIdentity {
        member_id: id.to_string(),
        group_instance_id: optional(instance_id),
        generation,
    }
}
