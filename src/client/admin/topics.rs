//! Topics: list and describe (Metadata, `DescribeTopicPartitions`), create, grow, delete.
//!
//! <https://kafka.apache.org/protocol#The_Messages_Metadata>

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{
    self, CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse, MetadataRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::{AdminClient, ApiError, visibility};
use crate::error::{Error, Result};
use crate::topic_partition::BrokerId;
use crate::wire::WireError;
use crate::wire::error_codes;

/// How long the controller may take, in milliseconds; Java's `request.timeout.ms`.
const TIMEOUT_MS: i32 = 30_000;

/// Partitions in one answer of `DescribeTopicPartitions` by default, as in Java.
pub const PARTITIONS_PER_ANSWER: i32 = 2000;

/// The first version of Metadata that can ask for missing topics without creating them.
const NAMES_WITHOUT_CREATION: i16 = 4;

/// The first version that names a topic by its id.
const DELETE_WITH_TOPIC_STATES: i16 = 6;

/// A topic as the cluster describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDescription {
    pub name: String,
    /// All zeroes where the broker is too old to have ids.
    pub id: Uuid,
    /// Whether it is internal to Kafka (`__consumer_offsets`, …).
    pub is_internal: bool,
    /// By number.
    pub partitions: Vec<PartitionDescription>,
}

/// A partition as the cluster describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionDescription {
    pub partition: i32,
    pub leader: Option<BrokerId>,
    /// The preferred leader first.
    pub replicas: Vec<BrokerId>,
    pub in_sync: Vec<BrokerId>,
    /// Replicas on brokers or log dirs that are not up.
    pub offline: Vec<BrokerId>,
    /// The ELR (KIP-966); `None` if the broker does not state it.
    pub eligible_leaders: Option<Vec<BrokerId>>,
    pub last_known_eligible_leaders: Option<Vec<BrokerId>>,
}

/// A topic to be created; `None` leaves a count to the broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTopic {
    pub name: String,
    pub partitions: Option<i32>,
    pub replication_factor: Option<i16>,
    /// The replicas of each partition, from 0; both counts are then `None`.
    pub assignment: Option<Vec<Vec<BrokerId>>>,
    pub configs: Vec<(String, String)>,
}

/// A topic that gets more partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPartitions {
    pub topic: String,
    /// The new total number of partitions.
    pub count: i32,
    /// The replicas of the new partitions, in order.
    pub assignment: Option<Vec<Vec<BrokerId>>>,
}

/// The outcome for each topic of a request, in the order of the answer.
pub type TopicOutcomes = Vec<(String, Result<(), ApiError>)>;

impl TopicDescription {
    /// Kafka's way of writing an id: base64 for URLs, 22 characters.
    pub fn id_text(&self) -> String {
        topic_id_text(self.id)
    }
}

/// Kafka's way of writing an id: base64 for URLs, 22 characters.
pub fn topic_id_text(id: Uuid) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(id.as_bytes())
}

impl AdminClient {
    /// Every topic that the user is authorised to describe, by name, from one Metadata answer (so without ELR fields).
    pub fn all_topics(&mut self) -> Result<Vec<TopicDescription>> {
        self.topics_in(None)
    }

