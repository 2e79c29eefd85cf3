//! Gates of share groups: members, their fetches, their offsets, and the share states, which only brokers use.

use kafka_protocol::ResponseError::{
    ClusterAuthorizationFailed as ClusterRefused, GroupAuthorizationFailed as GroupRefused,
    TopicAuthorizationFailed as TopicRefused,
};
use kafka_protocol::messages::alter_share_group_offsets_response::{
    AlterShareGroupOffsetsResponsePartition, AlterShareGroupOffsetsResponseTopic,
};
use kafka_protocol::messages::delete_share_group_offsets_response::DeleteShareGroupOffsetsResponseTopic;
use kafka_protocol::messages::describe_share_group_offsets_response::{
    DescribeShareGroupOffsetsResponseGroup, DescribeShareGroupOffsetsResponsePartition,
    DescribeShareGroupOffsetsResponseTopic,
};
use kafka_protocol::messages::share_acknowledge_response::{
    PartitionData as AcknowledgedPartition, ShareAcknowledgeTopicResponse,
};
use kafka_protocol::messages::share_fetch_response::{
    PartitionData as FetchedPartition, ShareFetchableTopicResponse,
};
use kafka_protocol::messages::share_group_describe_response::DescribedGroup;
use kafka_protocol::messages::{
    AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse, DeleteShareGroupOffsetsRequest,
    DeleteShareGroupOffsetsResponse, DeleteShareGroupStateRequest, DeleteShareGroupStateResponse,
    DescribeShareGroupOffsetsRequest, InitializeShareGroupStateRequest, InitializeShareGroupStateResponse,
    ReadShareGroupStateRequest, ReadShareGroupStateResponse, ReadShareGroupStateSummaryRequest,
    ReadShareGroupStateSummaryResponse, ShareAcknowledgeRequest, ShareAcknowledgeResponse, ShareFetchRequest,
    ShareFetchResponse, ShareGroupDescribeRequest, ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse,
    TopicName, WriteShareGroupStateRequest, WriteShareGroupStateResponse,
};
use kafka_protocol::messages::{
    delete_share_group_state_response as deleted, initialize_share_group_state_response as initialized,
    read_share_group_state_response as read, read_share_group_state_summary_response as summary,
    write_share_group_state_response as written,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::groups::HIDDEN_TOPICS;
use super::{Asks, Gated, Passage, passed, passed_then, split, words};
use crate::broker::access::AclOperation::{self, ClusterAction, Delete, Describe, Read};

impl Gated for ShareGroupHeartbeatRequest {
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let mut topics = self.subscribed_topic_names.iter().flatten();
        let error = if !rights.may_group(Read, &self.group_id) {
            GroupRefused
        } else if topics.any(|topic| !rights.may_topic(Describe, topic)) {
            TopicRefused
        } else {
            return passed(self);
        };
        let response = ShareGroupHeartbeatResponse::default().with_error_code(error.code());
        Passage::Refused(response.with_error_message(words(error)))
    }
}

impl Gated for ShareGroupDescribeRequest {
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
                if topics_of(group).any(|topic| !rights.may_topic(Describe, topic)) {
                    group.error_code = TopicRefused.code();
                    group.error_message = Some(StrBytes::from_static_str(HIDDEN_TOPICS));
                    group.members.clear();
                }
            }
            answer.groups.extend(refused.into_iter().map(|group| {
                DescribedGroup::default()
                    .with_group_id(group)
                    .with_error_code(GroupRefused.code())
                    .with_error_message(words(GroupRefused))
            }));
        })
    }
}

fn topics_of(group: &DescribedGroup) -> impl Iterator<Item = &TopicName> {
    group.members.iter().flat_map(|member| {
        let assigned = member.assignment.topic_partitions.iter();
        let assigned = assigned.map(|topic| &topic.topic_name);
        member.subscribed_topic_names.iter().chain(assigned)
    })
}

/// Whether the client may do this with the topic of an id. An unknown id needs no permission: `UNKNOWN_TOPIC_ID`
/// gives nothing away.
fn may_topic_of(asks: &Asks<'_>, operation: AclOperation, id: Uuid) -> bool {
    let known = asks.image.topic_by_id(id);
    known.is_none_or(|known| asks.rights().may_topic(operation, &known.name))
}

/// The gate of members' requests to leaders: Read on the group, and on each topic.
macro_rules! gate_of_readers {
    ($request:ty, $response:ty, $topic:ty, $partition:ty) => {
        impl Gated for $request {
            fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
                let group = self.group_id.as_ref().map_or("", |group| group.as_str());
                if !asks.rights().may_group(Read, group) {
                    let response = <$response>::default().with_error_code(GroupRefused.code());
                    return Passage::Refused(response.with_error_message(words(GroupRefused)));
                }
                let topics = std::mem::take(&mut self.topics);
                let (allowed, refused) = split(topics, |topic| may_topic_of(asks, Read, topic.topic_id));
                self.topics = allowed;
                passed_then(self, move |answer| {
                    answer.responses.extend(refused.into_iter().map(|topic| {
                        let partitions = topic.partitions.into_iter().map(|partition| {
                            <$partition>::default()
                                .with_partition_index(partition.partition_index)
                                .with_error_code(TopicRefused.code())
                        });
                        <$topic>::default()
                            .with_topic_id(topic.topic_id)
                            .with_partitions(partitions.collect())
                    }));
                })
            }
        }
    };
}

gate_of_readers!(
    ShareFetchRequest,
    ShareFetchResponse,
    ShareFetchableTopicResponse,
    FetchedPartition
);
gate_of_readers!(
    ShareAcknowledgeRequest,
    ShareAcknowledgeResponse,
    ShareAcknowledgeTopicResponse,
    AcknowledgedPartition
);

impl Gated for DescribeShareGroupOffsetsRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let (mut allowed, others) = split(std::mem::take(&mut self.groups), |group| {
            rights.may_group(Describe, &group.group_id)
        });
        let mut refused: Vec<_> = others
            .into_iter()
            .map(|group| {
                DescribeShareGroupOffsetsResponseGroup::default()
                    .with_group_id(group.group_id)
                    .with_error_code(GroupRefused.code())
                    .with_error_message(words(GroupRefused))
            })
            .collect();
        // Partitions of refused topics come in another entry for the group, after all that the handler answers.
        for group in &mut allowed {
            let Some(topics) = group.topics.take() else {
                continue;
            };
            let (seen, hidden) = split(topics, |topic| rights.may_topic(Describe, &topic.topic_name));
            group.topics = Some(seen);
            if !hidden.is_empty() {
                let topics = hidden.into_iter().map(hidden_topic).collect();
                let answer = DescribeShareGroupOffsetsResponseGroup::default().with_topics(topics);
                refused.push(answer.with_group_id(group.group_id.clone()));
            }
        }
        let later = asks.later();
        self.groups = allowed;
        passed_then(self, move |answer| {
            let rights = later.rights();
            for group in &mut answer.groups {
                for topic in &mut group.topics {
                    if !rights.may_topic(Describe, &topic.topic_name) {
                        topic.partitions.iter_mut().for_each(hide);
                    }
                }
            }
            answer.groups.extend(refused);
        })
    }
}

fn hidden_topic(
    topic: kafka_protocol::messages::describe_share_group_offsets_request::DescribeShareGroupOffsetsRequestTopic,
) -> DescribeShareGroupOffsetsResponseTopic {
    let partitions = topic.partitions.into_iter().map(|index| {
        let mut partition = DescribeShareGroupOffsetsResponsePartition::default().with_partition_index(index);
        hide(&mut partition);
        partition
    });
    DescribeShareGroupOffsetsResponseTopic::default()
        .with_topic_name(topic.topic_name)
        .with_partitions(partitions.collect())
}

fn hide(partition: &mut DescribeShareGroupOffsetsResponsePartition) {
    partition.start_offset = -1;
    partition.leader_epoch = 0;
    partition.error_code = TopicRefused.code();
    partition.error_message = words(TopicRefused);
}

impl Gated for AlterShareGroupOffsetsRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        if !rights.may_group(Read, &self.group_id) {
            let response = AlterShareGroupOffsetsResponse::default().with_error_code(GroupRefused.code());
            return Passage::Refused(response.with_error_message(words(GroupRefused)));
        }
        let (allowed, refused) = split(std::mem::take(&mut self.topics), |topic| {
            rights.may_topic(Read, &topic.topic_name)
        });
        self.topics = allowed;
        passed_then(self, move |answer| {
            answer.responses.extend(refused.into_iter().map(|topic| {
                let partitions = topic.partitions.into_iter().map(|partition| {
                    AlterShareGroupOffsetsResponsePartition::default()
                        .with_partition_index(partition.partition_index)
                        .with_error_code(TopicRefused.code())
                        .with_error_message(words(TopicRefused))
                });
                AlterShareGroupOffsetsResponseTopic::default()
                    .with_topic_name(topic.topic_name)
                    .with_partitions(partitions.collect())
            }));
        })
    }
}

impl Gated for DeleteShareGroupOffsetsRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        if !rights.may_group(Delete, &self.group_id) {
            let response = DeleteShareGroupOffsetsResponse::default().with_error_code(GroupRefused.code());
            return Passage::Refused(response.with_error_message(words(GroupRefused)));
        }
        let (allowed, refused) = split(std::mem::take(&mut self.topics), |topic| {
            rights.may_topic(Read, &topic.topic_name)
        });
        self.topics = allowed;
        passed_then(self, move |answer| {
            answer.responses.extend(refused.into_iter().map(|topic| {
                DeleteShareGroupOffsetsResponseTopic::default()
                    .with_topic_name(topic.topic_name)
                    .with_error_code(TopicRefused.code())
                    .with_error_message(words(TopicRefused))
            }));
        })
    }
}

/// APIs between brokers; their answers are all built alike.
macro_rules! between_brokers {
    ($($request:ty => $response:ty, $answers:ident :: $topic:ident;)+) => {
        $(impl Gated for $request {
            fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
                if asks.rights().may_cluster(ClusterAction) {
                    return passed(self);
                }
                let results = self.topics.into_iter().map(|topic| {
                    let partitions = topic.partitions.into_iter().map(|partition| {
                        $answers::PartitionResult::default()
                            .with_partition(partition.partition)
                            .with_error_code(ClusterRefused.code())
                            .with_error_message(words(ClusterRefused))
                    });
                    $answers::$topic::default()
                        .with_topic_id(topic.topic_id)
                        .with_partitions(partitions.collect())
                });
                Passage::Refused(<$response>::default().with_results(results.collect()))
            }
        })+
    };
}

between_brokers! {
    InitializeShareGroupStateRequest => InitializeShareGroupStateResponse, initialized::InitializeStateResult;
    ReadShareGroupStateRequest => ReadShareGroupStateResponse, read::ReadStateResult;
    WriteShareGroupStateRequest => WriteShareGroupStateResponse, written::WriteStateResult;
    DeleteShareGroupStateRequest => DeleteShareGroupStateResponse, deleted::DeleteStateResult;
    ReadShareGroupStateSummaryRequest => ReadShareGroupStateSummaryResponse, summary::ReadStateSummaryResult;
}
