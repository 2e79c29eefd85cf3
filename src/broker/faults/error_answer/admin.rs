//! Error answers of administrative APIs: for each topic or resource, or for the whole request.

use kafka_protocol::messages::alter_replica_log_dirs_response::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult,
};
use kafka_protocol::messages::create_acls_response::AclCreationResult;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::delete_acls_response::DeleteAclsFilterResult;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResult;
use kafka_protocol::messages::describe_producers_response::{PartitionResponse, TopicResponse};
use kafka_protocol::messages::describe_topic_partitions_response::DescribeTopicPartitionsResponseTopic;
use kafka_protocol::messages::describe_transactions_response::TransactionState;
use kafka_protocol::messages::{
    self as m, ApiKey, alter_configs_response, incremental_alter_configs_response,
};

use super::{Made, build, whole};
use crate::broker::call::Call;
use crate::broker::refusal::Refusal;
use crate::broker::response::Answer;

pub(super) fn make(call: Box<Call>, code: i16) -> Made {
    Ok(match call.context.api {
        ApiKey::CreateTopics => build::<m::CreateTopicsRequest>(*call, |_, request| {
            let topics = request.topics.into_iter().map(|topic| {
                CreatableTopicResult::default()
                    .with_name(topic.name)
                    .with_error_code(code)
            });
            m::CreateTopicsResponse::default().with_topics(topics.collect())
        }),
        ApiKey::DeleteTopics => delete_topics(*call, code),
        ApiKey::CreatePartitions => build::<m::CreatePartitionsRequest>(*call, |_, request| {
            let topics = request.topics.into_iter().map(|topic| {
                CreatePartitionsTopicResult::default()
                    .with_name(topic.name)
                    .with_error_code(code)
            });
            m::CreatePartitionsResponse::default().with_results(topics.collect())
        }),
        ApiKey::DeleteRecords => delete_records(*call, code),
        ApiKey::DescribeProducers => describe_producers(*call, code),
        ApiKey::AlterReplicaLogDirs => alter_replica_log_dirs(*call, code),
        ApiKey::DescribeTopicPartitions => build::<m::DescribeTopicPartitionsRequest>(*call, |_, request| {
            let topics = request.topics.into_iter().map(|topic| {
                DescribeTopicPartitionsResponseTopic::default()
                    .with_name(Some(topic.name))
                    .with_error_code(code)
            });
            m::DescribeTopicPartitionsResponse::default().with_topics(topics.collect())
        }),
        ApiKey::DescribeTransactions => build::<m::DescribeTransactionsRequest>(*call, |_, request| {
            let states = request.transactional_ids.into_iter().map(|id| {
                TransactionState::default()
                    .with_transactional_id(id)
                    .with_error_code(code)
            });
            m::DescribeTransactionsResponse::default().with_transaction_states(states.collect())
        }),
        ApiKey::CreateAcls | ApiKey::DeleteAcls => acls(*call, code),
        ApiKey::DescribeConfigs | ApiKey::AlterConfigs | ApiKey::IncrementalAlterConfigs => {
            configs(*call, code)
        }
        ApiKey::AlterClientQuotas | ApiKey::AlterUserScramCredentials => users(*call, code),
        ApiKey::ElectLeaders if call.context.version == 0 => {
            build::<m::ElectLeadersRequest>(*call, |_, _| m::ElectLeadersResponse::default())
        }
        ApiKey::DescribeLogDirs if call.context.version < 3 => {
            build::<m::DescribeLogDirsRequest>(*call, |_, _| m::DescribeLogDirsResponse::default())
        }
        _ => {
            return whole!(
                call, code,
                ApiVersions ApiVersionsRequest ApiVersionsResponse,
                SaslHandshake SaslHandshakeRequest SaslHandshakeResponse,
                SaslAuthenticate SaslAuthenticateRequest SaslAuthenticateResponse,
                DescribeAcls DescribeAclsRequest DescribeAclsResponse,
                DescribeLogDirs DescribeLogDirsRequest DescribeLogDirsResponse,
                ElectLeaders ElectLeadersRequest ElectLeadersResponse,
                AlterPartitionReassignments AlterPartitionReassignmentsRequest AlterPartitionReassignmentsResponse,
                ListPartitionReassignments ListPartitionReassignmentsRequest ListPartitionReassignmentsResponse,
                DescribeClientQuotas DescribeClientQuotasRequest DescribeClientQuotasResponse,
                DescribeUserScramCredentials DescribeUserScramCredentialsRequest DescribeUserScramCredentialsResponse,
                DescribeQuorum DescribeQuorumRequest DescribeQuorumResponse,
                UpdateFeatures UpdateFeaturesRequest UpdateFeaturesResponse,
                DescribeCluster DescribeClusterRequest DescribeClusterResponse,
                UnregisterBroker UnregisterBrokerRequest UnregisterBrokerResponse,
                ListTransactions ListTransactionsRequest ListTransactionsResponse,
                CreateDelegationToken CreateDelegationTokenRequest CreateDelegationTokenResponse,
                RenewDelegationToken RenewDelegationTokenRequest RenewDelegationTokenResponse,
                ExpireDelegationToken ExpireDelegationTokenRequest ExpireDelegationTokenResponse,
                DescribeDelegationToken DescribeDelegationTokenRequest DescribeDelegationTokenResponse,
                ListConfigResources ListConfigResourcesRequest ListConfigResourcesResponse,
                AddRaftVoter AddRaftVoterRequest AddRaftVoterResponse,
                RemoveRaftVoter RemoveRaftVoterRequest RemoveRaftVoterResponse,
            );
        }
    })
}

