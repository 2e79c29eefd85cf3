//! Gates of committed offsets: reading, committing, deleting.

use bytes::{Bytes, BytesMut};
use kafka_protocol::ResponseError::{
    self, GroupAuthorizationFailed as GroupRefused, TopicAuthorizationFailed as TopicRefused,
};
use kafka_protocol::messages::offset_commit_request::OffsetCommitRequestTopic;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopics;
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse, OffsetFetchRequest,
    OffsetFetchResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::{Asks, Gated, Passage, passed_then, split};
use crate::broker::access::AclOperation::{self, Delete, Describe, Read};

/// From this version on topics are named by ids, in newer fields of the request.
const BY_ID: i16 = 10;
const ID_LEN: usize = 16;

/// The ids of a request's topics, in their order.
struct Ids {
    rest: Bytes,
    kept: BytesMut,
}

impl Ids {
    fn of(asks: &Asks<'_>) -> Self {
        Self {
            rest: asks.context.newer_fields.clone(),
            kept: BytesMut::new(),
        }
    }

    /// Splits topics into those with which the client may do this, and the others with their ids.
    fn split<T>(
        &mut self,
        asks: &Asks<'_>,
        operation: AclOperation,
        topics: Vec<T>,
        name: impl Fn(&T) -> &TopicName,
    ) -> (Vec<T>, Vec<(Uuid, T)>) {
        let rights = asks.rights();
        let (mut allowed, mut refused) = (Vec::new(), Vec::new());
        for topic in topics {
            let bytes = self.rest.split_to(self.rest.len().min(ID_LEN));
            let id = Uuid::from_slice(&bytes).unwrap_or_default();
            let may = if asks.context.version < BY_ID {
                rights.may_topic(operation, name(&topic))
            } else {
                let known = asks.image.topic_by_id(id);
                known.is_none_or(|known| rights.may_topic(operation, &known.name))
            };
            if may {
                self.kept.extend_from_slice(&bytes);
                allowed.push(topic);
            } else {
                refused.push((id, topic));
            }
        }
        (allowed, refused)
    }

    /// Keeps only the ids of allowed topics in the request.
    fn keep(self, asks: &mut Asks<'_>) {
        if asks.context.version >= BY_ID {
            asks.context.newer_fields = self.kept.freeze();
        }
    }
}

impl Gated for OffsetCommitRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let topics = std::mem::take(&mut self.topics);
        let mut ids = Ids::of(asks);
        if !asks.rights().may_group(Read, &self.group_id) {
            let (allowed, refused) = ids.split(asks, Read, topics, |topic| &topic.name);
            let id_less = allowed.into_iter().map(|topic| (Uuid::nil(), topic));
            let topics = id_less
                .chain(refused)
                .map(|(id, topic)| not_committed(id, topic, GroupRefused));
            return Passage::Refused(OffsetCommitResponse::default().with_topics(topics.collect()));
        }
        let (allowed, refused) = ids.split(asks, Read, topics, |topic| &topic.name);
        ids.keep(asks);
        self.topics = allowed;
        passed_then(self, move |answer| {
            let refused = refused.into_iter();
            answer
                .topics
                .extend(refused.map(|(id, topic)| not_committed(id, topic, TopicRefused)));
        })
    }
}

fn not_committed(
    id: Uuid,
    topic: OffsetCommitRequestTopic,
    error: ResponseError,
) -> OffsetCommitResponseTopic {
    let partitions = topic.partitions.into_iter().map(|partition| {
        OffsetCommitResponsePartition::default()
            .with_partition_index(partition.partition_index)
            .with_error_code(error.code())
    });
    OffsetCommitResponseTopic::default()
        .with_name(topic.name)
        .with_topic_id(id)
        .with_partitions(partitions.collect())
}

impl Gated for OffsetFetchRequest {
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        if asks.context.version < 8 {
            pass_one_group(self, asks)
        } else {
            pass_groups(self, asks)
        }
    }
}

fn pass_one_group(mut request: OffsetFetchRequest, asks: &mut Asks<'_>) -> Passage<OffsetFetchRequest> {
    let rights = asks.rights();
    if !rights.may_group(Describe, &request.group_id) {
        // Before version 2 only partitions have errors.
        let topics = request.topics.into_iter().flatten().map(|topic| {
            let partitions = topic.partition_indexes.into_iter();
            one_group_topic(topic.name, partitions, GroupRefused)
        });
        let is_old = asks.context.version < 2;
        let topics = if is_old { topics.collect() } else { Vec::new() };
        let response = OffsetFetchResponse::default().with_error_code(GroupRefused.code());
        return Passage::Refused(response.with_topics(topics));
    }
    let Some(topics) = request.topics.take() else {
        let later = asks.later();
        return passed_then(request, move |answer| {
            let rights = later.rights();
            answer
                .topics
                .retain(|topic| rights.may_topic(Describe, &topic.name));
        });
    };
    let (allowed, refused) = split(topics, |topic| rights.may_topic(Describe, &topic.name));
    request.topics = Some(allowed);
    passed_then(request, move |answer| {
        answer.topics.extend(
            refused
                .into_iter()
                .map(|topic| one_group_topic(topic.name, topic.partition_indexes.into_iter(), TopicRefused)),
        );
    })
}

