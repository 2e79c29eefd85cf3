//! `DescribeShareGroupOffsets`, versions 0–1: where share groups are in their partitions.
//!
//! kafka-protocol knows version 0 alone; version 1 (KIP-1226) adds the lag. The client's half: these messages are
//! written as requests and read as answers.

use anyhow::{Context, bail};
use bytes::Buf;
use kafka_protocol::messages::DescribeShareGroupOffsetsRequest as VersionZero;
use kafka_protocol::protocol::buf::{ByteBuf, ByteBufMut};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Message, Request, VersionRange};

use super::primitives::{skip_tagged_fields, take_unsigned_varint};

/// The first version whose answer has the lag.
const WITH_LAG: i16 = 1;

/// A question about some groups, in the words of version 0.
#[derive(Clone, Debug, Default)]
pub struct DescribeShareGroupOffsets(pub VersionZero);

/// The answer.
#[derive(Clone, Debug, Default)]
pub struct ShareGroupOffsets {
    pub groups: Vec<Group>,
}

/// Where one group is.
#[derive(Clone, Debug, Default)]
pub struct Group {
    pub group_id: String,
    pub topics: Vec<Topic>,
    pub error_code: i16,
    pub error_message: String,
}

/// Where a group is in one topic.
#[derive(Clone, Debug, Default)]
pub struct Topic {
    pub name: String,
    pub partitions: Vec<Partition>,
}

/// Where a group is in one partition.
#[derive(Clone, Debug, Default)]
pub struct Partition {
    pub index: i32,
    /// The first offset that is not acknowledged; -1 where there is none.
    pub start_offset: i64,
    /// -1 where it is not known.
    pub leader_epoch: i32,
    /// Records that are not delivered yet; -1 where that is not known.
    pub lag: i64,
    pub error_code: i16,
    pub error_message: String,
}

impl Request for DescribeShareGroupOffsets {
    const KEY: i16 = VersionZero::KEY;
    type Response = ShareGroupOffsets;
}

impl Message for DescribeShareGroupOffsets {
    const VERSIONS: VersionRange = VersionRange {
        min: 0,
        max: WITH_LAG,
    };
    const DEPRECATED_VERSIONS: Option<VersionRange> = None;
}

impl HeaderVersion for DescribeShareGroupOffsets {
    fn header_version(_: i16) -> i16 {
        VersionZero::header_version(0)
    }
}

impl Encodable for DescribeShareGroupOffsets {
    fn encode<B: ByteBufMut>(&self, buf: &mut B, _: i16) -> anyhow::Result<()> {
        self.0.encode(buf, 0)
    }

    fn compute_size(&self, _: i16) -> anyhow::Result<usize> {
        self.0.compute_size(0)
    }
}

impl Decodable for DescribeShareGroupOffsets {
    fn decode<B: ByteBuf>(buf: &mut B, _: i16) -> anyhow::Result<Self> {
        VersionZero::decode(buf, 0).map(Self)
    }
}

impl Message for ShareGroupOffsets {
    const VERSIONS: VersionRange = DescribeShareGroupOffsets::VERSIONS;
    const DEPRECATED_VERSIONS: Option<VersionRange> = None;
}

impl HeaderVersion for ShareGroupOffsets {
    fn header_version(_: i16) -> i16 {
        1
    }
}

impl Encodable for ShareGroupOffsets {
    fn encode<B: ByteBufMut>(&self, _: &mut B, _: i16) -> anyhow::Result<()> {
        bail!("an answer is only read")
    }

    fn compute_size(&self, _: i16) -> anyhow::Result<usize> {
        bail!("an answer is only read")
    }
}

impl Decodable for ShareGroupOffsets {
    /// Takes all bytes: an answer is the last in its frame.
    fn decode<B: ByteBuf>(buf: &mut B, version: i16) -> anyhow::Result<Self> {
        let length = buf.remaining();
        let bytes = buf.try_get_bytes(length)?;
        answer(&mut &bytes[..], version).context("the answer ends too soon")
    }
}

fn answer(bytes: &mut &[u8], version: i16) -> Option<ShareGroupOffsets> {
    let _throttle_time_ms = bytes.try_get_i32().ok()?;
    let groups = array(bytes, |bytes| group(bytes, version))?;
    skip_tagged_fields(bytes)?;
    Some(ShareGroupOffsets { groups })
}

fn group(bytes: &mut &[u8], version: i16) -> Option<Group> {
    let group = Group {
        group_id: text(bytes)?,
        topics: array(bytes, |bytes| topic(bytes, version))?,
        error_code: bytes.try_get_i16().ok()?,
        error_message: text(bytes)?,
    };
    skip_tagged_fields(bytes)?;
    Some(group)
}

fn topic(bytes: &mut &[u8], version: i16) -> Option<Topic> {
    let name = text(bytes)?;
    let _id = bytes.try_get_u128().ok()?;
    let partitions = array(bytes, |bytes| partition(bytes, version))?;
    skip_tagged_fields(bytes)?;
    Some(Topic { name, partitions })
}

fn partition(bytes: &mut &[u8], version: i16) -> Option<Partition> {
    let partition = Partition {
        index: bytes.try_get_i32().ok()?,
        start_offset: bytes.try_get_i64().ok()?,
        leader_epoch: bytes.try_get_i32().ok()?,
        lag: if version >= WITH_LAG {
            bytes.try_get_i64().ok()?
        } else {
            -1
        },
        error_code: bytes.try_get_i16().ok()?,
        error_message: text(bytes)?,
    };
    skip_tagged_fields(bytes)?;
    Some(partition)
}

/// The elements of an array. Their number reserves no memory: each takes bytes, or ends the reading.
fn array<T>(bytes: &mut &[u8], mut element: impl FnMut(&mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    let count = take_unsigned_varint(bytes)?.saturating_sub(1);
    let mut elements = Vec::new();
    for _ in 0..count {
        elements.push(element(bytes)?);
    }
    Some(elements)
}

/// A text; null is an empty one.
fn text(bytes: &mut &[u8]) -> Option<String> {
    let length = take_unsigned_varint(bytes)?.saturating_sub(1);
    let (text, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::decode::decode;
    use bytes::Bytes;

    /// An answer of Apache Kafka 4.3's shape: one group, one topic, one partition.
    fn answer(version: i16) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 0, 2, 2, b'g', 2, 2, b't'];
        bytes.extend([7; 16]);
        bytes.extend([2, 0, 0, 0, 3]);
        bytes.extend(40_i64.to_be_bytes());
        bytes.extend(5_i32.to_be_bytes());
        if version >= WITH_LAG {
            bytes.extend(2_i64.to_be_bytes());
        }
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn the_lag_is_read_where_the_version_has_it() {
        for (version, lag) in [(0, -1), (1, 2)] {
            let mut bytes = Bytes::from(answer(version));
            let read: ShareGroupOffsets = decode(&mut bytes, version).expect("an answer");
            let partition = &read.groups[0].topics[0].partitions[0];
            assert_eq!(
                (partition.index, partition.start_offset, partition.lag),
                (3, 40, lag)
            );
            assert!(bytes.is_empty());
        }
    }

    #[test]
    fn an_answer_that_is_cut_is_an_error() {
        let whole = answer(1);
        for length in 0..whole.len() {
            let mut bytes = Bytes::copy_from_slice(&whole[..length]);
            assert!(decode::<ShareGroupOffsets>(&mut bytes, 1).is_err(), "{length}");
        }
    }
}
