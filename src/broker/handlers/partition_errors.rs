//! Answers for the partitions of a request about committed offsets, in Kafka's order: unknown partitions first.

use std::collections::HashMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::TopicName;

/// A topic's partitions, each with its error.
pub(super) type Topic = (TopicName, Vec<(i32, Option<ResponseError>)>);

/// Collects the answers of one request.
#[derive(Debug, Default)]
pub(super) struct PartitionErrors {
    /// Partitions that do not exist, each topic once.
    unknown: Vec<Topic>,
    /// The index of each topic in `unknown`.
    places: HashMap<TopicName, usize>,
    /// The others, by topic as the request names them.
    known: Vec<Topic>,
    is_topic_open: bool,
}

impl PartitionErrors {
    /// Adds a partition that does not exist.
    pub(super) fn unknown(&mut self, topic: &TopicName, index: i32) {
        let answer = (index, Some(ResponseError::UnknownTopicOrPartition));
        self.merge(topic, vec![answer]);
    }

    pub(super) fn known(&mut self, topic: &TopicName, index: i32, error: Option<ResponseError>) {
        match self.known.last_mut() {
            Some((_, partitions)) if self.is_topic_open => partitions.push((index, error)),
            _ => self.known.push((topic.clone(), vec![(index, error)])),
        }
        self.is_topic_open = true;
    }

    /// Ends a topic of the request: what follows belongs to another, even if it has the same name.
    pub(super) fn end_topic(&mut self) {
        self.is_topic_open = false;
    }

    /// All answers. If any partition is unknown, topics of the same name are merged; topics without partitions are left
    /// out.
    pub(super) fn into_topics(mut self) -> Vec<Topic> {
        if self.unknown.is_empty() {
            return self.known;
        }
        for (topic, partitions) in std::mem::take(&mut self.known) {
            self.merge(&topic, partitions);
        }
        self.unknown
    }

    fn merge(&mut self, topic: &TopicName, partitions: Vec<(i32, Option<ResponseError>)>) {
        let place = self
            .places
            .get(topic)
            .and_then(|place| self.unknown.get_mut(*place));
        if let Some((_, merged)) = place {
            merged.extend(partitions);
        } else {
            self.places.insert(topic.clone(), self.unknown.len());
            self.unknown.push((topic.clone(), partitions));
        }
    }
}
