//! The `simple` assignor of share groups (KIP-932): members may share a partition.
//!
//! - With at most as many members as partitions each partition has one member, and members differ by at most one
//!   partition. With more members, partitions have several, so that no member is without one.
//! - Partitions stay with their members as far as that allows.
//! - With different subscriptions partitions are assigned topic by topic, to the members with the fewest first.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{GroupAssignment, SubscribedMember, TopicPartitions, give};

/// Assigns every partition to at least one member that subscribes to its topic.
pub fn assign(members: &BTreeMap<String, SubscribedMember>, partitions: &TopicPartitions) -> GroupAssignment {
    let mut assignment: GroupAssignment = members
        .keys()
        .map(|id| (id.clone(), TopicPartitions::new()))
        .collect();
    let mut subscriptions = members.values().map(|member| &member.topics);
    let first = subscriptions.next();
    if first.is_some_and(|first| subscriptions.all(|other| other == first)) {
        let pairs = |(topic, partitions): (&Uuid, &BTreeSet<i32>)| -> Vec<(Uuid, i32)> {
            partitions.iter().map(|partition| (*topic, *partition)).collect()
        };
        let subscribed = partitions
            .iter()
            .filter(|(topic, _)| first.is_some_and(|first| first.contains(*topic)));
        let all: Vec<(Uuid, i32)> = subscribed.flat_map(pairs).collect();
        let ids: Vec<&str> = members.keys().map(String::as_str).collect();
        share_out(&mut assignment, members, &ids, &all);
    } else {
        for (topic, partitions) in partitions {
            let subscribers = members.iter().filter(|(_, member)| member.topics.contains(topic));
            let ids: Vec<&str> = subscribers.map(|(id, _)| id.as_str()).collect();
            let all: Vec<(Uuid, i32)> = partitions.iter().map(|partition| (*topic, *partition)).collect();
            share_out(&mut assignment, members, &ids, &all);
        }
    }
    assignment
}

/// Assigns partitions to members that all subscribe to their topics.
fn share_out(
    assignment: &mut GroupAssignment,
    members: &BTreeMap<String, SubscribedMember>,
    ids: &[&str],
    partitions: &[(Uuid, i32)],
) {
    if ids.is_empty() || partitions.is_empty() {
        return;
    }
    // The number of members per partition.
    let sharing = ids.len().div_ceil(partitions.len());
    let mut missing: BTreeMap<(Uuid, i32), usize> =
        partitions.iter().map(|partition| (*partition, sharing)).collect();
    let slots = sharing * partitions.len();
    let (least, mut with_one_more) = (slots / ids.len(), slots % ids.len());
    let mut open: Vec<(&str, usize)> = Vec::new();
    for id in ids {
        let owned = members.get(*id).map(|member| &member.owned);
        let mut kept = 0;
        let owned = owned
            .into_iter()
            .flatten()
            .flat_map(|(topic, partitions)| partitions.iter().map(move |partition| (*topic, *partition)));
        for partition in owned {
            let quota = least + usize::from(with_one_more > 0);
            if kept < quota
                && let Some(left) = missing.get_mut(&partition).filter(|left| **left > 0)
            {
                *left -= 1;
                kept += 1;
                give(assignment, id, partition.0, partition.1);
            }
        }
        if kept > least {
            with_one_more = with_one_more.saturating_sub(1);
        }
        let topics = assignment.get(*id).into_iter().flat_map(TopicPartitions::values);
        open.push((id, topics.map(BTreeSet::len).sum()));
    }
    fill(assignment, &mut open, &missing);
}

/// Assigns what is missing to the members with the fewest partitions; a partition never twice to the same member.
fn fill(
    assignment: &mut GroupAssignment,
    open: &mut [(&str, usize)],
    missing: &BTreeMap<(Uuid, i32), usize>,
) {
    for ((topic, partition), count) in missing {
        for _ in 0..*count {
            let has = |id: &str| {
                let topics = assignment.get(id);
                let partitions = topics.and_then(|topics| topics.get(topic));
                partitions.is_some_and(|partitions| partitions.contains(partition))
            };
            let least = open
                .iter_mut()
                .filter(|(id, _)| !has(id))
                .min_by_key(|(_, load)| *load);
            let Some((id, load)) = least else { break };
            *load += 1;
            give(assignment, id, *topic, *partition);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn topic(index: u128) -> Uuid {
        Uuid::from_u128(index)
    }

    fn group(count: usize, topics: &[u128], owned: &GroupAssignment) -> BTreeMap<String, SubscribedMember> {
        let topics: BTreeSet<Uuid> = topics.iter().map(|index| topic(*index)).collect();
        let topics = Arc::new(topics);
        let members = (0..count).map(|index| {
            let id = format!("m{index}");
            let member = SubscribedMember {
                instance_id: None,
                topics: Arc::clone(&topics),
                owned: owned.get(&id).cloned().unwrap_or_default(),
            };
            (id, member)
        });
        members.collect()
    }

    fn partitions(count: i32) -> TopicPartitions {
        TopicPartitions::from([(topic(1), (0..count).collect())])
    }

    fn sizes(assignment: &GroupAssignment) -> Vec<usize> {
        let members = assignment.values();
        members
            .map(|topics| topics.values().map(BTreeSet::len).sum())
            .collect()
    }

    #[test]
    fn few_members_get_partitions_of_their_own() {
        let assignment = assign(&group(3, &[1], &GroupAssignment::new()), &partitions(7));
        assert_eq!(sizes(&assignment), [3, 2, 2]);
        let all: BTreeSet<i32> = assignment
            .values()
            .flat_map(|topics| topics[&topic(1)].clone())
            .collect();
        assert_eq!(all.len(), 7);
    }

    #[test]
    fn many_members_share_partitions_and_nobody_is_without() {
        for (members, count) in [(4, 2), (3, 2), (5, 3), (10, 4), (1, 1)] {
            let assignment = assign(&group(members, &[1], &GroupAssignment::new()), &partitions(count));
            let sizes = sizes(&assignment);
            assert!(sizes.iter().all(|size| *size >= 1), "{members} {count} {sizes:?}");
            assert!(
                sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1,
                "{sizes:?}"
            );
            for partition in 0..count {
                let having = assignment
                    .values()
                    .filter(|topics| topics[&topic(1)].contains(&partition));
                assert_eq!(
                    having.count(),
                    members.div_ceil(count as usize),
                    "{members} {count}"
                );
            }
        }
    }

    #[test]
    fn members_keep_what_they_have() {
        let before = assign(&group(2, &[1], &GroupAssignment::new()), &partitions(4));
        let after = assign(&group(3, &[1], &before), &partitions(4));
        assert_eq!(sizes(&after), [2, 1, 1]);
        assert_eq!(after["m0"], before["m0"]);
        assert!(after["m1"][&topic(1)].is_subset(&before["m1"][&topic(1)]));
    }

    #[test]
    fn topics_go_only_to_members_that_want_them() {
        let mut members = group(2, &[1], &GroupAssignment::new());
        let other = Arc::new(BTreeSet::from([topic(1), topic(2)]));
        members.get_mut("m1").unwrap().topics = other;
        let partitions = TopicPartitions::from([
            (topic(1), BTreeSet::from([0, 1])),
            (topic(2), BTreeSet::from([0])),
            (topic(3), BTreeSet::from([0])),
        ]);
        let assignment = assign(&members, &partitions);
        assert_eq!(sizes(&assignment), [1, 2]);
        assert!(assignment["m1"].contains_key(&topic(2)));
        assert_eq!(assign(&BTreeMap::new(), &partitions), GroupAssignment::new());
    }
}