    /// Those of these topics that exist and that the user is authorised to describe, by name, likewise: in a large
    /// cluster a small part of an answer with all topics.
    pub fn topics_named<'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<TopicDescription>> {
        let names: BTreeSet<&str> = names.into_iter().collect();
        // Older brokers create the topics that they are asked for.
        if self.version_of::<MetadataRequest>()? < NAMES_WITHOUT_CREATION {
            let mut topics = self.all_topics()?;
            topics.retain(|topic| names.contains(topic.name.as_str()));
            return Ok(topics);
        }
        let wanted = |name: &str| MetadataRequestTopic::default().with_name(Some(topic_name(name)));
        self.topics_in(Some(&names.into_iter().map(wanted).collect::<Vec<_>>()))
    }

    /// Whether the user may not describe a topic, which is then in no list. Brokers that would create it are not asked.
    pub fn is_hidden(&mut self, name: &str) -> Result<bool> {
        if self.version_of::<MetadataRequest>()? < NAMES_WITHOUT_CREATION {
            return Ok(false);
        }
        let answer = self.send_with(|_| visibility::about(&[name]))?;
        let mut topics = answer.topics.iter();
        Ok(topics.any(|topic| topic.error_code == error_codes::TOPIC_AUTHORIZATION_FAILED))
    }

    /// The topics of one Metadata answer about these topics, or about all.
    fn topics_in(&mut self, wanted: Option<&[MetadataRequestTopic]>) -> Result<Vec<TopicDescription>> {
        let answer = self.send_with(|version| {
            MetadataRequest::default()
                .with_topics(wanted.map(<[_]>::to_vec))
                .with_allow_auto_topic_creation(version < NAMES_WITHOUT_CREATION)
        })?;
        ApiError::check(answer.error_code, None::<String>)?;
        // The same answer names the brokers: the next call that needs them does not ask the cluster.
        self.learn(&answer);
        let mut topics: Vec<TopicDescription> = answer
            .topics
            .into_iter()
            .filter(|topic| topic.error_code == 0)
            .filter_map(from_metadata)
            .collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    /// Some topics by name, each with its own outcome, in the order of `names`. With `DescribeTopicPartitions` if the
    /// broker has it, with at most `limit` partitions in an answer; else with Metadata.
    pub fn describe_topics(
        &mut self,
        names: &[String],
        limit: i32,
    ) -> Result<Vec<(String, Result<TopicDescription, ApiError>)>> {
        let mut found = match self.version_of::<DescribeTopicPartitionsRequest>() {
            Ok(_) => self.described_in_pages(names, limit)?,
            Err(error) if is_unsupported(&error) => self.described_by_metadata(names)?,
            Err(error) => return Err(error),
        };
        let missing = || ApiError {
            code: error_codes::UNKNOWN_TOPIC_OR_PARTITION,
            message: None,
        };
        let answer = |name: &String| (name.clone(), found.remove(name).unwrap_or_else(|| Err(missing())));
        Ok(names.iter().map(answer).collect())
    }

    /// One topic by its id, with Metadata.
    pub fn describe_topic_by_id(&mut self, id: Uuid) -> Result<Result<TopicDescription, ApiError>> {
        let wanted = MetadataRequestTopic::default().with_topic_id(id).with_name(None);
        let answer = self.send_with(|_| {
            MetadataRequest::default()
                .with_topics(Some(vec![wanted.clone()]))
                .with_allow_auto_topic_creation(false)
        })?;
        ApiError::check(answer.error_code, None::<String>)?;
        let unknown = ApiError {
            code: error_codes::UNKNOWN_TOPIC_ID,
            message: None,
        };
        let Some(topic) = answer.topics.into_iter().next() else {
            return Ok(Err(unknown));
        };
        if let Some(error) = ApiError::of(topic.error_code, None::<String>) {
            return Ok(Err(error));
        }
        Ok(from_metadata(topic).ok_or(unknown))
    }

    /// Creates topics, or with `validate_only` only checks whether it could. Many topics take several requests; an
    /// error states how many topics were answered before it.
    pub fn create_topics(&mut self, topics: &[NewTopic], validate_only: bool) -> Result<TopicOutcomes> {
        let records = |topic: &NewTopic| {
            let assigned = topic.assignment.as_ref().map(Vec::len);
            let partitions = assigned.or_else(|| usize::try_from(topic.partitions?).ok());
            1 + partitions.unwrap_or(1) + topic.configs.len()
        };
        self.in_parts(topics, records, |admin, part| {
            admin.create_some_topics(part, validate_only)
        })
    }

    fn create_some_topics(&mut self, topics: &[NewTopic], validate_only: bool) -> Result<TopicOutcomes> {
        let topics: Vec<CreatableTopic> = topics.iter().map(creatable).collect();
        let answer = self.send_to_controller_with(|_| {
            CreateTopicsRequest::default()
                .with_topics(topics.clone())
                .with_timeout_ms(TIMEOUT_MS)
                .with_validate_only(validate_only)
        })?;
        let created = answer.topics.iter().filter(|topic| topic.error_code == 0);
        // Older brokers do not return the number of partitions.
        let created = created.map(|topic| {
            (
                topic.name.to_string(),
                usize::try_from(topic.num_partitions).unwrap_or(1),
            )
        });
        let created: Vec<(String, usize)> = created.collect();
        if !validate_only && !created.is_empty() {
            self.await_partitions(created);
        }
        let topics = answer.topics.into_iter();
        Ok(topics
            .map(|topic| outcome(Some(topic.name), topic.error_code, topic.error_message.as_deref()))
            .collect())
    }

    /// Adds partitions to topics, or with `validate_only` only checks whether it could. Many topics take several
    /// requests.
    pub fn create_partitions(
        &mut self,
        topics: &[NewPartitions],
        validate_only: bool,
    ) -> Result<TopicOutcomes> {
        let records = |topic: &NewPartitions| usize::try_from(topic.count).unwrap_or(1);
        self.in_parts(topics, records, |admin, part| {
            admin.create_some_partitions(part, validate_only)
        })
    }

    fn create_some_partitions(
        &mut self,
        topics: &[NewPartitions],
        validate_only: bool,
    ) -> Result<TopicOutcomes> {
        let counts = topics.iter().map(|topic| (topic.topic.as_str(), topic.count));
        let counts: BTreeMap<&str, i32> = counts.collect();
        let topics: Vec<CreatePartitionsTopic> = topics
            .iter()
            .map(|topic| {
                let assignments = topic.assignment.as_ref().map(|partitions| {
                    let assignment = |replicas: &Vec<BrokerId>| {
                        CreatePartitionsAssignment::default().with_broker_ids(broker_ids(replicas))
                    };
                    partitions.iter().map(assignment).collect()
                });
                CreatePartitionsTopic::default()
                    .with_name(topic_name(&topic.topic))
                    .with_count(topic.count)
                    .with_assignments(assignments)
            })
            .collect();
        let answer = self.send_to_controller_with(|_| {
            CreatePartitionsRequest::default()
                .with_topics(topics.clone())
                .with_timeout_ms(TIMEOUT_MS)
                .with_validate_only(validate_only)
        })?;
        let grown = answer.results.iter().filter(|topic| topic.error_code == 0);
        let grown = grown.map(|topic| {
            let count = counts.get(topic.name.as_str()).copied().unwrap_or(1);
            (topic.name.to_string(), usize::try_from(count).unwrap_or(1))
        });
        let grown: Vec<(String, usize)> = grown.collect();
        if !validate_only && !grown.is_empty() {
            self.await_partitions(grown);
        }
        let topics = answer.results.into_iter();
        Ok(topics
            .map(|topic| outcome(Some(topic.name), topic.error_code, topic.error_message.as_deref()))
            .collect())
    }

    /// Deletes topics with all their records. Many topics take several requests.
    pub fn delete_topics(&mut self, names: &[String]) -> Result<TopicOutcomes> {
        self.in_parts(names, |_| 1, Self::delete_some_topics)
    }

    fn delete_some_topics(&mut self, names: &[String]) -> Result<TopicOutcomes> {
        let answer = self.send_to_controller_with(|version| {
            let request = DeleteTopicsRequest::default().with_timeout_ms(TIMEOUT_MS);
            if version >= DELETE_WITH_TOPIC_STATES {
                let state = |name: &String| DeleteTopicState::default().with_name(Some(topic_name(name)));
                request.with_topics(names.iter().map(state).collect())
            } else {
                request.with_topic_names(names.iter().map(|name| topic_name(name)).collect())
            }
        })?;
        let gone = answer.responses.iter().filter(|topic| topic.error_code == 0);
        let gone: Vec<String> = gone
            .filter_map(|topic| Some(topic.name.as_ref()?.to_string()))
            .collect();
        if !gone.is_empty() {
            self.await_absence(gone);
        }
        let topics = answer.responses.into_iter();
        Ok(topics
            .map(|topic| outcome(topic.name, topic.error_code, topic.error_message.as_deref()))
            .collect())
    }

    fn described_in_pages(
        &mut self,
        names: &[String],
        limit: i32,
    ) -> Result<BTreeMap<String, Result<TopicDescription, ApiError>>> {
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort();
        let mut found = BTreeMap::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            let topics: Vec<TopicRequest> = sorted
                .iter()
                .filter(|name| {
                    cursor
                        .as_ref()
                        .is_none_or(|cursor| name.as_str() >= cursor.topic_name.as_str())
                })
                .map(|name| TopicRequest::default().with_name(topic_name(name)))
                .collect();
            let answer = self.send_with(|_| {
                DescribeTopicPartitionsRequest::default()
                    .with_topics(topics.clone())
                    .with_response_partition_limit(limit)
                    .with_cursor(cursor.clone())
            })?;
            let next = answer.next_cursor.clone().map(|next| {
                Cursor::default()
                    .with_topic_name(next.topic_name)
                    .with_partition_index(next.partition_index)
            });
            take_page(answer, &mut found);
            // A broker whose cursor does not advance would be asked for ever.
            if next.is_none() || next == cursor {
                return Ok(found);
            }
            cursor = next;
        }
    }

    fn described_by_metadata(
        &mut self,
        names: &[String],
    ) -> Result<BTreeMap<String, Result<TopicDescription, ApiError>>> {
        let wanted = |name: &String| MetadataRequestTopic::default().with_name(Some(topic_name(name)));
        let topics: Vec<MetadataRequestTopic> = names.iter().map(wanted).collect();
        let answer = self.send_with(|_| {
            MetadataRequest::default()
                .with_topics(Some(topics.clone()))
                .with_allow_auto_topic_creation(false)
        })?;
        ApiError::check(answer.error_code, None::<String>)?;
        let mut found = BTreeMap::new();
        for topic in answer.topics {
            let error = ApiError::of(topic.error_code, None::<String>);
            let Some(description) = from_metadata(topic) else {
                continue;
            };
            found.insert(description.name.clone(), error.map_or(Ok(description), Err));
        }
        Ok(found)
    }
}

