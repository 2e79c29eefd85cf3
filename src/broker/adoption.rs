//! Which folders of a data directory become topics although the metadata do not name them: another Kafka left them.
//!
//! A folder is taken only if it holds a log under a name that a topic may have; everything else is somebody else's and
//! is left alone. Empty partitions fill small gaps, for a folder of one broker of many; a number far out of line is
//! no reason to make all the partitions before it.

use std::collections::{BTreeMap, HashSet};

use super::cluster::image::TopicImage;
use super::config::effective_config::Configs;
use super::topic_name;
use crate::error::Result;
use crate::storage::log_dir::FoundPartitions;
use crate::storage::partition_metadata::random_id;
use crate::topic_partition::TopicPartition;

/// Partitions that may be missing before one that is there.
const MAX_GAP: i32 = 1000;

/// What became of the folders.
#[derive(Debug, Default)]
pub(super) struct Adopted {
    /// Some became topics.
    pub(super) any: bool,
    /// Folders that are named like a partition's and were not taken, in order.
    pub(super) left_alone: Vec<TopicPartition>,
}

/// What Apache Kafka did with the directory since `topics` were written down: a topic that has no folder any more was
/// deleted, one whose folders state another id was made anew, and one with more folders was given more partitions.
pub(super) fn catch_up(found: &FoundPartitions, topics: &mut BTreeMap<String, TopicImage>) {
    let mut ends: BTreeMap<&str, i32> = BTreeMap::new();
    for (partition, id) in &found.logs {
        let topic = topics.get(&partition.topic);
        if topic.is_some_and(|topic| id.is_none_or(|id| id == topic.id)) {
            let end = ends.entry(&partition.topic).or_default();
            if partition.partition - *end <= MAX_GAP {
                *end = partition.partition + 1;
            }
        }
    }
    topics.retain(|name, _| ends.contains_key(name.as_str()));
    for (name, topic) in topics {
        let end = ends.get(name.as_str()).copied().unwrap_or_default();
        topic.partitions = topic.partitions.max(end);
    }
}

/// Adds topics whose logs were found but are not among `topics`, with the configs they had: `inherited`, by topic.
pub(super) fn adopt(
    found: FoundPartitions,
    topics: &mut BTreeMap<String, TopicImage>,
    mut inherited: BTreeMap<String, Configs>,
) -> Result<Adopted> {
    let known: HashSet<String> = topics.keys().cloned().collect();
    let mut adopted = Adopted {
        left_alone: found.others,
        ..Adopted::default()
    };
    for (partition, id) in found.logs {
        if known.contains(&partition.topic) {
            continue;
        }
        let end = topics.get(&partition.topic).map_or(0, |topic| topic.partitions);
        if topic_name::validate(&partition.topic).is_err() || partition.partition - end > MAX_GAP {
            adopted.left_alone.push(partition);
            continue;
        }
        let id = id.map_or_else(random_id, Ok)?;
        let configs = inherited.remove(&partition.topic);
        let topic = topics.entry(partition.topic).or_insert_with(|| TopicImage {
            id,
            partitions: 0,
            configs: configs.unwrap_or_default(),
        });
        topic.partitions = topic.partitions.max(partition.partition + 1);
        adopted.any = true;
    }
    adopted.left_alone.sort();
    Ok(adopted)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn adopt_logs(logs: &[(&str, i32)]) -> (BTreeMap<String, i32>, Vec<String>) {
        let found = FoundPartitions {
            logs: logs
                .iter()
                .map(|(topic, partition)| (TopicPartition::new(*topic, *partition), None))
                .collect(),
            others: vec![TopicPartition::new("photos", 24)],
        };
        let mut topics = BTreeMap::new();
        let adopted = adopt(found, &mut topics, BTreeMap::new()).unwrap();
        let counts = topics.into_iter().map(|(name, topic)| (name, topic.partitions));
        let left_alone = adopted.left_alone.iter().map(ToString::to_string);
        (counts.collect(), left_alone.collect())
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
        let topic = |id| TopicImage {
            id,
            partitions: 1,
            configs: Configs::new(),
        };
        let mut topics = BTreeMap::from([
            ("deleted".to_owned(), topic(id(1))),
            ("anew".to_owned(), topic(id(2))),
            ("grown".to_owned(), topic(id(3))),
            ("old".to_owned(), topic(id(4))),
        ]);
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
        catch_up(&found, &mut topics);
        let counts: Vec<_> = topics
            .iter()
            .map(|(name, topic)| (name.as_str(), topic.partitions))
            .collect();
        assert_eq!(counts, [("grown", 2), ("old", 1)]);
        adopt(found, &mut topics, BTreeMap::new()).unwrap();
        assert_eq!(topics["anew"].id, id(9));
    }

    #[test]
    fn a_name_that_no_topic_may_have_is_left_alone() {
        let (topics, left_alone) = adopt_logs(&[("my photos", 0), ("..", 0)]);
        assert!(topics.is_empty());
        assert_eq!(left_alone, ["..-0", "my photos-0", "photos-24"]);
    }
}
