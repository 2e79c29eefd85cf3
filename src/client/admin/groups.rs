//! Consumer groups, of the classic and of the newer protocol (KIP-848): list, describe, committed offsets.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeGroups>

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};
use kafka_protocol::messages::consumer_group_describe_response::Assignment;
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerProtocolAssignment, DescribeGroupsRequest, FindCoordinatorRequest,
    GroupId, ListGroupsRequest, OffsetFetchRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::topics::is_unsupported;
use super::{AdminClient, ApiError};
use crate::error::{Error, Result};
use crate::topic_partition::{BrokerId, Offset, TopicPartition};
use crate::wire::WireError;
use crate::wire::decode::decode;
use crate::wire::error_codes::{GROUP_ID_NOT_FOUND, UNSUPPORTED_VERSION};

/// The first version that fetches the offsets of several groups at once.
pub(super) const OFFSETS_OF_GROUPS: i16 = 8;
/// The first version that finds coordinators of several groups at once.
const COORDINATORS_OF_GROUPS: i16 = 4;

/// [`GroupListing::kind`] of share groups (KIP-932).
pub const SHARE: &str = "share";

/// A group as a broker lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupListing {
    pub id: String,
    /// `Stable`, `Empty`, …; empty from brokers before 2.6.
    pub state: String,
    /// `classic`, `consumer`, `share`, …; brokers before 3.7 know `classic` alone.
    pub kind: String,
    /// `consumer`, `connect`, …; empty for a group of offsets only.
    pub protocol_type: String,
    /// The broker that lists it.
    pub coordinator: BrokerId,
}

/// What a group has committed in a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    pub offset: Offset,
    /// The leader epoch of the record before it; -1 if unknown.
    pub leader_epoch: i32,
    /// What the application stored with it.
    pub metadata: String,
}

impl CommittedOffset {
    /// An offset alone.
    pub fn at(offset: Offset) -> Self {
        Self {
            offset,
            leader_epoch: -1,
            metadata: String::new(),
        }
    }
}

/// A group with its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDescription {
    pub id: String,
    pub state: String,
    /// `classic`, `consumer` for the newer protocol, or `share` for a share group (KIP-932).
    pub kind: &'static str,
    /// `consumer`, `connect`, …; empty for a group of offsets only.
    pub protocol_type: String,
    /// The assignor: `range`, `uniform`, …
    pub assignor: String,
    pub coordinator: Option<BrokerId>,
    /// `None` in the classic protocol.
    pub epochs: Option<GroupEpochs>,
    pub members: Vec<GroupMember>,
}

/// The epochs of a group of the newer protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupEpochs {
    /// Increases whenever members or topics change.
    pub group: i32,
    /// The group epoch of the last assignment.
    pub assignment: i32,
}

/// One consumer of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    pub id: String,
    /// `group.instance.id` of a static member (KIP-345).
    pub instance_id: Option<String>,
    pub client_id: String,
    pub host: String,
    pub assignment: Vec<TopicPartition>,
    /// `None` in the classic protocol.
    pub progress: Option<MemberProgress>,
}

/// How far a member is on its way to its target assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberProgress {
    /// The epoch of its current assignment; the group's assignment may be newer.
    pub epoch: i32,
    /// The target assignment.
    pub target: Vec<TopicPartition>,
    /// Whether it speaks the classic protocol; unknown from brokers before 4.0.
    pub is_classic: Option<bool>,
}

impl AdminClient {
    /// Every group of the cluster, by id.
    pub fn list_groups(&mut self) -> Result<Vec<GroupListing>> {
        let brokers: Vec<BrokerId> = self.brokers()?.iter().map(|broker| broker.id).collect();
        let mut groups = Vec::new();
        let requests = brokers
            .into_iter()
            .map(|broker| (broker, ListGroupsRequest::default()));
        for (broker, answer) in self.send_to_each(requests.collect())? {
            let answer = answer?;
            ApiError::check(answer.error_code, None::<String>)?;
            groups.extend(answer.groups.into_iter().map(|group| GroupListing {
                id: group.group_id.to_string(),
                state: group.group_state.to_string(),
                kind: kind(&group.group_type),
                protocol_type: group.protocol_type.to_string(),
                coordinator: broker,
            }));
        }
        groups.sort();
        Ok(groups)
    }

    /// One group of any kind with its members; an error of code 69 when there is no such group.
    pub fn describe_group(&mut self, group: &str) -> Result<Result<GroupDescription, ApiError>> {
        match self.describe_consumer_group(group)? {
            Err(error) if error.code == GROUP_ID_NOT_FOUND => {
                let described = self.describe_as_share_group(group, error)?;
                self.with_coordinator(group, described)
            }
            other => Ok(other),
        }
    }

