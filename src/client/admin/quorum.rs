//! The quorum of controllers that keeps the cluster's metadata: `DescribeQuorum` (v0–2), `AddRaftVoter` and
//! `RemoveRaftVoter` (v0).
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeQuorum>

use std::collections::BTreeMap;

use kafka_protocol::messages::add_raft_voter_request::Listener;
use kafka_protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use kafka_protocol::messages::describe_quorum_response::ReplicaState;
use kafka_protocol::messages::{
    AddRaftVoterRequest, DescribeClusterRequest, DescribeQuorumRequest, RemoveRaftVoterRequest,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::topics::topic_name;
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::{BrokerId, Offset};

/// The topic that holds the metadata; it has one partition.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// How long the controller may take for a change, in milliseconds; Java's `request.timeout.ms`.
const TIMEOUT_MS: i32 = 30_000;

/// The quorum as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    pub leader: BrokerId,
    pub leader_epoch: i32,
    pub high_watermark: Offset,
    pub voters: Vec<QuorumReplica>,
    pub observers: Vec<QuorumReplica>,
    /// The endpoints of the voters; empty before version 2 of the API.
    pub endpoints: BTreeMap<BrokerId, Vec<Endpoint>>,
}

/// One replica of the metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumReplica {
    pub id: BrokerId,
    /// The id of its log dir; zero in a static quorum.
    pub directory: Uuid,
    pub log_end_offset: Offset,
    /// When it last fetched, in milliseconds since 1970.
    pub last_fetch_ms: Option<i64>,
    /// When it was last caught up with the leader, in milliseconds since 1970.
    pub last_caught_up_ms: Option<i64>,
}

/// An endpoint of a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub listener: String,
    pub host: String,
    pub port: u16,
}

impl AdminClient {
    /// The quorum of the metadata's only partition. Any broker forwards the request to the leader; of the controllers
    /// only the leader answers.
    pub fn describe_quorum(&mut self) -> Result<Result<Quorum, ApiError>> {
        let topic = TopicData::default()
            .with_topic_name(topic_name(METADATA_TOPIC))
            .with_partitions(vec![PartitionData::default()]);
        let request = DescribeQuorumRequest::default().with_topics(vec![topic]);
        let answer = if self.asks_a_controller()? {
            self.send_to_controller(request)?
        } else {
            self.send(request)?
        };
        if let Some(refusal) = ApiError::of(answer.error_code, answer.error_message.as_deref()) {
            return Ok(Err(refusal));
        }
        let mut partitions = answer.topics.into_iter().flat_map(|topic| topic.partitions);
        let Some(partition) = partitions.next() else {
            return Ok(Err(ApiError {
                code: -1,
                message: None,
            }));
        };
        if let Some(refusal) = ApiError::of(partition.error_code, partition.error_message.as_deref()) {
            return Ok(Err(refusal));
        }
        let endpoints = answer.nodes.into_iter().map(|node| {
            let listeners = node.listeners.into_iter().map(|listener| Endpoint {
                listener: listener.name.to_string(),
                host: listener.host.to_string(),
                port: listener.port,
            });
            (node.node_id.0, listeners.collect())
        });
        Ok(Ok(Quorum {
            leader: partition.leader_id.0,
            leader_epoch: partition.leader_epoch,
            high_watermark: partition.high_watermark,
            voters: partition.current_voters.iter().map(replica).collect(),
            observers: partition.observers.iter().map(replica).collect(),
            endpoints: endpoints.collect(),
        }))
    }

    /// The cluster's id, from controllers with `asks_controllers`, else from brokers.
    pub fn cluster_id_of(&mut self, asks_controllers: bool) -> Result<String> {
        let endpoint_type = if asks_controllers { 2 } else { 1 };
        let answer = self.send_with(|version| {
            let request = DescribeClusterRequest::default();
            match version {
                ..=0 => request,
                1.. => request.with_endpoint_type(endpoint_type),
            }
        })?;
        ApiError::check(answer.error_code, answer.error_message.as_deref())?;
        Ok(answer.cluster_id.to_string())
    }

    /// Makes a controller a voter.
    pub fn add_voter(
        &mut self,
        id: BrokerId,
        directory: Uuid,
        endpoints: &[Endpoint],
    ) -> Result<Result<(), ApiError>> {
        let listeners = endpoints.iter().map(|endpoint| {
            Listener::default()
                .with_name(StrBytes::from_string(endpoint.listener.clone()))
                .with_host(StrBytes::from_string(endpoint.host.clone()))
                .with_port(endpoint.port)
        });
        let request = AddRaftVoterRequest::default()
            .with_cluster_id(None)
            .with_timeout_ms(TIMEOUT_MS)
            .with_voter_id(id)
            .with_voter_directory_id(directory)
            .with_listeners(listeners.collect());
        let answer = self.send_to_controller(request)?;
        Ok(ApiError::check(
            answer.error_code,
            answer.error_message.as_deref(),
        ))
    }

    /// Removes a voter from the quorum.
    pub fn remove_voter(&mut self, id: BrokerId, directory: Uuid) -> Result<Result<(), ApiError>> {
        let request = RemoveRaftVoterRequest::default()
            .with_cluster_id(None)
            .with_voter_id(id)
            .with_voter_directory_id(directory);
        let answer = self.send_to_controller(request)?;
        Ok(ApiError::check(
            answer.error_code,
            answer.error_message.as_deref(),
        ))
    }
}

fn replica(state: &ReplicaState) -> QuorumReplica {
    QuorumReplica {
        id: state.replica_id.0,
        directory: state.replica_directory_id,
        log_end_offset: state.log_end_offset,
        last_fetch_ms: Some(state.last_fetch_timestamp).filter(|at_ms| *at_ms >= 0),
        last_caught_up_ms: Some(state.last_caught_up_timestamp).filter(|at_ms| *at_ms >= 0),
    }
}
