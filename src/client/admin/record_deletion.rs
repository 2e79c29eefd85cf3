//! Deletes the oldest records of partitions: `DeleteRecords` (v0–2).
//!
//! <https://kafka.apache.org/protocol#The_Messages_DeleteRecords>

use std::collections::BTreeMap;

use kafka_protocol::messages::DeleteRecordsRequest;
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};

use super::grouped::{ByTopic, by_broker};
use super::topics::topic_name;
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// A partition, its leader, and its new log start offset.
pub type Cut = (TopicPartition, BrokerId, Offset);

impl AdminClient {
    /// Deletes the records before an offset of each partition, on all replicas. Returns the new log start offsets; a
    /// partition whose leader cannot be reached is left out, and the leader counts as absent.
    pub fn delete_records(
        &mut self,
        cuts: &[Cut],
    ) -> Result<BTreeMap<TopicPartition, Result<Offset, ApiError>>> {
        let by_leader = by_broker(cuts.iter().map(|(partition, leader, offset)| {
            let wanted = DeleteRecordsPartition::default()
                .with_partition_index(partition.partition)
                .with_offset(*offset);
            (*leader, partition, wanted)
        }));
        let timeout = i32::try_from(self.time_left().as_millis()).unwrap_or(i32::MAX);
        let request = |topics: ByTopic<'_, DeleteRecordsPartition>| {
            let topics = topics.into_iter().map(|(topic, partitions)| {
                DeleteRecordsTopic::default()
                    .with_name(topic_name(topic))
                    .with_partitions(partitions)
            });
            DeleteRecordsRequest::default()
                .with_topics(topics.collect())
                .with_timeout_ms(timeout)
        };
        let requests = by_leader
            .into_iter()
            .map(|(leader, topics)| (leader, request(topics)));
        let mut outcomes = BTreeMap::new();
        // To delete up to the same offset twice does no harm, so a retry is safe.
        for answer in self.send_to_each(requests.collect())?.into_values() {
            for topic in answer?.topics {
                for partition in topic.partitions {
                    let name = TopicPartition::new(topic.name.as_str(), partition.partition_index);
                    let outcome = ApiError::check(partition.error_code, None::<String>);
                    outcomes.insert(name, outcome.map(|()| partition.low_watermark));
                }
            }
        }
        Ok(outcomes)
    }
}
