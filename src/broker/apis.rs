//! THE TABLE: every API the broker serves, in which versions and which shapes of the request, which node answers, and
//! what an authorizer has to allow.
//!
//! ApiVersions, the dispatcher, the check of a request's lengths and docs/protocol.md read it: what is listed here is
//! served, and what is served is advertised. A handler is `fn(&Arc<Node>, &RequestContext, Request) -> Response`, or
//! an `async fn` of the same form if it waits (marked `await`). Its future may be dropped at an await once its client
//! has gone.

use std::fmt;
use std::future::Future;
use std::ops::RangeInclusive;
use std::pin::Pin;

use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{self, ApiKey};

use super::access::{AclOperation, ResourceType};
use super::call::{Call, decode};
use super::gates::{self, Passage};
use super::handlers::{
    acls, add_offsets_to_txn, add_partitions_to_txn, alter_client_quotas, alter_configs,
    alter_partition_reassignments, alter_replica_log_dirs, alter_user_scram_credentials, api_versions,
    consumer_group_describe, consumer_group_heartbeat, create_partitions, create_topics, delegation_tokens,
    delete_groups, delete_records, delete_topics, describe_client_quotas, describe_cluster, describe_configs,
    describe_groups, describe_log_dirs, describe_producers, describe_quorum, describe_topic_partitions,
    describe_transactions, describe_user_scram_credentials, elect_leaders, end_txn, fetch, find_coordinator,
    heartbeat, incremental_alter_configs, init_producer_id, join_group, leave_group, list_config_resources,
    list_groups, list_offsets, list_partition_reassignments, list_transactions, metadata, offset_commit,
    offset_delete, offset_fetch, offset_for_leader_epoch, produce, raft_voters, sasl_authenticate,
    sasl_handshake, share_acknowledge, share_fetch, share_group_describe, share_group_heartbeat,
    share_group_offsets, share_group_state, sync_group, txn_offset_commit, unregister_broker,
    update_features, write_txn_markers,
};
use super::newer_versions::AddedFields;
use super::refusal::Refusal;
use super::rehearsal::Rehearsal;
use super::response::{self, Answer};

/// The future of a handler's answer. An error closes the connection.
pub type Outcome = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

/// Which node of a cluster can answer; with one node it is always that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// Every node gives the same answer.
    AnyNode,
    /// Every node answers for itself: for its log dirs, or for the groups that it coordinates.
    EachNode,
    /// The controller decides. Clients may ask any node, as the nodes share one cluster state.
    Controller,
    /// The node that leads the partition of `__consumer_offsets` to which the group belongs.
    Coordinator,
    /// The node that leads the partition of `__transaction_state` to which the transactional id belongs.
    TransactionCoordinator,
    /// The node that leads the partition of `__share_group_state` to which the key belongs.
    ShareCoordinator,
    /// The leader of the partition that the request names.
    PartitionLeader,
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Answers::AnyNode => "any node",
            Answers::EachNode => "each node for itself",
            Answers::Controller => "controller",
            Answers::Coordinator => "group coordinator",
            Answers::TransactionCoordinator => "transaction coordinator",
            Answers::ShareCoordinator => "share coordinator",
            Answers::PartitionLeader => "partition leader",
        })
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Api {
    pub key: ApiKey,
    /// The smallest version advertised. Produce advertises 0 although 3 is the first that is served: librdkafka
    /// before 2.11.1 stops compressing otherwise (KAFKA-18659).
    pub advertised_min: i16,
    /// The smallest and the largest version that are served.
    pub min: i16,
    pub max: i16,
    pub answers: Answers,
    /// What an authorizer has to allow, each on every resource of that type that the request names.
    pub access: &'static [(AclOperation, ResourceType)],
    /// The shapes of the request with their first versions, in ascending order.
    shapes: &'static [(i16, &'static str)],
    handler: fn(Call) -> Outcome,
}

impl Api {
    /// The versions that are served.
    pub fn decoded(&self) -> RangeInclusive<i16> {
        self.min..=self.max
    }
}

