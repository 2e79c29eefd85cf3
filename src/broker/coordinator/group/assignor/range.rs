//! The `range` assignor: the partitions of each topic are cut into consecutive ranges, one for each of its
//! subscribers.
//!
//! The order of subscribers is the same for every topic, static members first by instance id. So topics with the same
//! number of partitions and the same subscribers are cut alike: a member that joins two such topics has both sides.

use super::{GroupAssignment, SubscribedGroup, SubscribedMember, give};

pub(super) fn assign(group: &SubscribedGroup) -> GroupAssignment {
    let mut members: Vec<(&String, &SubscribedMember)> = group.members.iter().collect();
    members.sort_by_key(|(id, member)| (member.instance_id.is_none(), member.instance_id.as_deref(), *id));
    let mut assignment = group.nothing();
    for topic in group.partition_counts.keys() {
        let subscribers: Vec<&str> = members
            .iter()
            .filter(|(_, member)| member.topics.contains(topic))
            .map(|(id, _)| id.as_str())
            .collect();
        let mut partitions = group.partitions(*topic);
        let count = group.partitions(*topic).count();
        let Some(share) = count.checked_div(subscribers.len()) else {
            continue;
        };
        let longer = count % subscribers.len();
        for (index, subscriber) in subscribers.into_iter().enumerate() {
            let length = share + usize::from(index < longer);
            for partition in partitions.by_ref().take(length) {
                give(&mut assignment, subscriber, *topic, partition);
            }
        }
    }
    assignment
}
