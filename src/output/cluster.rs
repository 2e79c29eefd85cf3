//! A cluster and its brokers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::config;
use super::health;
use super::table::{Cell, Column, Table, count, numbers, words};
use super::{Format, Printer};
use crate::client::admin::configs::ConfigEntry;
use crate::client::admin::topics::{PartitionDescription, TopicDescription};
use crate::client::admin::{Broker, Cluster};
use crate::error::Result;
use crate::reassignment::active::{ActiveReassignments, of_partition};
use crate::topic_partition::BrokerId;
use crate::wire::host_port::host_port;

/// A broker with what is known of it.
#[derive(Debug)]
pub struct DescribedBroker {
    pub id: BrokerId,
    /// Its address; `None` where it is not up.
    pub broker: Option<Broker>,
    pub is_controller: bool,
    /// Whether it did not answer.
    pub is_absent: bool,
    /// Bytes in its log dirs; `None` where it does not report them.
    pub size: Option<i64>,
    /// Settings that are not the default.
    pub configs: Vec<ConfigEntry>,
}

/// The columns of a broker in a list.
const BROKER: [Column; 6] = [
    numbers("BROKER", "id"),
    words("ADDRESS", "address"),
    words("RACK", "rack").hides(),
    numbers("LEADS", "leads"),
    numbers("REPLICAS", "replicas"),
    words("ROLE", "role").hides(),
];

/// The place of the column with the bytes of its replicas, when they were asked for.
const SIZE_AT: usize = 5;

fn row(id: BrokerId, broker: Option<&Broker>, load: Load, role: &str) -> Vec<Cell> {
    let address = |broker: &Broker| Cell::text(host_port(&broker.host, broker.port));
    vec![
        Cell::number(id),
        Cell::or_unknown(broker.map(address)),
        Cell::or_unknown(broker.map(|broker| Cell::text(broker.rack.clone().unwrap_or_default()))),
        Cell::number(load.leads),
        Cell::number(load.replicas),
        Cell::text(role),
    ]
}

fn role(is_controller: bool, is_up: bool, is_absent: bool) -> &'static str {
    match (is_controller, is_up, is_absent) {
        (_, false, _) => "DOWN",
        (_, _, true) => "NO ANSWER",
        (true, ..) => "controller",
        _ => "",
    }
}

/// The cluster in a line and its brokers in a table, with those that are `down`.
pub fn cluster(
    printer: &mut Printer,
    cluster: &Cluster,
    down: &[BrokerId],
    topics: &[TopicDescription],
    active: &ActiveReassignments,
) -> Result<()> {
    let mut brokers: Vec<(BrokerId, Option<&Broker>)> = cluster
        .brokers
        .iter()
        .map(|broker| (broker.id, Some(broker)))
        .collect();
    brokers.extend(down.iter().map(|id| (*id, None)));
    brokers.sort_by_key(|(id, _)| *id);
    let loads = loads(topics);
    let load = |id: &BrokerId| loads.get(id).copied().unwrap_or_default();
    let mut table = Table::new(&BROKER);
    for (id, broker) in &brokers {
        let role = role(cluster.controller == Some(*id), broker.is_some(), false);
        table.row(row(*id, *broker, load(id), role));
    }
    let own = topics.iter().filter(|topic| !topic.is_internal).count() as i64;
    let partitions = partitions(topics).count() as i64;
    let ill = under_replicated(topics, active);
    let moving = active.len() as i64;
    let leaderless = partitions_that(topics, |partition| partition.leader.is_none());
    match printer.format() {
        Format::Table => {
            let mut parts = vec![format!(
                "cluster {}",
                cluster.id.as_deref().unwrap_or("without id")
            )];
            parts.push(count(brokers.len() as i64, "broker"));
            parts.push(format!(
                "{}, {}",
                count(own, "topic"),
                count(partitions, "partition")
            ));
            if ill > 0 {
                parts.push(format!("{ill} UNDER-REPLICATED"));
            }
            if moving > 0 {
                parts.push(format!("{moving} MOVING"));
            }
            if leaderless > 0 {
                parts.push(format!("{leaderless} with NO LEADER"));
            }
            printer.block(&parts.join("   "))?;
            printer.line("")?;
            table.print(printer)
        }
        Format::Json | Format::Jsonl => {
            let document = json!({
                "id": cluster.id,
                "controller": cluster.controller,
                "topics": own,
                "partitions": partitions,
                "under_replicated": ill,
                "without_leader": leaderless,
                "moving": moving,
                "brokers": brokers.iter().map(|(id, broker)| json!({
                    "id": id,
                    "host": broker.map(|broker| broker.host.as_str()),
                    "port": broker.map(|broker| broker.port),
                    "rack": broker.and_then(|broker| broker.rack.as_deref()),
                    "leads": load(id).leads,
                    "replicas": load(id).replicas,
                })).collect::<Vec<Value>>(),
            });
            match printer.format() {
                Format::Json => printer.json(&document),
                _ => printer.line(document),
            }
        }
        Format::Tsv | Format::Name => table.print(printer),
    }
}

