//! The messages that consumers of the classic protocol exchange through the coordinator: a member's subscription, and
//! its assignment by the leader. The coordinator reads and writes them only if members of both protocols share a
//! group.
//!
//! <https://github.com/apache/kafka/tree/trunk/clients/src/main/resources/common/message>, `ConsumerProtocol…`

use std::collections::BTreeSet;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::consumer_protocol_assignment::TopicPartition;
use kafka_protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription, TopicName};
use kafka_protocol::protocol::{Encodable, StrBytes};

use crate::wire::decode::decode;

/// The newest version of both messages.
const LATEST: i16 = 3;

/// Partitions by topic name.
pub(super) type NamedPartitions = Vec<(String, Vec<i32>)>;

/// The subscription of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subscription {
    /// The version in which it is encoded, and in which the member expects its assignment.
    pub(super) version: i16,
    pub(super) topics: BTreeSet<String>,
    /// The partitions that the member owns; empty before version 1, whose members revoke all before they join.
    pub(super) owned: NamedPartitions,
    pub(super) rack: Option<String>,
}

/// Decodes a subscription; `None` if it is malformed.
pub(super) fn read_subscription(bytes: &Bytes) -> Option<Subscription> {
    let (version, mut body) = versioned(bytes)?;
    let message: ConsumerProtocolSubscription = decode(&mut body, version).ok()?;
    Some(Subscription {
        version,
        topics: message.topics.iter().map(ToString::to_string).collect(),
        owned: message
            .owned_partitions
            .into_iter()
            .map(|owned| (owned.topic.to_string(), owned.partitions))
            .collect(),
        rack: message.rack_id.map(|rack| rack.to_string()),
    })
}

/// Decodes an assignment; `None` if it is malformed. No bytes mean an empty one.
pub(super) fn read_assignment(bytes: &Bytes) -> Option<NamedPartitions> {
    if bytes.is_empty() {
        return Some(NamedPartitions::new());
    }
    let (version, mut body) = versioned(bytes)?;
    let message: ConsumerProtocolAssignment = decode(&mut body, version).ok()?;
    let topics = message.assigned_partitions.into_iter();
    Some(
        topics
            .map(|topic| (topic.topic.to_string(), topic.partitions))
            .collect(),
    )
}

/// Encodes an assignment.
pub(super) fn write_assignment(version: i16, partitions: NamedPartitions) -> Bytes {
    let topics = partitions.into_iter().map(|(topic, partitions)| {
        TopicPartition::default()
            .with_topic(TopicName(StrBytes::from_string(topic)))
            .with_partitions(partitions)
    });
    let message = ConsumerProtocolAssignment::default()
        .with_assigned_partitions(topics.collect())
        .with_user_data(None);
    let mut bytes = BytesMut::new();
    bytes.put_i16(version);
    // Names and partitions come from decoded messages, so they can be encoded.
    let written = message.encode(&mut bytes, version);
    written.map(|()| bytes.freeze()).unwrap_or_default()
}

/// Splits off the version. A later version is read as the newest known one, which it extends.
fn versioned(bytes: &Bytes) -> Option<(i16, Bytes)> {
    let mut body = bytes.clone();
    let version = i16::from_be_bytes(*bytes.first_chunk()?);
    body.advance(size_of::<i16>());
    (version >= 0).then_some((version.min(LATEST), body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_comes_back_as_it_was() {
        let assigned = vec![("t".to_owned(), vec![0, 2])];
        for version in 0..=LATEST {
            assert_eq!(
                read_assignment(&write_assignment(version, assigned.clone())),
                Some(assigned.clone())
            );
        }
        assert_eq!(read_assignment(&Bytes::new()), Some(Vec::new()));
    }

    #[test]
    fn a_subscription_is_read_in_every_version() {
        let old = Bytes::from_static(&[0, 0, 0, 0, 0, 1, 0, 1, b't', 255, 255, 255, 255]);
        let subscription = read_subscription(&old).unwrap();
        assert_eq!((subscription.version, subscription.topics.len()), (0, 1));
        let new = Bytes::from_static(&[
            0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 5,
        ]);
        assert_eq!(
            read_subscription(&new).unwrap().owned,
            [("t".to_owned(), vec![5])]
        );
        assert_eq!(read_subscription(&Bytes::from_static(b"x")), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
            let bytes = Bytes::from(bytes);
            let _ = (read_subscription(&bytes), read_assignment(&bytes));
        }
    }
}
