//! Which folders of a data directory become topics although the metadata do not name them: another Kafka left them.
//!
//! A folder is taken only if it holds a log under a name that a topic may have; everything else is somebody else's and
//! is left alone. Empty partitions fill small gaps, for a folder of one broker of many; a number far out of line is
//! no reason to make all the partitions before it.

use std::collections::{BTreeMap, HashSet};

use super::cluster_metadata::Inherited;
use super::metadata_file::StoredTopic;
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

/// Adds topics whose logs were found but are not among `topics`, with the configs they had.
pub(super) fn adopt(
    found: FoundPartitions,
    topics: &mut BTreeMap<String, StoredTopic>,
    mut inherited: Inherited,
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
        let configs = inherited.topic_configs.remove(&partition.topic);
        let topic = topics.entry(partition.topic).or_insert_with(|| StoredTopic {
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
        let adopted = adopt(found, &mut topics, Inherited::default()).unwrap();
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
    fn a_name_that_no_topic_may_have_is_left_alone() {
        let (topics, left_alone) = adopt_logs(&[("my photos", 0), ("..", 0)]);
        assert!(topics.is_empty());
        assert_eq!(left_alone, ["..-0", "my photos-0", "photos-24"]);
    }
}
