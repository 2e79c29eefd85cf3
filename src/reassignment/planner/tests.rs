//! Properties of proposals: what no goal changes, and that no goal copies more than it must.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::reassignment::cluster_view::{LiveBroker, PartitionFacts};
use crate::reassignment::striped_placement;

/// A cluster made from a few numbers: brokers on racks, topics placed at random on some of the brokers.
fn cluster(brokers: i32, racks: i32, topics: &[(usize, usize)], used: i32, seed: u64) -> ClusterView {
    let mut random = Random::new(seed);
    let mut view = ClusterView {
        brokers: (1..=brokers)
            .map(|id| LiveBroker {
                id,
                rack: (racks > 0).then(|| format!("rack{}", id % racks.max(1))),
            })
            .collect(),
        partitions: BTreeMap::new(),
    };
    for (number, (partitions, replicas)) in topics.iter().enumerate() {
        for partition in 0..*partitions {
            let mut ids: Vec<BrokerId> = (1..=used).collect();
            random.shuffle(&mut ids);
            ids.truncate(*replicas);
            let facts = PartitionFacts {
                replicas: ids,
                bytes: random.below(1_000_000) as u64,
            };
            let name = TopicPartition::new(format!("topic{number}"), partition as i32);
            view.partitions.insert(name, facts);
        }
    }
    view
}

fn after(view: &ClusterView, changes: &Assignment) -> Assignment {
    let mut assignment = view.assignment();
    assignment.extend(changes.clone());
    assignment
}

fn copies(view: &ClusterView, target: &Assignment) -> usize {
    let is_new = |name: &TopicPartition, broker: &BrokerId| !view.partitions[name].replicas.contains(broker);
    target
        .iter()
        .map(|(name, replicas)| replicas.iter().filter(|broker| is_new(name, broker)).count())
        .sum()
}

fn replicas_by_broker(view: &ClusterView, assignment: &Assignment) -> BTreeMap<BrokerId, usize> {
    let mut counts: BTreeMap<BrokerId, usize> = view.brokers.iter().map(|live| (live.id, 0)).collect();
    for broker in assignment.values().flatten() {
        *counts.entry(*broker).or_default() += 1;
    }
    counts
}

fn racks_used(view: &ClusterView, replicas: &[BrokerId]) -> usize {
    let racks = view.racks().unwrap_or_default();
    replicas
        .iter()
        .filter_map(|broker| racks.get(broker))
        .collect::<BTreeSet<_>>()
        .len()
}

/// What Apache Kafka's `--generate` proposes on `brokers`.
fn generated(view: &ClusterView, brokers: &BTreeSet<BrokerId>, seed: u64) -> Assignment {
    let mut random = Random::new(seed);
    let mut by_topic: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (name, facts) in &view.partitions {
        by_topic.entry(&name.topic).or_insert((0, facts.replicas.len())).0 += 1;
    }
    let chosen = view.brokers.iter().filter(|live| brokers.contains(&live.id));
    let brokers: Vec<_> = chosen.map(|live| (live.id, live.rack.clone())).collect();
    let mut assignment = Assignment::new();
    for (topic, (partitions, replicas)) in by_topic {
        let placed = striped_placement::place(partitions, replicas, &brokers, &mut random).unwrap();
        for (partition, replicas) in placed.into_iter().enumerate() {
            assignment.insert(TopicPartition::new(topic, partition as i32), replicas);
        }
    }
    assignment
}

/// How many copies `--generate` takes on all brokers, on average.
fn average_generated(view: &ClusterView, brokers: i32, seed: u64) -> f64 {
    let all: BTreeSet<BrokerId> = (1..=brokers).collect();
    let draws = (0..64).map(|draw| copies(view, &generated(view, &all, seed.wrapping_add(draw))));
    draws.sum::<usize>() as f64 / 64.0
}

fn goals() -> Goals {
    Goals {
        rack_aware: true,
        ..Goals::default()
    }
}

/// Brokers, racks, topics (partitions, replicas), and a seed.
fn clusters() -> impl Strategy<Value = (i32, i32, Vec<(usize, usize)>, u64)> {
    (
        4i32..9,
        0i32..4,
        proptest::collection::vec((1usize..12, 1usize..4), 1..5),
        any::<u64>(),
    )
}

