//! What lies on the brokers' disks: `DescribeLogDirs` (v1–4).
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeLogDirs>

use std::collections::BTreeMap;

use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};

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

/// The directories of each broker that was asked; absent brokers have none.
pub type LogDirs = BTreeMap<BrokerId, Result<Vec<LogDir>>>;

impl AdminClient {
    /// The directories of some brokers with the replicas in them, of some topics' partitions or of all. The brokers are
    /// asked at the same time; one that does not answer is absent.
    pub fn describe_log_dirs(
        &mut self,
        brokers: &[BrokerId],
        partitions: Option<&[(String, Vec<i32>)]>,
    ) -> Result<LogDirs> {
        let topics = partitions.map(|topics| {
            let topic = |(name, partitions): &(String, Vec<i32>)| {
                DescribableLogDirTopic::default()
                    .with_topic(topic_name(name))
                    .with_partitions(partitions.clone())
            };
            topics.iter().map(topic).collect::<Vec<_>>()
        });
        let request = DescribeLogDirsRequest::default().with_topics(topics);
        let requests = brokers.iter().map(|broker| (*broker, request.clone()));
        let answers = self.send_to_each(requests.collect())?;
        let dirs = |(broker, answer): (BrokerId, Result<DescribeLogDirsResponse>)| {
            (broker, answer.and_then(|answer| log_dirs(broker, answer)))
        };
        Ok(answers.into_iter().map(dirs).collect())
    }
}

fn log_dirs(broker: BrokerId, answer: DescribeLogDirsResponse) -> Result<Vec<LogDir>> {
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
