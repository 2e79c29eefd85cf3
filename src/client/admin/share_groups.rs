//! Share groups (KIP-932): their members, their offsets, and changes of these.
//!
//! <https://kafka.apache.org/protocol#The_Messages_ShareGroupDescribe>

use std::collections::BTreeMap;

use kafka_protocol::messages::alter_share_group_offsets_request::{
    AlterShareGroupOffsetsRequestPartition, AlterShareGroupOffsetsRequestTopic,
};
use kafka_protocol::messages::delete_share_group_offsets_request::DeleteShareGroupOffsetsRequestTopic;
use kafka_protocol::messages::delete_share_group_offsets_response::DeleteShareGroupOffsetsResponseTopic;
use kafka_protocol::messages::describe_share_group_offsets_request::DescribeShareGroupOffsetsRequestGroup;
use kafka_protocol::messages::{
    AlterShareGroupOffsetsRequest, DeleteShareGroupOffsetsRequest, DescribeShareGroupOffsetsRequest,
    ShareGroupDescribeRequest,
};

use super::group_changes::PartitionOutcomes;
use super::grouped::by_topic;
use super::groups::group_id;
use super::topics::topic_name;
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};
use crate::wire::error_codes::GROUP_ID_NOT_FOUND;
use crate::wire::share_group_offsets::{DescribeShareGroupOffsets, Partition};

/// A share group with its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareGroupDescription {
    pub id: String,
    pub state: String,
    pub coordinator: Option<BrokerId>,
    pub epoch: i32,
    /// The group epoch of the last assignment.
    pub assignment_epoch: i32,
    pub members: Vec<ShareGroupMember>,
}

/// One consumer of a share group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareGroupMember {
    pub id: String,
    pub client_id: String,
    pub host: String,
    pub epoch: i32,
    pub assignment: Vec<TopicPartition>,
}

/// Where a share group is in a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharePlace {
    /// The share-partition start offset: the first offset that is not acknowledged.
    pub start: Offset,
    pub leader_epoch: Option<i32>,
    /// Records that are not delivered yet.
    pub lag: Option<i64>,
}

/// Where a share group is in each partition that it reads; `None` if it has no offset there yet.
pub type SharePlaces = BTreeMap<TopicPartition, Option<SharePlace>>;

/// The outcome for each topic.
pub type TopicOutcomes = BTreeMap<String, Result<(), ApiError>>;

impl AdminClient {
    /// One share group with its members.
    pub fn describe_share_group(&mut self, group: &str) -> Result<Result<ShareGroupDescription, ApiError>> {
        let answer = self.send_to_coordinator_with(group, |_| {
            ShareGroupDescribeRequest::default().with_group_ids(vec![group_id(group)])
        })?;
        let Some(described) = answer.groups.into_iter().next() else {
            return Ok(Err(ApiError {
                code: GROUP_ID_NOT_FOUND,
                message: None,
            }));
        };
        if let Some(error) = ApiError::of(described.error_code, described.error_message.as_deref()) {
            return Ok(Err(error));
        }
        let members = described.members.into_iter().map(|member| ShareGroupMember {
            id: member.member_id.to_string(),
            client_id: member.client_id.to_string(),
            host: member.client_host.to_string(),
            epoch: member.member_epoch,
            assignment: member
                .assignment
                .topic_partitions
                .iter()
                .flat_map(|topic| {
                    let name = topic.topic_name.as_str();
                    topic
                        .partitions
                        .iter()
                        .map(move |partition| TopicPartition::new(name, *partition))
                })
                .collect(),
        });
        Ok(Ok(ShareGroupDescription {
            id: group.to_owned(),
            state: described.group_state.to_string(),
            epoch: described.group_epoch,
            assignment_epoch: described.assignment_epoch,
            members: members.collect(),
            coordinator: self.coordinator_of(group)?,
        }))
    }

