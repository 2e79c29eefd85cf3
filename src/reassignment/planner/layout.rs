//! The data that the goals work on: partitions and brokers as small numbers, with the current loads.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::reassignment::Assignment;
use crate::reassignment::cluster_view::ClusterView;
use crate::topic_partition::{BrokerId, TopicPartition};

/// A broker's place in [`Layout::brokers`].
pub(super) type BrokerIndex = u32;
/// A partition's place in [`Layout::partitions`].
pub(super) type PartitionIndex = u32;

#[derive(Clone, Debug)]
pub(super) struct Broker {
    pub id: BrokerId,
    /// Brokers of one rack share a number; without racks each has its own.
    pub rack: u32,
    /// Whether it may take replicas: alive, and not to be drained.
    pub is_usable: bool,
    pub is_drained: bool,
    pub replicas: usize,
    /// Partitions whose preferred leader it is.
    pub leaders: usize,
    pub bytes: u64,
    /// The movable partitions on it, in no order.
    pub movable: Vec<PartitionIndex>,
    /// Replicas and bytes in one number, by which brokers are compared.
    load: f64,
}

#[derive(Clone, Debug)]
pub(super) struct Partition {
    pub name: TopicPartition,
    pub replicas: Vec<BrokerIndex>,
    pub original: Vec<BrokerIndex>,
    pub bytes: u64,
    pub is_movable: bool,
}

impl Partition {
    pub(super) fn has(&self, broker: BrokerIndex) -> bool {
        self.replicas.contains(&broker)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub brokers: Vec<Broker>,
    pub partitions: Vec<Partition>,
    /// The number of usable brokers, and their replicas and bytes together.
    usable_brokers: usize,
    usable_replicas: usize,
    usable_bytes: u64,
    /// What a replica and a byte add to a broker's load: the average broker starts with a load of two.
    per_replica: f64,
    per_byte: f64,
}

impl Layout {
    pub(super) fn new(
        view: &ClusterView,
        drain: &BTreeSet<BrokerId>,
        chosen: impl Fn(&str) -> bool,
        rack_aware: bool,
    ) -> Self {
        let (brokers, index_of) = brokers_of(view, drain, rack_aware);
        let mut layout = Self {
            usable_brokers: brokers.iter().filter(|broker| broker.is_usable).count(),
            usable_replicas: 0,
            usable_bytes: 0,
            per_replica: 0.0,
            per_byte: 0.0,
            brokers,
            partitions: Vec::with_capacity(view.partitions.len()),
        };
        for (topic_partition, facts) in &view.partitions {
            let replicas: Vec<BrokerIndex> = facts
                .replicas
                .iter()
                .filter_map(|broker| index_of.get(broker).copied())
                .collect();
            layout.add_partition(Partition {
                name: topic_partition.clone(),
                original: replicas.clone(),
                replicas,
                bytes: facts.bytes,
                is_movable: chosen(&topic_partition.topic),
            });
        }
        layout.weigh_all();
        layout
    }

    /// From here on only the partitions that may move count as load. Otherwise the chosen topics would be
    /// concentrated on brokers that have few replicas of the others.
    pub(super) fn count_only_movable(&mut self) {
        if self.partitions.iter().all(|partition| partition.is_movable) {
            return;
        }
        (self.usable_replicas, self.usable_bytes) = (0, 0);
        for broker in &mut self.brokers {
            (broker.replicas, broker.leaders, broker.bytes) = (0, 0, 0);
            broker.movable.clear();
        }
        for index in self.movable() {
            self.count(index);
        }
        self.weigh_all();
    }

    fn weigh_all(&mut self) {
        let (replicas, bytes) = self.average();
        (self.per_replica, self.per_byte) = (replicas.max(1.0).recip(), bytes.max(1.0).recip());
        for index in 0..self.brokers.len() as BrokerIndex {
            self.weigh(index);
        }
    }

    /// Updates a broker's load.
    fn weigh(&mut self, index: BrokerIndex) {
        let broker = &mut self.brokers[index as usize];
        broker.load = broker.replicas as f64 * self.per_replica + broker.bytes as f64 * self.per_byte;
    }

    fn add_partition(&mut self, partition: Partition) {
        let index = self.partitions.len() as PartitionIndex;
        self.partitions.push(partition);
        self.count(index);
    }

