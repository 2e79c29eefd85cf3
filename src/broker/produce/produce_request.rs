//! A Produce request decoded in place: the range of each partition's records in the frame, nothing copied.
//!
//! This request is decoded by hand, and Fetch's answer is encoded by hand, because they carry the records.
//! <https://kafka.apache.org/protocol#The_Messages_Produce>

use std::ops::Range;

use uuid::Uuid;

use crate::broker::once::Once;
use crate::records::batch_header;
use crate::wire::primitives::take_unsigned_varint;

/// The request without its records.
#[derive(Debug)]
pub(in crate::broker) struct ProduceRequest {
    /// `None` if it is absent or empty.
    pub(in crate::broker) transactional_id: Option<String>,
    pub(in crate::broker) acks: i16,
    /// How long to wait for other replicas with acks=all, in ms.
    pub(in crate::broker) timeout_ms: i32,
    pub(in crate::broker) topics: Vec<TopicRecords>,
}

/// Records for one topic, by name (up to v12) or by id.
#[derive(Debug)]
pub(in crate::broker) struct TopicRecords {
    pub(in crate::broker) name: String,
    pub(in crate::broker) id: Uuid,
    pub(in crate::broker) partitions: Vec<PartitionRecords>,
}

#[derive(Debug)]
pub(in crate::broker) struct PartitionRecords {
    pub(in crate::broker) index: i32,
    /// Their range in the body; empty for null.
    pub(in crate::broker) records: Range<usize>,
}

impl ProduceRequest {
    /// Decodes a body of version 3 to 13; `None` if it is malformed.
    pub(in crate::broker) fn parse(body: &[u8], version: i16) -> Option<Self> {
        let mut reader = Reader {
            body,
            at: 0,
            flexible: version >= 9,
        };
        let transactional_id = std::str::from_utf8(reader.string()?).ok()?.to_owned();
        let acks = i16::from_be_bytes(reader.take()?);
        let timeout_ms = i32::from_be_bytes(reader.take()?);
        let mut topics = reader.array(|reader| {
            let (name, id) = if version >= 13 {
                (String::new(), Uuid::from_bytes(reader.take()?))
            } else {
                let name = std::str::from_utf8(reader.string()?).ok()?;
                (name.to_owned(), Uuid::nil())
            };
            let partitions = reader.array(|reader| {
                let index = i32::from_be_bytes(reader.take()?);
                let records = reader.records()?;
                reader.tagged_fields()?;
                Some(PartitionRecords { index, records })
            })?;
            reader.tagged_fields()?;
            Some(TopicRecords { name, id, partitions })
        })?;
        reader.tagged_fields()?;
        // Checked only if there are several partitions: most requests have one, and partitions named twice are rare.
        if topics.iter().map(|topic| topic.partitions.len()).sum::<usize>() != 1 {
            topics = each_once(topics);
        }
        Some(Self {
            transactional_id: Some(transactional_id).filter(|id| !id.is_empty()),
            acks,
            timeout_ms,
            topics,
        })
    }

    /// Whether any batch is transactional.
    pub(in crate::broker) fn is_in_transaction(&self, body: &[u8]) -> bool {
        let partitions = self.topics.iter().flat_map(|topic| &topic.partitions);
        partitions
            .filter_map(|partition| body.get(partition.records.clone()))
            .any(batch_header::is_transactional)
    }
}

/// Merges topics of the same name; of partitions that are named twice, the last records are kept.
fn each_once(topics: Vec<TopicRecords>) -> Vec<TopicRecords> {
    let mut once = Once::default();
    for topic in topics {
        for partition in topic.partitions {
            once.put((topic.name.clone(), topic.id), partition.index, partition.records);
        }
    }
    let topics = once.into_topics().into_iter().map(|((name, id), partitions)| {
        let partitions = partitions
            .into_iter()
            .map(|(index, records)| PartitionRecords { index, records });
        TopicRecords {
            name,
            id,
            partitions: partitions.collect(),
        }
    });
    topics.collect()
}

