//! Gives new brokers their share: replicas move only to them, from the fullest brokers.

use std::collections::{BTreeSet, HashSet};

use super::balance::pick_replica;
use super::layout::{BrokerIndex, Layout};
use crate::reassignment::random::Random;
use crate::topic_partition::BrokerId;

pub(super) fn apply(layout: &mut Layout, added: &BTreeSet<BrokerId>, random: &mut Random) {
    let new: Vec<BrokerIndex> = layout
        .usable()
        .filter(|index| added.contains(&layout.broker(*index).id))
        .collect();
    if new.is_empty() {
        return;
    }
    let (average, _) = layout.average();
    let share = average as usize;
    let mut given_up = HashSet::new();
    loop {
        let wanting = new
            .iter()
            .copied()
            .filter(|index| layout.broker(*index).replicas < share && !given_up.contains(index));
        let Some(to) = wanting.min_by_key(|index| layout.broker(*index).replicas) else {
            break;
        };
        if !take_one(layout, to, &new, share, random) {
            given_up.insert(to);
        }
    }
}

/// Moves one replica to `to`, from the fullest broker that has one to give.
fn take_one(
    layout: &mut Layout,
    to: BrokerIndex,
    new: &[BrokerIndex],
    share: usize,
    random: &mut Random,
) -> bool {
    let (_, average_bytes) = layout.average();
    let missing = share.saturating_sub(layout.broker(to).replicas).max(1);
    let wanted = (average_bytes - layout.broker(to).bytes as f64).max(0.0) / missing as f64;
    let mut givers: Vec<BrokerIndex> = layout
        .usable()
        .filter(|index| layout.broker(*index).replicas > share && !new.contains(index))
        .collect();
    let load =
        |layout: &Layout, index: BrokerIndex| (layout.broker(index).replicas, layout.broker(index).bytes);
    while let Some(fullest) = (0..givers.len()).max_by_key(|place| load(layout, givers[*place])) {
        let from = givers.swap_remove(fullest);
        if let Some(partition) = pick_replica(layout, from, to, wanted, random) {
            layout.move_replica(partition, from, to);
            return true;
        }
    }
    false
}
