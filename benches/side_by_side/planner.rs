//! Plans for 200 brokers and 100 000 partitions beside their goals: two seconds, 500 MB.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use kafkit::reassignment::cluster_view::{ClusterView, LiveBroker, PartitionFacts};
use kafkit::reassignment::planner::{Goals, propose};
use kafkit::topic_partition::TopicPartition;

use crate::measure::{forget_peak_memory, peak_memory};
use crate::table::Row;

const BROKERS: i32 = 200;
/// The last ten are new and hold no replicas.
const USED: i32 = 190;
const TOPICS: i32 = 1000;
const PARTITIONS: i32 = 100;
const GOAL_SECONDS: f64 = 2.0;
const GOAL_MEGABYTES: f64 = 500.0;

pub fn plans() {
    let goals = Goals {
        rack_aware: true,
        ..Goals::default()
    };
    let questions = [
        (
            "drain 2",
            Goals {
                drain: BTreeSet::from([3, 4]),
                ..goals.clone()
            },
        ),
        (
            "add 10",
            Goals {
                add: (USED + 1..=BROKERS).collect(),
                ..goals.clone()
            },
        ),
        (
            "balance",
            Goals {
                balance: true,
                ..goals.clone()
            },
        ),
        (
            "4 replicas",
            Goals {
                replication_factor: Some(4),
                ..goals
            },
        ),
    ];
    for (name, goals) in questions {
        forget_peak_memory();
        let view = cluster();
        let started = Instant::now();
        let plan = propose(&view, &goals, |_| true, 1).expect("a plan");
        let wall = started.elapsed().as_secs_f64();
        assert!(!plan.is_empty(), "{name}: nothing to do is no measure");
        let question = format!("plan, 200 brokers, 100 000 partitions, {name}");
        let wall = vec![("kafkit", wall), ("goal", GOAL_SECONDS)];
        Row::new(format!("{question}, wall"), "s", wall).print();
        let memory = vec![("kafkit", peak_memory()), ("goal", GOAL_MEGABYTES)];
        Row::new(format!("{question}, peak memory"), "MB", memory).print();
    }
}

/// Every partition has three replicas on brokers chosen by a multiplicative hash.
fn cluster() -> ClusterView {
    let mut state = 7_u64;
    let mut below = |limit: i32| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i32::try_from((state >> 33) % u64::from(limit.unsigned_abs())).expect("below an i32")
    };
    let mut partitions = BTreeMap::new();
    for topic in 0..TOPICS {
        for partition in 0..PARTITIONS {
            let mut replicas = Vec::new();
            while replicas.len() < 3 {
                let broker = 1 + below(USED);
                if !replicas.contains(&broker) {
                    replicas.push(broker);
                }
            }
            let bytes = u64::from(below(1_000_000).unsigned_abs());
            let name = TopicPartition::new(format!("topic{topic}"), partition);
            partitions.insert(name, PartitionFacts { replicas, bytes });
        }
    }
    let live = |id| LiveBroker {
        id,
        rack: Some(format!("rack{}", id % 10)),
    };
    ClusterView {
        brokers: (1..=BROKERS).map(live).collect(),
        partitions,
    }
}
