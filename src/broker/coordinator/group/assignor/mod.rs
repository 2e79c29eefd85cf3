//! The assignors that the coordinator runs for groups of the consumer protocol (KIP-848). Pure: the same group gets
//! the same assignment.
//!
//! [`uniform`] and [`range`] have the rules; [`simple`] those of share groups. Like Apache Kafka's, none considers
//! racks.

mod range;
pub mod simple;
mod uniform;
mod uniform_unlike;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

/// Partitions by topic id.
pub type TopicPartitions = BTreeMap<Uuid, BTreeSet<i32>>;

/// The partitions of each member, by member id. Every member of the group is in it, if need be with none.
pub type GroupAssignment = BTreeMap<String, TopicPartitions>;

/// An assignor, as `group.consumer.assignors` and the heartbeat's `ServerAssignor` name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignor {
    /// Partitions are spread evenly over the members, and stay with their owners as far as that allows.
    Uniform,
    /// The partitions of each topic are cut into one range per member, in the same way for topics of the same size.
    Range,
}

/// What an assignor needs to know of a member.
#[derive(Clone, Debug, Default)]
pub struct SubscribedMember {
    /// The name of a static member (KIP-345).
    pub instance_id: Option<String>,
    /// The topics it subscribes to, of those that exist. Members with the same subscription may share one set.
    pub topics: Arc<BTreeSet<Uuid>>,
    /// Its partitions in the last assignment.
    pub owned: TopicPartitions,
}

/// What an assignor needs to know of a group.
#[derive(Clone, Debug, Default)]
pub struct SubscribedGroup {
    /// By member id.
    pub members: BTreeMap<String, SubscribedMember>,
    /// The number of partitions of each subscribed topic.
    pub partition_counts: BTreeMap<Uuid, i32>,
}

impl Assignor {
    /// The assignor of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Assignor::Uniform, Assignor::Range]
            .into_iter()
            .find(|assignor| assignor.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Assignor::Uniform => "uniform",
            Assignor::Range => "range",
        }
    }

    /// Assigns every partition of every subscribed topic to one member that subscribes to it.
    pub fn assign(self, group: &SubscribedGroup) -> GroupAssignment {
        match self {
            Assignor::Uniform => uniform::assign(group),
            Assignor::Range => range::assign(group),
        }
    }
}

impl SubscribedGroup {
    /// The partitions of a topic; none if it does not exist.
    fn partitions(&self, topic: Uuid) -> impl Iterator<Item = i32> + use<> {
        0..self.partition_counts.get(&topic).copied().unwrap_or(0)
    }

    /// An assignment without any partition.
    fn nothing(&self) -> GroupAssignment {
        let ids = self.members.keys();
        ids.map(|id| (id.clone(), TopicPartitions::new())).collect()
    }
}