/// A row: the key, the request's type, its versions, its handler (`await` before it if it is async), who answers,
/// what the principal needs, and the shapes of the request with their first versions (`request_shape`).
macro_rules! api {
    ($key:ident, $request:ident, $min:literal ..= $max:literal, await $handler:path, $($rest:tt)+) => {
        api!(@row $key, $min, $max, |call: Call| Box::pin(async move {
            let (node, mut context, request) = decode::<messages::$request>(call)?;
            let (request, finish) = match gates::enter(&node, &mut context, request) {
                Passage::Passed(request, finish) => (request, finish),
                Passage::Refused(response) => return response::encode::<messages::$request>(&context, &response),
            };
            let mut response = $handler(&node, &context, request).await;
            finish.run(&mut response);
            response::encode::<messages::$request>(&context, &response)
        }), $($rest)+)
    };
    // The handler returns the bytes of newer fields beside the response ([`AddedFields`]).
    ($key:ident, $request:ident, $min:literal ..= $max:literal, newer $handler:path, $($rest:tt)+) => {
        api!(@row $key, $min, $max, |call: Call| Box::pin(async move {
            let (node, mut context, request) = decode::<messages::$request>(call)?;
            let (request, finish) = match gates::enter(&node, &mut context, request) {
                Passage::Passed(request, finish) => (request, finish),
                Passage::Refused(response) => {
                    let newer = AddedFields { bytes: &[], others: Some(0xff) };
                    return response::encode_newer::<messages::$request>(&context, &response, newer);
                }
            };
            let (mut response, newer) = $handler(&node, &context, request);
            let has_refused = finish.run(&mut response);
            let newer = AddedFields { bytes: &newer, others: has_refused.then_some(0xff) };
            response::encode_newer::<messages::$request>(&context, &response, newer)
        }), $($rest)+)
    };
    ($key:ident, $request:ident, $min:literal ..= $max:literal, $handler:path, $($rest:tt)+) => {
        api!(@row $key, $min, $max, |call: Call| Box::pin(async move {
            let (node, mut context, request) = decode::<messages::$request>(call)?;
            let (request, finish) = match gates::enter(&node, &mut context, request) {
                Passage::Passed(request, finish) => (request, finish),
                Passage::Refused(response) => return response::encode::<messages::$request>(&context, &response),
            };
            let mut response = $handler(&node, &context, request);
            finish.run(&mut response);
            response::encode::<messages::$request>(&context, &response)
        }), $($rest)+)
    };
    (@row $key:ident, $min:literal, $max:literal, $handler:expr, $who:ident,
     [$($operation:ident $resource:ident),*], [$($shape:expr),+]) => {
        Api {
            key: ApiKey::$key,
            advertised_min: $min,
            min: $min,
            max: $max,
            answers: Answers::$who,
            access: &[$((AclOperation::$operation, ResourceType::$resource)),*],
            shapes: &[$($shape),+],
            handler: $handler,
        }
    };
}

