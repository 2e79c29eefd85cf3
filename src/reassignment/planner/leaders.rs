//! Spreads preferred leaders by changing the order of replicas; nothing is copied.

use super::layout::{Layout, PartitionIndex};
use super::leader_chains;

/// The most rounds over the partitions; a round without a change is the last.
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
    leader_chains::even_out(layout, &indices);
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
