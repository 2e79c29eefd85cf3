//! Which folders of a data directory become topics although our metadata do not name them: those that Apache Kafka
//! left.
//!
//! A folder is adopted only if it holds a log under a legal topic name; all others are left alone. Missing partitions
//! in small gaps become empty ones: the folder of one broker of many has such gaps. A partition number far above the
//! others is not adopted, as all partitions before it would have to be created.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::broker::cluster::image::ClusterImage;
use crate::broker::cluster::partition_image::{PartitionImage, Partitions};
use crate::broker::cluster::records::{self, Records};
use crate::broker::config::effective_config::Configs;
use crate::broker::topic_name;
use crate::error::Result;
use crate::storage::log_dir::FoundPartitions;
use crate::storage::partition_metadata::random_id;
use crate::topic_partition::TopicPartition;

/// The most missing partitions before one that exists.
const MAX_GAP: i32 = 1000;

/// The outcome for the folders.
#[derive(Debug, Default)]
pub(super) struct Adopted {
    /// The records of the topics that they become.
    pub(super) records: Records,
    /// Folders that are named like a partition's and are not adopted, in order.
    pub(super) left_alone: Vec<TopicPartition>,
}

/// What Apache Kafka did with the directory since `image` was stored: a topic without a folder was deleted, one whose
/// folders state another id was deleted and created again, and one with more folders got more partitions. `own` is
/// the state that new partitions get.
pub(super) fn catch_up(found: &FoundPartitions, image: &ClusterImage, own: &PartitionImage) -> Records {
    let mut ends: BTreeMap<&str, i32> = BTreeMap::new();
    for (partition, id) in &found.logs {
        let topic = image.topic(&partition.topic);
        if topic.is_some_and(|topic| id.is_none_or(|id| id == topic.id)) {
            let end = ends.entry(&partition.topic).or_default();
            if partition.partition - *end <= MAX_GAP {
                *end = partition.partition + 1;
            }
        }
    }
    let mut changes = Records::new();
    for topic in image.topics() {
        changes.extend(match ends.get(topic.name.as_str()) {
            None => records::topic_removed(topic.id),
            Some(end) => {
                let new = topic.partition_count()..*end;
                let new: Partitions = new.map(|index| (index, own.clone())).collect();
                records::partitions(topic.id, &new)
            }
        });
    }
    changes
}

/// The changes of partitions that `image` places on another node or in another directory, because the directory was
/// given another id or another `node.id`. This is the only node, so it leads all of them.
pub(super) fn take_over(image: &ClusterImage, own: &PartitionImage) -> Records {
    let mut changes = Records::new();
    for topic in image.topics() {
        let moved = topic.partitions.iter().filter(|(_, partition)| {
            (&partition.replicas, &partition.directories) != (&own.replicas, &own.directories)
                || partition.leader != own.leader
        });
        let taken = moved.map(|(index, before)| {
            let elections = i32::from(before.leader != own.leader);
            let partition = PartitionImage {
                leader_epoch: before.leader_epoch.saturating_add(elections),
                partition_epoch: before.partition_epoch.saturating_add(1),
                ..own.clone()
            };
            (*index, partition)
        });
        let taken: Partitions = taken.collect();
        changes.extend(records::partitions(topic.id, &taken));
    }
    changes
}

/// A topic that is made from folders.
struct NewTopic {
    id: Uuid,
    partitions: i32,
    configs: Configs,
}