    /// [`AdminClient::describe_group`] for consumer groups only, of either protocol.
    pub fn describe_consumer_group(&mut self, group: &str) -> Result<Result<GroupDescription, ApiError>> {
        let described = match self.describe_newer_group(group)? {
            Err(error) if matches!(error.code, GROUP_ID_NOT_FOUND | UNSUPPORTED_VERSION) => {
                let described = self.describe_classic_group(group)?;
                // If both answers say that there is no such group, the first one names the kind of group that it is
                // instead.
                described.map_err(|other| if other.code == error.code { error } else { other })
            }
            other => other,
        };
        self.with_coordinator(group, described)
    }

    fn with_coordinator(
        &mut self,
        group: &str,
        described: Result<GroupDescription, ApiError>,
    ) -> Result<Result<GroupDescription, ApiError>> {
        match described {
            Ok(mut description) => {
                description.coordinator = self.coordinator_of(group)?;
                Ok(Ok(description))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// Remembers that the coordinator of `group` could not be asked, because of `error`. Fails if the group has no
    /// coordinator.
    pub fn note_coordinator_absent(&mut self, group: &str, error: &Error) -> Result<()> {
        let why = error.cause::<WireError>().map(|cause| cause.bare().to_string());
        let why = why.unwrap_or_else(|| error.message());
        match self.coordinator_of(group)? {
            Some(id) => self.set_absent(id, format!("{why}, and it coordinates group {group}")),
            None => {
                return Err(Error::unreachable(format!(
                    "group {group} has no coordinator now"
                )));
            }
        }
        Ok(())
    }

    /// The offsets that a group has committed, partitions without a commit left out.
    pub fn committed_offsets(&mut self, group: &str) -> Result<BTreeMap<TopicPartition, Offset>> {
        let committed = self.commits_of(group)?.into_iter();
        Ok(committed
            .map(|(partition, committed)| (partition, committed.offset))
            .collect())
    }

    /// The commits of a group, with leader epochs and metadata.
    pub fn commits_of(&mut self, group: &str) -> Result<BTreeMap<TopicPartition, CommittedOffset>> {
        let answer = self.send_to_coordinator_with(group, |version| {
            let request = OffsetFetchRequest::default();
            if version >= OFFSETS_OF_GROUPS {
                let wanted = OffsetFetchRequestGroup::default()
                    .with_group_id(group_id(group))
                    .with_topics(None);
                request.with_groups(vec![wanted])
            } else {
                request.with_group_id(group_id(group)).with_topics(None)
            }
        })?;
        ApiError::check(answer.error_code, None::<String>)?;
        let mut committed = BTreeMap::new();
        let mut take = |topic: &str, partition: i32, found: CommittedOffset| {
            if found.offset >= 0 {
                committed.insert(TopicPartition::new(topic, partition), found);
            }
        };
        let text = |metadata: &Option<StrBytes>| metadata.as_deref().unwrap_or_default().to_owned();
        for topic in &answer.topics {
            for partition in &topic.partitions {
                let found = CommittedOffset {
                    offset: partition.committed_offset,
                    leader_epoch: partition.committed_leader_epoch,
                    metadata: text(&partition.metadata),
                };
                take(&topic.name, partition.partition_index, found);
            }
        }
        for group in &answer.groups {
            ApiError::check(group.error_code, None::<String>)?;
            for topic in &group.topics {
                for partition in &topic.partitions {
                    let found = CommittedOffset {
                        offset: partition.committed_offset,
                        leader_epoch: partition.committed_leader_epoch,
                        metadata: text(&partition.metadata),
                    };
                    take(&topic.name, partition.partition_index, found);
                }
            }
        }
        Ok(committed)
    }

    fn describe_newer_group(&mut self, group: &str) -> Result<Result<GroupDescription, ApiError>> {
        let answer = self.send_to_coordinator_with(group, |_| {
            ConsumerGroupDescribeRequest::default().with_group_ids(vec![group_id(group)])
        });
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if is_unsupported(&error) => return Ok(Err(not_found(UNSUPPORTED_VERSION))),
            Err(error) => return Err(error),
        };
        let Some(described) = answer.groups.into_iter().next() else {
            return Ok(Err(not_found(GROUP_ID_NOT_FOUND)));
        };
        if let Some(error) = ApiError::of(described.error_code, described.error_message.as_deref()) {
            return Ok(Err(error));
        }
        let members = described.members.into_iter().map(|member| GroupMember {
            id: member.member_id.to_string(),
            instance_id: member.instance_id.map(|id| id.to_string()),
            client_id: member.client_id.to_string(),
            host: member.client_host.to_string(),
            assignment: named(&member.assignment),
            progress: Some(MemberProgress {
                epoch: member.member_epoch,
                target: named(&member.target_assignment),
                is_classic: match member.member_type {
                    0 => Some(true),
                    1 => Some(false),
                    _ => None,
                },
            }),
        });
        Ok(Ok(GroupDescription {
            id: group.to_owned(),
            state: described.group_state.to_string(),
            kind: "consumer",
            protocol_type: "consumer".to_owned(),
            assignor: described.assignor_name.to_string(),
            coordinator: None,
            epochs: Some(GroupEpochs {
                group: described.group_epoch,
                assignment: described.assignment_epoch,
            }),
            members: members.collect(),
        }))
    }

    /// `absent`: the answer for other kinds of groups, returned if there is no share group either.
    fn describe_as_share_group(
        &mut self,
        group: &str,
        absent: ApiError,
    ) -> Result<Result<GroupDescription, ApiError>> {
        let described = match self.describe_share_group(group) {
            Ok(Ok(described)) => described,
            Ok(Err(error)) if error.code == GROUP_ID_NOT_FOUND => return Ok(Err(absent)),
            Ok(Err(error)) => return Ok(Err(error)),
            Err(error) if is_unsupported(&error) => return Ok(Err(absent)),
            Err(error) => return Err(error),
        };
        let members = described.members.into_iter().map(|member| GroupMember {
            id: member.id,
            instance_id: None,
            client_id: member.client_id,
            host: member.host,
            assignment: member.assignment,
            progress: None,
        });
        Ok(Ok(GroupDescription {
            id: described.id,
            state: described.state,
            kind: SHARE,
            protocol_type: SHARE.to_owned(),
            assignor: String::new(),
            coordinator: described.coordinator,
            epochs: Some(GroupEpochs {
                group: described.epoch,
                assignment: described.assignment_epoch,
            }),
            members: members.collect(),
        }))
    }

    fn describe_classic_group(&mut self, group: &str) -> Result<Result<GroupDescription, ApiError>> {
        let answer = self.send_to_coordinator_with(group, |_| {
            DescribeGroupsRequest::default().with_groups(vec![group_id(group)])
        })?;
        let Some(described) = answer.groups.into_iter().next() else {
            return Ok(Err(not_found(GROUP_ID_NOT_FOUND)));
        };
        if let Some(error) = ApiError::of(described.error_code, described.error_message.as_deref()) {
            return Ok(Err(error));
        }
        // Before version 6 a missing group is described as dead.
        if described.group_state.as_str() == "Dead" {
            return Ok(Err(not_found(GROUP_ID_NOT_FOUND)));
        }
        let members = described.members.into_iter().map(|member| GroupMember {
            id: member.member_id.to_string(),
            instance_id: member.group_instance_id.map(|id| id.to_string()),
            client_id: member.client_id.to_string(),
            host: member.client_host.to_string(),
            assignment: assignment(member.member_assignment),
            progress: None,
        });
        Ok(Ok(GroupDescription {
            id: group.to_owned(),
            state: described.group_state.to_string(),
            kind: "classic",
            protocol_type: described.protocol_type.to_string(),
            assignor: described.protocol_data.to_string(),
            coordinator: None,
            epochs: None,
            members: members.collect(),
        }))
    }

    pub(super) fn coordinator_of(&mut self, group: &str) -> Result<Option<BrokerId>> {
        let key = StrBytes::from_string(group.to_owned());
        let answer = self.send_with(|version| {
            let request = FindCoordinatorRequest::default();
            if version >= COORDINATORS_OF_GROUPS {
                request.with_coordinator_keys(vec![key.clone()])
            } else {
                request.with_key(key.clone())
            }
        })?;
        let id = answer
            .coordinators
            .first()
            .map_or(answer.node_id, |found| found.node_id);
        Ok(Some(id.0).filter(|id| *id >= 0))
    }
}

/// The assignment of a member, in the format of the consumer protocol; empty for another format.
fn assignment(bytes: Bytes) -> Vec<TopicPartition> {
    let mut bytes = bytes;
    let Some(version) = bytes.first_chunk().copied().map(i16::from_be_bytes) else {
        return Vec::new();
    };
    bytes.advance(size_of_val(&version));
    match decode::<ConsumerProtocolAssignment>(&mut bytes, version.clamp(0, 3)) {
        Ok(assignment) => assignment
            .assigned_partitions
            .into_iter()
            .flat_map(|topic| spread(topic.topic.as_str(), &topic.partitions))
            .collect(),
        Err(_) => Vec::new(),
    }
}

/// The partitions of an assignment, by name.
fn named(assignment: &Assignment) -> Vec<TopicPartition> {
    let topics = assignment.topic_partitions.iter();
    topics
        .flat_map(|topic| spread(topic.topic_name.as_str(), &topic.partitions))
        .collect()
}

fn spread(topic: &str, partitions: &[i32]) -> Vec<TopicPartition> {
    partitions
        .iter()
        .map(|partition| TopicPartition::new(topic, *partition))
        .collect()
}

/// A group's type as a broker names it; a broker that names none knows the classic type only.
fn kind(named: &str) -> String {
    match named {
        "" => "classic".to_owned(),
        named => named.to_lowercase(),
    }
}

pub(super) fn group_id(group: &str) -> GroupId {
    GroupId(StrBytes::from_string(group.to_owned()))
}

fn not_found(code: i16) -> ApiError {
    ApiError { code, message: None }
}