/// Every API, by key. As in Kafka, `Create Cluster` allows what `Create Topic` on every topic does, `Delete Cluster`
/// what `Delete Topic` does, and `Describe Cluster` shows every group in a list. `Write` on any topic is enough for a
/// producer id.
#[rustfmt::skip]
pub const APIS: &[Api] = &[
    Api {
        advertised_min: 0,
        ..api!(@row Produce, 3, 13, |call: Call| Box::pin(produce::answer(call)), PartitionLeader, [Write Topic, Write TransactionalId],
        [(3, "s24[s[4b]]"), (9, "S24<S<4Bt>t>t"), (13, "S24<88<4Bt>t>t")])
    },
    api!(@row Fetch, 4, 18, |call: Call| Box::pin(fetch::answer(call)), PartitionLeader, [Read Topic],
        [(4, "44441[s[484]]"), (5, "44441[s[4884]]"), (7, "4444144[s[4884]][s[4]]"), (9, "4444144[s[44884]][s[4]]"), (11, "4444144[s[44884]][s[4]]s"), (12, "4444144<S<448484t>t><S<4>t>St"), (13, "4444144<88<448484t>t><88<4>t>St"), (15, "444144<88<448484t>t><88<4>t>St")]),
    api!(ListOffsets, ListOffsetsRequest, 1..=11, list_offsets::handle, PartitionLeader, [Describe Topic],
        [(1, "4[s[48]]"), (2, "41[s[48]]"), (4, "41[s[448]]"), (6, "41<S<448t>t>t"), (10, "41<S<448t>t>4t")]),
    api!(Metadata, MetadataRequest, 0..=13, metadata::handle, AnyNode, [Describe Topic],
        [(0, "[s]"), (4, "[s]1"), (8, "[s]111"), (9, "<St>111t"), (10, "<88St>111t"), (11, "<88St>11t")]),
    api!(OffsetCommit, OffsetCommitRequest, 2..=10, offset_commit::handle, Coordinator, [Read Group, Read Topic],
        [(2, "s4s8[s[48s]]"), (5, "s4s[s[48s]]"), (6, "s4s[s[484s]]"), (7, "s4ss[s[484s]]"), (8, "S4SS<S<484St>t>t"), (10, "S4SS<88<484St>t>t")]),
    api!(OffsetFetch, OffsetFetchRequest, 1..=10, offset_fetch::handle, Coordinator, [Describe Group, Describe Topic],
        [(1, "s[s[4]]"), (6, "S<S<4>t>t"), (7, "S<S<4>t>1t"), (8, "<S<S<4>t>t>1t"), (9, "<SS4<S<4>t>t>1t"), (10, "<SS4<88<4>t>t>1t")]),
    api!(FindCoordinator, FindCoordinatorRequest, 0..=6, find_coordinator::handle, AnyNode, [Describe Group, Describe TransactionalId, ClusterAction Cluster],
        [(0, "s"), (1, "s1"), (3, "S1t"), (4, "1<S>t")]),
    api!(JoinGroup, JoinGroupRequest, 0..=9, await join_group::handle, Coordinator, [Read Group],
        [(0, "s4ss[sb]"), (1, "s44ss[sb]"), (5, "s44sss[sb]"), (6, "S44SSS<SBt>t"), (8, "S44SSS<SBt>St")]),
    api!(Heartbeat, HeartbeatRequest, 0..=4, heartbeat::handle, Coordinator, [Read Group],
        [(0, "s4s"), (3, "s4ss"), (4, "S4SSt")]),
    api!(LeaveGroup, LeaveGroupRequest, 0..=5, leave_group::handle, Coordinator, [Read Group],
        [(0, "ss"), (3, "s[ss]"), (4, "S<SSt>t"), (5, "S<SSSt>t")]),
    api!(SyncGroup, SyncGroupRequest, 0..=5, await sync_group::handle, Coordinator, [Read Group],
        [(0, "s4s[sb]"), (3, "s4ss[sb]"), (4, "S4SS<SBt>t"), (5, "S4SSSS<SBt>t")]),
    api!(DescribeGroups, DescribeGroupsRequest, 0..=6, describe_groups::handle, Coordinator, [Describe Group],
        [(0, "[s]"), (3, "[s]1"), (5, "<S>1t")]),
    api!(ListGroups, ListGroupsRequest, 0..=5, list_groups::handle, EachNode, [Describe Group],
        [(0, ""), (3, "t"), (4, "<S>t"), (5, "<S><S>t")]),
    api!(SaslHandshake, SaslHandshakeRequest, 0..=1, sasl_handshake::handle, AnyNode, [],
        [(0, "s")]),
    api!(@row ApiVersions, 0, 4, api_versions_outcome, AnyNode, [],
        [(0, ""), (3, "SSt")]),
    api!(CreateTopics, CreateTopicsRequest, 2..=7, await create_topics::handle, Controller, [Create Topic],
        [(2, "[s42[4[4]][ss]]41"), (5, "<S42<4<4>t><SSt>t>41t")]),
    api!(DeleteTopics, DeleteTopicsRequest, 1..=6, delete_topics::handle, Controller, [Delete Topic],
        [(1, "[s]4"), (4, "<S>4t"), (6, "<S88t>4t")]),
    api!(DeleteRecords, DeleteRecordsRequest, 0..=2, delete_records::handle, PartitionLeader, [Delete Topic],
        [(0, "[s[48]]4"), (2, "<S<48t>t>4t")]),
    api!(InitProducerId, InitProducerIdRequest, 0..=5, init_producer_id::handle, TransactionCoordinator, [IdempotentWrite Cluster, Write TransactionalId],
        [(0, "s4"), (2, "S4t"), (3, "S482t")]),
    api!(OffsetForLeaderEpoch, OffsetForLeaderEpochRequest, 2..=4, offset_for_leader_epoch::handle, PartitionLeader, [Describe Topic, ClusterAction Cluster],
        [(2, "[s[444]]"), (3, "4[s[444]]"), (4, "4<S<444t>t>t")]),
    api!(AddPartitionsToTxn, AddPartitionsToTxnRequest, 0..=5, add_partitions_to_txn::handle, TransactionCoordinator, [Write TransactionalId, Write Topic, ClusterAction Cluster],
        [(0, "s82[s[4]]"), (3, "S82<S<4>t>t"), (4, "<S821<S<4>t>t>t")]),
    api!(AddOffsetsToTxn, AddOffsetsToTxnRequest, 0..=4, add_offsets_to_txn::handle, TransactionCoordinator, [Write TransactionalId, Read Group],
        [(0, "s82s"), (3, "S82St")]),
    api!(EndTxn, EndTxnRequest, 0..=5, end_txn::handle, TransactionCoordinator, [Write TransactionalId],
        [(0, "s821"), (3, "S821t")]),
    api!(WriteTxnMarkers, WriteTxnMarkersRequest, 1..=2, write_txn_markers::handle, PartitionLeader, [ClusterAction Cluster],
        [(1, "<821<S<4>t>4t>t"), (2, "<821<S<4>t>41t>t")]),
    api!(TxnOffsetCommit, TxnOffsetCommitRequest, 0..=5, await txn_offset_commit::handle, Coordinator, [Write TransactionalId, Read Group, Read Topic],
        [(0, "ss82[s[48s]]"), (2, "ss82[s[484s]]"), (3, "SS824SS<S<484St>t>t")]),
    api!(DescribeAcls, DescribeAclsRequest, 1..=3, acls::describe, AnyNode, [Describe Cluster],
        [(1, "1s1ss11"), (2, "1S1SS11t")]),
    api!(CreateAcls, CreateAclsRequest, 1..=3, acls::create, Controller, [Alter Cluster],
        [(1, "[1s1ss11]"), (2, "<1S1SS11t>t")]),
    api!(DeleteAcls, DeleteAclsRequest, 1..=3, acls::delete, Controller, [Alter Cluster],
        [(1, "[1s1ss11]"), (2, "<1S1SS11t>t")]),
    api!(DescribeConfigs, DescribeConfigsRequest, 1..=4, describe_configs::handle, AnyNode, [DescribeConfigs Topic, DescribeConfigs Group, DescribeConfigs Cluster],
        [(1, "[1s[s]]1"), (3, "[1s[s]]11"), (4, "<1S<S>t>11t")]),
    api!(AlterConfigs, AlterConfigsRequest, 0..=2, alter_configs::handle, Controller, [AlterConfigs Topic, AlterConfigs Group, AlterConfigs Cluster],
        [(0, "[1s[ss]]1"), (2, "<1S<SSt>t>1t")]),
    api!(AlterReplicaLogDirs, AlterReplicaLogDirsRequest, 1..=2, alter_replica_log_dirs::handle, EachNode, [Alter Cluster],
        [(1, "[s[s[4]]]"), (2, "<S<S<4>t>t>t")]),
    api!(@row DescribeLogDirs, 1, 5, |call: Call| Box::pin(async move { describe_log_dirs::answer(call) }), EachNode, [Describe Cluster],
        [(1, "[s[4]]"), (2, "<S<4>t>t")]),
    api!(SaslAuthenticate, SaslAuthenticateRequest, 0..=2, sasl_authenticate::handle, AnyNode, [],
        [(0, "b"), (2, "Bt")]),
    api!(CreatePartitions, CreatePartitionsRequest, 0..=3, create_partitions::handle, Controller, [Alter Topic],
        [(0, "[s4[[4]]]41"), (2, "<S4<<4>t>t>41t")]),
    api!(CreateDelegationToken, CreateDelegationTokenRequest, 1..=3, delegation_tokens::create, Controller, [CreateTokens User],
        [(1, "[ss]8"), (2, "<SSt>8t"), (3, "SS<SSt>8t")]),
    api!(RenewDelegationToken, RenewDelegationTokenRequest, 1..=2, delegation_tokens::renew, Controller, [],
        [(1, "b8"), (2, "B8t")]),
    api!(ExpireDelegationToken, ExpireDelegationTokenRequest, 1..=2, delegation_tokens::expire, Controller, [],
        [(1, "b8"), (2, "B8t")]),
    api!(DescribeDelegationToken, DescribeDelegationTokenRequest, 1..=3, delegation_tokens::describe, AnyNode, [Describe DelegationToken, DescribeTokens User],
        [(1, "[ss]"), (2, "<SSt>t")]),
    api!(DeleteGroups, DeleteGroupsRequest, 0..=2, delete_groups::handle, Coordinator, [Delete Group],
        [(0, "[s]"), (2, "<S>t")]),
    api!(ElectLeaders, ElectLeadersRequest, 0..=2, elect_leaders::handle, Controller, [Alter Cluster],
        [(0, "[s[4]]4"), (1, "1[s[4]]4"), (2, "1<S<4>t>4t")]),
    api!(IncrementalAlterConfigs, IncrementalAlterConfigsRequest, 0..=1, incremental_alter_configs::handle, Controller, [AlterConfigs Topic, AlterConfigs Group, AlterConfigs Cluster],
        [(0, "[1s[s1s]]1"), (1, "<1S<S1St>t>1t")]),
    api!(AlterPartitionReassignments, AlterPartitionReassignmentsRequest, 0..=1, alter_partition_reassignments::handle, Controller, [Alter Cluster],
        [(0, "4<S<4<4>t>t>t"), (1, "41<S<4<4>t>t>t")]),
    api!(ListPartitionReassignments, ListPartitionReassignmentsRequest, 0..=0, list_partition_reassignments::handle, Controller, [Describe Cluster],
        [(0, "4<S<4>t>t")]),
    api!(OffsetDelete, OffsetDeleteRequest, 0..=0, offset_delete::handle, Coordinator, [Delete Group, Read Topic],
        [(0, "s[s[4]]")]),
    api!(DescribeClientQuotas, DescribeClientQuotasRequest, 0..=1, describe_client_quotas::handle, AnyNode, [DescribeConfigs Cluster],
        [(0, "[s1s]1"), (1, "<S1St>1t")]),
    api!(AlterClientQuotas, AlterClientQuotasRequest, 0..=1, alter_client_quotas::handle, Controller, [AlterConfigs Cluster],
        [(0, "[[ss][s81]]1"), (1, "<<SSt><S81t>t>1t")]),
    api!(DescribeUserScramCredentials, DescribeUserScramCredentialsRequest, 0..=0, describe_user_scram_credentials::handle, AnyNode, [Describe Cluster],
        [(0, "<St>t")]),
    api!(AlterUserScramCredentials, AlterUserScramCredentialsRequest, 0..=0, alter_user_scram_credentials::handle, Controller, [Alter Cluster],
        [(0, "<S1t><S14BBt>t")]),
    api!(DescribeQuorum, DescribeQuorumRequest, 0..=2, describe_quorum::handle, Controller, [Describe Cluster],
        [(0, "<S<4t>t>t")]),
    api!(UpdateFeatures, UpdateFeaturesRequest, 0..=2, update_features::handle, Controller, [Alter Cluster],
        [(0, "4<S21t>t"), (1, "4<S21t>1t")]),
    api!(DescribeCluster, DescribeClusterRequest, 0..=2, describe_cluster::handle, AnyNode, [],
        [(0, "1t"), (1, "11t"), (2, "111t")]),
    api!(UnregisterBroker, UnregisterBrokerRequest, 0..=0, unregister_broker::handle, Controller, [Alter Cluster],
        [(0, "4t")]),
    api!(DescribeProducers, DescribeProducersRequest, 0..=0, describe_producers::handle, PartitionLeader, [Read Topic],
        [(0, "<S<4>t>t")]),
    api!(DescribeTransactions, DescribeTransactionsRequest, 0..=0, describe_transactions::handle, TransactionCoordinator, [Describe TransactionalId, Describe Topic],
        [(0, "<S>t")]),
    api!(ListTransactions, ListTransactionsRequest, 0..=2, list_transactions::handle, EachNode, [Describe TransactionalId],
        [(0, "<S><8>t"), (1, "<S><8>8t"), (2, "<S><8>8St")]),
    api!(ConsumerGroupHeartbeat, ConsumerGroupHeartbeatRequest, 0..=1, consumer_group_heartbeat::handle, Coordinator, [Read Group, Describe Topic],
        [(0, "SS4SS4<S>S<88<4>t>t"), (1, "SS4SS4<S>SS<88<4>t>t")]),
    api!(ConsumerGroupDescribe, ConsumerGroupDescribeRequest, 0..=1, consumer_group_describe::handle, Coordinator, [Describe Group, Describe Topic],
        [(0, "<S>1t")]),
    api!(ListConfigResources, ListConfigResourcesRequest, 0..=1, list_config_resources::handle, AnyNode, [DescribeConfigs Cluster],
        [(0, "t"), (1, "<1>t")]),
    api!(DescribeTopicPartitions, DescribeTopicPartitionsRequest, 0..=0, describe_topic_partitions::handle, AnyNode, [Describe Topic],
        [(0, "<St>4(S4t)t")]),
    api!(ShareGroupHeartbeat, ShareGroupHeartbeatRequest, 1..=1, await share_group_heartbeat::handle, Coordinator, [Read Group, Describe Topic],
        [(1, "SS4S<S>t")]),
    api!(ShareGroupDescribe, ShareGroupDescribeRequest, 1..=1, share_group_describe::handle, Coordinator, [Describe Group, Describe Topic],
        [(1, "<S>1t")]),
    api!(ShareFetch, ShareFetchRequest, 1..=2, await share_fetch::handle, PartitionLeader, [Read Group, Read Topic],
        [(1, "SS444444<88<4<88<1>t>t>t><88<4>t>t"), (2, "SS44444411<88<4<88<1>t>t>t><88<4>t>t")]),
    api!(ShareAcknowledge, ShareAcknowledgeRequest, 1..=2, newer share_acknowledge::handle, PartitionLeader, [Read Group, Read Topic],
        [(1, "SS4<88<4<88<1>t>t>t>t"), (2, "SS41<88<4<88<1>t>t>t>t")]),
    api!(AddRaftVoter, AddRaftVoterRequest, 0..=1, raft_voters::add, Controller, [Alter Cluster],
        [(0, "S4488<SS2t>t"), (1, "S4488<SS2t>1t")]),
    api!(RemoveRaftVoter, RemoveRaftVoterRequest, 0..=0, raft_voters::remove, Controller, [Alter Cluster],
        [(0, "S488t")]),
    api!(InitializeShareGroupState, InitializeShareGroupStateRequest, 0..=0, share_group_state::initialize, ShareCoordinator, [ClusterAction Cluster],
        [(0, "S<88<448t>t>t")]),
    api!(ReadShareGroupState, ReadShareGroupStateRequest, 0..=0, share_group_state::read, ShareCoordinator, [ClusterAction Cluster],
        [(0, "S<88<44t>t>t")]),
    api!(WriteShareGroupState, WriteShareGroupStateRequest, 0..=1, share_group_state::write, ShareCoordinator, [ClusterAction Cluster],
        [(0, "S<88<4448<8812t>t>t>t"), (1, "S<88<44484<8812t>t>t>t")]),
    api!(DeleteShareGroupState, DeleteShareGroupStateRequest, 0..=0, share_group_state::delete, ShareCoordinator, [ClusterAction Cluster],
        [(0, "S<88<4t>t>t")]),
    api!(ReadShareGroupStateSummary, ReadShareGroupStateSummaryRequest, 0..=1, newer share_group_state::summary, ShareCoordinator, [ClusterAction Cluster],
        [(0, "S<88<44t>t>t")]),
    api!(DescribeShareGroupOffsets, DescribeShareGroupOffsetsRequest, 0..=1, newer share_group_offsets::describe, Coordinator, [Describe Group, Describe Topic],
        [(0, "<S<S<4>t>t>t")]),
    api!(AlterShareGroupOffsets, AlterShareGroupOffsetsRequest, 0..=0, await share_group_offsets::alter, Coordinator, [Read Group, Read Topic],
        [(0, "S<S<48t>t>t")]),
    api!(DeleteShareGroupOffsets, DeleteShareGroupOffsetsRequest, 0..=0, share_group_offsets::delete, Coordinator, [Delete Group, Read Topic],
        [(0, "S<St>t")]),
];

