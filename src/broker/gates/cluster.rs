//! Gates of APIs on the whole cluster: one operation on the cluster resource.

use kafka_protocol::ResponseError::ClusterAuthorizationFailed as Refused;
use kafka_protocol::messages::alter_client_quotas_response::{EntityData, EntryData};
use kafka_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use kafka_protocol::messages::alter_replica_log_dirs_response::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult,
};
use kafka_protocol::messages::alter_user_scram_credentials_response::AlterUserScramCredentialsResult;
use kafka_protocol::messages::describe_user_scram_credentials_response::DescribeUserScramCredentialsResult;
use kafka_protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use kafka_protocol::messages::{
    AddRaftVoterRequest, AddRaftVoterResponse, AlterClientQuotasRequest, AlterClientQuotasResponse,
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, AlterReplicaLogDirsRequest,
    AlterReplicaLogDirsResponse, AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse,
    ApiVersionsRequest, DescribeClientQuotasRequest, DescribeClientQuotasResponse, DescribeClusterRequest,
    DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeQuorumRequest, DescribeQuorumResponse,
    DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse, ElectLeadersRequest,
    ElectLeadersResponse, ExpireDelegationTokenRequest, ListConfigResourcesRequest,
    ListConfigResourcesResponse, ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
    RemoveRaftVoterRequest, RemoveRaftVoterResponse, RenewDelegationTokenRequest, SaslAuthenticateRequest,
    SaslHandshakeRequest, UnregisterBrokerRequest, UnregisterBrokerResponse, UpdateFeaturesRequest,
    UpdateFeaturesResponse,
};

use super::{Asks, Gated, Passage, passed, words};
use crate::broker::access::AclOperation;

/// Requests that every client may send.
macro_rules! open {
    ($($request:ty),+) => {
        $(impl Gated for $request {
            fn pass(self, _: &mut Asks<'_>) -> Passage<Self> {
                passed(self)
            }
        })+
    };
}

/// Requests that need an operation on the cluster, with the answer if it is not allowed.
macro_rules! guarded {
    ($($request:ty, $operation:ident, $refused:expr;)+) => {
        $(impl Gated for $request {
            fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
                if asks.rights().may_cluster(AclOperation::$operation) {
                    return passed(self);
                }
                let refused: fn(Self) -> _ = $refused;
                Passage::Refused(refused(self))
            }
        })+
    };
}

// Whether a token may be renewed or expired depends on the token: the handler decides.
open!(
    ApiVersionsRequest,
    DescribeClusterRequest,
    ExpireDelegationTokenRequest,
    RenewDelegationTokenRequest,
    SaslHandshakeRequest,
    SaslAuthenticateRequest
);

guarded! {
    DescribeQuorumRequest, Describe,
        |_| DescribeQuorumResponse::default().with_error_code(Refused.code()).with_error_message(words(Refused));
    ListPartitionReassignmentsRequest, Describe,
        |_| ListPartitionReassignmentsResponse::default().with_error_code(Refused.code()).with_error_message(words(Refused));
    UnregisterBrokerRequest, Alter,
        |_| UnregisterBrokerResponse::default().with_error_code(Refused.code()).with_error_message(words(Refused));
    AddRaftVoterRequest, Alter,
        |_| AddRaftVoterResponse::default().with_error_code(Refused.code()).with_error_message(words(Refused));
    RemoveRaftVoterRequest, Alter,
        |_| RemoveRaftVoterResponse::default().with_error_code(Refused.code()).with_error_message(words(Refused));
    ListConfigResourcesRequest, DescribeConfigs,
        |_| ListConfigResourcesResponse::default().with_error_code(Refused.code());
    UpdateFeaturesRequest, Alter,
        |_| UpdateFeaturesResponse::default().with_error_code(Refused.code()).with_error_message(words(Refused));
    DescribeLogDirsRequest, Describe,
        |_| DescribeLogDirsResponse::default().with_error_code(Refused.code());
    DescribeClientQuotasRequest, DescribeConfigs,
        |_| DescribeClientQuotasResponse::default()
            .with_error_code(Refused.code())
            .with_error_message(words(Refused))
            .with_entries(None);
    DescribeUserScramCredentialsRequest, Describe, scram_users_refused;
    AlterUserScramCredentialsRequest, Alter, scram_changes_refused;
    AlterClientQuotasRequest, AlterConfigs, quotas_refused;
    AlterReplicaLogDirsRequest, Alter, log_dirs_refused;
    ElectLeadersRequest, Alter, elections_refused;
    AlterPartitionReassignmentsRequest, Alter, reassignments_refused;
}

