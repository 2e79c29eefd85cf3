//! THE TABLE: every API the broker serves, in which versions, and who answers it.
//!
//! ApiVersions, the dispatcher and the README share it: what stands here is served, and what is served is
//! advertised. A handler is `fn(&Arc<Broker>, &RequestContext, Request) -> Response`, or the same as an
//! `async fn` where it waits (marked `await`); it may be dropped at an await when its client has gone.

use std::future::Future;
use std::ops::RangeInclusive;
use std::pin::Pin;

use kafka_protocol::messages::{self, ApiKey};

use super::call::{Call, decode};
use super::handlers::{
    acls, alter_configs, alter_partition_reassignments, alter_replica_log_dirs, api_versions,
    create_partitions, create_topics, delete_groups, delete_records, delete_topics, describe_cluster,
    describe_configs, describe_groups, describe_log_dirs, describe_quorum, describe_topic_partitions,
    elect_leaders, fetch, find_coordinator, heartbeat, incremental_alter_configs, init_producer_id,
    join_group, leave_group, list_config_resources, list_groups, list_offsets, list_partition_reassignments,
    metadata, offset_commit, offset_delete, offset_fetch, offset_for_leader_epoch, produce, sync_group,
};
use super::response::{self, Answer, Refusal};

/// What a handler gives back, sooner or later.
pub type Outcome = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

/// One row of the table.
#[derive(Debug)]
pub struct Api {
    pub key: ApiKey,
    /// The smallest version advertised. Produce says 0 although 3 is the first it takes: librdkafka before
    /// 2.11.1 stops compressing otherwise (KAFKA-18659).
    pub advertised_min: i16,
    pub min: i16,
    pub max: i16,
    handler: fn(Call) -> Outcome,
}

impl Api {
    /// The versions that are served.
    pub fn decoded(&self) -> RangeInclusive<i16> {
        self.min..=self.max
    }
}

/// A row: the key, the request's type, its versions, its handler; `await` before the handler if it is async.
macro_rules! api {
    ($key:ident, $request:ident, $min:literal ..= $max:literal, await $handler:path) => {
        api!(@row $key, $min, $max, |call: Call| Box::pin(async move {
            let (broker, context, request) = decode::<messages::$request>(call)?;
            let response = $handler(&broker, &context, request).await;
            response::encode::<messages::$request>(&context, &response)
        }))
    };
    ($key:ident, $request:ident, $min:literal ..= $max:literal, $handler:path) => {
        api!(@row $key, $min, $max, |call: Call| Box::pin(async move {
            let (broker, context, request) = decode::<messages::$request>(call)?;
            let response = $handler(&broker, &context, request);
            response::encode::<messages::$request>(&context, &response)
        }))
    };
    (@row $key:ident, $min:literal, $max:literal, $handler:expr) => {
        Api {
            key: ApiKey::$key,
            advertised_min: $min,
            min: $min,
            max: $max,
            handler: $handler,
        }
    };
}

/// Every API, by key.
#[rustfmt::skip]
pub const APIS: &[Api] = &[
    Api {
        advertised_min: 0,
        ..api!(@row Produce, 3, 13, |call: Call| Box::pin(async move { produce::answer(call) }))
    },
    api!(@row Fetch, 4, 18, |call: Call| Box::pin(fetch::answer(call))),
    api!(ListOffsets, ListOffsetsRequest, 1..=10, list_offsets::handle),
    api!(Metadata, MetadataRequest, 0..=13, metadata::handle),
    api!(OffsetCommit, OffsetCommitRequest, 2..=9, offset_commit::handle),
    api!(OffsetFetch, OffsetFetchRequest, 1..=9, offset_fetch::handle),
    api!(FindCoordinator, FindCoordinatorRequest, 0..=6, find_coordinator::handle),
    api!(JoinGroup, JoinGroupRequest, 0..=9, await join_group::handle),
    api!(Heartbeat, HeartbeatRequest, 0..=4, heartbeat::handle),
    api!(LeaveGroup, LeaveGroupRequest, 0..=5, leave_group::handle),
    api!(SyncGroup, SyncGroupRequest, 0..=5, await sync_group::handle),
    api!(DescribeGroups, DescribeGroupsRequest, 0..=6, describe_groups::handle),
    api!(ListGroups, ListGroupsRequest, 0..=5, list_groups::handle),
    api!(ApiVersions, ApiVersionsRequest, 0..=4, api_versions::handle),
    api!(CreateTopics, CreateTopicsRequest, 2..=7, await create_topics::handle),
    api!(DeleteTopics, DeleteTopicsRequest, 1..=6, delete_topics::handle),
    api!(DeleteRecords, DeleteRecordsRequest, 0..=2, delete_records::handle),
    api!(InitProducerId, InitProducerIdRequest, 0..=5, init_producer_id::handle),
    api!(OffsetForLeaderEpoch, OffsetForLeaderEpochRequest, 2..=4, offset_for_leader_epoch::handle),
    api!(DescribeAcls, DescribeAclsRequest, 1..=3, acls::describe),
    api!(CreateAcls, CreateAclsRequest, 1..=3, acls::create),
    api!(DeleteAcls, DeleteAclsRequest, 1..=3, acls::delete),
    api!(DescribeConfigs, DescribeConfigsRequest, 1..=4, describe_configs::handle),
    api!(AlterConfigs, AlterConfigsRequest, 0..=2, alter_configs::handle),
    api!(AlterReplicaLogDirs, AlterReplicaLogDirsRequest, 1..=2, alter_replica_log_dirs::handle),
    api!(DescribeLogDirs, DescribeLogDirsRequest, 1..=4, describe_log_dirs::handle),
    api!(CreatePartitions, CreatePartitionsRequest, 0..=3, create_partitions::handle),
    api!(DeleteGroups, DeleteGroupsRequest, 0..=2, delete_groups::handle),
    api!(ElectLeaders, ElectLeadersRequest, 0..=2, elect_leaders::handle),
    api!(IncrementalAlterConfigs, IncrementalAlterConfigsRequest, 0..=1, incremental_alter_configs::handle),
    api!(AlterPartitionReassignments, AlterPartitionReassignmentsRequest, 0..=1, alter_partition_reassignments::handle),
    api!(ListPartitionReassignments, ListPartitionReassignmentsRequest, 0..=0, list_partition_reassignments::handle),
    api!(OffsetDelete, OffsetDeleteRequest, 0..=0, offset_delete::handle),
    api!(DescribeQuorum, DescribeQuorumRequest, 0..=2, describe_quorum::handle),
    api!(DescribeCluster, DescribeClusterRequest, 0..=2, describe_cluster::handle),
    api!(ListConfigResources, ListConfigResourcesRequest, 0..=1, list_config_resources::handle),
    api!(DescribeTopicPartitions, DescribeTopicPartitionsRequest, 0..=0, describe_topic_partitions::handle),
];

/// The table for the README.
pub fn markdown() -> String {
    let rows = APIS.iter().map(|api| {
        format!(
            "| {} | {:?} | {}–{} |\n",
            api.key as i16, api.key, api.min, api.max
        )
    });
    format!(
        "| key | API | versions |\n|---:|---|---|\n{}",
        rows.collect::<String>()
    )
}

/// The row of an API and version, if it is served.
pub fn find(key: i16, version: i16) -> Option<&'static Api> {
    APIS.iter()
        .find(|api| api.key as i16 == key && api.decoded().contains(&version))
}

impl Api {
    /// Starts the handler; nothing runs before the outcome is polled.
    pub(super) fn call(&self, call: Call) -> Outcome {
        (self.handler)(call)
    }
}