/// ApiVersions is answered from this table.
fn api_versions_outcome(call: Call) -> Outcome {
    Box::pin(async move {
        let (node, context, request) = decode::<messages::ApiVersionsRequest>(call)?;
        let image = node.cluster.image();
        let rehearsal = &node.config.rehearsal;
        let served = APIS.iter().filter_map(|api| api.advertised(rehearsal));
        let mut response = api_versions::handle(&image, &context, &request, served);
        if !rehearsal.tells_features() {
            let without = messages::ApiVersionsResponse::default();
            response.finalized_features_epoch = without.finalized_features_epoch;
            (response.supported_features, response.finalized_features) = (Vec::new(), Vec::new());
        }
        response::encode::<messages::ApiVersionsRequest>(&context, &response)
    })
}

/// The answer to an unsupported version of ApiVersions: the body is not decoded.
pub(super) fn unsupported_api_versions(
    rehearsal: &Rehearsal,
    correlation_id: i32,
) -> Result<Answer, Refusal> {
    let own = APIS.iter().filter(|api| api.key == ApiKey::ApiVersions);
    let response = api_versions::unsupported_version(own.filter_map(|api| api.advertised(rehearsal)));
    response::encode_as(correlation_id, 0, &response)
}

/// The table in docs/protocol.md.
pub fn markdown() -> String {
    let rows = APIS.iter().map(|api| {
        let access: Vec<String> = api
            .access
            .iter()
            .map(|(operation, resource)| format!("{operation:?} {resource:?}"))
            .collect();
        format!(
            "| {} | {:?} | {}–{} | {} | {} |\n",
            api.key as i16,
            api.key,
            api.min,
            api.max,
            api.answers,
            access.join(", ")
        )
    });
    format!(
        "| key | API | versions | answered by | ACLs a cluster with an authorizer asks for |\n|---:|---|---|---|---|\n{}",
        rows.collect::<String>()
    )
}

