//! What lies on the brokers' disks: `DescribeLogDirs` (v1–4).
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeLogDirs>

use kafka_protocol::messages::DescribeLogDirsRequest;
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;

use super::topics::topic_name;
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::{BrokerId, TopicPartition};

/// One directory of a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDir {
    pub broker: BrokerId,
    pub path: String,
    /// Why the directory is out of use.
    pub error: Option<ApiError>,
    pub replicas: Vec<ReplicaOnDisk>,
    /// Of the file system, in bytes; `None` where the broker does not tell.
    pub total_bytes: Option<i64>,
    pub usable_bytes: Option<i64>,
}

/// One replica in a log dir.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaOnDisk {
    pub partition: TopicPartition,
    /// Of its segments, in bytes.
    pub size: i64,
    /// Records it is behind.
    pub offset_lag: i64,
    /// Whether it is a copy that will take the place of another directory's.
    pub is_future: bool,
}

impl AdminClient {
    /// The directories of one broker with the replicas in them, of some topics' partitions or of all.
    pub fn describe_log_dirs(
        &mut self,
        broker: BrokerId,
        partitions: Option<&[(String, Vec<i32>)]>,
    ) -> Result<Vec<LogDir>> {
        let topics = partitions.map(|topics| {
            let topic = |(name, partitions): &(String, Vec<i32>)| {
                DescribableLogDirTopic::default()
                    .with_topic(topic_name(name))
                    .with_partitions(partitions.clone())
            };
            topics.iter().map(topic).collect::<Vec<_>>()
        });
        let answer = self.send_to_with(broker, |_| {
            DescribeLogDirsRequest::default().with_topics(topics.clone())
        })?;
        ApiError::check(answer.error_code, None::<String>)?;
        let dirs = answer.results.into_iter().map(|dir| {
            let replicas = dir.topics.into_iter().flat_map(|topic| {
                let name = topic.name;
                topic.partitions.into_iter().map(move |replica| ReplicaOnDisk {
                    partition: TopicPartition::new(name.as_str(), replica.partition_index),
                    size: replica.partition_size,
                    offset_lag: replica.offset_lag,
                    is_future: replica.is_future_key,
                })
            });
            LogDir {
                broker,
                path: dir.log_dir.to_string(),
                error: ApiError::of(dir.error_code, None::<String>),
                replicas: replicas.collect(),
                total_bytes: Some(dir.total_bytes).filter(|bytes| *bytes >= 0),
                usable_bytes: Some(dir.usable_bytes).filter(|bytes| *bytes >= 0),
            }
        });
        Ok(dirs.collect())
    }
}
