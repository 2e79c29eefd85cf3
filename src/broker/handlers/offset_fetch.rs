//! OffsetFetch, versions 1–10: the committed offsets of a group.
//!
//! - Without a committed offset the answer is -1 and no error, also for a group that does not exist.
//! - v2: null topics mean all of them. v8: many groups at once.
//! - v7 `require_stable`: `UNSTABLE_OFFSET_COMMIT` for an offset that is pending in an open transaction (KIP-447).
//! - v9: a member of a group of the consumer protocol sends its epoch (KIP-848). v10 names topics by their ids.
//!
//! <https://kafka.apache.org/protocol#The_Messages_OffsetFetch>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{OffsetFetchRequest, OffsetFetchResponse, TopicName};

use super::text;
use super::topic_ids::{TopicIds, name_topics};
use crate::broker::call::RequestContext;
use crate::broker::coordinator::group::offsets::GroupOffsets;
use crate::broker::coordinator::group::stored_records::StoredOffset;
use crate::broker::node::Node;

/// A partition of the request, and the group's committed offset for it.
type Answer = (i32, Result<Option<StoredOffset>, ResponseError>);

/// From this version on topics are named by their ids.
const BY_ID: i16 = 10;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    let response = OffsetFetchResponse::default();
    let require_stable = request.require_stable;
    if context.version < 8 {
        if let Err(error) = node.groups.check_owner(&request.group_id) {
            return response.with_error_code(error.code());
        }
        let asked = request.topics.map(|topics| {
            let topics = topics
                .into_iter()
                .map(|topic| (topic.name, topic.partition_indexes));
            topics.collect()
        });
        let answers = node.groups.committed(&request.group_id, |offsets| {
            look_up(offsets, asked, require_stable)
        });
        return response.with_topics(
            answers
                .into_iter()
                .map(|(name, answers)| topic(name, answers))
                .collect(),
        );
    }
    let mut request = request;
    let ids = (context.version >= BY_ID).then(|| {
        let topics = request.groups.iter_mut().flat_map(|group| &mut group.topics);
        let names = topics.flatten().map(|topic| &mut topic.name);
        name_topics(node, &context.newer_fields, names)
    });
    let groups = request.groups.into_iter().map(|group| {
        let asked = group.topics.map(|topics| {
            let topics = topics
                .into_iter()
                .map(|topic| (topic.name, topic.partition_indexes));
            topics.collect()
        });
        let member_id = group.member_id.as_deref();
        let checked = node
            .groups
            .check_offset_fetch(&group.group_id, member_id, group.member_epoch);
        if let Err(error) = checked {
            return OffsetFetchResponseGroup::default()
                .with_group_id(group.group_id)
                .with_error_code(error.code());
        }
        let answers = node
            .groups
            .committed(&group.group_id, |offsets| look_up(offsets, asked, require_stable));
        let topics = answers
            .into_iter()
            .map(|(name, answers)| topic_of_group(name, answers));
        let topics: Vec<_> = match &ids {
            None => topics.collect(),
            Some(ids) => by_id(node, ids, topics),
        };
        OffsetFetchResponseGroup::default()
            .with_group_id(group.group_id)
            .with_topics(topics)
    });
    response.with_groups(groups.collect())
}

/// Replaces the names of topics by their ids; topics that do not exist come last, and are left out if everything was
/// asked for.
fn by_id(
    node: &Node,
    ids: &TopicIds,
    topics: impl Iterator<Item = OffsetFetchResponseTopics>,
) -> Vec<OffsetFetchResponseTopics> {
    let image = node.cluster.image();
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for mut topic in topics {
        let name = std::mem::take(&mut topic.name);
        let exists = image.topic(&name).map(|topic| topic.id);
        match (exists, ids.get(&name)) {
            (Some(id), _) => found.push(topic.with_topic_id(id)),
            (None, Some(asked)) => {
                for partition in &mut topic.partitions {
                    partition.error_code = ResponseError::UnknownTopicId.code();
                }
                unknown.push(topic.with_topic_id(asked.id));
            }
            (None, None) => {}
        }
    }
    found.append(&mut unknown);
    found
}

/// The committed offsets of the wanted partitions, or of all; `None` for a partition without one.
fn look_up(
    offsets: Option<&GroupOffsets>,
    asked: Option<Vec<(TopicName, Vec<i32>)>>,
    require_stable: bool,
) -> Vec<(TopicName, Vec<Answer>)> {
    let found = |topic: &str, index: i32| {
        let Some(offsets) = offsets else {
            return Ok(None);
        };
        if require_stable && offsets.is_pending(topic, index) {
            return Err(ResponseError::UnstableOffsetCommit);
        }
        Ok(offsets.get(topic, index).cloned())
    };
    let Some(asked) = asked else {
        let all = offsets
            .into_iter()
            .flat_map(GroupOffsets::topics)
            .map(|(name, partitions)| {
                let answers = partitions.map(|(index, _)| (index, found(name, index)));
                (TopicName(text(name)), answers.collect())
            });
        return all.collect();
    };
    let answers = asked.into_iter().map(|(name, partitions)| {
        let answers = partitions
            .into_iter()
            .map(|index| (index, found(&name, index)))
            .collect();
        (name.clone(), answers)
    });
    answers.collect()
}

fn topic(name: TopicName, answers: Vec<Answer>) -> OffsetFetchResponseTopic {
    let partitions = answers.into_iter().map(|(index, offset)| {
        let (code, (offset, leader_epoch, metadata)) = match offset {
            Ok(offset) => (0, committed(offset)),
            Err(error) => (error.code(), committed(None)),
        };
        OffsetFetchResponsePartition::default()
            .with_partition_index(index)
            .with_committed_offset(offset)
            .with_committed_leader_epoch(leader_epoch)
            .with_metadata(Some(text(metadata)))
            .with_error_code(code)
    });
    OffsetFetchResponseTopic::default()
        .with_name(name)
        .with_partitions(partitions.collect())
}

fn topic_of_group(name: TopicName, answers: Vec<Answer>) -> OffsetFetchResponseTopics {
    let partitions = answers.into_iter().map(|(index, offset)| {
        let (code, (offset, leader_epoch, metadata)) = match offset {
            Ok(offset) => (0, committed(offset)),
            Err(error) => (error.code(), committed(None)),
        };
        OffsetFetchResponsePartitions::default()
            .with_partition_index(index)
            .with_committed_offset(offset)
            .with_committed_leader_epoch(leader_epoch)
            .with_metadata(Some(text(metadata)))
            .with_error_code(code)
    });
    OffsetFetchResponseTopics::default()
        .with_name(name)
        .with_partitions(partitions.collect())
}

fn committed(offset: Option<StoredOffset>) -> (i64, i32, String) {
    offset.map_or((-1, -1, String::new()), |offset| {
        (offset.offset, offset.leader_epoch, offset.metadata)
    })
}
