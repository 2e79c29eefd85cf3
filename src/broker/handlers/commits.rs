//! What OffsetCommit and TxnOffsetCommit share: the check of the offsets in a request, and the answers for its
//! partitions.
//!
//! Owns neither request nor response: the two APIs have types of their own, with fields of the same names.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::TopicName;
use uuid::Uuid;

use super::partition_errors::{PartitionErrors, Topic};
use crate::broker::coordinator::group::stored_records::StoredOffset;
use crate::broker::node::Node;

/// An offset that a client wants to commit for one partition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) partition: i32,
    pub(super) offset: i64,
    /// Of the record before the offset; -1 if the client does not know it.
    pub(super) leader_epoch: i32,
    /// The text that the client stores with the offset.
    pub(super) metadata: Option<&'a str>,
}

/// The offsets of one request, each checked once.
#[derive(Debug)]
pub(super) struct Commits {
    now_ms: i64,
    expire_timestamp_ms: i64,
    checked: Vec<Topic>,
    taken: Vec<(String, i32, StoredOffset)>,
}

impl Commits {
    /// `now_ms`: the time of the commit. `expire_timestamp_ms`: when the offset expires; -1 to follow the broker's
    /// `offsets.retention.minutes`.
    pub(super) fn new(now_ms: i64, expire_timestamp_ms: i64) -> Self {
        Self {
            now_ms,
            expire_timestamp_ms,
            checked: Vec::new(),
            taken: Vec::new(),
        }
    }

    /// Checks the offsets for one topic: each partition must exist, and its metadata have a bounded length, measured
    /// in UTF-16 units as Java does.
    pub(super) fn check<'a>(
        &mut self,
        node: &Node,
        name: &TopicName,
        wanted: impl Iterator<Item = Wanted<'a>>,
    ) {
        let image = node.cluster.image();
        let topic = image.topic(name);
        let most = node.groups.config().offset_metadata_max_bytes;
        let mut checked = Vec::new();
        for wanted in wanted {
            let metadata = wanted.metadata.unwrap_or_default();
            let exists = topic.filter(|topic| topic.partition(wanted.partition).is_some());
            let refusal = match exists {
                None => Some(ResponseError::UnknownTopicOrPartition),
                Some(_) if metadata.encode_utf16().count() > most => {
                    Some(ResponseError::OffsetMetadataTooLarge)
                }
                Some(topic) => {
                    let offset = self.stored(&wanted, topic.id);
                    self.taken.push((name.to_string(), wanted.partition, offset));
                    None
                }
            };
            checked.push((wanted.partition, refusal));
        }
        self.checked.push((name.clone(), checked));
    }

    fn stored(&self, wanted: &Wanted<'_>, topic_id: Uuid) -> StoredOffset {
        StoredOffset {
            offset: wanted.offset,
            leader_epoch: wanted.leader_epoch,
            metadata: wanted.metadata.unwrap_or_default().to_owned(),
            commit_timestamp_ms: self.now_ms,
            expire_timestamp_ms: self.expire_timestamp_ms,
            topic_id,
        }
    }

    /// The offsets that passed the check.
    pub(super) fn taken(&self) -> &[(String, i32, StoredOffset)] {
        &self.taken
    }

    /// The answers for the partitions; `outcome` is the group's error for all that passed the check.
    pub(super) fn into_answers(self, outcome: Option<ResponseError>) -> Vec<Topic> {
        let mut answers = PartitionErrors::default();
        for (name, partitions) in self.checked {
            for (index, refusal) in partitions {
                match refusal {
                    Some(ResponseError::UnknownTopicOrPartition) => answers.unknown(&name, index),
                    refused => answers.known(&name, index, refused.or(outcome)),
                }
            }
            answers.end_topic();
        }
        answers.into_topics()
    }
}
