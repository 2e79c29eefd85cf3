//! Gates of groups: finding the coordinator, membership, describing, deleting.

use kafka_protocol::ResponseError::{
    self, ClusterAuthorizationFailed, GroupAuthorizationFailed as Refused, TopicAuthorizationFailed,
    TransactionalIdAuthorizationFailed,
};
use kafka_protocol::messages::consumer_group_describe_response::DescribedGroup as ConsumerGroup;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response::DescribedGroup;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{
    BrokerId, ConsumerGroupDescribeRequest, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
    DeleteGroupsRequest, DescribeGroupsRequest, FindCoordinatorRequest, FindCoordinatorResponse,
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, ListGroupsRequest, SyncGroupRequest, SyncGroupResponse, TopicName,
};

use super::{Asks, Gated, Passage, passed, passed_then, split, words};
use crate::broker::access::AclOperation::{ClusterAction, Delete, Describe, Read};
use crate::broker::rights::Rights;

/// Requests of members of the classic protocol, each for one group.
macro_rules! of_members {
    ($($request:ty => $response:ty;)+) => {
        $(impl Gated for $request {
            fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
                if asks.rights().may_group(Read, &self.group_id) {
                    return passed(self);
                }
                Passage::Refused(<$response>::default().with_error_code(Refused.code()))
            }
        })+
    };
}

of_members! {
    JoinGroupRequest => JoinGroupResponse;
    SyncGroupRequest => SyncGroupResponse;
    HeartbeatRequest => HeartbeatResponse;
    LeaveGroupRequest => LeaveGroupResponse;
}

/// The key types of FindCoordinator.
const TRANSACTION: i8 = 1;
const SHARE: i8 = 2;

/// Why the coordinator of a key is not returned; `None` if it may be.
fn not_found(rights: &Rights<'_>, key_type: i8, key: &str) -> Option<ResponseError> {
    let (may, error) = match key_type {
        TRANSACTION => (
            rights.may_transact(Describe, key),
            TransactionalIdAuthorizationFailed,
        ),
        SHARE => (rights.may_cluster(ClusterAction), ClusterAuthorizationFailed),
        _ => (rights.may_group(Describe, key), Refused),
    };
    (!may).then_some(error)
}

impl Gated for FindCoordinatorRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let key_type = self.key_type;
        if asks.context.version < 4 {
            return match not_found(&rights, key_type, &self.key) {
                None => passed(self),
                Some(error) => Passage::Refused(
                    FindCoordinatorResponse::default()
                        .with_error_code(error.code())
                        .with_error_message(words(error))
                        .with_node_id(BrokerId(-1))
                        .with_port(-1),
                ),
            };
        }
        let keys = std::mem::take(&mut self.coordinator_keys);
        let (allowed, refused) = split(keys, |key| not_found(&rights, key_type, key).is_none());
        let refused = refused.into_iter().map(|key| {
            let error = not_found(&rights, key_type, &key).unwrap_or(Refused);
            Coordinator::default()
                .with_key(key)
                .with_error_code(error.code())
                .with_error_message(words(error))
                .with_node_id(BrokerId(-1))
                .with_port(-1)
        });
        let refused: Vec<_> = refused.collect();
        self.coordinator_keys = allowed;
        passed_then(self, move |answer| answer.coordinators.extend(refused))
    }
}

impl Gated for ListGroupsRequest {
    /// A client that may describe the cluster sees all groups, others those that they may describe.
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        if asks.rights().may_cluster(Describe) {
            return passed(self);
        }
        let later = asks.later();
        passed_then(self, move |answer| {
            let rights = later.rights();
            answer
                .groups
                .retain(|group| rights.may_group(Describe, &group.group_id));
        })
    }
}

impl Gated for DescribeGroupsRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let (allowed, refused) = split(std::mem::take(&mut self.groups), |group| {
            rights.may_group(Describe, group)
        });
        self.groups = allowed;
        passed_then(self, move |answer| {
            answer.groups.extend(refused.into_iter().map(|group| {
                let described = DescribedGroup::default().with_group_id(group);
                described.with_error_code(Refused.code())
            }));
        })
    }
}

impl Gated for DeleteGroupsRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let (allowed, refused) = split(std::mem::take(&mut self.groups_names), |group| {
            rights.may_group(Delete, group)
        });
        self.groups_names = allowed;
        passed_then(self, move |answer| {
            answer.results.extend(refused.into_iter().map(|group| {
                let result = DeletableGroupResult::default().with_group_id(group);
                result.with_error_code(Refused.code())
            }));
        })
    }
}

impl Gated for ConsumerGroupHeartbeatRequest {
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let mut topics = self.subscribed_topic_names.iter().flatten();
        let error = if !rights.may_group(Read, &self.group_id) {
            Refused
        } else if topics.any(|topic| !rights.may_topic(Describe, topic)) {
            TopicAuthorizationFailed
        } else {
            return passed(self);
        };
        let response = ConsumerGroupHeartbeatResponse::default().with_error_code(error.code());
        Passage::Refused(response.with_error_message(words(error)))
    }
}

/// Kafka's message for a group with topics that the client may not describe.
pub(super) const HIDDEN_TOPICS: &str =
    "The group has described topic(s) that the client is not authorized to describe.";

impl Gated for ConsumerGroupDescribeRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let (allowed, refused) = split(std::mem::take(&mut self.group_ids), |group| {
            rights.may_group(Describe, group)
        });
        let later = asks.later();
        self.group_ids = allowed;
        passed_then(self, move |answer| {
            let rights = later.rights();
            for group in &mut answer.groups {
                let mut topics = topics_of(group);
                if topics.any(|topic| !rights.may_topic(Describe, topic)) {
                    drop(topics);
                    group.error_code = TopicAuthorizationFailed.code();
                    group.error_message =
                        Some(kafka_protocol::protocol::StrBytes::from_static_str(HIDDEN_TOPICS));
                    group.members.clear();
                }
            }
            answer.groups.extend(refused.into_iter().map(|group| {
                ConsumerGroup::default()
                    .with_group_id(group)
                    .with_error_code(Refused.code())
                    .with_error_message(words(Refused))
            }));
        })
    }
}

fn topics_of(group: &ConsumerGroup) -> impl Iterator<Item = &TopicName> {
    group.members.iter().flat_map(|member| {
        let assigned = member.assignment.topic_partitions.iter();
        let targeted = member.target_assignment.topic_partitions.iter();
        let assigned = assigned.chain(targeted).map(|topic| &topic.topic_name);
        member.subscribed_topic_names.iter().chain(assigned)
    })
}
