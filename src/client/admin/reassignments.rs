//! `AlterPartitionReassignments` (v0–1), `ListPartitionReassignments` (v0), and the replicas of every partition.
//!
//! <https://kafka.apache.org/protocol#The_Messages_AlterPartitionReassignments>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kafka_protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponsePartition;
use kafka_protocol::messages::{
    self, AlterPartitionReassignmentsRequest, ListPartitionReassignmentsRequest, MetadataRequest,
    MetadataResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::grouped::by_topic;
use super::topics::{TopicDescription, is_unsupported};
use super::visibility::{Check, about, phrase, topic_in};
use super::{AdminClient, ApiError};
use crate::error::{Kind, Result};
use crate::reassignment::active::{ActiveReassignment, ActiveReassignments};
use crate::topic_partition::{BrokerId, TopicPartition};
use crate::wire::WireError;
use crate::wire::error_codes::CLUSTER_AUTHORIZATION_FAILED;

/// How long the controller may take, in milliseconds; Java's `request.timeout.ms`.
const TIMEOUT_MS: i32 = 30_000;

/// The first version that can forbid a change of the replication factor (KIP-860).
const FORBIDS_FACTOR_CHANGE: i16 = 1;

/// The partitions of one topic by number: their replicas, the preferred leader first.
pub type TopicReplicas = BTreeMap<i32, Vec<BrokerId>>;

/// What to do with each partition: its new replicas, or `None` to cancel its reassignment.
pub type Reassignments = BTreeMap<TopicPartition, Option<Vec<BrokerId>>>;

impl AdminClient {
    /// Every reassignment in progress in the cluster.
    pub fn active_reassignments(&mut self) -> Result<ActiveReassignments> {
        let request = ListPartitionReassignmentsRequest::default()
            .with_timeout_ms(TIMEOUT_MS)
            .with_topics(None);
        let response = self.send_to_controller(request)?;
        ApiError::check(response.error_code, response.error_message.as_deref())?;
        let mut active = ActiveReassignments::new();
        for topic in response.topics {
            for partition in topic.partitions {
                let reassignment = ActiveReassignment {
                    replicas: broker_ids(&partition.replicas),
                    adding: broker_ids(&partition.adding_replicas),
                    removing: broker_ids(&partition.removing_replicas),
                };
                let name = TopicPartition::new(topic.name.0.as_str(), partition.partition_index);
                active.insert(name, reassignment);
            }
        }
        Ok(active)
    }

    /// [`AdminClient::active_reassignments`], but empty for a user without the right, for an old broker, and if the
    /// controller does not answer, which then counts as absent.
    pub fn known_reassignments(&mut self) -> Result<ActiveReassignments> {
        match self.active_reassignments() {
            Err(error) if is_unsupported(&error) => Ok(ActiveReassignments::new()),
            Err(error) if error.kind() == Kind::Unreachable => {
                let silence = error.cause::<WireError>().map(|cause| cause.bare().to_string());
                self.set_controller_absent(silence.unwrap_or_else(|| error.message()));
                Ok(ActiveReassignments::new())
            }
            Err(error) => match error.cause::<ApiError>() {
                Some(refusal) if refusal.code == CLUSTER_AUTHORIZATION_FAILED => {
                    Ok(ActiveReassignments::new())
                }
                _ => Err(error),
            },
            found => found,
        }
    }

    /// The reassignments of these topics' partitions. A replica that is being added is not in sync, so that the
    /// controller is asked only if some replica is not in sync.
    pub fn reassignments_of(&mut self, topics: &[TopicDescription]) -> Result<ActiveReassignments> {
        let mut partitions = topics.iter().flat_map(|topic| &topic.partitions);
        if partitions.all(|partition| partition.in_sync.len() >= partition.replicas.len()) {
            return Ok(ActiveReassignments::new());
        }
        let names: BTreeSet<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
        let mut active = self.known_reassignments()?;
        active.retain(|partition, _| names.contains(partition.topic.as_str()));
        Ok(active)
    }

    /// Starts, changes or cancels reassignments; returns the partitions that were refused.
    ///
    /// Without `allow_factor_change` a partition whose replica count would change is refused; brokers before 4.1
    /// cannot refuse, and make the change.
    pub fn alter_reassignments(
        &mut self,
        reassignments: &Reassignments,
        allow_factor_change: bool,
    ) -> Result<BTreeMap<TopicPartition, ApiError>> {
        // A cancelled partition goes back to its former replicas, which only the reassignment states.
        let moves = if reassignments.values().any(Option::is_none) {
            self.active_reassignments()?
        } else {
            ActiveReassignments::new()
        };
        let topics = by_topic(reassignments.iter().map(|(topic_partition, replicas)| {
            let replicas = replicas
                .as_ref()
                .map(|brokers| brokers.iter().copied().map(messages::BrokerId).collect());
            let partition = ReassignablePartition::default()
                .with_partition_index(topic_partition.partition)
                .with_replicas(replicas);
            (topic_partition, partition)
        }));
        let topics: Vec<ReassignableTopic> = topics
            .into_iter()
            .map(|(topic, partitions)| {
                ReassignableTopic::default()
                    .with_name(topic_name(topic))
                    .with_partitions(partitions)
            })
            .collect();
        let response = self.send_to_controller_with(|version| {
            AlterPartitionReassignmentsRequest::default()
                .with_timeout_ms(TIMEOUT_MS)
                .with_topics(topics.clone())
                .with_allow_replication_factor_change(allow_factor_change || version < FORBIDS_FACTOR_CHANGE)
        })?;
        if let Some(error) = ApiError::of(response.error_code, response.error_message.as_deref()) {
            let every = reassignments.keys().map(|name| (name.clone(), error.clone()));
            return Ok(every.collect());
        }
        let mut refused = BTreeMap::new();
        for topic in response.responses {
            for partition in topic.partitions {
                if let Some(error) = ApiError::of(partition.error_code, partition.error_message.as_deref()) {
                    refused.insert(
                        TopicPartition::new(topic.name.0.as_str(), partition.partition_index),
                        error,
                    );
                }
            }
        }
        let accepted = reassignments
            .iter()
            .filter(|(name, _)| !refused.contains_key(name));
        let ends = accepted.filter_map(|(name, target)| match target {
            Some(target) => Some((name.clone(), target.clone())),
            None => Some((name.clone(), moves.get(name)?.sources())),
        });
        self.await_replicas(ends.collect());
        Ok(refused)
    }

    /// Waits until every broker shows these partitions moving to these replicas, or moved.
    fn await_replicas(&mut self, ends: BTreeMap<TopicPartition, Vec<BrokerId>>) {
        if ends.is_empty() {
            return;
        }
        // A user who may change replicas may also list reassignments; without an answer there is nothing to wait
        // for.
        let Ok(active) = self.active_reassignments() else {
            return;
        };
        let names: BTreeSet<&str> = ends.keys().map(|name| name.topic.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let (request, what) = (about(&names), format!("the new replicas of {}", phrase(&names)));
        let check = move |answer: &MetadataResponse| {
            ends.iter().all(|(name, end)| {
                let shown = shown_replicas(answer, name);
                // A topic that was deleted meanwhile, or that the user may not see, is not waited for.
                shown.is_none_or(|shown| {
                    shown == *end
                        || active
                            .get(name)
                            .is_some_and(|active| is_same_set(&shown, &active.replicas))
                })
            })
        };
        let check: Check<MetadataResponse> = Arc::new(check);
        self.await_everywhere(&request, &check, &what);
    }

    /// The replicas of some topics, or of all; each topic has its own outcome.
    pub fn topic_replicas<'a>(
        &mut self,
        topics: Option<impl IntoIterator<Item = &'a str>>,
    ) -> Result<BTreeMap<String, Result<TopicReplicas, ApiError>>> {
        let named = |topic: &str| MetadataRequestTopic::default().with_name(Some(topic_name(topic)));
        let request = MetadataRequest::default()
            .with_topics(topics.map(|topics| topics.into_iter().map(named).collect()))
            .with_allow_auto_topic_creation(false);
        let response = self.send(request)?;
        let mut answers = BTreeMap::new();
        for topic in response.topics {
            let Some(name) = topic.name else { continue };
            let replicas = topic
                .partitions
                .into_iter()
                .map(|partition| (partition.partition_index, broker_ids(&partition.replica_nodes)));
            let answer = ApiError::check(topic.error_code, None::<String>).map(|()| replicas.collect());
            answers.insert(name.0.to_string(), answer);
        }
        Ok(answers)
    }
}

pub(super) fn shown_partition<'a>(
    answer: &'a MetadataResponse,
    name: &TopicPartition,
) -> Option<&'a MetadataResponsePartition> {
    let partitions = &topic_in(answer, &name.topic)?.partitions;
    partitions
        .iter()
        .find(|partition| partition.partition_index == name.partition)
}

fn shown_replicas(answer: &MetadataResponse, name: &TopicPartition) -> Option<Vec<BrokerId>> {
    shown_partition(answer, name).map(|partition| broker_ids(&partition.replica_nodes))
}

fn is_same_set(one: &[BrokerId], other: &[BrokerId]) -> bool {
    one.iter().collect::<BTreeSet<_>>() == other.iter().collect::<BTreeSet<_>>()
}

pub(super) fn topic_name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

fn broker_ids(brokers: &[messages::BrokerId]) -> Vec<BrokerId> {
    brokers.iter().map(|broker| broker.0).collect()
}
