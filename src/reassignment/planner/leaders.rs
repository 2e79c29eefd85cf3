//! Spreading preferred leaders by changing the order of replicas; nothing is copied.

use std::collections::{BTreeMap, VecDeque};

use super::layout::{BrokerIndex, Layout, PartitionIndex};

/// Rounds over the partitions; a round that changes nothing ends it earlier.
const ROUNDS: usize = 16;

/// Evens out preferred leaders among the partitions that change anyhow, or among all that may move.
pub(super) fn even_out(layout: &mut Layout, all: bool) {
    let mut indices = layout.movable();
    if !all {
        indices.retain(|index| {
            let partition = layout.partition(*index);
            partition.replicas.first() != partition.original.first()
        });
    }
    for _ in 0..ROUNDS {
        let mut changed = false;
        for index in &indices {
            changed |= prefer_the_least_loaded(layout, *index);
        }
        if !changed {
            break;
        }
    }
    while pass_on(layout, &indices) {}
}

/// Takes one leader off a broker for another that has at least two fewer, through brokers in between where the two
/// share no partition: each of them gives one and gets one. False when no broker can pass one on; then no other
/// order of the replicas is more even.
fn pass_on(layout: &mut Layout, indices: &[PartitionIndex]) -> bool {
    let mut led_by: BTreeMap<BrokerIndex, Vec<PartitionIndex>> = BTreeMap::new();
    for index in indices {
        if let Some(leader) = layout.partition(*index).replicas.first() {
            led_by.entry(*leader).or_default().push(*index);
        }
    }
    let mut givers: Vec<BrokerIndex> = led_by.keys().copied().collect();
    givers.sort_by_key(|giver| std::cmp::Reverse(layout.broker(*giver).leaders));
    for giver in givers {
        let path = path_to_fewer(layout, &led_by, giver);
        for (partition, position) in &path {
            layout.prefer(*partition, *position);
        }
        if !path.is_empty() {
            return true;
        }
    }
    false
}

/// The exchanges that bring one leader from `giver` to the nearest broker with at least two fewer; none if there
/// is no such broker.
fn path_to_fewer(
    layout: &Layout,
    led_by: &BTreeMap<BrokerIndex, Vec<PartitionIndex>>,
    giver: BrokerIndex,
) -> Vec<(PartitionIndex, usize)> {
    // How each broker was reached: from which, by which partition and place in its list.
    let mut reached: BTreeMap<BrokerIndex, Option<(BrokerIndex, PartitionIndex, usize)>> = BTreeMap::new();
    reached.insert(giver, None);
    let mut open = VecDeque::from([giver]);
    while let Some(from) = open.pop_front() {
        for index in led_by.get(&from).into_iter().flatten() {
            for (position, to) in layout.partition(*index).replicas.iter().enumerate().skip(1) {
                if reached.contains_key(to) || !layout.broker(*to).is_usable {
                    continue;
                }
                reached.insert(*to, Some((from, *index, position)));
                if layout.broker(*to).leaders + 2 <= layout.broker(giver).leaders {
                    return steps_back(&reached, *to);
                }
                open.push_back(*to);
            }
        }
    }
    Vec::new()
}

fn steps_back(
    reached: &BTreeMap<BrokerIndex, Option<(BrokerIndex, PartitionIndex, usize)>>,
    end: BrokerIndex,
) -> Vec<(PartitionIndex, usize)> {
    let mut steps = Vec::new();
    let mut at = end;
    while let Some(Some((from, partition, position))) = reached.get(&at) {
        steps.push((*partition, *position));
        at = *from;
    }
    steps
}

fn prefer_the_least_loaded(layout: &mut Layout, index: PartitionIndex) -> bool {
    let leaders = |position: &usize| {
        let replica = layout.partition(index).replicas.get(*position).copied();
        replica.map_or(usize::MAX, |replica| layout.broker(replica).leaders)
    };
    let is_usable = |position: &usize| {
        let replica = layout.partition(index).replicas.get(*position).copied();
        replica.is_some_and(|replica| layout.broker(replica).is_usable)
    };
    let count = layout.partition(index).replicas.len();
    let Some(best) = (0..count).filter(is_usable).min_by_key(leaders) else {
        return false;
    };
    let first_is_unusable = !is_usable(&0);
    if best == 0 || !(first_is_unusable || leaders(&best) + 1 < leaders(&0)) {
        return false;
    }
    layout.prefer(index, best);
    true
}