fn pass_groups(mut request: OffsetFetchRequest, asks: &mut Asks<'_>) -> Passage<OffsetFetchRequest> {
    let mut ids = Ids::of(asks);
    let mut refused_groups = Vec::new();
    let mut refused_topics = Vec::new();
    for mut group in std::mem::take(&mut request.groups) {
        let topics = group.topics.take();
        if !asks.rights().may_group(Describe, &group.group_id) {
            // The ids of its topics are skipped.
            let mut others = Ids {
                rest: ids.rest.clone(),
                kept: BytesMut::new(),
            };
            others.split(asks, Describe, topics.unwrap_or_default(), |topic| &topic.name);
            ids.rest = others.rest;
            let refused = OffsetFetchResponseGroup::default().with_group_id(group.group_id);
            refused_groups.push(refused.with_error_code(GroupRefused.code()));
            continue;
        }
        let parted = topics.map(|topics| ids.split(asks, Describe, topics, |topic| &topic.name));
        let (allowed, refused) = parted.unzip();
        group.topics = allowed;
        refused_topics.push(refused);
        request.groups.push(group);
    }
    ids.keep(asks);
    let later = asks.later();
    passed_then(request, move |answer| {
        for (group, refused) in answer.groups.iter_mut().zip(refused_topics) {
            complete(group, refused, &later);
        }
        answer.groups.extend(refused_groups);
    })
}

/// Adds the errors for a group's refused topics; if all topics were requested, removes those that the client may not
/// describe.
fn complete(
    group: &mut OffsetFetchResponseGroup,
    refused: Option<Vec<(Uuid, OffsetFetchRequestTopics)>>,
    later: &super::Later,
) {
    let Some(refused) = refused else {
        let rights = later.rights();
        let may = |topic: &OffsetFetchResponseTopics| match later.image.topic_by_id(topic.topic_id) {
            Some(known) => rights.may_topic(Describe, &known.name),
            None => rights.may_topic(Describe, &topic.name),
        };
        group.topics.retain(may);
        return;
    };
    group.topics.extend(refused.into_iter().map(|(id, topic)| {
        let partitions = topic.partition_indexes.into_iter().map(|index| {
            OffsetFetchResponsePartitions::default()
                .with_partition_index(index)
                .with_committed_offset(-1)
                .with_metadata(Some(StrBytes::default()))
                .with_error_code(TopicRefused.code())
        });
        OffsetFetchResponseTopics::default()
            .with_name(topic.name)
            .with_topic_id(id)
            .with_partitions(partitions.collect())
    }));
}

fn one_group_topic(
    name: TopicName,
    partitions: impl Iterator<Item = i32>,
    error: ResponseError,
) -> OffsetFetchResponseTopic {
    let partitions = partitions.map(|index| {
        OffsetFetchResponsePartition::default()
            .with_partition_index(index)
            .with_committed_offset(-1)
            .with_metadata(Some(StrBytes::default()))
            .with_error_code(error.code())
    });
    OffsetFetchResponseTopic::default()
        .with_name(name)
        .with_partitions(partitions.collect())
}

impl Gated for OffsetDeleteRequest {
    fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
        let rights = asks.rights();
        if !rights.may_group(Delete, &self.group_id) {
            return Passage::Refused(OffsetDeleteResponse::default().with_error_code(GroupRefused.code()));
        }
        let (allowed, refused) = split(std::mem::take(&mut self.topics), |topic| {
            rights.may_topic(Read, &topic.name)
        });
        self.topics = allowed;
        passed_then(self, move |answer| {
            if answer.error_code != 0 {
                return;
            }
            answer.topics.extend(refused.into_iter().map(|topic| {
                let partitions = topic.partitions.into_iter().map(|partition| {
                    OffsetDeleteResponsePartition::default()
                        .with_partition_index(partition.partition_index)
                        .with_error_code(TopicRefused.code())
                });
                OffsetDeleteResponseTopic::default()
                    .with_name(topic.name)
                    .with_partitions(partitions.collect())
            }));
        })
    }
}