struct Reader<'a> {
    body: &'a [u8],
    at: usize,
    flexible: bool,
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.body.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(*taken)
    }

    fn skip(&mut self, length: usize) -> Option<Range<usize>> {
        let end = self
            .at
            .checked_add(length)
            .filter(|end| *end <= self.body.len())?;
        let skipped = self.at..end;
        self.at = end;
        Some(skipped)
    }

    fn unsigned_varint(&mut self) -> Option<usize> {
        let mut rest = self.body.get(self.at..)?;
        let value = take_unsigned_varint(&mut rest)?;
        self.at = self.body.len() - rest.len();
        usize::try_from(value).ok()
    }

    /// Null is read as empty: neither names nor transactional ids are empty.
    fn string(&mut self) -> Option<&'a [u8]> {
        let length = if self.flexible {
            self.unsigned_varint()?.checked_sub(1)
        } else {
            usize::try_from(i16::from_be_bytes(self.take()?)).ok()
        };
        let range = self.skip(length.unwrap_or(0))?;
        self.body.get(range)
    }

    fn records(&mut self) -> Option<Range<usize>> {
        let length = if self.flexible {
            self.unsigned_varint()?.saturating_sub(1)
        } else {
            usize::try_from(i32::from_be_bytes(self.take()?)).unwrap_or(0)
        };
        self.skip(length)
    }

    /// The vector grows with the elements that exist, not with the stated number.
    fn array<T>(&mut self, mut element: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = if self.flexible {
            self.unsigned_varint()?.saturating_sub(1)
        } else {
            usize::try_from(i32::from_be_bytes(self.take()?)).unwrap_or(0)
        };
        let mut elements = Vec::new();
        for _ in 0..length {
            elements.push(element(self)?);
        }
        Some(elements)
    }

    fn tagged_fields(&mut self) -> Option<()> {
        if self.flexible {
            for _ in 0..self.unsigned_varint()? {
                self.unsigned_varint()?;
                let size = self.unsigned_varint()?;
                self.skip(size)?;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{Bytes, BytesMut};
    use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
    use kafka_protocol::messages::{self, TopicName};
    use kafka_protocol::protocol::{Encodable, StrBytes};
    use proptest::prelude::*;

    #[test]
    fn it_finds_what_the_crate_wrote_in_every_version() {
        for version in 3..=13 {
            let id = Uuid::from_bytes([7; 16]);
            let mut topic = TopicProduceData::default().with_partition_data(vec![
                PartitionProduceData::default()
                    .with_index(3)
                    .with_records(Some(Bytes::from_static(b"abc"))),
                PartitionProduceData::default().with_index(4).with_records(None),
            ]);
            if version >= 13 {
                topic.topic_id = id;
            } else {
                topic.name = TopicName(StrBytes::from_static_str("orders"));
            }
            let request = messages::ProduceRequest::default()
                .with_acks(-1)
                .with_topic_data(vec![topic]);
            let mut body = BytesMut::new();
            request.encode(&mut body, version).unwrap();
            let parsed = ProduceRequest::parse(&body, version).unwrap();
            assert_eq!((parsed.acks, &parsed.transactional_id), (-1, &None));
            let topic = &parsed.topics[0];
            assert_eq!(topic.name, if version >= 13 { "" } else { "orders" });
            assert_eq!(topic.id.is_nil(), version < 13);
            assert_eq!(&body[topic.partitions[0].records.clone()], b"abc");
            assert_eq!(topic.partitions[0].index, 3);
            assert!(topic.partitions[1].records.is_empty());
            for end in 0..body.len() {
                assert!(ProduceRequest::parse(&body[..end], version).is_none());
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200), version in 3_i16..=13) {
            let _ = ProduceRequest::parse(&body, version);
        }
    }
}