fn check_invariants(view: &ClusterView, target: &Assignment, fewest_racks: impl Fn(usize) -> usize) {
    for (name, replicas) in target {
        let before = &view.partitions[name].replicas;
        assert_eq!(replicas.len(), before.len(), "{name} keeps its replica count");
        assert_eq!(
            replicas.iter().collect::<BTreeSet<_>>().len(),
            replicas.len(),
            "{name} on {replicas:?}"
        );
        let wanted = racks_used(view, before).min(fewest_racks(replicas.len()));
        assert!(
            racks_used(view, replicas) >= wanted,
            "{name} from {before:?} to {replicas:?}"
        );
    }
}

proptest! {
    #[test]
    fn drain_moves_exactly_what_is_there((brokers, racks, topics, seed) in clusters()) {
        let view = cluster(brokers, racks, &topics, brokers, seed);
        let drained = BTreeSet::from([1]);
        let goals = Goals { drain: drained.clone(), ..goals() };
        let changes = propose(&view, &goals, |_| true, seed).unwrap();
        let target = after(&view, &changes);
        let left: BTreeSet<_> = (2..=brokers).collect();
        let left_racks = racks_used(&view, &left.iter().copied().collect::<Vec<_>>());
        check_invariants(&view, &target, |replicas| replicas.min(left_racks));
        prop_assert!(target.values().flatten().all(|broker| left.contains(broker)));
        let there = view.partitions.values().filter(|facts| facts.replicas.contains(&1)).count();
        prop_assert_eq!(copies(&view, &changes), there);
        prop_assert!(copies(&view, &generated(&view, &left, seed)) >= there);
    }

    #[test]
    fn new_brokers_get_their_share_and_nobody_else_gets_anything((brokers, racks, topics, seed) in clusters()) {
        let view = cluster(brokers, racks, &topics, brokers - 1, seed);
        let goals = Goals { add: BTreeSet::from([brokers]), rack_aware: false, ..goals() };
        let changes = propose(&view, &goals, |_| true, seed).unwrap();
        let target = after(&view, &changes);
        check_invariants(&view, &target, |_| 0);
        let counts = replicas_by_broker(&view, &target);
        let share = counts.values().sum::<usize>() / brokers as usize;
        prop_assert_eq!(copies(&view, &changes), counts[&brokers]);
        prop_assert!(counts[&brokers] <= share);
        // A partition gives at most one replica, and no broker gives more than its excess over the share.
        let can_give = view.partitions.len();
        prop_assert!(counts[&brokers] == share.min(can_give) || counts.values().filter(|count| **count > share).count() == 0);
        let generated = generated(&view, &(1..=brokers).collect(), seed);
        if replicas_by_broker(&view, &generated)[&brokers] >= counts[&brokers] {
            prop_assert!(copies(&view, &generated) >= copies(&view, &changes));
        }
        let some = propose(&view, &goals, |topic| topic == "topic0", seed).unwrap();
        let (partitions, replicas) = topics[0];
        prop_assert!(some.keys().all(|name| name.topic == "topic0"));
        prop_assert!(copies(&view, &some) <= partitions * replicas / brokers as usize, "more than its share of the topic");
    }

    #[test]
    fn more_replicas_leave_the_others_alone((brokers, racks, topics, seed) in clusters(), replicas in 1usize..5) {
        let view = cluster(brokers, racks, &topics, brokers, seed);
        let goals = Goals { replication_factor: Some(replicas), ..goals() };
        let changes = propose(&view, &goals, |topic| topic == "topic0", seed).unwrap();
        let target = after(&view, &changes);
        for (name, after) in &target {
            let before = &view.partitions[name].replicas;
            if name.topic != "topic0" {
                prop_assert_eq!(after, before);
                continue;
            }
            prop_assert_eq!(after.len(), replicas);
            prop_assert_eq!(after.iter().collect::<BTreeSet<_>>().len(), replicas);
            let kept = after.iter().filter(|broker| before.contains(broker)).count();
            prop_assert_eq!(kept, replicas.min(before.len()));
            if replicas > before.len() {
                let spread = (racks_used(&view, before) + replicas - before.len()).min(racks.max(0) as usize);
                prop_assert!(racks_used(&view, after) >= spread, "{:?} to {:?}", before, after);
            }
        }
    }

    #[test]
    fn balance_evens_out_and_copies_no_more_than_generate((brokers, racks, topics, seed) in clusters(), used in 3i32..9) {
        let view = cluster(brokers, racks, &topics, used.clamp(3, brokers), seed);
        let goals = Goals { balance: true, ..goals() };
        let changes = propose(&view, &goals, |_| true, seed).unwrap();
        let target = after(&view, &changes);
        let racks = racks.max(0) as usize;
        check_invariants(&view, &target, |_| usize::MAX);
        if racks > 0 {
            for replicas in target.values() {
                prop_assert_eq!(racks_used(&view, replicas), replicas.len().min(racks));
            }
        }
        let spread = |assignment: &Assignment| {
            let counts = replicas_by_broker(&view, assignment);
            counts.values().max().unwrap() - counts.values().min().unwrap()
        };
        prop_assert!(spread(&target) <= spread(&view.assignment()).max(1) || racks > 0);
    }

    #[test]
    fn no_exchange_of_leaders_would_make_a_balance_more_even((brokers, racks, topics, seed) in clusters()) {
        let view = cluster(brokers, racks, &topics, brokers, seed);
        let goals = Goals { balance: true, ..goals() };
        let target = after(&view, &propose(&view, &goals, |_| true, seed).unwrap());
        let mut leaders: BTreeMap<BrokerId, usize> = view.brokers.iter().map(|live| (live.id, 0)).collect();
        for replicas in target.values() {
            *leaders.get_mut(&replicas[0]).unwrap() += 1;
        }
        // The brokers that a broker could pass a leader to, through any number of others.
        let mut reach: BTreeMap<BrokerId, BTreeSet<BrokerId>> = BTreeMap::new();
        for replicas in target.values() {
            reach.entry(replicas[0]).or_default().extend(&replicas[1..]);
        }
        for _ in 0..brokers {
            let before = reach.clone();
            for known in reach.values_mut() {
                let further: Vec<_> = known.iter().filter_map(|broker| before.get(broker)).flatten().collect();
                known.extend(further);
            }
        }
        for (giver, takers) in &reach {
            for taker in takers {
                prop_assert!(leaders[giver] <= leaders[taker] + 1, "{giver} to {taker}: {leaders:?}");
            }
        }
    }

    #[test]
    fn fewer_replicas_and_a_drain_together_copy_only_what_is_then_missing(
        (brokers, _, topics, seed) in clusters(), replicas in 1usize..4,
    ) {
        let view = cluster(brokers, 0, &topics, brokers, seed);
        let goals = Goals { replication_factor: Some(replicas), drain: BTreeSet::from([1]), ..goals() };
        let target = after(&view, &propose(&view, &goals, |_| true, seed).unwrap());
        for (name, after) in &target {
            let stay = view.partitions[name].replicas.iter().filter(|broker| **broker != 1).count();
            let copied = after.iter().filter(|broker| !view.partitions[name].replicas.contains(broker)).count();
            prop_assert!(after.len() == replicas && !after.contains(&1), "{name} on {after:?}");
            prop_assert_eq!(copied, replicas.saturating_sub(stay), "{} to {:?}", name, after);
        }
    }

    #[test]
    fn a_balance_of_some_topics_evens_out_those((brokers, _, topics, seed) in clusters()) {
        let view = cluster(brokers, 0, &topics, brokers, seed);
        let goals = Goals { balance: true, ..goals() };
        let changes = propose(&view, &goals, |topic| topic == "topic0", seed).unwrap();
        prop_assert!(changes.keys().all(|name| name.topic == "topic0"), "{changes:?}");
        let mut chosen = view.clone();
        chosen.partitions.retain(|name, _| name.topic == "topic0");
        check_invariants(&chosen, &after(&chosen, &changes), |_| 0);
        let counts = replicas_by_broker(&chosen, &after(&chosen, &changes));
        prop_assert!(counts.values().max().unwrap() - counts.values().min().unwrap() <= 1, "{counts:?}");
    }

    #[test]
    fn balance_copies_no_more_than_generate_does_on_average((brokers, racks, topics, seed) in clusters(), used in 3i32..9) {
        let view = cluster(brokers, racks, &topics, used.clamp(3, brokers), seed);
        let changes = propose(&view, &Goals { balance: true, ..goals() }, |_| true, seed).unwrap();
        let (ours, theirs) = (copies(&view, &changes), average_generated(&view, brokers, seed));
        // The other plan is random too: a tenth and one more are within its variation.
        prop_assert!(ours as f64 <= theirs * 1.1 + 1.0, "{ours} and {theirs}");
    }

    #[test]
    fn a_second_proposal_copies_only_what_the_first_had_to_leave((brokers, _, topics, seed) in clusters()) {
        let view = cluster(brokers, 0, &topics, brokers, seed);
        let goals = Goals { balance: true, ..goals() };
        let first = propose(&view, &goals, |_| true, seed).unwrap();
        let mut then = view.clone();
        then.partitions = view.partitions.iter().map(|(name, facts)| {
            let replicas = first.get(name).unwrap_or(&facts.replicas).clone();
            (name.clone(), PartitionFacts { replicas, ..facts.clone() })
        }).collect();
        let (before, again) = (copies(&view, &first), copies(&then, &propose(&then, &goals, |_| true, seed).unwrap()));
        // If there is anything left to move, the first plan stopped at the cost of a placement from
        // scratch.
        let limit = average_generated(&view, brokers, seed);
        prop_assert!(again == 0 || (before + again) as f64 > limit * 0.9 - 1.0, "{before}, then {again}; {limit}");
    }
}

