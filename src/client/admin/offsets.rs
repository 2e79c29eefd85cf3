//! First and next offsets of partitions, and offsets by time: `ListOffsets` (v1–10).
//!
//! <https://kafka.apache.org/protocol#The_Messages_ListOffsets>

use std::collections::BTreeMap;

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{self, ListOffsetsRequest};

use super::topics::topic_name;
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// The offset that the next record will get (of what is replicated).
pub const LATEST: i64 = -1;
/// The first offset that can still be read.
pub const EARLIEST: i64 = -2;
/// The record with the largest timestamp.
const NEWEST: i64 = -3;

/// An offset and its record's timestamp, or why there is none.
type Answers = BTreeMap<TopicPartition, Result<(Offset, i64), ApiError>>;

/// A partition's offset for what was asked, or why there is none; -1 where no record matches.
pub type Offsets = BTreeMap<TopicPartition, Result<Offset, ApiError>>;

impl AdminClient {
    /// One offset of each partition, asked of its leader: [`LATEST`], [`EARLIEST`], or the first record at or
    /// after a time in milliseconds since 1970.
    pub fn list_offsets(
        &mut self,
        partitions: &[(TopicPartition, BrokerId)],
        timestamp: i64,
    ) -> Result<Offsets> {
        let answers = self.offsets_and_timestamps(partitions, timestamp)?;
        let offset = |(partition, answer): (_, Result<(Offset, i64), _>)| {
            (partition, answer.map(|(offset, _)| offset))
        };
        Ok(answers.into_iter().map(offset).collect())
    }

    /// The largest timestamp of each partition's records, in milliseconds since 1970; what is empty, or whose
    /// leader does not know the question (KIP-734), is left out.
    pub fn newest_timestamps(
        &mut self,
        partitions: &[(TopicPartition, BrokerId)],
    ) -> Result<BTreeMap<TopicPartition, i64>> {
        let answers = self.offsets_and_timestamps(partitions, NEWEST)?;
        let known = answers.into_iter().filter_map(|(partition, answer)| {
            let (_, timestamp) = answer.ok()?;
            (timestamp >= 0).then_some((partition, timestamp))
        });
        Ok(known.collect())
    }

    fn offsets_and_timestamps(
        &mut self,
        partitions: &[(TopicPartition, BrokerId)],
        timestamp: i64,
    ) -> Result<Answers> {
        let mut by_leader: BTreeMap<BrokerId, BTreeMap<&str, Vec<ListOffsetsPartition>>> = BTreeMap::new();
        for (partition, leader) in partitions {
            let wanted = ListOffsetsPartition::default()
                .with_partition_index(partition.partition)
                .with_timestamp(timestamp);
            let topics = by_leader.entry(*leader).or_default();
            topics.entry(&partition.topic).or_default().push(wanted);
        }
        let mut answers = Answers::new();
        for (leader, topics) in by_leader {
            let topics: Vec<ListOffsetsTopic> = topics
                .into_iter()
                .map(|(topic, partitions)| {
                    ListOffsetsTopic::default()
                        .with_name(topic_name(topic))
                        .with_partitions(partitions)
                })
                .collect();
            let answer = self.send_to_with(leader, |_| {
                ListOffsetsRequest::default()
                    .with_replica_id(messages::BrokerId(-1))
                    .with_topics(topics.clone())
            })?;
            for topic in answer.topics {
                for partition in topic.partitions {
                    let name = TopicPartition::new(topic.name.as_str(), partition.partition_index);
                    let outcome = ApiError::check(partition.error_code, None::<String>);
                    let found = (partition.offset, partition.timestamp);
                    answers.insert(name, outcome.map(|()| found));
                }
            }
        }
        Ok(answers)
    }
}
