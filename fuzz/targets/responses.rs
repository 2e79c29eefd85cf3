//! What a client reads: answers of every kind that kafkit asks for, in the versions at both ends.

use bytes::Bytes;
use kafka_protocol::messages::{
    ApiVersionsResponse, ConsumerGroupDescribeResponse, CreateTopicsResponse, DescribeClusterResponse,
    DescribeConfigsResponse, DescribeGroupsResponse, DescribeLogDirsResponse, DescribeProducersResponse,
    DescribeTransactionsResponse, FetchResponse, FindCoordinatorResponse, InitProducerIdResponse,
    ListGroupsResponse, ListOffsetsResponse, MetadataResponse, OffsetFetchResponse, ProduceResponse,
    SaslAuthenticateResponse,
};
use kafka_protocol::protocol::{Decodable, Message};
use kafkit::wire::decode::decode;

pub(super) fn responses(bytes: &[u8]) {
    read::<ApiVersionsResponse>(bytes);
    read::<ConsumerGroupDescribeResponse>(bytes);
    read::<CreateTopicsResponse>(bytes);
    read::<DescribeClusterResponse>(bytes);
    read::<DescribeConfigsResponse>(bytes);
    read::<DescribeGroupsResponse>(bytes);
    read::<DescribeLogDirsResponse>(bytes);
    read::<DescribeProducersResponse>(bytes);
    read::<DescribeTransactionsResponse>(bytes);
    read::<FetchResponse>(bytes);
    read::<FindCoordinatorResponse>(bytes);
    read::<InitProducerIdResponse>(bytes);
    read::<ListGroupsResponse>(bytes);
    read::<ListOffsetsResponse>(bytes);
    read::<MetadataResponse>(bytes);
    read::<OffsetFetchResponse>(bytes);
    read::<ProduceResponse>(bytes);
    read::<SaslAuthenticateResponse>(bytes);
}

fn read<M: Decodable + Message>(bytes: &[u8]) {
    for version in [M::VERSIONS.min, M::VERSIONS.max] {
        let _ = decode::<M>(&mut Bytes::copy_from_slice(bytes), version);
    }
}

/// Zeros are an answer of most kinds; others have a list of one, or of many.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let one = [0, 0, 0, 0, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let compact = [0, 0, 0, 0, 2, 2, b't', 2, 0, 0, 0, 0, 0, 0, 1, 0, 0];
    let many = [0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x07];
    vec![vec![0; 64], one.repeat(6), compact.repeat(6), many.repeat(4)]
}