#[test]
fn balance_of_equal_partitions_copies_the_surplus_and_no_more() {
    for seed in 0..200 {
        let topics = [(6 + seed as usize % 20, 1 + seed as usize % 3), (9, 2)];
        let mut view = cluster(6, 0, &topics, 3, seed);
        for facts in view.partitions.values_mut() {
            facts.bytes = 1000;
        }
        let goals = Goals {
            balance: true,
            ..goals()
        };
        let changes = propose(&view, &goals, |_| true, seed).unwrap();
        let counts = replicas_by_broker(&view, &after(&view, &changes));
        assert!(
            counts.values().max().unwrap() - counts.values().min().unwrap() <= 1,
            "{counts:?}"
        );
        let generated = generated(&view, &(1..=6).collect(), seed);
        let theirs = replicas_by_broker(&view, &generated);
        if theirs.values().max().unwrap() - theirs.values().min().unwrap() <= 1 {
            assert!(
                copies(&view, &changes) <= copies(&view, &generated),
                "seed {seed}"
            );
        }
        let before = replicas_by_broker(&view, &view.assignment());
        let least: usize = counts
            .iter()
            .map(|(broker, count)| count.saturating_sub(before[broker]))
            .sum();
        assert_eq!(copies(&view, &changes), least, "seed {seed}");
    }
}

