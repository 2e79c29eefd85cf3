//! A producer that numbers its records, sends each until it is acknowledged, and remembers where.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    InitProducerIdRequest, ProduceRequest, ProducerId, TopicName, TransactionalId,
};
use kafka_protocol::protocol::StrBytes;
use kafkit::records::BatchBuilder;
use kafkit::records::batch_builder::{BatchOptions, Producer};

use super::link::{Link, check};
use super::{PARTITIONS, Shared};

/// What was acknowledged.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Partition and offset of each number.
    at: BTreeMap<u64, (i32, i64)>,
}

impl Sent {
    pub(super) fn len(&self) -> usize {
        self.at.len()
    }

    /// Everything is there, where it was said to be, once, and in order.
    pub(super) fn check(&self, shared: &Shared, found: &BTreeMap<i32, Vec<(i64, String)>>) {
        let mut seen = BTreeSet::new();
        let mut places = BTreeMap::new();
        for (partition, records) in found {
            let mut before = None;
            for (offset, value) in records {
                let number: u64 = value.parse().expect("a number");
                if before.is_some_and(|before| before >= number) || !seen.insert(number) {
                    shared.broke(format!(
                        "{number} comes after {before:?}, or twice, in {partition}"
                    ));
                }
                before = Some(number);
                places.insert((*partition, *offset), number);
            }
        }
        for (number, place) in &self.at {
            if places.get(place) != Some(number) {
                let there = places.get(place);
                shared.broke(format!(
                    "{number} was acknowledged at {place:?}; there is {there:?}"
                ));
            }
        }
    }
}

pub(super) fn run(shared: &Shared) -> Sent {
    let mut link = Link::new(shared);
    let id = init(&mut link, None);
    let mut sent = Sent::default();
    let mut sequences = [0; PARTITIONS as usize];
    let mut number = 0;
    while !shared.is_over() {
        let partition = (number % PARTITIONS as u64) as i32;
        let sequence = &mut sequences[partition as usize];
        let producer = Producer {
            base_sequence: *sequence,
            ..id
        };
        match produce(
            &mut link,
            None,
            ("numbers", partition),
            producer,
            &number.to_string(),
        ) {
            Ok(offset) => drop(sent.at.insert(number, (partition, offset))),
            Err(error) => shared.broke(format!("{number} for {partition}: {error}")),
        }
        *sequence += 1;
        number += 1;
    }
    sent
}

/// A new producer id and epoch.
pub(super) fn init(link: &mut Link, transactional_id: Option<&'static str>) -> Producer {
    let request = InitProducerIdRequest::default()
        .with_transactional_id(transactional_id.map(|id| TransactionalId(StrBytes::from_static_str(id))))
        .with_transaction_timeout_ms(60_000)
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1);
    let asked = link.ask(&request, 4, |response| {
        check(response.error_code)?;
        Ok((response.producer_id.0, response.producer_epoch))
    });
    let (id, epoch) = asked.expect("a producer id");
    Producer {
        id,
        epoch,
        base_sequence: 0,
    }
}

/// Writes one record; its offset.
pub(super) fn produce(
    link: &mut Link,
    transactional_id: Option<&'static str>,
    (topic, partition): (&'static str, i32),
    producer: Producer,
    value: &str,
) -> Result<i64, kafka_protocol::ResponseError> {
    let mut builder = BatchBuilder::new(BatchOptions {
        producer: Some(producer),
        transactional: transactional_id.is_some(),
        ..BatchOptions::default()
    });
    let now_ms = std::time::UNIX_EPOCH.elapsed().expect("a time").as_millis();
    builder.append(now_ms as i64, None, Some(value.as_bytes()), &[]);
    let data = PartitionProduceData::default()
        .with_index(partition)
        .with_records(Some(Bytes::from(builder.finish_uncompressed())));
    let topic = TopicProduceData::default()
        .with_name(TopicName(StrBytes::from_static_str(topic)))
        .with_partition_data(vec![data]);
    let request = ProduceRequest::default()
        .with_transactional_id(transactional_id.map(|id| TransactionalId(StrBytes::from_static_str(id))))
        .with_acks(-1)
        .with_timeout_ms(3000)
        .with_topic_data(vec![topic]);
    link.ask(&request, 11, |response| {
        let answer = &response.responses[0].partition_responses[0];
        check(answer.error_code).map(|()| answer.base_offset)
    })
}