    /// Adds a partition to the load of its brokers.
    fn count(&mut self, index: PartitionIndex) {
        let partition = &self.partitions[index as usize];
        for (position, replica) in partition.replicas.iter().enumerate() {
            let Some(broker) = self.brokers.get_mut(*replica as usize) else {
                continue;
            };
            broker.replicas += 1;
            broker.bytes += partition.bytes;
            broker.leaders += usize::from(position == 0);
            if broker.is_usable {
                self.usable_replicas += 1;
                self.usable_bytes += partition.bytes;
            }
            if partition.is_movable {
                broker.movable.push(index);
            }
        }
    }

    pub(super) fn broker(&self, index: BrokerIndex) -> &Broker {
        &self.brokers[index as usize]
    }

    pub(super) fn partition(&self, index: PartitionIndex) -> &Partition {
        &self.partitions[index as usize]
    }

    /// Every usable broker.
    pub(super) fn usable(&self) -> impl Iterator<Item = BrokerIndex> + '_ {
        let indices = 0..self.brokers.len() as BrokerIndex;
        indices.filter(|index| self.broker(*index).is_usable)
    }

    /// Every partition that may move.
    pub(super) fn movable(&self) -> Vec<PartitionIndex> {
        let indices = 0..self.partitions.len() as PartitionIndex;
        indices
            .filter(|index| self.partition(*index).is_movable)
            .collect()
    }

    /// Replicas and bytes of the average usable broker.
    pub(super) fn average(&self) -> (f64, f64) {
        let brokers = self.usable_brokers.max(1) as f64;
        (
            self.usable_replicas as f64 / brokers,
            self.usable_bytes as f64 / brokers,
        )
    }

    /// How many of a partition's replicas are on `rack`, not counting the one on `except`.
    pub(super) fn on_rack(&self, partition: PartitionIndex, rack: u32, except: Option<BrokerIndex>) -> usize {
        let replicas = self.partition(partition).replicas.iter();
        let others = replicas.filter(|replica| Some(**replica) != except);
        others
            .filter(|replica| self.broker(**replica).rack == rack)
            .count()
    }

    /// Whether moving a replica is possible and leaves the partition on as many racks as it was.
    pub(super) fn can_move(&self, partition: PartitionIndex, from: BrokerIndex, to: BrokerIndex) -> bool {
        if self.partition(partition).has(to) {
            return false;
        }
        let (from_rack, to_rack) = (self.broker(from).rack, self.broker(to).rack);
        from_rack == to_rack
            || self.on_rack(partition, to_rack, Some(from)) <= self.on_rack(partition, from_rack, Some(from))
    }

    /// The best usable broker for one more replica: on the rack the partition uses least, then the least
    /// loaded by replicas and bytes. `instead_of` is the replica that it replaces.
    pub(super) fn best_broker(
        &self,
        partition: PartitionIndex,
        instead_of: Option<BrokerIndex>,
    ) -> Option<BrokerIndex> {
        let taken = &self.partition(partition).replicas;
        let others = taken.iter().filter(|replica| Some(**replica) != instead_of);
        let racks: Vec<u32> = others.map(|replica| self.broker(*replica).rack).collect();
        let mut best: Option<(usize, f64, BrokerIndex)> = None;
        for (index, broker) in (0..).zip(&self.brokers) {
            if !broker.is_usable || taken.contains(&index) {
                continue;
            }
            let rack = racks.iter().filter(|rack| **rack == broker.rack).count();
            if best.is_none_or(|(best_rack, best_load, _)| (rack, broker.load) < (best_rack, best_load)) {
                best = Some((rack, broker.load, index));
            }
        }
        best.map(|(_, _, index)| index)
    }

    /// Moves a replica; the new one takes the old one's place in the list.
    pub(super) fn move_replica(&mut self, partition: PartitionIndex, from: BrokerIndex, to: BrokerIndex) {
        let moved = &mut self.partitions[partition as usize];
        let Some(position) = moved.replicas.iter().position(|replica| *replica == from) else {
            return;
        };
        moved.replicas[position] = to;
        let bytes = moved.bytes;
        self.take_from(partition, from, bytes, position == 0);
        self.give_to(partition, to, bytes, position == 0);
    }

    /// Adds a replica at the end of the list.
    pub(super) fn add_replica(&mut self, partition: PartitionIndex, to: BrokerIndex) {
        let grown = &mut self.partitions[partition as usize];
        grown.replicas.push(to);
        let (bytes, is_leader) = (grown.bytes, grown.replicas.len() == 1);
        self.give_to(partition, to, bytes, is_leader);
    }

