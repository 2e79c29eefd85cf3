//! The topics in a request.

use kafka_protocol::messages::{self as m, ApiKey};
use kafka_protocol::protocol::Request;
use uuid::Uuid;

use crate::broker::call::{Call, decode};
use crate::broker::newer_versions::NewerFields;

/// The names of the topics in a request; empty if its API has none, or if it cannot be decoded.
pub(in crate::broker) fn named_in(call: &Call) -> Vec<String> {
    match call.context.api {
        ApiKey::Produce => read::<m::ProduceRequest>(call, |request, out| {
            out.extend(
                request
                    .topic_data
                    .iter()
                    .map(|topic| Topic::of(&topic.name, topic.topic_id)),
            );
        }),
        ApiKey::Fetch => fetched(call),
        ApiKey::ListOffsets => read::<m::ListOffsetsRequest>(call, |request, out| {
            out.extend(request.topics.iter().map(|topic| Topic::named(&topic.name)));
        }),
        ApiKey::Metadata => read::<m::MetadataRequest>(call, |request, out| {
            for topic in request.topics.iter().flatten() {
                let name = topic.name.as_ref().map_or("", |name| name.as_str());
                out.push(Topic::of(name, topic.topic_id));
            }
        }),
        ApiKey::OffsetCommit => committed(call),
        ApiKey::OffsetFetch => read::<m::OffsetFetchRequest>(call, |request, out| {
            let older = request.topics.iter().flatten();
            out.extend(older.map(|topic| Topic::named(&topic.name)));
            let topics = request
                .groups
                .iter()
                .flat_map(|group| group.topics.iter().flatten());
            out.extend(topics.map(|topic| Topic::of(&topic.name, topic.topic_id)));
        }),
        ApiKey::OffsetForLeaderEpoch => read::<m::OffsetForLeaderEpochRequest>(call, |request, out| {
            out.extend(request.topics.iter().map(|topic| Topic::named(&topic.topic)));
        }),
        ApiKey::CreateTopics => read::<m::CreateTopicsRequest>(call, |request, out| {
            out.extend(request.topics.iter().map(|topic| Topic::named(&topic.name)));
        }),
        ApiKey::DeleteTopics => read::<m::DeleteTopicsRequest>(call, |request, out| {
            out.extend(request.topic_names.iter().map(|name| Topic::named(name)));
            for topic in &request.topics {
                let name = topic.name.as_ref().map_or("", |name| name.as_str());
                out.push(Topic::of(name, topic.topic_id));
            }
        }),
        ApiKey::CreatePartitions => read::<m::CreatePartitionsRequest>(call, |request, out| {
            out.extend(request.topics.iter().map(|topic| Topic::named(&topic.name)));
        }),
        ApiKey::DeleteRecords => read::<m::DeleteRecordsRequest>(call, |request, out| {
            out.extend(request.topics.iter().map(|topic| Topic::named(&topic.name)));
        }),
        ApiKey::AddPartitionsToTxn => read::<m::AddPartitionsToTxnRequest>(call, |request, out| {
            let older = request.v3_and_below_topics.iter();
            let topics = request
                .transactions
                .iter()
                .flat_map(|transaction| &transaction.topics);
            out.extend(older.chain(topics).map(|topic| Topic::named(&topic.name)));
        }),
        ApiKey::TxnOffsetCommit => read::<m::TxnOffsetCommitRequest>(call, |request, out| {
            out.extend(request.topics.iter().map(|topic| Topic::named(&topic.name)));
        }),
        ApiKey::DescribeTopicPartitions => read::<m::DescribeTopicPartitionsRequest>(call, |request, out| {
            out.extend(request.topics.iter().map(|topic| Topic::named(&topic.name)));
        }),
        _ => Vec::new(),
    }
}

/// A topic by name, or by id in versions with ids.
struct Topic {
    name: String,
    id: Uuid,
}

impl Topic {
    fn named(name: &str) -> Self {
        Self::of(name, Uuid::nil())
    }

    fn of(name: &str, id: Uuid) -> Self {
        Self {
            name: name.to_owned(),
            id,
        }
    }
}

fn read<R: Request>(call: &Call, take: impl FnOnce(&R, &mut Vec<Topic>)) -> Vec<String> {
    let Ok((_, _, request)) = decode::<R>(call.clone()) else {
        return Vec::new();
    };
    let mut topics = Vec::new();
    take(&request, &mut topics);
    names(call, topics)
}

fn names(call: &Call, topics: Vec<Topic>) -> Vec<String> {
    let image = call.node.cluster.image();
    let name = |topic: Topic| match image.topic_by_id(topic.id) {
        Some(known) if topic.name.is_empty() => known.name.clone(),
        _ => topic.name,
    };
    topics.into_iter().map(name).collect()
}

/// A fetch names only what has changed since the one before; the rest is in its session.
fn fetched(call: &Call) -> Vec<String> {
    let mut session = 0;
    let mut named = read::<m::FetchRequest>(call, |request, out| {
        session = if request.session_epoch > 0 {
            request.session_id
        } else {
            0
        };
        out.extend(
            request
                .topics
                .iter()
                .map(|topic| Topic::of(&topic.topic, topic.topic_id)),
        );
    });
    named.extend(call.node.fetch_sessions.topics_of(session));
    named
}

/// In versions with ids these are newer fields of the request.
fn committed(call: &Call) -> Vec<String> {
    let Ok((_, context, request)) = decode::<m::OffsetCommitRequest>(call.clone()) else {
        return Vec::new();
    };
    let mut ids = NewerFields::new(&context.newer_fields);
    let topic =
        |topic: &m::offset_commit_request::OffsetCommitRequestTopic| Topic::of(&topic.name, ids.uuid());
    let topics = request.topics.iter().map(topic).collect();
    names(call, topics)
}
