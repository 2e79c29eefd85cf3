//! The Produce request (versions 3 to 13) around batches that are not copied: its head, then each batch and the fields
//! between two batches.
//!
//! <https://kafka.apache.org/protocol#The_Messages_Produce>

use uuid::Uuid;

use crate::client::batch_bytes::BatchBytes;
use crate::wire::Piece;
use crate::wire::primitives::put_unsigned_varint;

/// The oldest version with batches of format 2, and the newest that is written here.
pub(super) const VERSIONS: std::ops::RangeInclusive<i16> = 3..=13;
/// The first version with compact lengths and tagged fields (KIP-482).
const FLEXIBLE: i16 = 9;
/// The first version that names topics by their ids.
pub(super) const TOPIC_IDS: i16 = 13;
/// The newest version whose sender adds partitions to a transaction itself; with later ones the broker does so
/// (KIP-890).
pub(super) const TOLD_PARTITIONS: i16 = 11;

/// The batches for the partitions of one topic.
#[derive(Debug)]
pub(super) struct TopicBatches<'a> {
    pub(super) name: &'a str,
    pub(super) id: Uuid,
    pub(super) batches: Vec<(i32, BatchBytes)>,
}

/// The body of a request in `version`.
pub(super) fn body(
    version: i16,
    transactional_id: Option<&str>,
    (acks, timeout_ms): (i16, i32),
    topics: &[TopicBatches<'_>],
) -> Vec<Piece> {
    let mut writer = Writer {
        is_flexible: version >= FLEXIBLE,
        bytes: Vec::with_capacity(64),
        pieces: Vec::new(),
    };
    match transactional_id {
        Some(id) => writer.string(id),
        None => writer.null_string(),
    }
    writer.bytes.extend_from_slice(&acks.to_be_bytes());
    writer.bytes.extend_from_slice(&timeout_ms.to_be_bytes());
    writer.count(topics.len());
    for topic in topics {
        if version >= TOPIC_IDS {
            writer.bytes.extend_from_slice(topic.id.as_bytes());
        } else {
            writer.string(topic.name);
        }
        writer.count(topic.batches.len());
        for (partition, batch) in &topic.batches {
            writer.bytes.extend_from_slice(&partition.to_be_bytes());
            writer.count(batch.len());
            writer.shared(batch);
            writer.no_tags();
        }
        writer.no_tags();
    }
    writer.no_tags();
    writer.finish()
}

struct Writer {
    is_flexible: bool,
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

impl Writer {
    /// A length or a count: compact ones are written plus one, so that zero is null.
    fn count(&mut self, count: usize) {
        if !self.is_flexible {
            self.bytes.extend_from_slice(&(count as u32).to_be_bytes());
            return;
        }
        put_unsigned_varint(&mut self.bytes, count as u32 + 1);
    }

    fn string(&mut self, text: &str) {
        if self.is_flexible {
            self.count(text.len());
        } else {
            self.bytes.extend_from_slice(&(text.len() as u16).to_be_bytes());
        }
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn null_string(&mut self) {
        if self.is_flexible {
            self.bytes.push(0);
        } else {
            self.bytes.extend_from_slice(&(-1_i16).to_be_bytes());
        }
    }

    fn no_tags(&mut self) {
        if self.is_flexible {
            self.bytes.push(0);
        }
    }

    fn shared(&mut self, batch: &BatchBytes) {
        self.pieces.push(Piece::Owned(std::mem::take(&mut self.bytes)));
        self.pieces.extend(batch.pieces());
    }

    fn finish(mut self) -> Vec<Piece> {
        if !self.bytes.is_empty() {
            self.pieces.push(Piece::Owned(self.bytes));
        }
        self.pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{Bytes, BytesMut};
    use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
    use kafka_protocol::messages::{ProduceRequest, TopicName, TransactionalId};
    use kafka_protocol::protocol::{Encodable as _, StrBytes};

    #[test]
    fn every_version_is_what_the_protocol_has() {
        let topic_id = Uuid::from_u128(7);
        let batches = [vec![1_u8; 5], vec![2; 300]];
        for (version, id) in VERSIONS.flat_map(|version| [(version, None), (version, Some("tx"))]) {
            let ours = body(
                version,
                id,
                (-1, 30_000),
                &[TopicBatches {
                    name: "orders",
                    id: topic_id,
                    batches: vec![
                        (0, BatchBytes::from(batches[0].clone())),
                        (70_000, BatchBytes::from(batches[1].clone())),
                    ],
                }],
            );
            let ours: Vec<u8> = ours.iter().flat_map(|piece| piece.to_vec()).collect();
            let partitions = [0, 70_000].into_iter().zip(&batches).map(|(index, batch)| {
                PartitionProduceData::default()
                    .with_index(index)
                    .with_records(Some(Bytes::from(batch.clone())))
            });
            let mut topic = TopicProduceData::default().with_partition_data(partitions.collect());
            topic = if version >= TOPIC_IDS {
                topic.with_topic_id(topic_id)
            } else {
                topic.with_name(TopicName(StrBytes::from_static_str("orders")))
            };
            let request = ProduceRequest::default()
                .with_transactional_id(id.map(|id| TransactionalId(StrBytes::from_static_str(id))))
                .with_acks(-1)
                .with_timeout_ms(30_000)
                .with_topic_data(vec![topic]);
            let mut theirs = BytesMut::new();
            request.encode(&mut theirs, version).unwrap();
            assert_eq!(ours, theirs, "version {version}");
        }
    }
}
