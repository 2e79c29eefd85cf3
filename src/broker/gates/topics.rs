//! Gates of topics: describing, creating, extending and deleting them.

use std::collections::HashSet;

use kafka_protocol::ResponseError::TopicAuthorizationFailed as Refused;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::describe_topic_partitions_response::DescribeTopicPartitionsResponseTopic;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse, MetadataRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::{Asks, Gated, Passage, passed, passed_then, split, words};
use crate::broker::access::AclOperation::{Alter, Create, Delete, Describe, DescribeConfigs};
use crate::topic_partition::is_internal_topic;

impl Gated for MetadataRequest {
    /// If all topics are requested, those that the client may describe are shown. A topic that is named is refused,
    /// unless the request may create it.
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let version = asks.context.version;
        let wanted = self
            .topics
            .take()
            .filter(|topics| version > 0 || !topics.is_empty());
        let Some(wanted) = wanted else {
            let later = asks.later();
            return passed_then(self, move |answer| {
                let rights = later.rights();
                let name = |topic: &MetadataResponseTopic| topic.name.clone().unwrap_or_default();
                answer
                    .topics
                    .retain(|topic| rights.may_topic(Describe, &name(topic)));
            });
        };
        if wanted
            .iter()
            .any(|topic| topic.topic_id.is_nil() && topic.name.is_none())
        {
            self.topics = Some(wanted);
            return passed(self);
        }
        let by_id = wanted.iter().any(|topic| !topic.topic_id.is_nil());
        let may_create =
            asks.node.config.auto_create_topics && (version < 4 || self.allow_auto_topic_creation);
        let (allowed, refused) = split(wanted, |topic| may_see(asks, topic, by_id, may_create));
        let refused: Vec<_> = refused.into_iter().map(|topic| refuse(topic, by_id)).collect();
        // In version 0 an empty list means all topics: an illegal name takes its place.
        let is_none = allowed.is_empty() && version == 0;
        let none = MetadataRequestTopic::default().with_name(Some(TopicName::default()));
        self.topics = Some(if is_none { vec![none] } else { allowed });
        passed_then(self, move |answer| {
            if is_none {
                answer.topics.clear();
            }
            answer.topics.extend(refused);
        })
    }
}

fn may_see(asks: &Asks<'_>, topic: &MetadataRequestTopic, by_id: bool, may_create: bool) -> bool {
    let rights = asks.rights();
    if by_id {
        // An unknown id needs no permission: `UNKNOWN_TOPIC_ID` gives nothing away.
        let known = asks.image.topic_by_id(topic.topic_id);
        return known.is_none_or(|known| rights.may_topic(Describe, &known.name));
    }
    let name = topic.name.as_ref().map_or("", |name| name.as_str());
    let is_created = may_create && asks.image.topic(name).is_none();
    rights.may_topic(Describe, name)
        && (!is_created || rights.may_cluster(Create) || rights.may_topic(Create, name))
}

fn refuse(topic: MetadataRequestTopic, by_id: bool) -> MetadataResponseTopic {
    let refused = MetadataResponseTopic::default().with_error_code(Refused.code());
    if by_id {
        return refused.with_name(None).with_topic_id(topic.topic_id);
    }
    let is_internal = topic.name.as_deref().is_some_and(|name| is_internal_topic(name));
    refused.with_name(topic.name).with_is_internal(is_internal)
}

impl Gated for DescribeTopicPartitionsRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        if self.topics.is_empty() {
            let later = asks.later();
            return passed_then(self, move |answer| {
                let rights = later.rights();
                answer.topics.retain(|topic| {
                    let name = topic.name.as_ref().map_or("", |name| name.as_str());
                    rights.may_topic(Describe, name)
                });
            });
        }
        let rights = asks.rights();
        let (allowed, refused) = split(std::mem::take(&mut self.topics), |topic| {
            rights.may_topic(Describe, &topic.name)
        });
        let refused = refused.into_iter().map(|topic| {
            DescribeTopicPartitionsResponseTopic::default()
                .with_error_code(Refused.code())
                .with_name(Some(topic.name))
        });
        let refused: Vec<_> = refused.collect();
        if allowed.is_empty() {
            // An empty list would mean all topics.
            return Passage::Refused(DescribeTopicPartitionsResponse::default().with_topics(refused));
        }
        self.topics = allowed;
        passed_then(self, move |answer| answer.topics.extend(refused))
    }
}

