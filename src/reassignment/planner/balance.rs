//! Evens out a cluster: racks first, then replicas, then bytes. `leaders` does preferred leaders.

use std::collections::{BTreeMap, HashSet};

use super::layout::{BrokerIndex, Layout, PartitionIndex};
use crate::reassignment::random::Random;
use crate::reassignment::striped_placement::place;
use crate::topic_partition::BrokerId;

/// How far from the average a broker's bytes may be: a copy costs more than a slight imbalance.
const BYTES_TOLERANCE: f64 = 0.10;
/// How many replicas that fit are compared before one is taken.
const CANDIDATES: usize = 32;
/// How many replicas of a broker are considered for an exchange.
const EXCHANGEABLE: usize = 256;
/// How many exchanges a broker may take part in, on average.
const EXCHANGES_PER_BROKER: usize = 64;

/// How many placements from scratch are tried: they are random.
const PLACEMENTS: usize = 8;
/// How often the steps are repeated: a later one can make room for an earlier one.
const ROUNDS: usize = 8;

/// Evens out the layout, with no more copies than a placement from scratch takes: small differences in bytes could lead
/// to so many exchanges that a placement from scratch would be cheaper.
pub(super) fn apply(layout: &Layout, random: &mut Random) -> Layout {
    let most = from_scratch(layout, random);
    let mut exchanges = layout.usable().count() * EXCHANGES_PER_BROKER;
    loop {
        let mut evened = layout.clone();
        even_out(&mut evened, exchanges, &mut random.clone());
        if exchanges == 0 || most.is_none_or(|most| evened.copies() <= most) {
            return evened;
        }
        exchanges /= 2;
    }
}

/// The average number of copies of a placement as Apache Kafka makes it for new topics; `None` where it is not
/// possible.
fn from_scratch(layout: &Layout, random: &mut Random) -> Option<usize> {
    let racks = layout.usable().map(|index| {
        let broker = layout.broker(index);
        (broker.id, Some(broker.rack.to_string()))
    });
    let brokers: Vec<_> = racks.collect();
    let mut topics: BTreeMap<(&str, usize), Vec<PartitionIndex>> = BTreeMap::new();
    for index in layout.movable() {
        let partition = layout.partition(index);
        let topic = (partition.name.topic.as_str(), partition.replicas.len());
        topics.entry(topic).or_default().push(index);
    }
    let mut copies = 0;
    for _ in 0..PLACEMENTS {
        for ((_, replicas), partitions) in &topics {
            let placed = place(partitions.len(), *replicas, &brokers, random).ok()?;
            for (index, placed) in partitions.iter().zip(placed) {
                let had = |broker: &&BrokerId| {
                    let original = layout.partition(*index).original.iter();
                    original
                        .map(|index| layout.broker(*index).id)
                        .any(|id| id == **broker)
                };
                copies += placed.len() - placed.iter().filter(had).count();
            }
        }
    }
    Some(copies / PLACEMENTS)
}

fn even_out(layout: &mut Layout, mut exchanges: usize, random: &mut Random) {
    for _ in 0..ROUNDS {
        spread_over_racks(layout);
        let counts_changed = even_out_replicas(layout, random);
        let bytes_changed = even_out_bytes(layout, &mut exchanges);
        if !counts_changed && !bytes_changed {
            break;
        }
    }
}

/// Moves a replica of each partition that uses fewer racks than it could.
fn spread_over_racks(layout: &mut Layout) {
    for index in layout.movable() {
        loop {
            let replicas = &layout.partition(index).replicas;
            let crowded = replicas.iter().copied().max_by_key(|replica| {
                let broker = layout.broker(*replica);
                (layout.on_rack(index, broker.rack, None), broker.replicas)
            });
            let Some(from) = crowded else { break };
            let together = layout.on_rack(index, layout.broker(from).rack, Some(from));
            if together == 0 {
                break;
            }
            let Some(to) = layout.best_broker(index, Some(from)) else {
                break;
            };
            if layout.on_rack(index, layout.broker(to).rack, Some(from)) >= together {
                break;
            }
            layout.move_replica(index, from, to);
        }
    }
}

