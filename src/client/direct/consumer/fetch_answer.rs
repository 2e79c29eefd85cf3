//! The answer to Fetch (versions 4 to 17), read in place: records are not copied out of it.
//!
//! Every length is checked against the bytes that are there.
//! <https://kafka.apache.org/protocol#The_Messages_Fetch>

use std::ops::Range;

use uuid::Uuid;

use crate::topic_partition::{BrokerId, Offset};
use crate::wire::primitives::{skip_tagged_fields, take_unsigned_varint};

/// The first version with compact lengths and tagged fields (KIP-482).
const FLEXIBLE: i16 = 12;
/// The first version that names topics by their ids.
pub(super) const TOPIC_IDS: i16 = 13;
/// The newest version that is read here; the oldest is 4, the first with batches of format 2.
pub(super) const NEWEST: i16 = 17;

/// An answer without its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FetchAnswer {
    pub(super) throttle_ms: i32,
    /// Kafka's error code for the whole answer.
    pub(super) code: i16,
    /// The fetch session (KIP-227); 0 is none.
    pub(super) session_id: i32,
    pub(super) partitions: Vec<PartitionAnswer>,
}

/// The answer for one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PartitionAnswer {
    /// Where in the frame the topic's name is; empty where the topic has an id instead.
    pub(super) topic: Range<usize>,
    pub(super) topic_id: Uuid,
    pub(super) partition: i32,
    pub(super) code: i16,
    pub(super) high_watermark: Offset,
    /// The last stable offset: the first offset of an open transaction, or the high watermark.
    pub(super) last_stable_offset: Offset,
    pub(super) log_start_offset: Offset,
    /// Producer ids, and where their aborted transactions begin.
    pub(super) aborted: Vec<(i64, Offset)>,
    /// A replica that is closer to us (KIP-392).
    pub(super) preferred_replica: Option<BrokerId>,
    /// Leader and epoch, where the broker says that they have changed (KIP-951).
    pub(super) leader: Option<(BrokerId, i32)>,
    /// Where in the frame the record batches are.
    pub(super) records: Range<usize>,
}

/// Reads an answer; the frame starts with its correlation id. `None` if it cannot be decoded.
pub(super) fn parse(frame: &[u8], version: i16) -> Option<FetchAnswer> {
    let mut fields = Fields {
        frame,
        at: 4,
        is_flexible: version >= FLEXIBLE,
    };
    fields.skip_tags()?;
    let mut answer = FetchAnswer {
        throttle_ms: fields.i32()?,
        ..FetchAnswer::default()
    };
    if version >= 7 {
        answer.code = fields.i16()?;
        answer.session_id = fields.i32()?;
    }
    for _ in 0..fields.count()? {
        let (mut topic, mut topic_id) = (0..0, Uuid::nil());
        if version >= TOPIC_IDS {
            topic_id = fields.uuid()?;
        } else {
            topic = fields.string()?;
        }
        for _ in 0..fields.count()? {
            let partition = fields.partition(version, topic.clone(), topic_id)?;
            answer.partitions.push(partition);
        }
        fields.skip_tags()?;
    }
    Some(answer)
}

struct Fields<'a> {
    frame: &'a [u8],
    at: usize,
    is_flexible: bool,
}

