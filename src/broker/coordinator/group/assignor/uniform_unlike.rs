//! The `uniform` assignor for members with different subscriptions: the member with the fewest partitions gets the
//! next one, and then partitions move from members with more to members with fewer.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{GroupAssignment, SubscribedGroup, TopicPartitions};

/// The most passes over all topics to even out the assignment. A move can make another one possible; after so many
/// passes the assignment is even enough.
const ROUNDS: usize = 16;

pub(super) fn assign(group: &SubscribedGroup) -> GroupAssignment {
    let mut spread = Spread::of(group);
    let topics = spread.hardest_first();
    for topic in &topics {
        spread.give_free(*topic);
    }
    for _ in 0..ROUNDS {
        let mut moved = false;
        for topic in &topics {
            moved |= spread.even_out(*topic);
        }
        if !moved {
            break;
        }
    }
    spread.assignment
}

/// An assignment under construction.
struct Spread<'a> {
    group: &'a SubscribedGroup,
    /// The members that subscribe to a topic, by member id.
    subscribers: BTreeMap<Uuid, Vec<&'a str>>,
    assignment: GroupAssignment,
    /// The number of partitions of each member.
    load: BTreeMap<&'a str, usize>,
    /// Partitions without an owner.
    free: BTreeMap<Uuid, BTreeSet<i32>>,
}

impl<'a> Spread<'a> {
    /// Members keep their partitions of the topics they subscribe to.
    fn of(group: &'a SubscribedGroup) -> Self {
        let mut subscribers: BTreeMap<Uuid, Vec<&str>> = BTreeMap::new();
        for (id, member) in &group.members {
            for topic in member.topics.iter() {
                subscribers.entry(*topic).or_default().push(id);
            }
        }
        let mut free: TopicPartitions = subscribers
            .keys()
            .map(|topic| (*topic, group.partitions(*topic).collect()))
            .collect();
        let mut assignment = group.nothing();
        let mut load = BTreeMap::new();
        for (id, member) in &group.members {
            let mut kept = TopicPartitions::new();
            for (topic, partitions) in &member.owned {
                if let Some(free) = free.get_mut(topic)
                    && member.topics.contains(topic)
                {
                    let own: BTreeSet<i32> = partitions
                        .iter()
                        .copied()
                        .filter(|partition| free.remove(partition))
                        .collect();
                    if !own.is_empty() {
                        kept.insert(*topic, own);
                    }
                }
            }
            load.insert(id.as_str(), kept.values().map(BTreeSet::len).sum());
            assignment.insert(id.clone(), kept);
        }
        Self {
            group,
            subscribers,
            assignment,
            load,
            free,
        }
    }

    /// Topics with many partitions per subscriber come first: the others can even out the rest.
    fn hardest_first(&self) -> Vec<Uuid> {
        let mut topics: Vec<(Uuid, usize, usize)> = self
            .subscribers
            .iter()
            .map(|(topic, members)| (*topic, self.group.partitions(*topic).count(), members.len()))
            .collect();
        topics.sort_by(
            |(one, one_count, one_members), (other, other_count, other_members)| {
                // Compares count / members without dividing.
                let by_weight = (other_count * one_members).cmp(&(one_count * other_members));
                by_weight
                    .then(one_members.cmp(other_members))
                    .then(one.cmp(other))
            },
        );
        topics.into_iter().map(|(topic, _, _)| topic).collect()
    }

    fn load_of(&self, member: &str) -> usize {
        self.load.get(member).copied().unwrap_or(0)
    }

    fn least_loaded(&self, topic: Uuid) -> Option<&'a str> {
        let subscribers = self.subscribers.get(&topic)?.iter().copied();
        subscribers.min_by_key(|member| self.load_of(member))
    }

    fn give_free(&mut self, topic: Uuid) {
        for partition in self.free.remove(&topic).unwrap_or_default() {
            if let Some(member) = self.least_loaded(topic) {
                self.give(member, topic, partition);
            }
        }
    }

    fn give(&mut self, member: &'a str, topic: Uuid, partition: i32) {
        super::give(&mut self.assignment, member, topic, partition);
        *self.load.entry(member).or_default() += 1;
    }

    /// Moves partitions of the topic from its owners with the most to the subscribers with the fewest, while that
    /// makes them more equal. Returns whether any has moved.
    fn even_out(&mut self, topic: Uuid) -> bool {
        let mut moved = false;
        while let Some((from, to)) = self.unequal(topic) {
            let last = self.assignment.get_mut(from).and_then(|topics| {
                let partitions = topics.get_mut(&topic)?;
                let last = partitions.pop_last();
                if partitions.is_empty() {
                    topics.remove(&topic);
                }
                last
            });
            let Some(partition) = last else { break };
            if let Some(load) = self.load.get_mut(from) {
                *load -= 1;
            }
            self.give(to, topic, partition);
            moved = true;
        }
        moved
    }

    /// An owner of the topic's partitions, and another subscriber that has at least two fewer.
    fn unequal(&self, topic: Uuid) -> Option<(&'a str, &'a str)> {
        let least = self.least_loaded(topic)?;
        let owns = |member: &&str| {
            self.assignment
                .get(*member)
                .is_some_and(|topics| topics.contains_key(&topic))
        };
        let owners = self.subscribers.get(&topic)?.iter().copied().filter(owns);
        let most = owners.max_by_key(|member| self.load_of(member))?;
        (self.load_of(most) > self.load_of(least) + 1).then_some((most, least))
    }
}