/// Partitions with missing replicas; replicas that are being moved to other brokers do not count.
fn under_replicated(topics: &[TopicDescription], active: &ActiveReassignments) -> i64 {
    let of_topic = |topic: &TopicDescription| {
        let lacks = |partition: &&PartitionDescription| {
            let moving = of_partition(active, &topic.name, partition.partition);
            health::is_under_replicated(partition, moving)
        };
        topic.partitions.iter().filter(lacks).count() as i64
    };
    topics.iter().map(of_topic).sum()
}

/// Brokers in a table, and under it the settings of those that were asked for by id.
pub fn brokers(
    printer: &mut Printer,
    brokers: &[DescribedBroker],
    topics: &[TopicDescription],
) -> Result<()> {
    let loads = loads(topics);
    let (columns, last) = BROKER.split_at(SIZE_AT);
    let mut table = Table::new(&[columns, &[numbers("SIZE", "size")], last].concat());
    for described in brokers {
        let is_up = described.broker.is_some();
        let role = role(described.is_controller, is_up, described.is_absent);
        let load = loads.get(&described.id).copied().unwrap_or_default();
        let mut cells = row(described.id, described.broker.as_ref(), load, role);
        cells.insert(SIZE_AT, Cell::or_unknown(described.size.map(Cell::bytes)));
        table.row(cells);
    }
    match printer.format() {
        Format::Json | Format::Jsonl => {
            let objects = table.objects().zip(brokers).map(|(mut object, described)| {
                if let Some(fields) = object.as_object_mut() {
                    fields.insert("configs".to_owned(), config::as_object(&described.configs));
                }
                object
            });
            let objects: Vec<Value> = objects.collect();
            match printer.format() {
                Format::Json => printer.json(&Value::Array(objects)),
                _ => objects.iter().try_for_each(|object| printer.line(object)),
            }
        }
        Format::Table => {
            table.print(printer)?;
            for described in brokers.iter().filter(|described| !described.configs.is_empty()) {
                printer.line("")?;
                printer.line(format_args!("set on broker {}", described.id))?;
                config::list(printer, &described.configs)?;
            }
            Ok(())
        }
        Format::Tsv | Format::Name => table.print(printer),
    }
}

fn partitions(topics: &[TopicDescription]) -> impl Iterator<Item = &PartitionDescription> {
    topics.iter().flat_map(|topic| &topic.partitions)
}

fn partitions_that(topics: &[TopicDescription], is: impl Fn(&PartitionDescription) -> bool) -> i64 {
    partitions(topics).filter(|partition| is(partition)).count() as i64
}

/// How many partitions a broker leads, and how many it has a replica of.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    leads: i64,
    replicas: i64,
}

/// What each broker has, counted in one pass.
fn loads(topics: &[TopicDescription]) -> BTreeMap<BrokerId, Load> {
    let mut loads: BTreeMap<BrokerId, Load> = BTreeMap::new();
    for partition in partitions(topics) {
        if let Some(leader) = partition.leader {
            loads.entry(leader).or_default().leads += 1;
        }
        for replica in &partition.replicas {
            loads.entry(*replica).or_default().replicas += 1;
        }
    }
    loads
}