    /// The offsets of a share group.
    pub fn share_group_offsets(&mut self, group: &str) -> Result<Result<SharePlaces, ApiError>> {
        let answer = self.send_to_coordinator(group, places_of(&[group.to_owned()]))?;
        let mut places = SharePlaces::new();
        for group in answer.groups {
            if let Some(error) = ApiError::of(group.error_code, Some(group.error_message)) {
                return Ok(Err(error));
            }
            for topic in group.topics {
                for partition in topic.partitions {
                    let name = TopicPartition::new(topic.name.as_str(), partition.index);
                    let place = is_known(&partition).then_some(SharePlace {
                        start: partition.start_offset,
                        leader_epoch: Some(partition.leader_epoch).filter(|epoch| *epoch >= 0),
                        lag: lag(&partition),
                    });
                    places.insert(name, place);
                }
            }
        }
        Ok(Ok(places))
    }

    /// Changes the start offsets of a share group without members; returns the outcome for each
    /// partition.
    pub fn alter_share_group_offsets(
        &mut self,
        group: &str,
        offsets: &[(TopicPartition, Offset)],
    ) -> Result<Result<PartitionOutcomes, ApiError>> {
        let topics = by_topic(offsets.iter().map(|(partition, offset)| {
            let wanted = AlterShareGroupOffsetsRequestPartition::default()
                .with_partition_index(partition.partition)
                .with_start_offset(*offset);
            (partition, wanted)
        }));
        let topics = topics.into_iter().map(|(topic, partitions)| {
            AlterShareGroupOffsetsRequestTopic::default()
                .with_topic_name(topic_name(topic))
                .with_partitions(partitions)
        });
        let request = AlterShareGroupOffsetsRequest::default()
            .with_group_id(group_id(group))
            .with_topics(topics.collect());
        let answer = self.send_to_coordinator(group, request)?;
        if let Some(error) = ApiError::of(answer.error_code, answer.error_message.as_deref()) {
            return Ok(Err(error));
        }
        let mut outcomes = PartitionOutcomes::new();
        for topic in answer.responses {
            for partition in topic.partitions {
                let name = TopicPartition::new(topic.topic_name.as_str(), partition.partition_index);
                let outcome = ApiError::check(partition.error_code, partition.error_message.as_deref());
                outcomes.insert(name, outcome);
            }
        }
        Ok(Ok(outcomes))
    }

    /// Deletes the offsets of a share group without members in these topics.
    pub fn delete_share_group_offsets(
        &mut self,
        group: &str,
        topics: &[String],
    ) -> Result<Result<TopicOutcomes, ApiError>> {
        let topics = topics
            .iter()
            .map(|topic| DeleteShareGroupOffsetsRequestTopic::default().with_topic_name(topic_name(topic)));
        let request = DeleteShareGroupOffsetsRequest::default()
            .with_group_id(group_id(group))
            .with_topics(topics.collect());
        let answer = self.send_to_coordinator(group, request)?;
        if let Some(error) = ApiError::of(answer.error_code, answer.error_message.as_deref()) {
            return Ok(Err(error));
        }
        let outcome = |topic: DeleteShareGroupOffsetsResponseTopic| {
            let outcome = ApiError::check(topic.error_code, topic.error_message.as_deref());
            (topic.topic_name.to_string(), outcome)
        };
        Ok(Ok(answer.responses.into_iter().map(outcome).collect()))
    }
}

/// The request for the offsets of these groups in all partitions that they read.
pub(super) fn places_of(groups: &[String]) -> DescribeShareGroupOffsets {
    let wanted = |group: &String| {
        DescribeShareGroupOffsetsRequestGroup::default()
            .with_group_id(group_id(group))
            .with_topics(None)
    };
    let groups = groups.iter().map(wanted).collect();
    DescribeShareGroupOffsets(DescribeShareGroupOffsetsRequest::default().with_groups(groups))
}

fn is_known(place: &Partition) -> bool {
    place.error_code == 0 && place.start_offset >= 0
}

/// Records of a partition that are not delivered yet, if the coordinator states it.
pub(super) fn lag(place: &Partition) -> Option<i64> {
    Some(place.lag).filter(|lag| is_known(place) && *lag >= 0)
}
