//! The shape of every served request, and a walk over it before anything is decoded.
//!
//! The message structs reserve memory for as many array elements as the peer claims. This walk refuses a
//! request whose lengths reach past its end, or that holds more elements than [`MAX_ELEMENTS`], so that no peer
//! can make the broker reserve memory that it did not send. Owns no meaning of any field.
//!
//! One letter a field, from the protocol's message definitions: `1` `2` `4` `8` that many bytes; `s` a string
//! and `b` bytes with their old length prefixes, `S` and `B` with compact ones; `[…]` and `<…>` an array, old and
//! compact; `(…)` a struct that may be absent; `t` tagged fields.
//! <https://kafka.apache.org/protocol#protocol_types>

use kafka_protocol::messages::ApiKey;

use crate::wire::primitives::take_unsigned_varint;

/// The most array elements and tagged fields in one request, in sum. An element costs up to some 150 bytes once
/// decoded.
const MAX_ELEMENTS: usize = 400_000;

/// The shapes by API and version range; checked against `apis::APIS` by a test.
const SHAPES: &[(ApiKey, i16, i16, &str)] = &[
    (ApiKey::Produce, 3, 8, "s24[s[4b]]"),
    (ApiKey::Produce, 9, 12, "S24<S<4Bt>t>t"),
    (ApiKey::Produce, 13, 13, "S24<88<4Bt>t>t"),
    (ApiKey::Fetch, 4, 4, "44441[s[484]]"),
    (ApiKey::Fetch, 5, 6, "44441[s[4884]]"),
    (ApiKey::Fetch, 7, 8, "4444144[s[4884]][s[4]]"),
    (ApiKey::Fetch, 9, 10, "4444144[s[44884]][s[4]]"),
    (ApiKey::Fetch, 11, 11, "4444144[s[44884]][s[4]]s"),
    (ApiKey::Fetch, 12, 12, "4444144<S<448484t>t><S<4>t>St"),
    (ApiKey::Fetch, 13, 14, "4444144<88<448484t>t><88<4>t>St"),
    (ApiKey::Fetch, 15, 18, "444144<88<448484t>t><88<4>t>St"),
    (ApiKey::ListOffsets, 1, 1, "4[s[48]]"),
    (ApiKey::ListOffsets, 2, 3, "41[s[48]]"),
    (ApiKey::ListOffsets, 4, 5, "41[s[448]]"),
    (ApiKey::ListOffsets, 6, 9, "41<S<448t>t>t"),
    (ApiKey::ListOffsets, 10, 10, "41<S<448t>t>4t"),
    (ApiKey::Metadata, 0, 3, "[s]"),
    (ApiKey::Metadata, 4, 7, "[s]1"),
    (ApiKey::Metadata, 8, 8, "[s]111"),
    (ApiKey::Metadata, 9, 9, "<St>111t"),
    (ApiKey::Metadata, 10, 10, "<88St>111t"),
    (ApiKey::Metadata, 11, 13, "<88St>11t"),
    (ApiKey::OffsetCommit, 2, 4, "s4s8[s[48s]]"),
    (ApiKey::OffsetCommit, 5, 5, "s4s[s[48s]]"),
    (ApiKey::OffsetCommit, 6, 6, "s4s[s[484s]]"),
    (ApiKey::OffsetCommit, 7, 7, "s4ss[s[484s]]"),
    (ApiKey::OffsetCommit, 8, 9, "S4SS<S<484St>t>t"),
    (ApiKey::OffsetFetch, 1, 5, "s[s[4]]"),
    (ApiKey::OffsetFetch, 6, 6, "S<S<4>t>t"),
    (ApiKey::OffsetFetch, 7, 7, "S<S<4>t>1t"),
    (ApiKey::OffsetFetch, 8, 8, "<S<S<4>t>t>1t"),
    (ApiKey::OffsetFetch, 9, 9, "<SS4<S<4>t>t>1t"),
    (ApiKey::FindCoordinator, 0, 0, "s"),
    (ApiKey::FindCoordinator, 1, 2, "s1"),
    (ApiKey::FindCoordinator, 3, 3, "S1t"),
    (ApiKey::FindCoordinator, 4, 6, "1<S>t"),
    (ApiKey::JoinGroup, 0, 0, "s4ss[sb]"),
    (ApiKey::JoinGroup, 1, 4, "s44ss[sb]"),
    (ApiKey::JoinGroup, 5, 5, "s44sss[sb]"),
    (ApiKey::JoinGroup, 6, 7, "S44SSS<SBt>t"),
    (ApiKey::JoinGroup, 8, 9, "S44SSS<SBt>St"),
    (ApiKey::Heartbeat, 0, 2, "s4s"),
    (ApiKey::Heartbeat, 3, 3, "s4ss"),
    (ApiKey::Heartbeat, 4, 4, "S4SSt"),
    (ApiKey::LeaveGroup, 0, 2, "ss"),
    (ApiKey::LeaveGroup, 3, 3, "s[ss]"),
    (ApiKey::LeaveGroup, 4, 4, "S<SSt>t"),
    (ApiKey::LeaveGroup, 5, 5, "S<SSSt>t"),
    (ApiKey::SyncGroup, 0, 2, "s4s[sb]"),
    (ApiKey::SyncGroup, 3, 3, "s4ss[sb]"),
    (ApiKey::SyncGroup, 4, 4, "S4SS<SBt>t"),
    (ApiKey::SyncGroup, 5, 5, "S4SSSS<SBt>t"),
    (ApiKey::DescribeGroups, 0, 2, "[s]"),
    (ApiKey::DescribeGroups, 3, 4, "[s]1"),
    (ApiKey::DescribeGroups, 5, 6, "<S>1t"),
    (ApiKey::ListGroups, 0, 2, ""),
    (ApiKey::ListGroups, 3, 3, "t"),
    (ApiKey::ListGroups, 4, 4, "<S>t"),
    (ApiKey::ListGroups, 5, 5, "<S><S>t"),
    (ApiKey::SaslHandshake, 0, 1, "s"),
    (ApiKey::ApiVersions, 0, 2, ""),
    (ApiKey::ApiVersions, 3, 4, "SSt"),
    (ApiKey::CreateTopics, 2, 4, "[s42[4[4]][ss]]41"),
    (ApiKey::CreateTopics, 5, 7, "<S42<4<4>t><SSt>t>41t"),
    (ApiKey::DeleteTopics, 1, 3, "[s]4"),
    (ApiKey::DeleteTopics, 4, 5, "<S>4t"),
    (ApiKey::DeleteTopics, 6, 6, "<S88t>4t"),
    (ApiKey::DeleteRecords, 0, 1, "[s[48]]4"),
    (ApiKey::DeleteRecords, 2, 2, "<S<48t>t>4t"),
    (ApiKey::InitProducerId, 0, 1, "s4"),
    (ApiKey::InitProducerId, 2, 2, "S4t"),
    (ApiKey::InitProducerId, 3, 5, "S482t"),
    (ApiKey::OffsetForLeaderEpoch, 2, 2, "[s[444]]"),
    (ApiKey::OffsetForLeaderEpoch, 3, 3, "4[s[444]]"),
    (ApiKey::OffsetForLeaderEpoch, 4, 4, "4<S<444t>t>t"),
    (ApiKey::DescribeAcls, 1, 1, "1s1ss11"),
    (ApiKey::DescribeAcls, 2, 3, "1S1SS11t"),
    (ApiKey::CreateAcls, 1, 1, "[1s1ss11]"),
    (ApiKey::CreateAcls, 2, 3, "<1S1SS11t>t"),
    (ApiKey::DeleteAcls, 1, 1, "[1s1ss11]"),
    (ApiKey::DeleteAcls, 2, 3, "<1S1SS11t>t"),
    (ApiKey::DescribeConfigs, 1, 2, "[1s[s]]1"),
    (ApiKey::DescribeConfigs, 3, 3, "[1s[s]]11"),
    (ApiKey::DescribeConfigs, 4, 4, "<1S<S>t>11t"),
    (ApiKey::AlterConfigs, 0, 1, "[1s[ss]]1"),
    (ApiKey::AlterConfigs, 2, 2, "<1S<SSt>t>1t"),
    (ApiKey::AlterReplicaLogDirs, 1, 1, "[s[s[4]]]"),
    (ApiKey::AlterReplicaLogDirs, 2, 2, "<S<S<4>t>t>t"),
    (ApiKey::DescribeLogDirs, 1, 1, "[s[4]]"),
    (ApiKey::DescribeLogDirs, 2, 4, "<S<4>t>t"),
    (ApiKey::SaslAuthenticate, 0, 1, "b"),
    (ApiKey::SaslAuthenticate, 2, 2, "Bt"),
    (ApiKey::CreatePartitions, 0, 1, "[s4[[4]]]41"),
    (ApiKey::CreatePartitions, 2, 3, "<S4<<4>t>t>41t"),
    (ApiKey::DeleteGroups, 0, 1, "[s]"),
    (ApiKey::DeleteGroups, 2, 2, "<S>t"),
    (ApiKey::ElectLeaders, 0, 0, "[s[4]]4"),
    (ApiKey::ElectLeaders, 1, 1, "1[s[4]]4"),
    (ApiKey::ElectLeaders, 2, 2, "1<S<4>t>4t"),
    (ApiKey::IncrementalAlterConfigs, 0, 0, "[1s[s1s]]1"),
    (ApiKey::IncrementalAlterConfigs, 1, 1, "<1S<S1St>t>1t"),
    (ApiKey::AlterPartitionReassignments, 0, 0, "4<S<4<4>t>t>t"),
    (ApiKey::AlterPartitionReassignments, 1, 1, "41<S<4<4>t>t>t"),
    (ApiKey::ListPartitionReassignments, 0, 0, "4<S<4>t>t"),
    (ApiKey::OffsetDelete, 0, 0, "s[s[4]]"),
    (ApiKey::DescribeQuorum, 0, 2, "<S<4t>t>t"),
    (ApiKey::DescribeCluster, 0, 0, "1t"),
    (ApiKey::DescribeCluster, 1, 1, "11t"),
    (ApiKey::DescribeCluster, 2, 2, "111t"),
    (ApiKey::ListConfigResources, 0, 0, "t"),
    (ApiKey::ListConfigResources, 1, 1, "<1>t"),
    (ApiKey::DescribeTopicPartitions, 0, 0, "<St>4(S4t)t"),
];

