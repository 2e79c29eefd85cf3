//! The `uniform` assignor: the numbers of the members' partitions differ by at most one, and members keep their
//! partitions as far as that allows.
//!
//! This file handles the case that all members subscribe to the same topics; the other is in `uniform_unlike.rs`.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{GroupAssignment, SubscribedGroup, give, uniform_unlike};

pub(super) fn assign(group: &SubscribedGroup) -> GroupAssignment {
    let mut members = group.members.values();
    let Some(first) = members.next() else {
        return GroupAssignment::new();
    };
    if members.all(|member| member.topics == first.topics) {
        assign_alike(group, &first.topics)
    } else {
        uniform_unlike::assign(group)
    }
}

fn assign_alike(group: &SubscribedGroup, topics: &BTreeSet<Uuid>) -> GroupAssignment {
    let partitions = topics
        .iter()
        .flat_map(|topic| group.partitions(*topic).map(|partition| (*topic, partition)));
    let mut free: BTreeSet<(Uuid, i32)> = partitions.collect();
    let share = free.len() / group.members.len();
    // The number of members with one partition more than the others.
    let mut extras = free.len() % group.members.len();
    let mut assignment = group.nothing();
    let mut short = Vec::new();
    for (id, member) in &group.members {
        let quota = share + usize::from(extras > 0);
        let owned = member
            .owned
            .iter()
            .flat_map(|(topic, partitions)| partitions.iter().map(|partition| (*topic, *partition)));
        let kept: Vec<_> = owned
            .filter(|partition| free.contains(partition))
            .take(quota)
            .collect();
        for (topic, partition) in &kept {
            free.remove(&(*topic, *partition));
            give(&mut assignment, id, *topic, *partition);
        }
        if kept.len() > share {
            extras -= 1;
        } else {
            short.push((id, share - kept.len()));
        }
    }
    // As in Apache Kafka, the last members that lack partitions get the extra ones.
    let without_extra = short.len().saturating_sub(extras);
    let mut free = free.into_iter();
    for (index, (id, missing)) in short.into_iter().enumerate() {
        let missing = missing + usize::from(index >= without_extra);
        for (topic, partition) in free.by_ref().take(missing) {
            give(&mut assignment, id, topic, partition);
        }
    }
    assignment
}
