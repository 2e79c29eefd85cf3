//! Moves preferred leaders along chains of brokers, where the broker with too many shares no partition with the one
//! that has too few: each broker in between gives one leader and gets one.
//!
//! Owns the search for such chains (cost-reducing paths of a semi-matching); when none is left, no other order of the
//! replicas spreads the leaders more evenly.

use std::collections::{BTreeMap, VecDeque};

use super::layout::{BrokerIndex, Layout, PartitionIndex};

/// A partition, and the index of its replica that becomes the preferred leader.
type Step = (PartitionIndex, usize);

/// For each leader and each broker that could take a partition over from it, these partitions. Some may have another
/// leader meanwhile; they are dropped when they are found.
#[derive(Debug, Default)]
struct Exchanges(BTreeMap<BrokerIndex, BTreeMap<BrokerIndex, Vec<PartitionIndex>>>);

/// Moves leaders until there is no chain from a broker to one with at least two leaders fewer.
pub(super) fn even_out(layout: &mut Layout, indices: &[PartitionIndex]) {
    let mut exchanges = Exchanges::default();
    for index in indices {
        exchanges.add(layout, *index);
    }
    let mut any = true;
    while std::mem::take(&mut any) {
        let mut givers: Vec<BrokerIndex> = exchanges.0.keys().copied().collect();
        givers.sort_by_key(|giver| std::cmp::Reverse(layout.broker(*giver).leaders));
        for giver in givers {
            while let Some(chain) = exchanges.chain_to_fewer(layout, giver) {
                any = true;
                for (partition, position) in chain {
                    layout.prefer(partition, position);
                    exchanges.add(layout, partition);
                }
            }
        }
    }
}

impl Exchanges {
    /// Adds the brokers that could take the partition over from its leader.
    fn add(&mut self, layout: &Layout, index: PartitionIndex) {
        if let Some((leader, others)) = layout.partition(index).replicas.split_first() {
            let usable = others.iter().filter(|other| layout.broker(**other).is_usable);
            let from_leader = self.0.entry(*leader).or_default();
            usable.for_each(|other| from_leader.entry(*other).or_default().push(index));
        }
    }

    /// The shortest chain from `giver` to a broker with at least two leaders fewer, its last step first.
    fn chain_to_fewer(&mut self, layout: &Layout, giver: BrokerIndex) -> Option<Vec<Step>> {
        let most = layout.broker(giver).leaders.checked_sub(2)?;
        // How each broker was reached: from which, by which step.
        let mut reached: BTreeMap<BrokerIndex, Option<(BrokerIndex, Step)>> = BTreeMap::from([(giver, None)]);
        let mut open = VecDeque::from([giver]);
        while let Some(from) = open.pop_front() {
            for (to, partitions) in self.0.get_mut(&from).into_iter().flatten() {
                if reached.contains_key(to) {
                    continue;
                }
                let Some(step) = step(layout, partitions, from, *to) else {
                    continue;
                };
                reached.insert(*to, Some((from, step)));
                if layout.broker(*to).leaders <= most {
                    return Some(steps_back(&reached, *to));
                }
                open.push_back(*to);
            }
        }
        None
    }
}

/// The last of the partitions that `from` still leads and `to` could lead.
fn step(
    layout: &Layout,
    partitions: &mut Vec<PartitionIndex>,
    from: BrokerIndex,
    to: BrokerIndex,
) -> Option<Step> {
    loop {
        let index = *partitions.last()?;
        let replicas = &layout.partition(index).replicas;
        let position = replicas.iter().position(|replica| *replica == to);
        match position {
            Some(position) if replicas.first() == Some(&from) => return Some((index, position)),
            _ => partitions.pop(),
        };
    }
}

fn steps_back(reached: &BTreeMap<BrokerIndex, Option<(BrokerIndex, Step)>>, end: BrokerIndex) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut at = end;
    while let Some(Some((from, step))) = reached.get(&at) {
        steps.push(*step);
        at = *from;
    }
    steps
}