/// Whether the broker has no such API, or no version of it that we know.
pub fn is_unsupported(error: &Error) -> bool {
    error
        .cause::<WireError>()
        .is_some_and(|error| matches!(error.bare(), WireError::Unsupported(_)))
}

/// The partitions of one topic may come in several pages.
fn take_page(
    answer: DescribeTopicPartitionsResponse,
    found: &mut BTreeMap<String, Result<TopicDescription, ApiError>>,
) {
    for topic in answer.topics {
        let Some(name) = topic.name.map(|name| name.to_string()) else {
            continue;
        };
        let partitions = topic
            .partitions
            .into_iter()
            .map(|partition| PartitionDescription {
                partition: partition.partition_index,
                leader: leader(partition.leader_id),
                replicas: plain_ids(&partition.replica_nodes),
                in_sync: plain_ids(&partition.isr_nodes),
                offline: plain_ids(&partition.offline_replicas),
                eligible_leaders: partition.eligible_leader_replicas.as_deref().map(plain_ids),
                last_known_eligible_leaders: partition.last_known_elr.as_deref().map(plain_ids),
            });
        if let Some(error) = ApiError::of(topic.error_code, None::<String>) {
            found.insert(name, Err(error));
            continue;
        }
        let entry = found.entry(name.clone()).or_insert_with(|| {
            Ok(TopicDescription {
                name,
                id: topic.topic_id,
                is_internal: topic.is_internal,
                partitions: Vec::new(),
            })
        });
        if let Ok(description) = entry {
            description.partitions.extend(partitions);
            description
                .partitions
                .sort_by_key(|partition| partition.partition);
            description
                .partitions
                .dedup_by_key(|partition| partition.partition);
        }
    }
}