/// Moves replicas from the fullest to the emptiest broker until they differ by at most one.
fn even_out_replicas(layout: &mut Layout, random: &mut Random) -> bool {
    let mut changed = false;
    let mut hopeless: HashSet<(BrokerIndex, BrokerIndex)> = HashSet::new();
    let mut order: Vec<BrokerIndex> = layout.usable().collect();
    while let Some((partition, from, to)) = next_move(layout, &mut order, &mut hopeless, random) {
        layout.move_replica(partition, from, to);
        changed = true;
    }
    changed
}

fn next_move(
    layout: &Layout,
    order: &mut [BrokerIndex],
    hopeless: &mut HashSet<(BrokerIndex, BrokerIndex)>,
    random: &mut Random,
) -> Option<(PartitionIndex, BrokerIndex, BrokerIndex)> {
    order.sort_by_key(|index| (layout.broker(*index).replicas, layout.broker(*index).bytes));
    let (_, average_bytes) = layout.average();
    for from in order.iter().rev().copied() {
        for to in order.iter().copied() {
            if layout.broker(from).replicas < layout.broker(to).replicas + 2 {
                break;
            }
            if hopeless.contains(&(from, to)) {
                continue;
            }
            let surplus = layout.broker(from).bytes as f64 - average_bytes;
            let gap = average_bytes - layout.broker(to).bytes as f64;
            let wanted = f64::midpoint(surplus, gap).max(0.0);
            if let Some(partition) = pick_replica(layout, from, to, wanted, random) {
                return Some((partition, from, to));
            }
            hopeless.insert((from, to));
        }
    }
    None
}

/// Of some replicas that can move from one broker to the other, the one whose size is nearest to `wanted` bytes; one
/// that is copied already is preferred.
pub(super) fn pick_replica(
    layout: &Layout,
    from: BrokerIndex,
    to: BrokerIndex,
    wanted: f64,
    random: &mut Random,
) -> Option<PartitionIndex> {
    let movable = &layout.broker(from).movable;
    let start = random.below(movable.len());
    let (tail, head) = movable.split_at_checked(start)?;
    let fits = head
        .iter()
        .chain(tail)
        .copied()
        .filter(|index| layout.can_move(*index, from, to));
    let cost = |index: PartitionIndex| {
        let partition = layout.partition(index);
        let is_fresh_copy = !partition.original.contains(&from);
        (!is_fresh_copy, (partition.bytes as f64 - wanted).abs(), index)
    };
    fits.take(CANDIDATES)
        .map(cost)
        .min_by(|(a_copy, a_distance, _), (b_copy, b_distance, _)| {
            a_copy.cmp(b_copy).then(a_distance.total_cmp(b_distance))
        })
        .map(|(_, _, index)| index)
}

/// Exchanges large replicas for small ones, or moves one where counts allow it, until every broker's bytes
/// are near the average or nothing helps.
fn even_out_bytes(layout: &mut Layout, exchanges: &mut usize) -> bool {
    let mut changed = false;
    let mut hopeless: HashSet<(BrokerIndex, BrokerIndex)> = HashSet::new();
    while *exchanges > 0 {
        *exchanges -= 1;
        let (_, average) = layout.average();
        let mut order: Vec<BrokerIndex> = layout.usable().collect();
        order.sort_by_key(|index| layout.broker(*index).bytes);
        let Some((from, to)) = widest_pair(layout, &order, &hopeless, average) else {
            break;
        };
        if lessen(layout, from, to, average) {
            changed = true;
            hopeless.retain(|(giver, taker)| ![*giver, *taker].iter().any(|on| [from, to].contains(on)));
        } else {
            hopeless.insert((from, to));
        }
    }
    changed
}

