//! Where Apache Kafka would put a new topic's replicas; its `--generate` proposes the same.
//!
//! Racks take turns, and the brokers inside a rack take turns; each partition starts one rack and one broker
//! further. After as many partitions as there are brokers everything is shuffled, so that patterns do not
//! repeat. Brokers without a rack count as one rack together.

use std::collections::BTreeMap;

use super::random::Random;
use crate::topic_partition::BrokerId;

/// Why no placement is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlacementError {
    NoBrokers,
    /// More replicas than brokers.
    TooFewBrokers {
        replicas: usize,
        brokers: usize,
    },
}

/// The brokers of one rack in turn; none comes twice within a partition.
#[derive(Debug)]
struct Rack {
    brokers: Vec<BrokerId>,
    /// Where the current partition began.
    start: usize,
    /// How many the current partition has taken.
    taken: usize,
    /// The partition that `start` and `taken` belong to.
    turn: usize,
}

impl Rack {
    fn next(&mut self, turn: usize) -> Option<BrokerId> {
        if self.turn != turn {
            self.turn = turn;
            self.taken = 0;
            self.start = (self.start + 1) % self.brokers.len().max(1);
        }
        if self.taken >= self.brokers.len() {
            return None;
        }
        let broker = self.brokers.get((self.start + self.taken) % self.brokers.len());
        self.taken += 1;
        broker.copied()
    }
}

#[derive(Debug)]
struct Turns {
    racks: Vec<Rack>,
    brokers: usize,
    /// The rack that the next partition starts with.
    start: usize,
    turn: usize,
}

impl Turns {
    fn new(brokers: &[(BrokerId, Option<String>)], random: &mut Random) -> Self {
        let mut by_rack: BTreeMap<Option<&str>, Vec<BrokerId>> = BTreeMap::new();
        for (broker, rack) in brokers {
            by_rack.entry(rack.as_deref()).or_default().push(*broker);
        }
        let racks: Vec<Rack> = by_rack
            .into_values()
            .map(|mut brokers| {
                brokers.sort_unstable();
                let start = random.below(brokers.len());
                Rack {
                    brokers,
                    start,
                    taken: 0,
                    turn: 0,
                }
            })
            .collect();
        Self {
            start: random.below(racks.len()),
            racks,
            brokers: brokers.len(),
            turn: 0,
        }
    }

    /// Replicas for one partition; `replicas` is at most the number of brokers.
    fn place(&mut self, replicas: usize, random: &mut Random) -> Vec<BrokerId> {
        if self.turn == self.brokers && self.brokers > 1 {
            random.shuffle(&mut self.racks);
            for rack in &mut self.racks {
                random.shuffle(&mut rack.brokers);
            }
            self.turn = 0;
        }
        let racks = self.racks.len().max(1);
        let mut position = self.start % racks;
        let mut placed = Vec::with_capacity(replicas);
        while placed.len() < replicas {
            if let Some(rack) = self.racks.get_mut(position) {
                placed.extend(rack.next(self.turn));
            }
            position = (position + 1) % racks;
        }
        self.turn += 1;
        self.start = (self.start + 1) % racks;
        placed
    }
}

/// Replicas for `partitions` partitions of a new topic, `replicas` each, on `brokers` (with their racks).
pub fn place(
    partitions: usize,
    replicas: usize,
    brokers: &[(BrokerId, Option<String>)],
    random: &mut Random,
) -> Result<Vec<Vec<BrokerId>>, PlacementError> {
    if brokers.is_empty() {
        return Err(PlacementError::NoBrokers);
    }
    if replicas > brokers.len() {
        return Err(PlacementError::TooFewBrokers {
            replicas,
            brokers: brokers.len(),
        });
    }
    let mut racks = Turns::new(brokers, random);
    Ok((0..partitions).map(|_| racks.place(replicas, random)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeSet, HashMap};

    #[test]
    fn refusals() {
        let brokers = [(1, None), (2, None)];
        let mut random = Random::new(1);
        assert_eq!(place(1, 1, &[], &mut random), Err(PlacementError::NoBrokers));
        assert_eq!(
            place(1, 3, &brokers, &mut random),
            Err(PlacementError::TooFewBrokers {
                replicas: 3,
                brokers: 2
            })
        );
    }

    proptest! {
        #[test]
        fn no_broker_twice_racks_first_and_leaders_in_turn(
            racks in proptest::collection::vec(1usize..4, 1..5),
            partitions in 1usize..40,
            replicas in 1usize..6,
            seed in any::<u64>(),
        ) {
            let mut brokers = Vec::new();
            for (rack, count) in racks.iter().enumerate() {
                for _ in 0..*count {
                    brokers.push((brokers.len() as i32 + 1, Some(format!("rack{rack}"))));
                }
            }
            prop_assume!(replicas <= brokers.len());
            let rack_of: HashMap<_, _> = brokers.iter().cloned().collect();
            let placed = place(partitions, replicas, &brokers, &mut Random::new(seed)).unwrap();
            prop_assert_eq!(placed.len(), partitions);
            for partition in &placed {
                prop_assert_eq!(partition.iter().collect::<BTreeSet<_>>().len(), replicas);
                let used: BTreeSet<_> = partition.iter().map(|broker| &rack_of[broker]).collect();
                prop_assert_eq!(used.len(), replicas.min(racks.len()));
            }
        }
    }
}
