//! Error answers of groups and their coordinators.

use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_share_group_offsets_response::DescribeShareGroupOffsetsResponseGroup;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponseTopic,
};
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{
    self as m, ApiKey, BrokerId, consumer_group_describe_response, describe_groups_response,
    share_group_describe_response,
};

use super::{Made, build, whole};
use crate::broker::call::Call;
use crate::broker::newer_versions::NewerFields;
use crate::broker::refusal::Refusal;
use crate::broker::response::Answer;

pub(super) fn make(call: Box<Call>, code: i16) -> Made {
    Ok(match call.context.api {
        ApiKey::FindCoordinator => find_coordinator(*call, code),
        ApiKey::JoinGroup => build::<m::JoinGroupRequest>(*call, |_, request| {
            m::JoinGroupResponse::default()
                .with_error_code(code)
                .with_member_id(request.member_id)
        }),
        ApiKey::OffsetCommit => offset_commit(*call, code),
        ApiKey::OffsetFetch => offset_fetch(*call, code),
        ApiKey::TxnOffsetCommit => txn_offset_commit(*call, code),
        ApiKey::DescribeGroups => build::<m::DescribeGroupsRequest>(*call, |_, request| {
            let group = |id| {
                describe_groups_response::DescribedGroup::default()
                    .with_group_id(id)
                    .with_error_code(code)
            };
            m::DescribeGroupsResponse::default().with_groups(request.groups.into_iter().map(group).collect())
        }),
        ApiKey::ConsumerGroupDescribe => build::<m::ConsumerGroupDescribeRequest>(*call, |_, request| {
            let group = |id| {
                consumer_group_describe_response::DescribedGroup::default()
                    .with_group_id(id)
                    .with_error_code(code)
            };
            let groups = request.group_ids.into_iter().map(group);
            m::ConsumerGroupDescribeResponse::default().with_groups(groups.collect())
        }),
        ApiKey::ShareGroupDescribe => build::<m::ShareGroupDescribeRequest>(*call, |_, request| {
            let group = |id| {
                share_group_describe_response::DescribedGroup::default()
                    .with_group_id(id)
                    .with_error_code(code)
            };
            let groups = request.group_ids.into_iter().map(group);
            m::ShareGroupDescribeResponse::default().with_groups(groups.collect())
        }),
        ApiKey::DescribeShareGroupOffsets => {
            build::<m::DescribeShareGroupOffsetsRequest>(*call, |_, request| {
                let group = |group: m::describe_share_group_offsets_request::DescribeShareGroupOffsetsRequestGroup| {
                DescribeShareGroupOffsetsResponseGroup::default()
                    .with_group_id(group.group_id)
                    .with_error_code(code)
            };
                let groups = request.groups.into_iter().map(group);
                m::DescribeShareGroupOffsetsResponse::default().with_groups(groups.collect())
            })
        }
        ApiKey::DeleteGroups => build::<m::DeleteGroupsRequest>(*call, |_, request| {
            let group = |id| {
                DeletableGroupResult::default()
                    .with_group_id(id)
                    .with_error_code(code)
            };
            m::DeleteGroupsResponse::default()
                .with_results(request.groups_names.into_iter().map(group).collect())
        }),
        _ => {
            return whole!(
                call, code,
                Heartbeat HeartbeatRequest HeartbeatResponse,
                LeaveGroup LeaveGroupRequest LeaveGroupResponse,
                SyncGroup SyncGroupRequest SyncGroupResponse,
                ListGroups ListGroupsRequest ListGroupsResponse,
                OffsetDelete OffsetDeleteRequest OffsetDeleteResponse,
                ConsumerGroupHeartbeat ConsumerGroupHeartbeatRequest ConsumerGroupHeartbeatResponse,
                ShareGroupHeartbeat ShareGroupHeartbeatRequest ShareGroupHeartbeatResponse,
                AlterShareGroupOffsets AlterShareGroupOffsetsRequest AlterShareGroupOffsetsResponse,
                DeleteShareGroupOffsets DeleteShareGroupOffsetsRequest DeleteShareGroupOffsetsResponse,
            );
        }
    })
}

/// From version 4 on the answer has an entry for each key.
fn find_coordinator(call: Call, code: i16) -> Result<Answer, Refusal> {
    build::<m::FindCoordinatorRequest>(call, |context, request| {
        let response = m::FindCoordinatorResponse::default();
        if context.version < 4 {
            return response
                .with_error_code(code)
                .with_node_id(BrokerId(-1))
                .with_port(-1);
        }
        let coordinators = request.coordinator_keys.into_iter().map(|key| {
            Coordinator::default()
                .with_key(key)
                .with_error_code(code)
                .with_node_id(BrokerId(-1))
                .with_port(-1)
        });
        response.with_coordinators(coordinators.collect())
    })
}

/// Version 10 names topics by id, which is a newer field of the request.
fn offset_commit(call: Call, code: i16) -> Result<Answer, Refusal> {
    build::<m::OffsetCommitRequest>(call, |context, request| {
        let mut ids = NewerFields::new(&context.newer_fields);
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                OffsetCommitResponsePartition::default()
                    .with_partition_index(partition.partition_index)
                    .with_error_code(code)
            });
            OffsetCommitResponseTopic::default()
                .with_partitions(partitions.collect())
                .with_name(topic.name)
                .with_topic_id(ids.uuid())
        });
        m::OffsetCommitResponse::default().with_topics(topics.collect())
    })
}

/// The error is that of each partition (version 1), of the whole answer (2 to 7), or of each group (8 and later).
fn offset_fetch(call: Call, code: i16) -> Result<Answer, Refusal> {
    build::<m::OffsetFetchRequest>(call, |context, request| {
        let response = m::OffsetFetchResponse::default();
        match context.version {
            ..2 => {
                let topics = request.topics.into_iter().flatten().map(|topic| {
                    let partitions = topic.partition_indexes.iter().map(|partition| {
                        OffsetFetchResponsePartition::default()
                            .with_partition_index(*partition)
                            .with_committed_offset(-1)
                            .with_error_code(code)
                    });
                    OffsetFetchResponseTopic::default()
                        .with_partitions(partitions.collect())
                        .with_name(topic.name)
                });
                response.with_topics(topics.collect())
            }
            2..8 => response.with_error_code(code),
            8.. => {
                let groups = request.groups.into_iter().map(|group| {
                    OffsetFetchResponseGroup::default()
                        .with_group_id(group.group_id)
                        .with_error_code(code)
                });
                response.with_groups(groups.collect())
            }
        }
    })
}

fn txn_offset_commit(call: Call, code: i16) -> Result<Answer, Refusal> {
    build::<m::TxnOffsetCommitRequest>(call, |_, request| {
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                TxnOffsetCommitResponsePartition::default()
                    .with_partition_index(partition.partition_index)
                    .with_error_code(code)
            });
            TxnOffsetCommitResponseTopic::default()
                .with_partitions(partitions.collect())
                .with_name(topic.name)
        });
        m::TxnOffsetCommitResponse::default().with_topics(topics.collect())
    })
}
