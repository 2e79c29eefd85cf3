//! Which partitions a command selects: `orders`, all of a topic, or `orders:0,2-4`.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use super::topic_selection;
use crate::client::admin::topics::TopicDescription;
use crate::error::{Error, Result};
use crate::topic_partition::TopicPartition;

/// A topic, and its selected partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionsOfTopic {
    pub topic: String,
    /// `None` for all.
    pub partitions: Option<Vec<i32>>,
}

/// The selected partitions of the cluster; a topic or partition that does not exist is an error.
pub fn find(
    selection: &[PartitionsOfTopic],
    topics: &[TopicDescription],
    context: &mut Context,
) -> Result<BTreeSet<TopicPartition>> {
    let mut found = BTreeSet::new();
    let by_name: BTreeMap<&str, &TopicDescription> =
        topics.iter().map(|topic| (topic.name.as_str(), topic)).collect();
    for wanted in selection {
        let Some(topic) = by_name.get(wanted.topic.as_str()) else {
            return Err(topic_selection::not_found(&wanted.topic, context));
        };
        let mut there = topic.partitions.iter().map(|partition| partition.partition);
        let numbers: Vec<i32> = match &wanted.partitions {
            None => there.collect(),
            Some(numbers) => {
                let there: BTreeSet<i32> = there.by_ref().collect();
                if let Some(missing) = numbers.iter().find(|number| !there.contains(number)) {
                    return Err(Error::not_found(format!(
                        "topic \"{}\" has no partition {missing}; it has {}",
                        topic.name,
                        there.len()
                    )));
                }
                numbers.clone()
            }
        };
        let name = |number| TopicPartition::new(topic.name.as_str(), number);
        found.extend(numbers.into_iter().map(name));
    }
    Ok(found)
}

/// Whether `partition` is selected, whether or not it exists in the cluster.
pub fn names(selection: &[PartitionsOfTopic], partition: &TopicPartition) -> bool {
    let is_it = |wanted: &PartitionsOfTopic| {
        let numbers = wanted.partitions.as_ref();
        wanted.topic == partition.topic
            && numbers.is_none_or(|numbers| numbers.contains(&partition.partition))
    };
    selection.iter().any(is_it)
}
