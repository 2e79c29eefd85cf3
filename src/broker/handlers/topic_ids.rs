//! OffsetCommit and OffsetFetch version 10, which name topics by id: kafka-protocol's messages have only names.

use std::collections::HashMap;

use bytes::Bytes;
use kafka_protocol::messages::TopicName;
use uuid::Uuid;

use super::topic_name;
use crate::broker::newer_versions::NewerFields;
use crate::broker::node::Node;
use crate::storage::partition_metadata::encode_id;

/// A topic of a request, by its id.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownTopic {
    pub(super) id: Uuid,
    pub(super) exists: bool,
}

impl KnownTopic {
    /// A topic that was not named by its id.
    pub(super) const NONE: Self = Self {
        id: Uuid::nil(),
        exists: true,
    };
}

/// Topics by the names that the request has after [`name_topics`].
pub(super) type TopicIds = HashMap<TopicName, KnownTopic>;

/// Gives every topic of a request the name that belongs to its id. A topic that does not exist gets a name that no
/// topic can have.
pub(super) fn name_topics<'a>(
    node: &Node,
    newer_fields: &Bytes,
    names: impl Iterator<Item = &'a mut TopicName>,
) -> TopicIds {
    let image = node.cluster.image();
    let mut newer = NewerFields::new(newer_fields);
    let mut ids = TopicIds::new();
    for name in names {
        let id = newer.uuid();
        let topic = image.topic_by_id(id);
        *name = match topic {
            Some(topic) => topic_name(&topic.name),
            None => topic_name(&format!("topic id {}", encode_id(id))),
        };
        let exists = topic.is_some();
        ids.insert(name.clone(), KnownTopic { id, exists });
    }
    ids
}

/// The topic that has this name in the request.
pub(super) fn known_topic(ids: &TopicIds, name: &TopicName) -> KnownTopic {
    ids.get(name).copied().unwrap_or(KnownTopic::NONE)
}