    /// Removes a replica; if it was the preferred leader, the next in the list becomes it.
    pub(super) fn remove_replica(&mut self, partition: PartitionIndex, from: BrokerIndex) {
        let shrunk = &mut self.partitions[partition as usize];
        let was_first = shrunk.replicas.first() == Some(&from);
        shrunk.replicas.retain(|replica| *replica != from);
        let (bytes, heir) = (shrunk.bytes, shrunk.replicas.first().copied());
        self.take_from(partition, from, bytes, was_first);
        if let Some(heir) = heir.filter(|_| was_first) {
            self.brokers[heir as usize].leaders += 1;
        }
    }

    /// Makes the replica at `position` the preferred leader, by exchange.
    pub(super) fn prefer(&mut self, partition: PartitionIndex, position: usize) {
        let replicas = &mut self.partitions[partition as usize].replicas;
        let (Some(old), Some(new)) = (replicas.first().copied(), replicas.get(position).copied()) else {
            return;
        };
        replicas.swap(0, position);
        self.brokers[old as usize].leaders -= 1;
        self.brokers[new as usize].leaders += 1;
    }

    fn take_from(&mut self, partition: PartitionIndex, index: BrokerIndex, bytes: u64, is_leader: bool) {
        let broker = &mut self.brokers[index as usize];
        broker.replicas -= 1;
        broker.bytes -= bytes;
        if broker.is_usable {
            self.usable_replicas -= 1;
            self.usable_bytes -= bytes;
        }
        broker.leaders -= usize::from(is_leader);
        if let Some(position) = broker.movable.iter().position(|on| *on == partition) {
            broker.movable.swap_remove(position);
        }
        self.weigh(index);
    }

    fn give_to(&mut self, partition: PartitionIndex, index: BrokerIndex, bytes: u64, is_leader: bool) {
        let broker = &mut self.brokers[index as usize];
        broker.replicas += 1;
        broker.bytes += bytes;
        if broker.is_usable {
            self.usable_replicas += 1;
            self.usable_bytes += bytes;
        }
        broker.leaders += usize::from(is_leader);
        broker.movable.push(partition);
        self.weigh(index);
    }

    /// Replicas on brokers that did not have them.
    pub(super) fn copies(&self) -> usize {
        let fresh = |partition: &Partition| {
            let replicas = partition.replicas.iter();
            replicas
                .filter(|replica| !partition.original.contains(replica))
                .count()
        };
        self.partitions.iter().map(fresh).sum()
    }

    /// The partitions whose replicas have changed.
    pub(super) fn changes(&self) -> Assignment {
        let changed = self
            .partitions
            .iter()
            .filter(|partition| partition.replicas != partition.original);
        changed
            .map(|partition| {
                let replicas = partition.replicas.iter().map(|replica| self.broker(*replica).id);
                (partition.name.clone(), replicas.collect())
            })
            .collect()
    }
}

fn brokers_of(
    view: &ClusterView,
    drain: &BTreeSet<BrokerId>,
    rack_aware: bool,
) -> (Vec<Broker>, HashMap<BrokerId, BrokerIndex>) {
    let racks = if rack_aware { view.racks() } else { None };
    let mut rack_numbers: BTreeMap<&str, u32> = BTreeMap::new();
    if let Some(racks) = &racks {
        for rack in racks.values() {
            let next = rack_numbers.len() as u32;
            rack_numbers.entry(rack).or_insert(next);
        }
    }
    let mut brokers = Vec::new();
    let mut index_of = HashMap::new();
    for id in view.known_brokers() {
        let index = brokers.len() as BrokerIndex;
        let own = rack_numbers.len() as u32 + index;
        let rack = racks.as_ref().and_then(|racks| racks.get(&id));
        index_of.insert(id, index);
        brokers.push(Broker {
            id,
            rack: rack
                .and_then(|rack| rack_numbers.get(rack))
                .copied()
                .unwrap_or(own),
            is_usable: view.is_alive(id) && !drain.contains(&id),
            is_drained: drain.contains(&id),
            replicas: 0,
            leaders: 0,
            bytes: 0,
            movable: Vec::new(),
            load: 0.0,
        });
    }
    (brokers, index_of)
}