/// Whether `body` has the shape of a request of this API and version. Bytes after it are nobody's harm, as in
/// Kafka.
pub(super) fn is_well_formed(api: ApiKey, version: i16, body: &[u8]) -> bool {
    let shape = SHAPES
        .iter()
        .find(|(key, min, max, _)| *key == api && (*min..=*max).contains(&version));
    let Some((_, _, _, shape)) = shape else {
        return false;
    };
    let mut walk = Walk {
        rest: body,
        elements: MAX_ELEMENTS,
    };
    walk.fields(shape.as_bytes()).is_some()
}

struct Walk<'a> {
    rest: &'a [u8],
    elements: usize,
}

impl Walk<'_> {
    /// Walks the fields of one struct; `None` when the bytes do not hold them.
    fn fields(&mut self, mut shape: &[u8]) -> Option<()> {
        while let Some((field, after)) = shape.split_first() {
            shape = after;
            match field {
                b'1' | b'2' | b'4' | b'8' => self.skip(usize::from(field - b'0'))?,
                b's' => {
                    let length = i16::from_be_bytes(self.take()?);
                    self.skip(usize::try_from(length.max(0)).ok()?)?;
                }
                b'b' => {
                    let length = i32::from_be_bytes(self.take()?);
                    self.skip(usize::try_from(length.max(0)).ok()?)?;
                }
                b'S' | b'B' => {
                    let length = self.unsigned_varint()?;
                    self.skip(usize::try_from(length).ok()?.saturating_sub(1))?;
                }
                b't' => self.tagged_fields()?,
                b'[' | b'<' | b'(' => {
                    let (element, after) = split_group(shape)?;
                    shape = after;
                    for _ in 0..self.group_length(*field)? {
                        self.fields(element)?;
                    }
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// How many elements follow; each takes at least a byte, so more than there are bytes is a lie.
    fn group_length(&mut self, opening: u8) -> Option<usize> {
        let length = match opening {
            b'[' => usize::try_from(i32::from_be_bytes(self.take()?).max(0)).ok()?,
            b'<' => usize::try_from(self.unsigned_varint()?).ok()?.saturating_sub(1),
            _ => usize::from(self.take::<1>()? == [1]),
        };
        if length > self.rest.len() {
            return None;
        }
        self.elements = self.elements.checked_sub(length)?;
        Some(length)
    }

    fn tagged_fields(&mut self) -> Option<()> {
        let count = usize::try_from(self.unsigned_varint()?).ok()?;
        if count > self.rest.len() {
            return None;
        }
        self.elements = self.elements.checked_sub(count)?;
        for _ in 0..count {
            self.unsigned_varint()?;
            let size = self.unsigned_varint()?;
            self.skip(usize::try_from(size).ok()?)?;
        }
        Some(())
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.rest = self.rest.get(length..)?;
        Some(())
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    fn unsigned_varint(&mut self) -> Option<u32> {
        take_unsigned_varint(&mut self.rest)
    }
}

/// The inside of a group whose opening bracket has been read, and what follows its closing one.
fn split_group(shape: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut depth = 1_usize;
    for (position, letter) in shape.iter().enumerate() {
        match letter {
            b'[' | b'<' | b'(' => depth += 1,
            b']' | b'>' | b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((shape.get(..position)?, shape.get(position + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::apis::APIS;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_served_version_has_exactly_one_shape() {
        for api in APIS {
            for version in api.decoded() {
                let shapes = SHAPES
                    .iter()
                    .filter(|(key, min, max, _)| *key == api.key && (*min..=*max).contains(&version));
                assert_eq!(shapes.count(), 1, "{:?} {version}", api.key);
            }
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        // Metadata v1: two topics claimed, none there; then one that is.
        assert!(!is_well_formed(ApiKey::Metadata, 1, &[0, 0, 0, 2]));
        assert!(!is_well_formed(
            ApiKey::Metadata,
            1,
            &[0x7f, 0xff, 0xff, 0xff, 0, 0]
        ));
        assert!(is_well_formed(ApiKey::Metadata, 1, &[0, 0, 0, 1, 0, 1, b't']));
        assert!(is_well_formed(ApiKey::Metadata, 1, &[0xff, 0xff, 0xff, 0xff]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_walk_panic(api in 0_usize..APIS.len(), body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let api = &APIS[api];
            for version in api.decoded() {
                is_well_formed(api.key, version, &body);
            }
        }
    }
}
