//! What a plan does to a cluster: copies, bytes, and each broker before and after.

use std::collections::{BTreeMap, BTreeSet};

use super::Assignment;
use super::cluster_view::ClusterView;
use crate::topic_partition::BrokerId;

/// A broker's load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    pub replicas: usize,
    /// Partitions whose preferred leader is the broker.
    pub leaders: usize,
    pub bytes: u64,
}

/// A broker before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerImpact {
    pub rack: Option<String>,
    pub is_alive: bool,
    pub before: Load,
    pub after: Load,
    /// Bytes copied to it.
    pub incoming: u64,
}

/// What a plan that empties a broker moves and leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Replicas that leave it.
    pub leaving: usize,
    /// Replicas that stay, because their topics were not chosen.
    pub staying: usize,
    /// Bytes of those that stay.
    pub bytes_staying: u64,
    /// The topics of those that stay.
    pub topics_staying: BTreeSet<String>,
}

/// A plan, measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impact {
    pub brokers: BTreeMap<BrokerId, BrokerImpact>,
    /// Partitions that get a replica on a further broker.
    pub partitions_copied: usize,
    /// Partitions that only change their order or lose replicas.
    pub partitions_in_place: usize,
    /// Of the copied ones, those that no live broker has: they wait until a broker with the data is back.
    pub partitions_without_source: usize,
    pub replicas_copied: usize,
    pub bytes_copied: u64,
    /// The brokers that were to be emptied.
    pub drained: BTreeMap<BrokerId, Drained>,
    /// The smallest and largest number of replicas among the plan's partitions.
    pub replicas: Option<(usize, usize)>,
    /// The smallest and largest number of racks that a partition of the plan is on; `None` without racks.
    pub racks: Option<(usize, usize)>,
}

/// Measures a plan against the cluster it is for; `drain` are the brokers it was to empty.
pub fn impact(view: &ClusterView, target: &Assignment, drain: &BTreeSet<BrokerId>) -> Impact {
    let mut impact = Impact {
        drained: drain.iter().map(|id| (*id, drained(view, target, *id))).collect(),
        ..Impact::default()
    };
    for live in &view.brokers {
        let broker = impact.brokers.entry(live.id).or_default();
        broker.rack.clone_from(&live.rack);
        broker.is_alive = true;
    }
    let racks = view.racks();
    for (topic_partition, facts) in &view.partitions {
        let after = target.get(topic_partition);
        load(&mut impact, &facts.replicas, facts.bytes, |broker| {
            &mut broker.before
        });
        load(
            &mut impact,
            after.unwrap_or(&facts.replicas),
            facts.bytes,
            |broker| &mut broker.after,
        );
        let Some(after) = after.filter(|after| **after != facts.replicas) else {
            continue;
        };
        let copied: Vec<_> = after
            .iter()
            .filter(|broker| !facts.replicas.contains(broker))
            .collect();
        for broker in &copied {
            impact.brokers.entry(**broker).or_default().incoming += facts.bytes;
        }
        impact.replicas_copied += copied.len();
        impact.bytes_copied += facts.bytes * copied.len() as u64;
        if copied.is_empty() {
            impact.partitions_in_place += 1;
        } else {
            impact.partitions_copied += 1;
            let has_source = facts.replicas.iter().any(|broker| view.is_alive(*broker));
            impact.partitions_without_source += usize::from(!has_source);
        }
        widen(&mut impact.replicas, after.len());
        if let Some(racks) = &racks {
            let used: BTreeSet<_> = after.iter().filter_map(|broker| racks.get(broker)).collect();
            widen(&mut impact.racks, used.len());
        }
    }
    impact
}

/// What leaves a broker that is to be emptied, and what stays on it.
fn drained(view: &ClusterView, target: &Assignment, broker: BrokerId) -> Drained {
    let mut drained = Drained::default();
    for (name, facts) in &view.partitions {
        if !facts.replicas.contains(&broker) {
            continue;
        }
        if target.get(name).unwrap_or(&facts.replicas).contains(&broker) {
            drained.staying += 1;
            drained.bytes_staying += facts.bytes;
            drained.topics_staying.insert(name.topic.clone());
        } else {
            drained.leaving += 1;
        }
    }
    drained
}

/// Extends a range of counts to include `count`.
fn widen(range: &mut Option<(usize, usize)>, count: usize) {
    let (least, most) = range.unwrap_or((count, count));
    *range = Some((least.min(count), most.max(count)));
}

fn load(
    impact: &mut Impact,
    replicas: &[BrokerId],
    bytes: u64,
    side: impl Fn(&mut BrokerImpact) -> &mut Load,
) {
    for (position, broker) in replicas.iter().enumerate() {
        let load = side(impact.brokers.entry(*broker).or_default());
        load.replicas += 1;
        load.bytes += bytes;
        load.leaders += usize::from(position == 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reassignment::cluster_view::{LiveBroker, PartitionFacts};
    use crate::topic_partition::TopicPartition;

    #[test]
    fn copies_are_what_a_broker_did_not_have() {
        let live = |id| LiveBroker {
            id,
            rack: Some(format!("rack{id}")),
        };
        let facts = |replicas: &[BrokerId], bytes| PartitionFacts {
            replicas: replicas.to_vec(),
            bytes,
        };
        let view = ClusterView {
            brokers: vec![live(1), live(2), live(3)],
            partitions: BTreeMap::from([
                (TopicPartition::new("a", 0), facts(&[1, 2], 100)),
                (TopicPartition::new("a", 1), facts(&[1, 2], 10)),
                (TopicPartition::new("a", 2), facts(&[1, 9], 1)),
                (TopicPartition::new("b", 0), facts(&[9], 0)),
            ]),
        };
        let target = Assignment::from([
            (TopicPartition::new("a", 0), vec![3, 1]),
            (TopicPartition::new("a", 1), vec![2, 1]),
            (TopicPartition::new("a", 2), vec![1, 9]),
            (TopicPartition::new("b", 0), vec![2]),
        ]);
        let impact = impact(&view, &target, &BTreeSet::from([2]));
        let drained = &impact.drained[&2];
        assert_eq!(
            (drained.leaving, drained.staying, drained.bytes_staying),
            (1, 1, 10)
        );
        assert_eq!(drained.topics_staying, BTreeSet::from(["a".to_owned()]));
        assert_eq!((impact.partitions_copied, impact.partitions_in_place), (2, 1));
        assert_eq!(
            impact.partitions_without_source, 1,
            "only broker 9 has b-0, and it is down"
        );
        assert_eq!((impact.replicas_copied, impact.bytes_copied), (2, 100));
        assert_eq!((impact.replicas, impact.racks), (Some((1, 2)), Some((1, 2))));
        let load = |replicas, leaders, bytes| Load {
            replicas,
            leaders,
            bytes,
        };
        assert_eq!(impact.brokers[&1].before, load(3, 3, 111));
        assert_eq!(impact.brokers[&1].after, load(3, 1, 111));
        assert_eq!(impact.brokers[&3].after, load(1, 1, 100));
        assert_eq!(impact.brokers[&3].incoming, 100);
        assert!(!impact.brokers[&9].is_alive);
    }
}
