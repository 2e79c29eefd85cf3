//! What changes groups: offsets committed for them, offsets deleted, groups deleted.
//!
//! <https://kafka.apache.org/protocol#The_Messages_OffsetCommit>

use std::collections::BTreeMap;

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::{DeleteGroupsRequest, OffsetCommitRequest, OffsetDeleteRequest};
use kafka_protocol::protocol::StrBytes;

use super::grouped::by_topic;
use super::groups::{CommittedOffset, group_id};
use super::topics::topic_name;
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::TopicPartition;

/// The generation or member epoch of a commit from outside the group.
const NO_GENERATION: i32 = -1;
/// Stands for the broker's own retention time of offsets.
const DEFAULT_RETENTION: i64 = -1;

/// The outcome for each partition.
pub type PartitionOutcomes = BTreeMap<TopicPartition, Result<(), ApiError>>;

impl AdminClient {
    /// Commits offsets for a group without members; a missing group is created.
    pub fn commit_offsets(
        &mut self,
        group: &str,
        offsets: &BTreeMap<TopicPartition, CommittedOffset>,
    ) -> Result<PartitionOutcomes> {
        let topics = by_topic(offsets.iter().map(|(partition, committed)| {
            let wanted = OffsetCommitRequestPartition::default()
                .with_partition_index(partition.partition)
                .with_committed_offset(committed.offset)
                .with_committed_leader_epoch(committed.leader_epoch)
                .with_committed_metadata(Some(StrBytes::from_string(committed.metadata.clone())));
            (partition, wanted)
        }));
        let topics = topics.into_iter().map(|(topic, partitions)| {
            OffsetCommitRequestTopic::default()
                .with_name(topic_name(topic))
                .with_partitions(partitions)
        });
        let request = OffsetCommitRequest::default()
            .with_group_id(group_id(group))
            .with_generation_id_or_member_epoch(NO_GENERATION)
            .with_retention_time_ms(DEFAULT_RETENTION)
            .with_topics(topics.collect());
        let mut outcomes = PartitionOutcomes::new();
        for topic in self.send_to_coordinator(group, request)?.topics {
            for partition in topic.partitions {
                let name = TopicPartition::new(topic.name.as_str(), partition.partition_index);
                outcomes.insert(name, ApiError::check(partition.error_code, None::<String>));
            }
        }
        Ok(outcomes)
    }

    /// Deletes the offsets that a group has committed in these partitions; those whose topic a member is subscribed to
    /// are refused.
    pub fn delete_offsets(
        &mut self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<Result<PartitionOutcomes, ApiError>> {
        let topics = by_topic(partitions.iter().map(|partition| {
            let wanted = OffsetDeleteRequestPartition::default().with_partition_index(partition.partition);
            (partition, wanted)
        }));
        let topics = topics.into_iter().map(|(topic, partitions)| {
            OffsetDeleteRequestTopic::default()
                .with_name(topic_name(topic))
                .with_partitions(partitions)
        });
        let request = OffsetDeleteRequest::default()
            .with_group_id(group_id(group))
            .with_topics(topics.collect());
        let answer = self.send_to_coordinator(group, request)?;
        if let Some(refusal) = ApiError::of(answer.error_code, None::<String>) {
            return Ok(Err(refusal));
        }
        let mut outcomes = PartitionOutcomes::new();
        for topic in answer.topics {
            for partition in topic.partitions {
                let name = TopicPartition::new(topic.name.as_str(), partition.partition_index);
                outcomes.insert(name, ApiError::check(partition.error_code, None::<String>));
            }
        }
        Ok(Ok(outcomes))
    }

    /// Deletes a group without members, and all its offsets.
    pub fn delete_group(&mut self, group: &str) -> Result<Result<(), ApiError>> {
        let request = DeleteGroupsRequest::default().with_groups_names(vec![group_id(group)]);
        let answer = self.send_to_coordinator(group, request)?;
        let code = answer.results.first().map_or(0, |result| result.error_code);
        Ok(ApiError::check(code, None::<String>))
    }
}