impl Gated for CreateTopicsRequest {
    /// Create on the cluster allows to create any topic. The configs of a new topic need DescribeConfigs on it.
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let may_create_all = rights.may_cluster(Create);
        let (allowed, refused) = split(std::mem::take(&mut self.topics), |topic| {
            may_create_all || rights.may_topic(Create, &topic.name)
        });
        let hidden = allowed.iter().map(|topic| topic.name.clone());
        let hidden: HashSet<_> = hidden
            .filter(|name| !rights.may_topic(DescribeConfigs, name))
            .collect();
        self.topics = allowed;
        passed_then(self, move |answer| {
            for topic in &mut answer.topics {
                if topic.error_code == 0 && hidden.contains(&topic.name) {
                    topic.topic_config_error_code = Refused.code();
                    topic.num_partitions = -1;
                    topic.replication_factor = -1;
                    topic.configs = None;
                }
            }
            answer.topics.extend(refused.into_iter().map(|topic| {
                CreatableTopicResult::default()
                    .with_name(topic.name)
                    .with_error_code(Refused.code())
                    .with_error_message(Some(StrBytes::from_static_str("Authorization failed.")))
            }));
        })
    }
}

impl Gated for CreatePartitionsRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        let (allowed, refused) = split(std::mem::take(&mut self.topics), |topic| {
            rights.may_topic(Alter, &topic.name)
        });
        self.topics = allowed;
        passed_then(self, move |answer| {
            answer.results.extend(refused.into_iter().map(|topic| {
                CreatePartitionsTopicResult::default()
                    .with_name(topic.name)
                    .with_error_code(Refused.code())
                    .with_error_message(None)
            }));
        })
    }
}

/// A topic to delete, by name or by id.
struct Deleted {
    name: Option<TopicName>,
    id: Uuid,
}

impl Gated for DeleteTopicsRequest {
    /// The name of a topic that is named by id is shown to clients that may describe it.
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        if rights.may_cluster(Delete) {
            return passed(self);
        }
        // A client that may describe the topic learns that it does not exist.
        let may = |name: &str| {
            let is_missing = asks.image.topic(name).is_none();
            rights.may_topic(Describe, name) && (is_missing || rights.may_topic(Delete, name))
        };
        let name_of = |id| asks.image.topic_by_id(id).map(|topic| topic.name.as_str());
        let (names, mut refused) = (std::mem::take(&mut self.topic_names), Vec::new());
        let (names, others) = split(names, |name| may(name));
        refused.extend(others.into_iter().map(|name| Deleted {
            name: Some(name),
            id: Uuid::nil(),
        }));
        let (states, others) = split(std::mem::take(&mut self.topics), |state| match &state.name {
            Some(name) => may(name),
            None => name_of(state.topic_id).is_none_or(may),
        });
        refused.extend(others.into_iter().map(|state| {
            let found = name_of(state.topic_id).filter(|name| rights.may_topic(Describe, name));
            let found = found.map(|name| TopicName(name.to_owned().into()));
            Deleted {
                name: state.name.or(found),
                id: state.topic_id,
            }
        }));
        self.topic_names = names;
        self.topics = states;
        passed_then(self, move |answer| {
            answer.responses.extend(refused.into_iter().map(|topic| {
                DeletableTopicResult::default()
                    .with_name(topic.name)
                    .with_topic_id(topic.id)
                    .with_error_code(Refused.code())
                    .with_error_message(words(Refused))
            }));
        })
    }
}