#[test]
fn unknown_and_dead_brokers_are_named() {
    let mut view = cluster(4, 0, &[(4, 2)], 4, 1);
    let named = |drain: &[BrokerId], add: &[BrokerId]| Goals {
        drain: drain.iter().copied().collect(),
        add: add.iter().copied().collect(),
        ..goals()
    };
    let refusal = |view: &ClusterView, goals: &Goals| propose(view, goals, |_| true, 1).unwrap_err();
    assert_eq!(
        refusal(&view, &named(&[9], &[8])),
        GoalError::UnknownBrokers(vec![8, 9])
    );
    assert_eq!(
        refusal(&view, &named(&[1, 2, 3, 4], &[])),
        GoalError::NoBrokersLeft
    );
    assert!(matches!(
        refusal(&view, &named(&[1, 2, 3], &[])),
        GoalError::TooFewBrokers {
            replicas: 2,
            brokers: 1,
            ..
        }
    ));
    view.brokers.retain(|live| live.id != 4);
    assert_eq!(refusal(&view, &named(&[], &[4])), GoalError::DeadBrokers(vec![4]));
    let drained = propose(&view, &named(&[4], &[]), |_| true, 1).unwrap();
    assert!(drained.values().flatten().all(|broker| *broker != 4));
}

#[test]
fn a_large_cluster_keeps_what_nobody_asked_to_change() {
    let view = cluster(200, 10, &[(100, 3); 200], 190, 7);
    let everything = [
        Goals {
            drain: BTreeSet::from([3, 4]),
            ..goals()
        },
        Goals {
            add: (191..=200).collect(),
            ..goals()
        },
        Goals {
            balance: true,
            ..goals()
        },
        Goals {
            replication_factor: Some(4),
            ..goals()
        },
    ];
    for goals in everything {
        let changes = propose(&view, &goals, |_| true, 1).unwrap();
        assert!(!changes.is_empty(), "{goals:?}");
        for (name, replicas) in changes {
            let distinct: BTreeSet<_> = replicas.iter().collect();
            let wanted = goals.replication_factor.unwrap_or(3);
            assert_eq!(distinct.len(), wanted, "{goals:?}: {name} on {replicas:?}");
            assert_eq!(replicas.len(), wanted, "{goals:?}: {name} on {replicas:?}");
        }
    }
}
