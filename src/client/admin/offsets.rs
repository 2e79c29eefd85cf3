//! First and next offsets of partitions, and offsets by time: `ListOffsets` (v1–10).
//!
//! <https://kafka.apache.org/protocol#The_Messages_ListOffsets>

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{self, ListOffsetsRequest};

use super::grouped::{ByTopic, by_broker};
use super::topics::topic_name;
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};
use crate::wire::error_codes::{NOT_LEADER_OR_FOLLOWER, OFFSET_NOT_AVAILABLE, UNKNOWN_TOPIC_OR_PARTITION};

/// The offset that the next record will get (of what is replicated).
pub const LATEST: i64 = -1;
/// The first offset that can still be read.
pub const EARLIEST: i64 = -2;
/// The record with the largest timestamp.
const NEWEST: i64 = -3;

/// Errors of a leader that does not know yet that it is one.
const NOT_YET: [i16; 3] = [
    UNKNOWN_TOPIC_OR_PARTITION,
    NOT_LEADER_OR_FOLLOWER,
    OFFSET_NOT_AVAILABLE,
];
/// How long such a leader is asked again, and the first pause; each later one is twice as long.
const PATIENCE: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(10);

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
        Ok(without_timestamps(
            self.offsets_and_timestamps(partitions, timestamp)?,
        ))
    }

    /// The same, where a leader that does not know yet that it is one is not asked again.
    pub fn list_offsets_once(
        &mut self,
        partitions: &[(TopicPartition, BrokerId)],
        timestamp: i64,
    ) -> Result<Offsets> {
        Ok(without_timestamps(self.ask_leaders(partitions, timestamp)?))
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

    /// A broker may hear of a new topic, or that it leads a partition, a moment after others name it: it is asked again.
    fn offsets_and_timestamps(
        &mut self,
        partitions: &[(TopicPartition, BrokerId)],
        timestamp: i64,
    ) -> Result<Answers> {
        let mut answers = self.ask_leaders(partitions, timestamp)?;
        let end = Instant::now() + PATIENCE.min(self.time_left());
        let mut pause = FIRST_PAUSE;
        loop {
            let is_new = |(partition, _): &&(TopicPartition, BrokerId)| {
                let refusal = answers.get(partition).and_then(|answer| answer.as_ref().err());
                refusal.is_some_and(|refusal| NOT_YET.contains(&refusal.code))
            };
            let open: Vec<(TopicPartition, BrokerId)> = partitions.iter().filter(is_new).cloned().collect();
            if open.is_empty() || Instant::now() + pause >= end {
                return Ok(answers);
            }
            thread::sleep(pause);
            pause *= 2;
            answers.extend(self.ask_leaders(&open, timestamp)?);
        }
    }

    fn ask_leaders(&mut self, partitions: &[(TopicPartition, BrokerId)], timestamp: i64) -> Result<Answers> {
        let by_leader = by_broker(partitions.iter().map(|(partition, leader)| {
            let wanted = ListOffsetsPartition::default()
                .with_partition_index(partition.partition)
                .with_timestamp(timestamp);
            (*leader, partition, wanted)
        }));
        let request = |topics: ByTopic<'_, ListOffsetsPartition>| {
            let topics = topics.into_iter().map(|(topic, partitions)| {
                ListOffsetsTopic::default()
                    .with_name(topic_name(topic))
                    .with_partitions(partitions)
            });
            ListOffsetsRequest::default()
                .with_replica_id(messages::BrokerId(-1))
                .with_topics(topics.collect())
        };
        let requests = by_leader
            .into_iter()
            .map(|(leader, topics)| (leader, request(topics)));
        let mut answers = Answers::new();
        for answer in self.send_to_each(requests.collect())?.into_values() {
            for topic in answer?.topics {
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

fn without_timestamps(answers: Answers) -> Offsets {
    let offset =
        |(partition, answer): (_, Result<(Offset, i64), _>)| (partition, answer.map(|(offset, _)| offset));
    answers.into_iter().map(offset).collect()
}
