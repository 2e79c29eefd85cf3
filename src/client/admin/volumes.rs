//! How much lies in partitions: their first and next offsets, and the bytes of the leader's copy.

use std::collections::{BTreeMap, BTreeSet};

use super::AdminClient;
use super::offsets::{EARLIEST, LATEST, Offsets};
use super::topics::TopicDescription;
use crate::error::Result;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// What lies in one partition; `None` for what could not be found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    pub first: Option<Offset>,
    pub next: Option<Offset>,
    /// Bytes of segments at the leader.
    pub size: Option<i64>,
}

impl Volume {
    /// Offsets from the first to the next one. There are no more records than that, and fewer where compaction took
    /// some away or transactions wrote their markers.
    pub fn offsets(self) -> Option<i64> {
        Some(self.next? - self.first?)
    }
}

/// What lies in many partitions.
pub type Volumes = BTreeMap<TopicPartition, Volume>;

impl AdminClient {
    /// The bytes in the partitions of these topics. What may not be asked, or has no leader, stays unknown.
    pub fn volumes(&mut self, topics: &[TopicDescription]) -> Result<Volumes> {
        self.note_lost(topics)?;
        let leaders = leaders(topics);
        let firsts = self.list_offsets(&leaders, EARLIEST)?;
        let nexts = self.list_offsets(&leaders, LATEST)?;
        let sizes = self.sizes(topics, &leaders)?;
        let offset = |offsets: &Offsets, partition: &TopicPartition| {
            offsets
                .get(partition)
                .and_then(|answer| answer.as_ref().ok())
                .copied()
        };
        Ok(leaders
            .into_iter()
            .map(|(partition, _)| {
                let volume = Volume {
                    first: offset(&firsts, &partition),
                    next: offset(&nexts, &partition),
                    size: sizes.get(&partition).copied(),
                };
                (partition, volume)
            })
            .collect())
    }

    /// A partition without a leader is on brokers that are down: only they know its size.
    pub fn note_lost(&mut self, topics: &[TopicDescription]) -> Result<()> {
        let partitions = topics.iter().flat_map(|topic| &topic.partitions);
        let lost = partitions.filter(|partition| partition.leader.is_none());
        let holders: BTreeSet<BrokerId> = lost
            .flat_map(|partition| partition.replicas.iter().copied())
            .collect();
        if holders.is_empty() {
            return Ok(());
        }
        let up: BTreeSet<BrokerId> = self.brokers()?.iter().map(|broker| broker.id).collect();
        holders.difference(&up).for_each(|broker| self.note_down(*broker));
        Ok(())
    }

    fn sizes(
        &mut self,
        topics: &[TopicDescription],
        leaders: &[(TopicPartition, BrokerId)],
    ) -> Result<BTreeMap<TopicPartition, i64>> {
        let brokers: BTreeSet<BrokerId> = leaders.iter().map(|(_, leader)| *leader).collect();
        let led: BTreeMap<&TopicPartition, BrokerId> = leaders
            .iter()
            .map(|(partition, leader)| (partition, *leader))
            .collect();
        let wanted: Vec<(String, Vec<i32>)> = topics
            .iter()
            .map(|topic| {
                let numbers = topic.partitions.iter().map(|partition| partition.partition);
                (topic.name.clone(), numbers.collect())
            })
            .collect();
        let brokers: Vec<BrokerId> = brokers.into_iter().collect();
        let mut sizes = BTreeMap::new();
        for (broker, dirs) in self.describe_log_dirs(&brokers, Some(&wanted))? {
            // Sizes are worth less than the list itself: a user without the right to ask for them sees the rest.
            let Ok(dirs) = dirs else { continue };
            for replica in dirs.into_iter().flat_map(|dir| dir.replicas) {
                if !replica.is_future && led.get(&replica.partition) == Some(&broker) {
                    sizes.insert(replica.partition, replica.size);
                }
            }
        }
        Ok(sizes)
    }
}

/// The partitions that somebody leads.
pub fn leaders(topics: &[TopicDescription]) -> Vec<(TopicPartition, BrokerId)> {
    let of_topic = |topic: &TopicDescription| -> Vec<(TopicPartition, BrokerId)> {
        let led = topic.partitions.iter().filter_map(|partition| {
            let name = TopicPartition::new(topic.name.as_str(), partition.partition);
            partition.leader.map(|leader| (name, leader))
        });
        led.collect()
    };
    topics.iter().flat_map(of_topic).collect()
}