/// The fullest and the emptiest broker of which at least one is out of tolerance.
fn widest_pair(
    layout: &Layout,
    order: &[BrokerIndex],
    hopeless: &HashSet<(BrokerIndex, BrokerIndex)>,
    average: f64,
) -> Option<(BrokerIndex, BrokerIndex)> {
    let is_off =
        |index: BrokerIndex| (layout.broker(index).bytes as f64 - average).abs() > average * BYTES_TOLERANCE;
    for from in order.iter().rev().copied() {
        for to in order.iter().copied() {
            if layout.broker(from).bytes as f64 <= average || layout.broker(to).bytes as f64 >= average {
                break;
            }
            if (is_off(from) || is_off(to)) && !hopeless.contains(&(from, to)) {
                return Some((from, to));
            }
        }
    }
    None
}

/// Takes bytes off `from` and gives them to `to`, one move or one exchange; false when nothing fits.
fn lessen(layout: &mut Layout, from: BrokerIndex, to: BrokerIndex, average: f64) -> bool {
    let surplus = layout.broker(from).bytes as f64 - average;
    let gap = average - layout.broker(to).bytes as f64;
    let wanted = surplus.min(gap).max(surplus.max(gap) / 4.0);
    let useful = |bytes: f64| bytes > 0.0 && bytes < 2.0 * wanted;
    if layout.broker(from).replicas > layout.broker(to).replicas
        && let Some(partition) = nearest(layout, from, to, wanted)
        && useful(layout.partition(partition).bytes as f64)
    {
        layout.move_replica(partition, from, to);
        return true;
    }
    let Some((large, small)) = best_exchange(layout, from, to, wanted) else {
        return false;
    };
    let difference = layout.partition(large).bytes as f64 - layout.partition(small).bytes as f64;
    if !useful(difference) || difference < wanted / 8.0 {
        return false;
    }
    layout.move_replica(large, from, to);
    layout.move_replica(small, to, from);
    true
}

fn nearest(layout: &Layout, from: BrokerIndex, to: BrokerIndex, wanted: f64) -> Option<PartitionIndex> {
    let movable = layout.broker(from).movable.iter().copied();
    let distance = |index: &PartitionIndex| (layout.partition(*index).bytes as f64 - wanted).abs();
    movable
        .filter(|index| layout.can_move(*index, from, to))
        .take(EXCHANGEABLE)
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// The exchange whose difference is nearest to `wanted`, among the largest replicas of `from`.
fn best_exchange(
    layout: &Layout,
    from: BrokerIndex,
    to: BrokerIndex,
    wanted: f64,
) -> Option<(PartitionIndex, PartitionIndex)> {
    let sorted = |on: BrokerIndex, other: BrokerIndex| {
        let movable = layout.broker(on).movable.iter().copied();
        let fits = movable.filter(|index| layout.can_move(*index, on, other));
        let mut indices: Vec<PartitionIndex> = fits.take(EXCHANGEABLE).collect();
        indices.sort_by_key(|index| layout.partition(*index).bytes);
        indices
    };
    let (large, small) = (sorted(from, to), sorted(to, from));
    let bytes = |index: PartitionIndex| layout.partition(index).bytes as f64;
    let mut best: Option<(f64, PartitionIndex, PartitionIndex)> = None;
    for giver in large.iter().rev().take(CANDIDATES).copied() {
        let at = small.partition_point(|index| bytes(*index) < bytes(giver) - wanted);
        for taker in small.iter().skip(at.saturating_sub(1)).take(2).copied() {
            let distance = (bytes(giver) - bytes(taker) - wanted).abs();
            if best.is_none_or(|(nearest, ..)| distance < nearest) {
                best = Some((distance, giver, taker));
            }
        }
    }
    best.map(|(_, giver, taker)| (giver, taker))
}