fn acls(call: Call, code: i16) -> Result<Answer, Refusal> {
    if call.context.api == ApiKey::CreateAcls {
        return build::<m::CreateAclsRequest>(call, |_, request| {
            let results = request
                .creations
                .iter()
                .map(|_| AclCreationResult::default().with_error_code(code));
            m::CreateAclsResponse::default().with_results(results.collect())
        });
    }
    build::<m::DeleteAclsRequest>(call, |_, request| {
        let results = request
            .filters
            .iter()
            .map(|_| DeleteAclsFilterResult::default().with_error_code(code));
        m::DeleteAclsResponse::default().with_filter_results(results.collect())
    })
}

/// Version 6 names topics by name or id.
fn delete_topics(call: Call, code: i16) -> Result<Answer, Refusal> {
    build::<m::DeleteTopicsRequest>(call, |_, request| {
        let by_name = request
            .topic_names
            .into_iter()
            .map(|name| DeletableTopicResult::default().with_name(Some(name)));
        let by_state = request.topics.into_iter().map(|topic| {
            DeletableTopicResult::default()
                .with_name(topic.name)
                .with_topic_id(topic.topic_id)
        });
        let results = by_name.chain(by_state).map(|result| result.with_error_code(code));
        m::DeleteTopicsResponse::default().with_responses(results.collect())
    })
}

fn delete_records(call: Call, code: i16) -> Result<Answer, Refusal> {
    build::<m::DeleteRecordsRequest>(call, |_, request| {
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                DeleteRecordsPartitionResult::default()
                    .with_partition_index(partition.partition_index)
                    .with_low_watermark(-1)
                    .with_error_code(code)
            });
            DeleteRecordsTopicResult::default()
                .with_partitions(partitions.collect())
                .with_name(topic.name)
        });
        m::DeleteRecordsResponse::default().with_topics(topics.collect())
    })
}

fn describe_producers(call: Call, code: i16) -> Result<Answer, Refusal> {
    build::<m::DescribeProducersRequest>(call, |_, request| {
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partition_indexes.iter().map(|partition| {
                PartitionResponse::default()
                    .with_partition_index(*partition)
                    .with_error_code(code)
            });
            TopicResponse::default()
                .with_partitions(partitions.collect())
                .with_name(topic.name)
        });
        m::DescribeProducersResponse::default().with_topics(topics.collect())
    })
}

fn alter_replica_log_dirs(call: Call, code: i16) -> Result<Answer, Refusal> {
    build::<m::AlterReplicaLogDirsRequest>(call, |_, request| {
        let topics = request.dirs.into_iter().flat_map(|dir| dir.topics).map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                AlterReplicaLogDirPartitionResult::default()
                    .with_partition_index(*partition)
                    .with_error_code(code)
            });
            AlterReplicaLogDirTopicResult::default()
                .with_partitions(partitions.collect())
                .with_topic_name(topic.name)
        });
        m::AlterReplicaLogDirsResponse::default().with_results(topics.collect())
    })
}

fn configs(call: Call, code: i16) -> Result<Answer, Refusal> {
    match call.context.api {
        ApiKey::DescribeConfigs => build::<m::DescribeConfigsRequest>(call, |_, request| {
            let results = request.resources.into_iter().map(|resource| {
                DescribeConfigsResult::default()
                    .with_resource_type(resource.resource_type)
                    .with_resource_name(resource.resource_name)
                    .with_error_code(code)
            });
            m::DescribeConfigsResponse::default().with_results(results.collect())
        }),
        ApiKey::AlterConfigs => build::<m::AlterConfigsRequest>(call, |_, request| {
            let results = request.resources.into_iter().map(|resource| {
                alter_configs_response::AlterConfigsResourceResponse::default()
                    .with_resource_type(resource.resource_type)
                    .with_resource_name(resource.resource_name)
                    .with_error_code(code)
            });
            m::AlterConfigsResponse::default().with_responses(results.collect())
        }),
        _ => build::<m::IncrementalAlterConfigsRequest>(call, |_, request| {
            let results = request.resources.into_iter().map(|resource| {
                incremental_alter_configs_response::AlterConfigsResourceResponse::default()
                    .with_resource_type(resource.resource_type)
                    .with_resource_name(resource.resource_name)
                    .with_error_code(code)
            });
            m::IncrementalAlterConfigsResponse::default().with_responses(results.collect())
        }),
    }
}

/// Quotas and credentials.
fn users(call: Call, code: i16) -> Result<Answer, Refusal> {
    use kafka_protocol::messages::alter_client_quotas_response::{EntityData, EntryData};
    use kafka_protocol::messages::alter_user_scram_credentials_response::AlterUserScramCredentialsResult;
    if call.context.api == ApiKey::AlterUserScramCredentials {
        return build::<m::AlterUserScramCredentialsRequest>(call, |_, request| {
            let deleted = request.deletions.into_iter().map(|deletion| deletion.name);
            let changed = request.upsertions.into_iter().map(|upsertion| upsertion.name);
            let results = deleted.chain(changed).map(|user| {
                AlterUserScramCredentialsResult::default()
                    .with_user(user)
                    .with_error_code(code)
            });
            m::AlterUserScramCredentialsResponse::default().with_results(results.collect())
        });
    }
    build::<m::AlterClientQuotasRequest>(call, |_, request| {
        let entries = request.entries.into_iter().map(|entry| {
            let entity = entry.entity.into_iter().map(|entity| {
                EntityData::default()
                    .with_entity_type(entity.entity_type)
                    .with_entity_name(entity.entity_name)
            });
            EntryData::default()
                .with_entity(entity.collect())
                .with_error_code(code)
        });
        m::AlterClientQuotasResponse::default().with_entries(entries.collect())
    })
}
