//! The rows of each page, made of what is known of the cluster.

use std::collections::{BTreeMap, BTreeSet};

use super::counter::History;
use super::field::{Field, Figure, Health};
use super::figures::{Figures, GroupFigures, PartitionFigures, PlaceFigures, seconds_left, sum};
use super::page::{Listing, Row, RowName};
use crate::client::admin::topics::{PartitionDescription, TopicDescription};
use crate::topic_partition::{BrokerId, TopicPartition};

/// All rows of a page, unsorted. Internal topics only with `with_internal`.
pub(super) fn rows(figures: &Figures, listing: &Listing, with_internal: bool) -> Vec<Row> {
    let topics = figures.layout.topics.iter();
    let topics = topics.filter(|topic| with_internal || !topic.is_internal);
    match listing {
        Listing::Brokers => brokers(figures),
        Listing::Topics => topics.map(|topic| topic_row(figures, topic)).collect(),
        Listing::Partitions => partitions(figures, topics, |_| true),
        Listing::OfBroker(id) => partitions(figures, figures.layout.topics.iter(), |partition| {
            partition.replicas.contains(id)
        }),
        Listing::OfTopic(name) => {
            let topics = figures.layout.topics.iter();
            partitions(figures, topics.filter(|topic| topic.name == *name), |_| true)
        }
        Listing::Groups => figures
            .groups
            .values()
            .map(|group| group_row(figures, group))
            .collect(),
        Listing::OfGroup(name) => figures
            .groups
            .get(name)
            .map_or_else(Vec::new, |group| places(figures, group)),
    }
}

/// How many partitions of the cluster have which problem.
pub(super) fn health_of_all(figures: &Figures) -> Health {
    figures
        .layout
        .topics
        .iter()
        .map(health_of_topic)
        .fold(Health::default(), add)
}

fn row(
    name: RowName,
    listing: &Listing,
    history: &History,
    health: Health,
    figure: impl Fn(Field) -> Figure,
) -> Row {
    Row {
        name,
        figures: listing.fields().iter().map(|field| figure(*field)).collect(),
        history: history.last(usize::MAX).collect(),
        health,
    }
}

/// A broker's share of the partitions.
#[derive(Default)]
struct Share {
    leads: usize,
    replicas: usize,
    out_of_sync: usize,
    written: Option<f64>,
    bytes: Option<f64>,
}

fn brokers(figures: &Figures) -> Vec<Row> {
    let mut shares: BTreeMap<BrokerId, Share> = BTreeMap::new();
    for topic in &figures.layout.topics {
        for partition in &topic.partitions {
            count_shares(&mut shares, figures, topic, partition);
        }
    }
    let known: BTreeSet<BrokerId> = figures.layout.brokers.iter().map(|broker| broker.id).collect();
    // A broker that has replicas and is missing in the metadata is down.
    let ids: BTreeSet<BrokerId> = known.iter().chain(shares.keys()).copied().collect();
    let nothing = Share::default();
    ids.into_iter()
        .map(|id| broker_row(figures, id, shares.get(&id).unwrap_or(&nothing)))
        .collect()
}

fn count_shares(
    shares: &mut BTreeMap<BrokerId, Share>,
    figures: &Figures,
    topic: &TopicDescription,
    partition: &PartitionDescription,
) {
    for replica in &partition.replicas {
        let share = shares.entry(*replica).or_default();
        share.replicas += 1;
        share.out_of_sync += usize::from(!partition.in_sync.contains(replica));
    }
    let Some(leader) = partition.leader else { return };
    let name = TopicPartition::new(topic.name.as_str(), partition.partition);
    let known = figures.partitions.get(&name);
    let share = shares.entry(leader).or_default();
    share.leads += 1;
    share.written = sum([share.written, known.and_then(PartitionFigures::rate)].into_iter());
    share.bytes = sum([share.bytes, known.and_then(PartitionFigures::byte_rate)].into_iter());
}

fn broker_row(figures: &Figures, id: BrokerId, share: &Share) -> Row {
    let broker = figures.layout.brokers.iter().find(|broker| broker.id == id);
    let disk = figures.disks.get(&id);
    let health = Health {
        is_down: broker.is_none(),
        ..Health::default()
    };
    let nothing = History::default();
    let history = figures.written_by_broker.get(&id).unwrap_or(&nothing);
    row(
        RowName::Broker(id),
        &Listing::Brokers,
        history,
        health,
        |field| match field {
            Field::Broker => Figure::Number(i64::from(id)),
            Field::Address => word(broker.map(|broker| format!("{}:{}", broker.host, broker.port))),
            Field::Rack => word(broker.and_then(|broker| broker.rack.clone())),
            Field::Leads => Figure::count(share.leads),
            Field::Replicas => Figure::count(share.replicas),
            Field::OutOfSync => Figure::count(share.out_of_sync),
            Field::Written => Figure::rate(share.written),
            Field::Bytes => Figure::byte_rate(share.bytes),
            Field::Size => Figure::bytes(disk.map(|disk| disk.used)),
            Field::Free => Figure::bytes(disk.and_then(|disk| disk.free)),
            Field::Health => Figure::Health(health),
            _ => Figure::Unknown,
        },
    )
}

fn word(word: Option<String>) -> Figure {
    word.map_or(Figure::Unknown, Figure::Word)
}

