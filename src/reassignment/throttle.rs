//! The throttle of a reassignment: which replicas and brokers, and their configs (KIP-73).
//!
//! <https://cwiki.apache.org/confluence/display/KAFKA/KIP-73+Replication+Quotas>

use std::collections::{BTreeMap, BTreeSet};

use super::Assignment;
use super::active::ActiveReassignments;
use crate::topic_partition::{BrokerId, TopicPartition};

/// Topic config: the replicas whose leaders send at the throttled rate.
pub const LEADER_THROTTLED_REPLICAS: &str = "leader.replication.throttled.replicas";
/// Topic config: the replicas that fetch at the throttled rate.
pub const FOLLOWER_THROTTLED_REPLICAS: &str = "follower.replication.throttled.replicas";
/// Broker config: bytes a second that leaders send to throttled replicas.
pub const LEADER_THROTTLED_RATE: &str = "leader.replication.throttled.rate";
/// Broker config: bytes a second that throttled replicas fetch.
pub const FOLLOWER_THROTTLED_RATE: &str = "follower.replication.throttled.rate";
/// Broker config: bytes a second of moves between log directories.
pub const LOG_DIR_THROTTLED_RATE: &str = "replica.alter.log.dirs.io.max.bytes.per.second";

/// Every throttle that is set on a topic.
pub const TOPIC_THROTTLES: [&str; 2] = [LEADER_THROTTLED_REPLICAS, FOLLOWER_THROTTLED_REPLICAS];
/// Every throttle that is set on a broker.
pub const BROKER_THROTTLES: [&str; 3] = [
    LEADER_THROTTLED_RATE,
    FOLLOWER_THROTTLED_RATE,
    LOG_DIR_THROTTLED_RATE,
];

/// From where to where one partition is copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionMove {
    pub sources: BTreeSet<BrokerId>,
    /// Brokers that get the partition and do not have it yet.
    pub destinations: BTreeSet<BrokerId>,
}

/// Every copy, by partition.
pub type Moves = BTreeMap<TopicPartition, PartitionMove>;

/// The throttled replicas of one topic, as config values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicThrottle {
    pub leader: String,
    pub follower: String,
}

/// The copies that `proposed` needs, together with those in progress.
///
/// A partition in progress keeps its sources: the replicas that it adds do not have the data yet. A partition
/// of `proposed` that `current` does not know has no sources.
pub fn moves(active: &ActiveReassignments, proposed: &Assignment, current: &Assignment) -> Moves {
    let mut moves: Moves = active
        .iter()
        .map(|(topic_partition, reassignment)| {
            let copy = PartitionMove {
                sources: reassignment.sources().into_iter().collect(),
                destinations: reassignment.adding.iter().copied().collect(),
            };
            (topic_partition.clone(), copy)
        })
        .collect();
    for (topic_partition, replicas) in proposed {
        let sources: BTreeSet<BrokerId> = match moves.get(topic_partition) {
            Some(copy) => copy.sources.clone(),
            None => current
                .get(topic_partition)
                .into_iter()
                .flatten()
                .copied()
                .collect(),
        };
        let is_new = |broker: &BrokerId| !sources.contains(broker);
        let destinations = replicas.iter().copied().filter(is_new).collect();
        moves.insert(
            topic_partition.clone(),
            PartitionMove {
                sources,
                destinations,
            },
        );
    }
    moves
}

/// The configs of each topic that has a move: `partition:broker` entries sorted as text, as Apache Kafka's
/// tool writes them.
pub fn topic_throttles(moves: &Moves) -> BTreeMap<String, TopicThrottle> {
    let mut words: BTreeMap<&str, [BTreeSet<String>; 2]> = BTreeMap::new();
    for (topic_partition, copy) in moves {
        let [leader, follower] = words.entry(&topic_partition.topic).or_default();
        let word = |broker: &BrokerId| format!("{}:{broker}", topic_partition.partition);
        leader.extend(copy.sources.iter().map(word));
        follower.extend(copy.destinations.difference(&copy.sources).map(word));
    }
    let joined = |words: BTreeSet<String>| words.into_iter().collect::<Vec<_>>().join(",");
    words
        .into_iter()
        .map(|(topic, [leader, follower])| {
            let throttle = TopicThrottle {
                leader: joined(leader),
                follower: joined(follower),
            };
            (topic.to_owned(), throttle)
        })
        .collect()
}

/// Every broker that sends or receives.
pub fn brokers(moves: &Moves) -> BTreeSet<BrokerId> {
    moves
        .values()
        .flat_map(|copy| copy.sources.union(&copy.destinations))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reassignment::active::ActiveReassignment;

    fn assignment(entries: &[(i32, &[BrokerId])]) -> Assignment {
        entries
            .iter()
            .map(|(partition, replicas)| (TopicPartition::new("foo", *partition), replicas.to_vec()))
            .collect()
    }

    #[test]
    fn words_are_in_the_order_of_their_text() {
        let proposed = assignment(&[(2, &[5]), (10, &[3, 4])]);
        let current = assignment(&[(2, &[4]), (10, &[3, 12])]);
        let throttles = topic_throttles(&moves(&ActiveReassignments::new(), &proposed, &current));
        assert_eq!(
            throttles["foo"],
            TopicThrottle {
                leader: "10:12,10:3,2:4".to_owned(),
                follower: "10:4,2:5".to_owned()
            }
        );
    }

    #[test]
    fn what_is_under_way_counts_and_keeps_its_sources() {
        let active = ActiveReassignments::from([
            (
                TopicPartition::new("foo", 0),
                ActiveReassignment {
                    replicas: vec![3, 2, 1],
                    adding: vec![3],
                    removing: vec![1],
                },
            ),
            (
                TopicPartition::new("bar", 7),
                ActiveReassignment {
                    replicas: vec![1, 2],
                    adding: vec![2],
                    removing: vec![],
                },
            ),
        ]);
        let proposed = assignment(&[(0, &[3, 2])]);
        let moves = moves(&active, &proposed, &assignment(&[(0, &[3, 2, 1])]));
        let throttles = topic_throttles(&moves);
        assert_eq!(throttles["foo"].leader, "0:1,0:2");
        assert_eq!(throttles["foo"].follower, "0:3");
        assert_eq!(throttles["bar"].leader, "7:1");
        assert_eq!(throttles["bar"].follower, "7:2");
        assert_eq!(brokers(&moves), BTreeSet::from([1, 2, 3]));
    }
}