fn from_metadata(topic: MetadataResponseTopic) -> Option<TopicDescription> {
    let mut partitions: Vec<PartitionDescription> = topic
        .partitions
        .into_iter()
        .map(|partition| PartitionDescription {
            partition: partition.partition_index,
            leader: leader(partition.leader_id),
            replicas: own_ids(partition.replica_nodes),
            in_sync: own_ids(partition.isr_nodes),
            offline: own_ids(partition.offline_replicas),
            eligible_leaders: None,
            last_known_eligible_leaders: None,
        })
        .collect();
    partitions.sort_by_key(|partition| partition.partition);
    Some(TopicDescription {
        name: topic.name?.to_string(),
        id: topic.topic_id,
        is_internal: topic.is_internal,
        partitions,
    })
}

/// A topic's part of an answer.
fn outcome(
    name: Option<messages::TopicName>,
    error_code: i16,
    message: Option<&str>,
) -> (String, Result<(), ApiError>) {
    let name = name.map(|name| name.to_string()).unwrap_or_default();
    (name, ApiError::check(error_code, message))
}

fn creatable(topic: &NewTopic) -> CreatableTopic {
    let assignment = |(partition, replicas): (i32, &Vec<BrokerId>)| {
        CreatableReplicaAssignment::default()
            .with_partition_index(partition)
            .with_broker_ids(broker_ids(replicas))
    };
    let config = |(name, value): &(String, String)| {
        CreatableTopicConfig::default()
            .with_name(StrBytes::from_string(name.clone()))
            .with_value(Some(StrBytes::from_string(value.clone())))
    };
    let assignments = topic.assignment.iter().flatten();
    CreatableTopic::default()
        .with_name(topic_name(&topic.name))
        .with_num_partitions(topic.partitions.unwrap_or(-1))
        .with_replication_factor(topic.replication_factor.unwrap_or(-1))
        .with_assignments((0..).zip(assignments).map(assignment).collect())
        .with_configs(topic.configs.iter().map(config).collect())
}

pub(super) fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

fn broker_ids(ids: &[BrokerId]) -> Vec<messages::BrokerId> {
    ids.iter().copied().map(messages::BrokerId).collect()
}

fn plain_ids(ids: &[messages::BrokerId]) -> Vec<BrokerId> {
    ids.iter().map(|id| id.0).collect()
}

/// Converts ids in place, in the same memory.
fn own_ids(ids: Vec<messages::BrokerId>) -> Vec<BrokerId> {
    ids.into_iter().map(|id| id.0).collect()
}

fn leader(id: messages::BrokerId) -> Option<BrokerId> {
    (id.0 >= 0).then_some(id.0)
}