fn topic_row(figures: &Figures, topic: &TopicDescription) -> Row {
    let known: Vec<&PartitionFigures> = topic
        .partitions
        .iter()
        .filter_map(|partition| {
            let name = TopicPartition::new(topic.name.as_str(), partition.partition);
            figures.partitions.get(&name)
        })
        .collect();
    let total = |of: fn(&PartitionFigures) -> Option<i64>| -> Option<i64> {
        known.iter().map(|partition| of(partition)).sum()
    };
    let health = health_of_topic(topic);
    let nothing = History::default();
    let history = figures.written_by_topic.get(&topic.name).unwrap_or(&nothing);
    let name = RowName::Topic(topic.name.clone());
    row(name, &Listing::Topics, history, health, |field| match field {
        Field::Topic => Figure::Word(topic.name.clone()),
        Field::Partitions => Figure::count(topic.partitions.len()),
        Field::Written => Figure::rate(sum(known.iter().map(|partition| partition.rate()))),
        Field::Bytes => Figure::byte_rate(sum(known.iter().map(|partition| partition.byte_rate()))),
        Field::Offsets => Figure::number(total(PartitionFigures::offsets)),
        Field::Size => Figure::bytes(total(|partition| partition.size)),
        Field::Health => Figure::Health(health),
        _ => Figure::Unknown,
    })
}

fn health_of_topic(topic: &TopicDescription) -> Health {
    topic
        .partitions
        .iter()
        .map(health_of)
        .fold(Health::default(), add)
}

fn health_of(partition: &PartitionDescription) -> Health {
    let has_leader = partition.leader.is_some();
    Health {
        is_down: false,
        without_leader: usize::from(!has_leader),
        under_replicated: usize::from(has_leader && partition.in_sync.len() < partition.replicas.len()),
        partitions: 1,
    }
}

fn add(one: Health, two: Health) -> Health {
    Health {
        is_down: one.is_down || two.is_down,
        without_leader: one.without_leader + two.without_leader,
        under_replicated: one.under_replicated + two.under_replicated,
        partitions: one.partitions + two.partitions,
    }
}

fn partitions<'a>(
    figures: &Figures,
    topics: impl Iterator<Item = &'a TopicDescription>,
    is_wanted: impl Fn(&PartitionDescription) -> bool,
) -> Vec<Row> {
    let nothing = PartitionFigures::default();
    let mut rows = Vec::new();
    for topic in topics {
        for partition in topic.partitions.iter().filter(|partition| is_wanted(partition)) {
            let name = TopicPartition::new(topic.name.as_str(), partition.partition);
            let known = figures.partitions.get(&name).unwrap_or(&nothing);
            rows.push(partition_row(name, partition, known));
        }
    }
    rows
}

fn partition_row(name: TopicPartition, partition: &PartitionDescription, known: &PartitionFigures) -> Row {
    let health = health_of(partition);
    let topic = name.topic.clone();
    let name = RowName::Partition(name);
    row(
        name,
        &Listing::Partitions,
        &known.written,
        health,
        |field| match field {
            Field::Topic => Figure::Word(topic.clone()),
            Field::Partition => Figure::Number(i64::from(partition.partition)),
            Field::Leader => Figure::number(partition.leader.map(i64::from)),
            Field::Replicas => Figure::Ids(partition.replicas.clone()),
            Field::InSync => Figure::Ids(partition.in_sync.clone()),
            Field::Written => Figure::rate(known.rate()),
            Field::Bytes => Figure::byte_rate(known.byte_rate()),
            Field::First => Figure::number(known.first),
            Field::Next => Figure::number(known.end.last()),
            Field::Size => Figure::bytes(known.size),
            Field::Health => Figure::Health(health),
            _ => Figure::Unknown,
        },
    )
}

fn group_row(figures: &Figures, group: &GroupFigures) -> Row {
    let written = sum(group
        .places
        .iter()
        .flatten()
        .map(|(partition, _)| figures.written_in(partition)));
    let read = group.read();
    let left = || seconds_left(group.lag()?, read?, written?);
    let listing = &group.listing;
    let name = RowName::Group(listing.id.clone());
    row(
        name,
        &Listing::Groups,
        &group.lags,
        Health::default(),
        |field| match field {
            Field::Group => Figure::Word(listing.id.clone()),
            Field::State => Figure::Word(listing.state.to_lowercase()),
            Field::Members => group.members.map_or(Figure::Unknown, Figure::count),
            Field::Lag => Figure::number(group.lag()),
            Field::Read => Figure::rate(read),
            Field::Written => Figure::rate(written),
            Field::CaughtUpIn => left().map_or(Figure::Unknown, Figure::Seconds),
            _ => Figure::Unknown,
        },
    )
}

fn places(figures: &Figures, group: &GroupFigures) -> Vec<Row> {
    let places = group.places.iter().flatten();
    places
        .map(|(partition, place)| place_row(figures, partition, place))
        .collect()
}

fn place_row(figures: &Figures, partition: &TopicPartition, place: &PlaceFigures) -> Row {
    let (read, written) = (place.committed.rate(), figures.written_in(partition));
    let left = || seconds_left(place.lag()?, read?, written?);
    let name = RowName::Partition(partition.clone());
    let listing = Listing::OfGroup(String::new());
    row(
        name,
        &listing,
        &place.lags,
        Health::default(),
        |field| match field {
            Field::Topic => Figure::Word(partition.topic.clone()),
            Field::Partition => Figure::Number(i64::from(partition.partition)),
            Field::Committed => Figure::number(place.committed.last()),
            Field::End => Figure::number(place.end),
            Field::Lag => Figure::number(place.lag()),
            Field::Read => Figure::rate(read),
            Field::Written => Figure::rate(written),
            Field::CaughtUpIn => left().map_or(Figure::Unknown, Figure::Seconds),
            Field::Member => word(place.member.clone()),
            _ => Figure::Unknown,
        },
    )
}
