//! Elections of partition leaders: `ElectLeaders` (v0–2).
//!
//! <https://kafka.apache.org/protocol#The_Messages_ElectLeaders>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::{ElectLeadersRequest, MetadataResponse};

use super::grouped::by_topic;
use super::reassignments::{shown_partition, topic_name};
use super::visibility::{Check, about, phrase};
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::TopicPartition;
use crate::wire::error_codes::ELECTION_NOT_NEEDED;

/// How long the controller may take, in milliseconds; Java's `request.timeout.ms`.
const TIMEOUT_MS: i32 = 30_000;

/// Which replica may become the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElectionType {
    /// The first replica, if it is in sync.
    Preferred,
    /// Any replica that is up, where there is no leader. Records that it lacks are lost.
    Unclean,
}

/// The outcome for each partition that took part.
pub type ElectionOutcomes = BTreeMap<TopicPartition, Result<(), ApiError>>;

/// The outcome of preferred leader elections.
#[derive(Debug, Default)]
pub struct Elections {
    /// Partitions that got another leader.
    pub elected: usize,
    /// Partitions whose preferred replica cannot lead now, and why.
    pub refused: BTreeMap<TopicPartition, ApiError>,
}

impl AdminClient {
    /// Requests an election in each of these partitions, or with `None` in all that need one. The brokers show the new
    /// leaders when this returns. A given partition that needs no election is refused with `ELECTION_NOT_NEEDED`; with
    /// `None` it is left out.
    pub fn elect_leaders(
        &mut self,
        election: ElectionType,
        partitions: Option<&BTreeSet<TopicPartition>>,
    ) -> Result<ElectionOutcomes> {
        let topics = partitions.map(|partitions| {
            let topics = by_topic(partitions.iter().map(|name| (name, name.partition)));
            let topics = topics.into_iter().map(|(topic, partitions)| {
                TopicPartitions::default()
                    .with_topic(topic_name(topic))
                    .with_partitions(partitions)
            });
            topics.collect::<Vec<_>>()
        });
        let request = ElectLeadersRequest::default()
            .with_topic_partitions(topics)
            .with_election_type(match election {
                ElectionType::Preferred => 0,
                ElectionType::Unclean => 1,
            })
            .with_timeout_ms(TIMEOUT_MS);
        let response = self.send_to_controller(request)?;
        ApiError::check(response.error_code, None::<String>)?;
        let mut outcomes = ElectionOutcomes::new();
        for topic in response.replica_election_results {
            for partition in topic.partition_result {
                let name = TopicPartition::new(topic.topic.0.as_str(), partition.partition_id);
                let outcome = ApiError::check(partition.error_code, partition.error_message.as_deref());
                outcomes.insert(name, outcome);
            }
        }
        let elected = outcomes.iter().filter(|(_, outcome)| outcome.is_ok());
        self.await_leaders(election, elected.map(|(name, _)| name.clone()).collect());
        Ok(outcomes)
    }

    /// Makes the first replica of each partition its leader, if it is in sync.
    pub fn elect_preferred_leaders(&mut self, partitions: &BTreeSet<TopicPartition>) -> Result<Elections> {
        let mut elections = Elections::default();
        for (name, outcome) in self.elect_leaders(ElectionType::Preferred, Some(partitions))? {
            match outcome {
                Ok(()) => elections.elected += 1,
                // The preferred replica is the leader already.
                Err(refusal) if refusal.code == ELECTION_NOT_NEEDED => {}
                Err(refusal) => drop(elections.refused.insert(name, refusal)),
            }
        }
        Ok(elections)
    }

    /// Waits until every broker shows a leader of these partitions, the first replica where that is the one elected.
    fn await_leaders(&mut self, election: ElectionType, elected: Vec<TopicPartition>) {
        if elected.is_empty() {
            return;
        }
        let names: BTreeSet<&str> = elected.iter().map(|name| name.topic.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let (request, what) = (about(&names), format!("the new leaders of {}", phrase(&names)));
        let check = move |answer: &MetadataResponse| {
            elected.iter().all(|name| {
                shown_partition(answer, name).is_none_or(|partition| match election {
                    ElectionType::Preferred => partition.replica_nodes.first() == Some(&partition.leader_id),
                    ElectionType::Unclean => partition.leader_id.0 >= 0,
                })
            })
        };
        let check: Check<MetadataResponse> = Arc::new(check);
        self.await_everywhere(&request, &check, &what);
    }
}