/// The row of an API and version, if it is served.
pub fn find(key: i16, version: i16) -> Option<&'static Api> {
    APIS.iter()
        .find(|api| api.key as i16 == key && api.decoded().contains(&version))
}

/// The same for a broker that may serve only the versions of an older release.
pub(super) fn find_served(rehearsal: &Rehearsal, key: i16, version: i16) -> Option<&'static Api> {
    let api = find(key, version)?;
    let largest = rehearsal.largest_version(api.key, api.max)?;
    (version <= largest).then_some(api)
}

impl Api {
    /// Starts the handler; nothing runs before the outcome is polled.
    pub(super) fn call(&self, call: Call) -> Outcome {
        (self.handler)(call)
    }

    /// Whether the answer rests on a coordinator's log: it is sent only if every in-sync replica has what it says.
    pub(super) fn is_coordinated(&self) -> bool {
        let is_coordinator = matches!(
            self.answers,
            Answers::Coordinator | Answers::TransactionCoordinator | Answers::ShareCoordinator
        );
        is_coordinator || matches!(self.key, ApiKey::ShareFetch | ApiKey::ShareAcknowledge)
    }

    /// Its entry in ApiVersions; `None` if the release served none of our versions.
    fn advertised(&self, rehearsal: &Rehearsal) -> Option<ApiVersion> {
        let largest = rehearsal.largest_version(self.key, self.max)?;
        let range = ApiVersion::default()
            .with_api_key(self.key as i16)
            .with_min_version(self.advertised_min)
            .with_max_version(largest);
        (largest >= self.min).then_some(range)
    }

    /// The shape of a request in a served version: the last one whose first version is not above it.
    pub fn shape(&self, version: i16) -> &'static str {
        let begun = self.shapes.iter().take_while(|(first, _)| *first <= version);
        begun.last().map_or("", |(_, shape)| shape)
    }

    /// The first versions of its shapes.
    #[cfg(test)]
    pub(super) fn shape_versions(&self) -> impl Iterator<Item = i16> + '_ {
        self.shapes.iter().map(|(first, _)| *first)
    }
}