fn scram_users_refused(request: DescribeUserScramCredentialsRequest) -> DescribeUserScramCredentialsResponse {
    let users = request.users.unwrap_or_default().into_iter().map(|user| {
        DescribeUserScramCredentialsResult::default()
            .with_user(user.name)
            .with_error_code(Refused.code())
            .with_error_message(words(Refused))
    });
    DescribeUserScramCredentialsResponse::default()
        .with_error_code(Refused.code())
        .with_error_message(words(Refused))
        .with_results(users.collect())
}

fn scram_changes_refused(request: AlterUserScramCredentialsRequest) -> AlterUserScramCredentialsResponse {
    let deleted = request.deletions.into_iter().map(|deletion| deletion.name);
    let upserted = request.upsertions.into_iter().map(|upsertion| upsertion.name);
    let mut users: Vec<_> = deleted.chain(upserted).collect();
    users.sort();
    users.dedup();
    let results = users.into_iter().map(|user| {
        AlterUserScramCredentialsResult::default()
            .with_user(user)
            .with_error_code(Refused.code())
            .with_error_message(words(Refused))
    });
    AlterUserScramCredentialsResponse::default().with_results(results.collect())
}

fn quotas_refused(request: AlterClientQuotasRequest) -> AlterClientQuotasResponse {
    let entries = request.entries.into_iter().map(|entry| {
        let entity = entry.entity.into_iter().map(|part| {
            EntityData::default()
                .with_entity_type(part.entity_type)
                .with_entity_name(part.entity_name)
        });
        EntryData::default()
            .with_error_code(Refused.code())
            .with_error_message(words(Refused))
            .with_entity(entity.collect())
    });
    AlterClientQuotasResponse::default().with_entries(entries.collect())
}

fn log_dirs_refused(request: AlterReplicaLogDirsRequest) -> AlterReplicaLogDirsResponse {
    let topics = request.dirs.into_iter().flat_map(|dir| dir.topics);
    let results = topics.map(|topic| {
        let partitions = topic.partitions.into_iter().map(|index| {
            AlterReplicaLogDirPartitionResult::default()
                .with_partition_index(index)
                .with_error_code(Refused.code())
        });
        AlterReplicaLogDirTopicResult::default()
            .with_topic_name(topic.name)
            .with_partitions(partitions.collect())
    });
    AlterReplicaLogDirsResponse::default().with_results(results.collect())
}

fn elections_refused(request: ElectLeadersRequest) -> ElectLeadersResponse {
    let topics = request.topic_partitions.unwrap_or_default();
    let results = topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|index| {
            PartitionResult::default()
                .with_partition_id(index)
                .with_error_code(Refused.code())
                .with_error_message(words(Refused))
        });
        ReplicaElectionResult::default()
            .with_topic(topic.topic)
            .with_partition_result(partitions.collect())
    });
    ElectLeadersResponse::default()
        .with_error_code(Refused.code())
        .with_replica_election_results(results.collect())
}

fn reassignments_refused(request: AlterPartitionReassignmentsRequest) -> AlterPartitionReassignmentsResponse {
    let responses = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|partition| {
            ReassignablePartitionResponse::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(Refused.code())
                .with_error_message(words(Refused))
        });
        ReassignableTopicResponse::default()
            .with_name(topic.name)
            .with_partitions(partitions.collect())
    });
    AlterPartitionReassignmentsResponse::default()
        .with_error_code(Refused.code())
        .with_error_message(words(Refused))
        .with_responses(responses.collect())
}
