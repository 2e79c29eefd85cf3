//! Versions of requests that are newer than the crate with the messages: which of its versions has the same fields.
//!
//! Clients infer the release of a broker from its highest versions. Only versions without a field of their own are
//! here; those with new fields (OffsetCommit and OffsetFetch 10, WriteTxnMarkers 2) are not served yet.

use kafka_protocol::messages::ApiKey;

/// The version by which a request and its answer are decoded and encoded. The handler sees the version that was sent.
pub(super) fn fields_of(api: ApiKey, version: i16) -> i16 {
    match (api, version) {
        // New is a special time, -6 (KIP-1023).
        (ApiKey::ListOffsets, 11) => 10,
        (_, version) => version,
    }
}
