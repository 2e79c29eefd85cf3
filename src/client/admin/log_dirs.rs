//! The log dirs of brokers and their replicas: `DescribeLogDirs` (v1–4).
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeLogDirs>

use std::collections::BTreeMap;

use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};

use super::led_partitions::{Asked, LedPartitions};
use super::topics::topic_name;
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::{BrokerId, TopicPartition};

/// One directory of a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDir {
    pub broker: BrokerId,
    pub path: String,
    /// Why the directory is offline.
    pub error: Option<ApiError>,
    pub replicas: Vec<ReplicaOnDisk>,
    /// Of the file system, in bytes; `None` if the broker does not state it.
    pub total_bytes: Option<i64>,
    pub usable_bytes: Option<i64>,
}

/// One replica in a log dir.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaOnDisk {
    pub partition: TopicPartition,
    /// Of its segments, in bytes.
    pub size: i64,
    /// By how many offsets its log end offset is behind the high watermark, or for a future replica behind the current
    /// one's log end offset.
    pub offset_lag: i64,
    /// Whether it is a future replica, which will replace that of another directory (KIP-113).
    pub is_future: bool,
}

/// The directories of each broker that was asked; absent brokers have none.
pub type LogDirs = BTreeMap<BrokerId, Result<Vec<LogDir>>>;

impl AdminClient {
    /// The directories of some brokers with the replicas in them. The brokers are asked at the same time; one that does
    /// not answer is absent.
    pub fn describe_log_dirs(&mut self, brokers: &[BrokerId]) -> Result<LogDirs> {
        self.log_dirs_with(brokers, &DescribeLogDirsRequest::default().with_topics(None))
    }

    /// [`AdminClient::describe_log_dirs`] without the replicas.
    pub fn describe_empty_log_dirs(&mut self, brokers: &[BrokerId]) -> Result<LogDirs> {
        self.log_dirs_with(
            brokers,
            &DescribeLogDirsRequest::default().with_topics(Some(Vec::new())),
        )
    }

    fn log_dirs_with(&mut self, brokers: &[BrokerId], request: &DescribeLogDirsRequest) -> Result<LogDirs> {
        let mut dirs = LogDirs::new();
        self.send_in_turns(
            brokers,
            |_| request.clone(),
            |broker, answer| {
                dirs.insert(broker, answer.and_then(|answer| log_dirs(broker, answer)));
                Ok(())
            },
        )?;
        Ok(dirs)
    }
}

/// Calls `take` with the bytes of each replica that a leader was asked about.
pub(super) fn take_sizes<'a>(
    led: &LedPartitions<'a>,
    leader: BrokerId,
    answer: DescribeLogDirsResponse,
    mut take: impl FnMut(Asked<'a>, i64),
) {
    let mut answers = led.answers_of(leader);
    for topic in answer.results.into_iter().flat_map(|dir| dir.topics) {
        for replica in topic.partitions.iter().filter(|replica| !replica.is_future_key) {
            if let Some(asked) = answers.find(&topic.name, replica.partition_index) {
                take(asked, replica.partition_size);
            }
        }
    }
}

/// The request for a broker's replicas of these partitions.
pub(super) fn about<'a>(topics: impl Iterator<Item = &'a [Asked<'a>]>) -> DescribeLogDirsRequest {
    let topics = topics.map(|some| {
        DescribableLogDirTopic::default()
            .with_topic(topic_name(some.first().map_or("", |asked| asked.topic)))
            .with_partitions(some.iter().map(|asked| asked.partition).collect())
    });
    DescribeLogDirsRequest::default().with_topics(Some(topics.collect()))
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
