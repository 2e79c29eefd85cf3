//! The batch that holds an offset: `Fetch` (v4–17), for a look at one record without a consumer.
//!
//! <https://kafka.apache.org/protocol#The_Messages_Fetch>

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{self, FetchRequest};
use uuid::Uuid;

use super::topics::topic_name;
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// The first version that names topics by their ids.
const TOPIC_IDS: i16 = 13;
/// The epoch of a fetch without a session.
const NO_SESSION: i32 = -1;

impl AdminClient {
    /// The bytes of a partition from the batch that holds `offset` on, as few as possible: one batch. `None` if
    /// there is no record from there on.
    pub fn fetch_batch(
        &mut self,
        partition: &TopicPartition,
        topic_id: Uuid,
        leader: BrokerId,
        offset: Offset,
    ) -> Result<Result<Option<Bytes>, ApiError>> {
        let answer = self.send_to_with(leader, |version| {
            let wanted = FetchPartition::default()
                .with_partition(partition.partition)
                .with_fetch_offset(offset)
                .with_partition_max_bytes(1);
            let topic = FetchTopic::default().with_partitions(vec![wanted]);
            let topic = if version >= TOPIC_IDS {
                topic.with_topic_id(topic_id)
            } else {
                topic.with_topic(topic_name(&partition.topic))
            };
            FetchRequest::default()
                .with_replica_id(messages::BrokerId(-1))
                .with_max_bytes(1)
                .with_session_epoch(NO_SESSION)
                .with_topics(vec![topic])
        })?;
        if let Some(error) = ApiError::of(answer.error_code, None::<&str>) {
            return Ok(Err(error));
        }
        let mut partitions = answer.responses.into_iter().flat_map(|topic| topic.partitions);
        let Some(found) = partitions.next() else {
            return Ok(Ok(None));
        };
        if let Some(error) = ApiError::of(found.error_code, None::<&str>) {
            return Ok(Err(error));
        }
        Ok(Ok(found.records.filter(|records| !records.is_empty())))
    }
}
