//! A cluster for tests: three brokers, of which one is down, topics that grow, groups that lag.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::page::Listing;
use super::sample::{DiskSpace, Disks, GroupPlaces, Layout, Sample};
use super::top_state::{Event, TopState};
use crate::client::admin::Broker;
use crate::client::admin::groups::GroupListing;
use crate::client::admin::topics::{PartitionDescription, TopicDescription};
use crate::topic_partition::{Offset, TopicPartition};

/// The interval between two looks.
pub(crate) const EVERY: Duration = Duration::from_secs(2);

/// Topics with the number of their partitions and the records that each partition gets in two seconds.
const TOPICS: [(&str, i32, i64); 5] = [
    ("__consumer_offsets", 2, 4),
    ("audit", 1, 0),
    ("orders", 6, 300),
    ("payments-from-partners-of-the-north", 3, 2000),
    ("web.clicks", 12, 25_000),
];

/// Groups: topic, lag of each partition at first, its growth in two seconds.
const GROUPS: [(&str, &str, i64, i64); 3] = [
    ("billing", "orders", 9000, -800),
    ("dashboard", "web.clicks", 0, 0),
    ("search-indexer", "web.clicks", 120_000, 1500),
];

/// The screen after a number of looks, and the time of the last.
pub(crate) fn after(looks: u32, listing: &Listing) -> (TopState, Instant) {
    let begin = Instant::now();
    let mut state = TopState::new(listing, EVERY);
    state.handle(Event::Height(19), begin);
    let mut now = begin;
    for look in 0..looks {
        now = begin + EVERY * look;
        state.handle(Event::Sample(Box::new(sample(i64::from(look)))), now);
    }
    (state, now)
}

/// The results of a look.
pub(crate) fn sample(look: i64) -> Sample {
    Sample {
        layout: Some(layout()),
        ends: Some(offsets(|topic, partition, grows| {
            end(topic, partition, grows, look)
        })),
        disks: (look == 0).then(disks),
        groups: Some(groups()),
        places: GROUPS
            .iter()
            .map(|group| (group.0.to_owned(), places(group, look)))
            .collect(),
        complaints: Vec::new(),
    }
}

fn layout() -> Layout {
    let broker = |id: i32| Broker {
        id,
        host: format!("kafka{id}.example.com"),
        port: 9092,
        rack: None,
    };
    let topic = |(name, partitions, _): &(&str, i32, i64)| TopicDescription {
        name: (*name).to_owned(),
        id: Uuid::nil(),
        is_internal: name.starts_with("__"),
        partitions: (0..*partitions)
            .map(|partition| description(name, partition))
            .collect(),
    };
    Layout {
        cluster_id: Some("MkU3OEVBNTcwNTJENDM2Qg".to_owned()),
        controller: Some(1),
        brokers: vec![broker(1), broker(2)],
        topics: TOPICS.iter().map(topic).collect(),
    }
}

/// Broker 3 is down: partitions with no other replica have no leader.
fn description(topic: &str, partition: i32) -> PartitionDescription {
    let replicas = match topic {
        "audit" => vec![3],
        "orders" if partition == 5 => vec![3, 1, 2],
        _ => vec![1 + partition % 2, 2 - partition % 2],
    };
    let in_sync: Vec<i32> = replicas.iter().copied().filter(|id| *id != 3).collect();
    PartitionDescription {
        partition,
        leader: in_sync.first().copied(),
        replicas,
        in_sync,
        offline: Vec::new(),
        eligible_leaders: None,
        last_known_eligible_leaders: None,
    }
}

fn end(topic: &str, partition: i32, grows: i64, look: i64) -> Option<Offset> {
    let breath = if look % 3 == 0 { grows / 4 } else { 0 };
    (topic != "audit").then(|| 100_000 + i64::from(partition) * 7 + grows * look + breath)
}

fn offsets(offset: impl Fn(&str, i32, i64) -> Option<Offset>) -> BTreeMap<TopicPartition, Offset> {
    let mut offsets = BTreeMap::new();
    for (topic, partitions, grows) in TOPICS {
        for partition in 0..partitions {
            let offset = offset(topic, partition, grows);
            offset.map(|offset| offsets.insert(TopicPartition::new(topic, partition), offset));
        }
    }
    offsets
}

fn disks() -> Disks {
    let space = DiskSpace {
        used: 2_200_000_000,
        free: Some(61_300_000_000),
    };
    Disks {
        brokers: BTreeMap::from([(1, space), (2, space)]),
        sizes: offsets(|topic, _, _| (topic != "audit").then_some(10_000_000)),
        firsts: offsets(|topic, _, _| (topic != "audit").then_some(50_000)),
    }
}

fn groups() -> Vec<GroupListing> {
    let group = |(id, _, _, _): &(&str, &str, i64, i64)| GroupListing {
        id: (*id).to_owned(),
        state: if *id == "dashboard" { "Empty" } else { "Stable" }.to_owned(),
        kind: "classic".to_owned(),
        protocol_type: "consumer".to_owned(),
        coordinator: 1,
    };
    GROUPS.iter().map(group).collect()
}

fn places((id, topic, lag, grows): &(&str, &str, i64, i64), look: i64) -> GroupPlaces {
    let commits = offsets(|name, partition, written| {
        let end = end(name, partition, written, look)?;
        (name == *topic).then(|| end - (lag + grows * look).max(0))
    });
    let clients = commits
        .keys()
        .map(|place| (place.clone(), format!("{id}-{}", place.partition % 2)));
    GroupPlaces {
        assigned: Some(clients.collect()),
        committed: Some(commits),
        members: (*id != "dashboard").then_some(2),
        stated_lag: None,
    }
}