/// The topics of logs that are not in `image`, with the configs that they had (`inherited`, by topic). `own` is the
/// state that their partitions get.
pub(super) fn adopt(
    found: FoundPartitions,
    image: &ClusterImage,
    own: &PartitionImage,
    mut inherited: BTreeMap<String, Configs>,
) -> Result<Adopted> {
    let mut left_alone = found.others;
    let mut topics: BTreeMap<String, NewTopic> = BTreeMap::new();
    for (partition, id) in found.logs {
        if image.topic(&partition.topic).is_some() {
            continue;
        }
        let end = topics.get(&partition.topic).map_or(0, |topic| topic.partitions);
        if topic_name::validate(&partition.topic).is_err() || partition.partition - end > MAX_GAP {
            left_alone.push(partition);
            continue;
        }
        let id = id.map_or_else(random_id, Ok)?;
        let configs = inherited.remove(&partition.topic);
        let topic = topics.entry(partition.topic).or_insert_with(|| NewTopic {
            id,
            partitions: 0,
            configs: configs.unwrap_or_default(),
        });
        topic.partitions = topic.partitions.max(partition.partition + 1);
    }
    left_alone.sort();
    let records = topics.iter().flat_map(|(name, topic)| {
        let partitions = (0..topic.partitions).map(|index| (index, own.clone()));
        let partitions: Partitions = partitions.collect();
        records::topic(name, topic.id, &partitions, &topic.configs)
    });
    Ok(Adopted {
        records: records.collect(),
        left_alone,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> PartitionImage {
        PartitionImage::new(vec![1], vec![Uuid::nil()])
    }

    fn counts(image: &ClusterImage) -> BTreeMap<String, i32> {
        let topics = image.topics();
        topics
            .map(|topic| (topic.name.clone(), topic.partition_count()))
            .collect()
    }

    fn adopt_logs(logs: &[(&str, i32)]) -> (BTreeMap<String, i32>, Vec<String>) {
        let found = FoundPartitions {
            logs: logs
                .iter()
                .map(|(topic, partition)| (TopicPartition::new(*topic, *partition), None))
                .collect(),
            others: vec![TopicPartition::new("photos", 24)],
        };
        let mut image = ClusterImage::default();
        let adopted = adopt(found, &image, &own(), BTreeMap::new()).unwrap();
        image.apply_all(&adopted.records);
        let left_alone = adopted.left_alone.iter().map(ToString::to_string);
        (counts(&image), left_alone.collect())
    }

    #[test]
    fn gaps_are_filled_and_numbers_out_of_line_are_not() {
        let (topics, left_alone) = adopt_logs(&[
            ("t", 0),
            ("t", 7),
            ("x", 2_000_000_000),
            ("y", 0),
            ("y", i32::MAX),
        ]);
        assert_eq!(topics, BTreeMap::from([("t".to_owned(), 8), ("y".to_owned(), 1)]));
        assert_eq!(left_alone, ["photos-24", "x-2000000000", "y-2147483647"]);
    }

    #[test]
    fn what_apache_kafka_did_to_topics_is_seen_in_their_folders() {
        let id = Uuid::from_u128;
        let mut image = ClusterImage::default();
        for (name, number) in [("deleted", 1), ("anew", 2), ("grown", 3), ("old", 4)] {
            let partitions = [(0, own())];
            image.apply_all(&records::topic(name, id(number), &partitions, &Configs::new()));
        }
        let log = |topic: &str, partition, id| (TopicPartition::new(topic, partition), id);
        let found = FoundPartitions {
            logs: vec![
                log("anew", 0, Some(id(9))),
                log("grown", 0, Some(id(3))),
                log("grown", 1, Some(id(3))),
                log("grown", 2_000_000_000, Some(id(3))),
                log("old", 0, None),
            ],
            others: Vec::new(),
        };
        let caught_up = catch_up(&found, &image, &own());
        image.apply_all(&caught_up);
        let expected = [("grown".to_owned(), 2), ("old".to_owned(), 1)];
        assert_eq!(counts(&image), BTreeMap::from(expected));
        let adopted = adopt(found, &image, &own(), BTreeMap::new()).unwrap();
        image.apply_all(&adopted.records);
        assert_eq!(image.topic("anew").unwrap().id, id(9));
    }

    #[test]
    fn partitions_of_another_node_or_directory_are_taken_over() {
        let moved = PartitionImage::new(vec![1], vec![Uuid::from_u128(5)]);
        let foreign = PartitionImage::new(vec![2, 1], vec![Uuid::nil(); 2]);
        let partitions = [(0, own()), (1, moved), (2, foreign)];
        let mut image = ClusterImage::default();
        image.apply_all(&records::topic(
            "t",
            Uuid::from_u128(1),
            &partitions,
            &Configs::new(),
        ));
        let taken = take_over(&image, &own());
        assert_eq!(taken.len(), 2);
        image.apply_all(&taken);
        let changed = |leader_epoch| PartitionImage {
            leader_epoch,
            partition_epoch: 1,
            ..own()
        };
        for (index, expected) in [(0, own()), (1, changed(0)), (2, changed(1))] {
            assert_eq!(image.partition("t", index), Some(&expected));
        }
        assert!(take_over(&image, &own()).is_empty());
    }

    #[test]
    fn a_name_that_no_topic_may_have_is_left_alone() {
        let (topics, left_alone) = adopt_logs(&[("my photos", 0), ("..", 0)]);
        assert!(topics.is_empty());
        assert_eq!(left_alone, ["..-0", "my photos-0", "photos-24"]);
    }
}
