//! Where responses state for how long their client is slowed down (`throttle_time_ms`).
//!
//! In most it is the first field of the body, so it can be written after the response is encoded, when the time that
//! the request took is known. <https://kafka.apache.org/protocol>

use bytes::BytesMut;
use kafka_protocol::messages::ApiKey;

use super::response::{Answer, Piece};
use crate::wire::frame;

/// Raises the time in an answer to `throttle_ms`. An answer without the field stays as it is.
pub(super) fn raise(answer: Answer, api: ApiKey, version: i16, throttle_ms: i32) -> Answer {
    match answer {
        Answer::Frame(mut frame) => {
            write(&mut frame, api, version, throttle_ms);
            Answer::Frame(frame)
        }
        Answer::Pieces(mut pieces) => {
            if let Some(Piece::Bytes(head)) = pieces.first_mut() {
                let mut bytes = BytesMut::from(std::mem::take(head));
                write(&mut bytes, api, version, throttle_ms);
                *head = bytes.freeze();
            }
            Answer::Pieces(pieces)
        }
        other => other,
    }
}

fn write(frame: &mut BytesMut, api: ApiKey, version: i16, throttle_ms: i32) {
    let Some(place) = place(frame.len(), api, version) else {
        return;
    };
    let Some(field) = frame.get_mut(place..).and_then(<[u8]>::first_chunk_mut) else {
        return;
    };
    let before = i32::from_be_bytes(*field);
    *field = before.max(throttle_ms).to_be_bytes();
}

/// The position of the field in a frame.
fn place(frame_len: usize, api: ApiKey, version: i16) -> Option<usize> {
    use ApiKey as K;
    let header = 4 + usize::from(api.response_header_version(version) > 0);
    let body = frame::PREFIX_LEN + header;
    let first = match api {
        // The last field; from version 9 on an empty list of tagged fields follows.
        K::Produce => {
            let after = 4 + usize::from(version >= 9);
            return (version >= 1).then(|| frame_len.checked_sub(after))?;
        }
        // After the error code.
        K::OffsetDelete => return Some(body + 2),
        K::ApiVersions | K::SaslHandshake | K::SaslAuthenticate | K::DescribeQuorum | K::WriteTxnMarkers => {
            return None;
        }
        // Behind fields of variable length; these are never slowed down.
        K::CreateDelegationToken
        | K::RenewDelegationToken
        | K::ExpireDelegationToken
        | K::DescribeDelegationToken
        | K::InitializeShareGroupState
        | K::ReadShareGroupState
        | K::WriteShareGroupState
        | K::DeleteShareGroupState
        | K::ReadShareGroupStateSummary => return None,
        K::Metadata | K::OffsetCommit | K::OffsetFetch => 3,
        K::ListOffsets | K::JoinGroup | K::CreateTopics | K::OffsetForLeaderEpoch => 2,
        K::Fetch
        | K::FindCoordinator
        | K::Heartbeat
        | K::LeaveGroup
        | K::SyncGroup
        | K::DescribeGroups
        | K::ListGroups
        | K::DeleteTopics => 1,
        _ => 0,
    };
    (version >= first).then_some(body)
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::{self, ApiKey};

    use super::*;
    use crate::broker::apis::APIS;
    use crate::broker::response::encode_as;

    /// Encodes a response, raises its time, and reads it back with the crate that knows the messages.
    macro_rules! told {
        ($($api:ident $response:ident),+) => {{
            let mut seen = Vec::new();
            $(
                let row = APIS.iter().find(|row| row.key == ApiKey::$api).unwrap();
                let newest = row.max.min(<messages::$response as kafka_protocol::protocol::Message>::VERSIONS.max);
                for version in row.min..=newest {
                    let Ok(answer) = encode_as(9, version, &messages::$response::default()) else { continue };
                    let Answer::Frame(frame) = raise(answer, ApiKey::$api, version, 0x0102_0304) else {
                        panic!("not a frame")
                    };
                    let header = usize::from(ApiKey::$api.response_header_version(version) > 0);
                    let mut body = frame.freeze().slice(8 + header..);
                    let read = <messages::$response as kafka_protocol::protocol::Decodable>::decode(&mut body, version);
                    seen.push((ApiKey::$api, version, read.unwrap().throttle_time_ms));
                }
            )+
            seen
        }};
    }

    #[test]
    fn the_field_is_where_the_protocol_has_it() {
        let seen = told!(
            Produce ProduceResponse,
            ListOffsets ListOffsetsResponse,
            Metadata MetadataResponse,
            OffsetCommit OffsetCommitResponse,
            OffsetFetch OffsetFetchResponse,
            FindCoordinator FindCoordinatorResponse,
            JoinGroup JoinGroupResponse,
            Heartbeat HeartbeatResponse,
            LeaveGroup LeaveGroupResponse,
            SyncGroup SyncGroupResponse,
            DescribeGroups DescribeGroupsResponse,
            ListGroups ListGroupsResponse,
            CreateTopics CreateTopicsResponse,
            DeleteTopics DeleteTopicsResponse,
            DeleteRecords DeleteRecordsResponse,
            InitProducerId InitProducerIdResponse,
            OffsetForLeaderEpoch OffsetForLeaderEpochResponse,
            AddPartitionsToTxn AddPartitionsToTxnResponse,
            EndTxn EndTxnResponse,
            TxnOffsetCommit TxnOffsetCommitResponse,
            DescribeAcls DescribeAclsResponse,
            DescribeConfigs DescribeConfigsResponse,
            CreatePartitions CreatePartitionsResponse,
            DeleteGroups DeleteGroupsResponse,
            OffsetDelete OffsetDeleteResponse,
            DescribeClientQuotas DescribeClientQuotasResponse,
            DescribeCluster DescribeClusterResponse,
            ListTransactions ListTransactionsResponse,
            ConsumerGroupHeartbeat ConsumerGroupHeartbeatResponse,
            ShareFetch ShareFetchResponse
        );
        assert!(seen.len() > 60, "{}", seen.len());
        for (api, version, throttle_ms) in seen {
            let has_field = place(100, api, version).is_some();
            assert_eq!(throttle_ms == 0x0102_0304, has_field, "{api:?} {version}");
        }
    }
}