/// Adds one partition to a member's.
fn give(assignment: &mut GroupAssignment, member: &str, topic: Uuid, partition: i32) {
    if let Some(topics) = assignment.get_mut(member) {
        topics.entry(topic).or_default().insert(partition);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A group of up to eight members and six topics; each member subscribes to the topics of its bits, or all to the
    /// same.
    fn groups() -> impl Strategy<Value = SubscribedGroup> {
        let topics = prop::collection::vec(0_i32..9, 1..6);
        let members = prop::collection::vec((0_u8..64, any::<bool>()), 1..8);
        (topics, members, any::<bool>()).prop_map(|(topics, members, alike)| {
            let id = |index: usize| Uuid::from_u128(index as u128 + 1);
            let partition_counts = (0..)
                .zip(&topics)
                .map(|(index, count)| (id(index), *count))
                .collect();
            let first = members[0].0;
            let members = (0..).zip(&members).map(|(index, (bits, is_static)): (usize, _)| {
                let bits = if alike { first } else { *bits };
                let subscribed = (0..topics.len()).filter(|topic| bits & (1 << topic) != 0).map(id);
                let member = SubscribedMember {
                    instance_id: is_static.then(|| format!("i{}", 100 - index)),
                    topics: Arc::new(subscribed.collect()),
                    owned: TopicPartitions::new(),
                };
                (format!("m{index}"), member)
            });
            SubscribedGroup {
                members: members.collect(),
                partition_counts,
            }
        })
    }

    /// The group once its members own what `assignment` gives them.
    fn after(group: &SubscribedGroup, assignment: &GroupAssignment) -> SubscribedGroup {
        let mut group = group.clone();
        for (id, member) in &mut group.members {
            member.owned = assignment[id].clone();
        }
        group
    }

    fn size(partitions: &TopicPartitions) -> usize {
        partitions.values().map(BTreeSet::len).sum()
    }

    /// Every subscribed partition has one owner, which subscribes to its topic.
    fn check_complete(group: &SubscribedGroup, assignment: &GroupAssignment) {
        assert!(assignment.keys().eq(group.members.keys()));
        let mut owned = BTreeSet::new();
        for (id, topics) in assignment {
            for (topic, partitions) in topics {
                assert!(group.members[id].topics.contains(topic));
                for partition in partitions {
                    assert!(group.partitions(*topic).any(|known| known == *partition));
                    assert!(owned.insert((*topic, *partition)), "two owners");
                }
            }
        }
        let subscribed: BTreeSet<Uuid> = group
            .members
            .values()
            .flat_map(|member| member.topics.iter().copied())
            .collect();
        let wanted: usize = subscribed
            .iter()
            .map(|topic| group.partitions(*topic).count())
            .sum();
        assert_eq!(owned.len(), wanted);
    }

    /// No partition could be moved to another subscriber so that the two differ less.
    fn check_balanced(group: &SubscribedGroup, assignment: &GroupAssignment) {
        for (id, topics) in assignment {
            for topic in topics.keys() {
                let others = group
                    .members
                    .iter()
                    .filter(|(_, member)| member.topics.contains(topic));
                let least = others.map(|(other, _)| size(&assignment[other])).min().unwrap();
                assert!(size(&assignment[id]) <= least + 1, "{assignment:?}");
            }
        }
    }

    fn moved(before: &GroupAssignment, after: &GroupAssignment) -> usize {
        let kept = |id: &String, topic, partition| {
            after
                .get(id)
                .and_then(|topics: &TopicPartitions| topics.get(topic))
                .is_some_and(|partitions: &BTreeSet<i32>| partitions.contains(partition))
        };
        before
            .iter()
            .flat_map(|(id, topics)| {
                topics
                    .iter()
                    .map(move |(topic, partitions)| (id, topic, partitions))
            })
            .map(|(id, topic, partitions)| {
                partitions
                    .iter()
                    .filter(|partition| !kept(id, topic, partition))
                    .count()
            })
            .sum()
    }

    proptest! {
        #[test]
        fn every_partition_has_one_owner(group in groups()) {
            check_complete(&group, &Assignor::Range.assign(&group));
            check_complete(&group, &Assignor::Uniform.assign(&group));
        }

        #[test]
        fn uniform_is_balanced_and_stays_as_it_is(group in groups()) {
            let first = Assignor::Uniform.assign(&group);
            check_balanced(&group, &first);
            let second = Assignor::Uniform.assign(&after(&group, &first));
            prop_assert_eq!(first, second);
        }

        #[test]
        fn uniform_stays_balanced_when_a_member_comes_or_goes(group in groups(), leaves in any::<bool>()) {
            let first = Assignor::Uniform.assign(&group);
            let mut changed = after(&group, &first);
            let template = changed.members["m0"].clone();
            if leaves && changed.members.len() > 1 {
                changed.members.remove("m0");
            } else {
                changed.members.insert("new".to_owned(), SubscribedMember { owned: TopicPartitions::new(), ..template });
            }
            let second = Assignor::Uniform.assign(&changed);
            check_complete(&changed, &second);
            check_balanced(&changed, &second);
            // With equal subscriptions only the partitions of a member that left, or those for a new member, move.
            let alike = changed.members.values().all(|member| member.topics == changed.members.values().next().unwrap().topics);
            if alike {
                let allowed = if changed.members.contains_key("new") { size(&second["new"]) } else { size(&first["m0"]) };
                prop_assert!(moved(&first, &second) <= allowed);
            }
        }

        #[test]
        fn range_cuts_topics_of_one_size_alike(group in groups()) {
            let assignment = Assignor::Range.assign(&group);
            let subscribers = |topic: &Uuid| group.members.iter().filter(|(_, member)| member.topics.contains(topic)).map(|(id, _)| id).collect::<Vec<_>>();
            for (one, count) in &group.partition_counts {
                for (other, _) in group.partition_counts.iter().filter(|(_, as_many)| *as_many == count) {
                    if subscribers(one) == subscribers(other) {
                        for topics in assignment.values() {
                            prop_assert_eq!(topics.get(one), topics.get(other));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn range_puts_static_members_first() {
        let topic = Uuid::from_u128(1);
        let member = |instance: Option<&str>| SubscribedMember {
            instance_id: instance.map(str::to_owned),
            topics: Arc::new(BTreeSet::from([topic])),
            owned: TopicPartitions::new(),
        };
        let group = SubscribedGroup {
            members: BTreeMap::from([
                ("a".to_owned(), member(None)),
                ("b".to_owned(), member(Some("y"))),
                ("c".to_owned(), member(Some("x"))),
            ]),
            partition_counts: BTreeMap::from([(topic, 4)]),
        };
        let assignment = Assignor::Range.assign(&group);
        let of = |id: &str| assignment[id][&topic].iter().copied().collect::<Vec<_>>();
        assert_eq!((of("c"), of("b"), of("a")), (vec![0, 1], vec![2], vec![3]));
    }
}