impl Fields<'_> {
    fn take(&mut self, count: usize) -> Option<Range<usize>> {
        let end = self.at.checked_add(count)?;
        self.frame.get(self.at..end)?;
        let range = self.at..end;
        self.at = end;
        Some(range)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let range = self.take(N)?;
        self.frame.get(range)?.first_chunk().copied()
    }

    fn i16(&mut self) -> Option<i16> {
        self.array().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }

    fn uuid(&mut self) -> Option<Uuid> {
        self.array().map(Uuid::from_bytes)
    }

    fn unsigned_varint(&mut self) -> Option<usize> {
        let mut rest = self.frame.get(self.at..)?;
        let number = take_unsigned_varint(&mut rest)?;
        self.at = self.frame.len() - rest.len();
        usize::try_from(number).ok()
    }

    /// A length or a count; null counts as none.
    fn count(&mut self) -> Option<usize> {
        let count = if self.is_flexible {
            self.unsigned_varint()?.saturating_sub(1)
        } else {
            usize::try_from(self.i32()?).unwrap_or(0)
        };
        // Each counted element takes at least a byte.
        let room = self.frame.len() - self.at;
        (count <= room).then_some(count)
    }

    fn string(&mut self) -> Option<Range<usize>> {
        let len = if self.is_flexible {
            self.unsigned_varint()?.checked_sub(1)?
        } else {
            usize::try_from(self.i16()?).ok()?
        };
        self.take(len)
    }

    fn skip_tags(&mut self) -> Option<()> {
        if self.is_flexible {
            let mut rest = self.frame.get(self.at..)?;
            skip_tagged_fields(&mut rest)?;
            self.at = self.frame.len() - rest.len();
        }
        Some(())
    }

    fn partition(&mut self, version: i16, topic: Range<usize>, topic_id: Uuid) -> Option<PartitionAnswer> {
        let mut answer = PartitionAnswer {
            topic,
            topic_id,
            partition: self.i32()?,
            code: self.i16()?,
            high_watermark: self.i64()?,
            last_stable_offset: self.i64()?,
            log_start_offset: if version >= 5 { self.i64()? } else { -1 },
            ..PartitionAnswer::default()
        };
        for _ in 0..self.count()? {
            answer.aborted.push((self.i64()?, self.i64()?));
            self.skip_tags()?;
        }
        if version >= 11 {
            answer.preferred_replica = Some(self.i32()?).filter(|id| *id >= 0);
        }
        let records = self.count()?;
        answer.records = self.take(records)?;
        if self.is_flexible {
            for _ in 0..self.unsigned_varint()? {
                let tag = self.unsigned_varint()?;
                let len = self.unsigned_varint()?;
                let end = self.at.checked_add(len)?;
                if tag == 1 {
                    answer.leader = Some((self.i32()?, self.i32()?)).filter(|(id, _)| *id >= 0);
                }
                self.frame.get(self.at..end)?;
                self.at = end;
            }
        }
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{BufMut as _, Bytes, BytesMut};
    use kafka_protocol::messages::fetch_response::{
        AbortedTransaction, FetchableTopicResponse, LeaderIdAndEpoch, PartitionData,
    };
    use kafka_protocol::messages::{FetchResponse, TopicName};
    use kafka_protocol::protocol::{Encodable as _, StrBytes};
    use proptest::prelude::*;

    fn frame(version: i16) -> BytesMut {
        let aborted = AbortedTransaction::default()
            .with_producer_id(5.into())
            .with_first_offset(6);
        let mut partition = PartitionData::default()
            .with_partition_index(3)
            .with_error_code(6)
            .with_high_watermark(10)
            .with_last_stable_offset(9)
            .with_log_start_offset(if version >= 5 { 1 } else { -1 })
            .with_aborted_transactions(Some(vec![aborted]))
            .with_records(Some(Bytes::from_static(b"batches")));
        if version >= 11 {
            partition = partition.with_preferred_read_replica(2.into());
        }
        if version >= 12 {
            let leader = LeaderIdAndEpoch::default()
                .with_leader_id(4.into())
                .with_leader_epoch(8);
            partition = partition.with_current_leader(leader);
        }
        let mut topic = FetchableTopicResponse::default().with_partitions(vec![partition.clone(), partition]);
        topic = if version >= TOPIC_IDS {
            topic.with_topic_id(Uuid::from_u128(7))
        } else {
            topic.with_topic(TopicName(StrBytes::from_static_str("orders")))
        };
        let response = FetchResponse::default()
            .with_throttle_time_ms(11)
            .with_responses(vec![topic]);
        let mut frame = BytesMut::new();
        frame.put_i32(1);
        if version >= FLEXIBLE {
            frame.put_u8(0);
        }
        response.encode(&mut frame, version).unwrap();
        frame
    }

    #[test]
    fn every_version_is_what_the_protocol_has() {
        for version in 4..=NEWEST {
            let frame = frame(version);
            let answer = parse(&frame, version).unwrap();
            assert_eq!(
                (answer.throttle_ms, answer.partitions.len()),
                (11, 2),
                "version {version}"
            );
            let partition = &answer.partitions[1];
            assert_eq!(&frame[partition.records.clone()], b"batches");
            assert_eq!((partition.partition, partition.code), (3, 6));
            assert_eq!((partition.high_watermark, partition.last_stable_offset), (10, 9));
            assert_eq!(partition.aborted, [(5, 6)]);
            assert_eq!(partition.preferred_replica, (version >= 11).then_some(2));
            assert_eq!(partition.leader, (version >= 12).then_some((4, 8)));
            if version >= TOPIC_IDS {
                assert_eq!(partition.topic_id, Uuid::from_u128(7));
            } else {
                assert_eq!(&frame[partition.topic.clone()], b"orders");
            }
        }
    }

    proptest! {
        #[test]
        fn bytes_that_are_changed_or_cut_make_no_panic_and_no_range_outside(
            version in 4..=NEWEST,
            place in 0_usize..120,
            byte: u8,
            cut in 0_usize..120,
        ) {
            let mut frame = frame(version);
            let at = place.min(frame.len() - 1);
            frame[at] = byte;
            frame.truncate(cut);
            if let Some(answer) = parse(&frame, version) {
                for partition in answer.partitions {
                    prop_assert!(frame.get(partition.records).is_some());
                }
            }
        }
    }
}
