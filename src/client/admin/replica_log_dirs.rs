//! `AlterReplicaLogDirs` and what reassignments need of `DescribeLogDirs`: where each replica's files are, and
//! how many bytes.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::messages::alter_replica_log_dirs_request::{AlterReplicaLogDir, AlterReplicaLogDirTopic};
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::{AlterReplicaLogDirsRequest, DescribeLogDirsRequest, DescribeLogDirsResponse};
use kafka_protocol::protocol::StrBytes;

use super::grouped::by_topic;
use super::reassignments::topic_name;
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::reassignment::plan::PartitionReplica;
use crate::reassignment::progress::ReplicaDirs;
use crate::topic_partition::{BrokerId, TopicPartition};
use crate::wire::error_codes::KAFKA_STORAGE_ERROR;

/// A replica's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicaFiles {
    pub dirs: ReplicaDirs,
    /// Bytes of its log segments.
    pub bytes: u64,
}

/// Replicas of one broker.
pub type BrokerReplicas = BTreeMap<TopicPartition, ReplicaFiles>;

impl AdminClient {
    /// The files of some partitions' replicas on each of these brokers, or of all its replicas. The brokers are asked at
    /// the same time; one that does not answer is absent.
    pub fn replica_files_of_each(
        &mut self,
        brokers: &[BrokerId],
        partitions: Option<&BTreeSet<TopicPartition>>,
    ) -> Result<BTreeMap<BrokerId, Result<BrokerReplicas>>> {
        let request = files_request(partitions);
        let requests = brokers.iter().map(|broker| (*broker, request.clone()));
        let answers = self.send_to_each(requests.collect())?.into_iter();
        Ok(answers
            .map(|(broker, answer)| (broker, answer.and_then(replica_files)))
            .collect())
    }

    /// The log dirs of some replicas; every broker concerned is asked once, and must answer.
    pub fn replica_dirs(
        &mut self,
        replicas: impl IntoIterator<Item = PartitionReplica>,
    ) -> Result<BTreeMap<PartitionReplica, ReplicaDirs>> {
        let mut by_broker: BTreeMap<BrokerId, BTreeSet<TopicPartition>> = BTreeMap::new();
        for replica in replicas {
            by_broker
                .entry(replica.broker)
                .or_default()
                .insert(replica.topic_partition);
        }
        let requests = by_broker.iter();
        let requests = requests.map(|(broker, partitions)| (*broker, files_request(Some(partitions))));
        let mut answers = self.send_to_all(requests.collect())?;
        let mut found = BTreeMap::new();
        for (broker, partitions) in by_broker {
            let files = answers.remove(&broker).map(replica_files).transpose()?;
            let files = files.unwrap_or_default();
            for topic_partition in partitions {
                let dirs = files
                    .get(&topic_partition)
                    .map(|files| files.dirs.clone())
                    .unwrap_or_default();
                found.insert(
                    PartitionReplica {
                        broker,
                        topic_partition,
                    },
                    dirs,
                );
            }
        }
        Ok(found)
    }

    /// Asks brokers to move replicas to other log directories; each replica has its own outcome.
    pub fn alter_replica_log_dirs(
        &mut self,
        moves: &BTreeMap<PartitionReplica, String>,
    ) -> Result<BTreeMap<PartitionReplica, Result<(), ApiError>>> {
        let mut by_broker: BTreeMap<BrokerId, BTreeMap<&str, Vec<&TopicPartition>>> = BTreeMap::new();
        for (replica, path) in moves {
            let dirs = by_broker.entry(replica.broker).or_default();
            dirs.entry(path).or_default().push(&replica.topic_partition);
        }
        let mut answers = BTreeMap::new();
        for (broker, dirs) in by_broker {
            let dirs = dirs.into_iter().map(|(path, partitions)| {
                let topics = by_topic(numbered(partitions))
                    .into_iter()
                    .map(|(topic, partitions)| {
                        AlterReplicaLogDirTopic::default()
                            .with_name(topic_name(topic))
                            .with_partitions(partitions)
                    });
                AlterReplicaLogDir::default()
                    .with_path(StrBytes::from_string(path.to_owned()))
                    .with_topics(topics.collect())
            });
            let request = AlterReplicaLogDirsRequest::default().with_dirs(dirs.collect());
            for topic in self.send_to(broker, request)?.results {
                for partition in topic.partitions {
                    let replica = PartitionReplica {
                        broker,
                        topic_partition: TopicPartition::new(
                            topic.topic_name.0.as_str(),
                            partition.partition_index,
                        ),
                    };
                    answers.insert(replica, ApiError::check(partition.error_code, None::<String>));
                }
            }
        }
        Ok(answers)
    }
}

fn files_request(partitions: Option<&BTreeSet<TopicPartition>>) -> DescribeLogDirsRequest {
    DescribeLogDirsRequest::default().with_topics(partitions.map(|partitions| {
        let by_topic = by_topic(numbered(partitions)).into_iter();
        by_topic
            .map(|(topic, partitions)| {
                DescribableLogDirTopic::default()
                    .with_topic(topic_name(topic))
                    .with_partitions(partitions)
            })
            .collect()
    }))
}

fn replica_files(response: DescribeLogDirsResponse) -> Result<BrokerReplicas> {
    ApiError::check(response.error_code, None::<String>)?;
    let mut replicas = BrokerReplicas::new();
    for log_dir in response.results {
        // The directory is offline: its replicas are in no live directory.
        if log_dir.error_code == KAFKA_STORAGE_ERROR {
            continue;
        }
        ApiError::check(log_dir.error_code, None::<String>)?;
        for topic in log_dir.topics {
            for partition in topic.partitions {
                let name = TopicPartition::new(topic.name.0.as_str(), partition.partition_index);
                let files = replicas.entry(name).or_default();
                let path = Some(log_dir.log_dir.to_string());
                let bytes = u64::try_from(partition.partition_size).unwrap_or(0);
                if partition.is_future_key {
                    files.dirs.future = path;
                    files.dirs.copied.done = bytes;
                } else {
                    files.dirs.current = path;
                    files.dirs.copied.total = bytes;
                    files.bytes = bytes;
                }
            }
        }
    }
    Ok(replicas)
}

/// Each partition with its number.
fn numbered<'a>(
    partitions: impl IntoIterator<Item = &'a TopicPartition>,
) -> impl Iterator<Item = (&'a TopicPartition, i32)> {
    let partitions = partitions.into_iter();
    partitions.map(|partition| (partition, partition.partition))
}
