//! A cluster and its brokers.

use serde_json::{Value, json};

use super::config;
use super::table::{Cell, Column, Table, count, numbers, words};
use super::{Format, Printer};
use crate::client::admin::configs::ConfigEntry;
use crate::client::admin::topics::{PartitionDescription, TopicDescription};
use crate::client::admin::{Broker, Cluster};
use crate::error::Result;
use crate::topic_partition::BrokerId;

/// A broker with what is known of it.
#[derive(Debug)]
pub struct DescribedBroker {
    pub broker: Broker,
    pub is_controller: bool,
    /// Bytes in its log dirs, when it tells.
    pub size: Option<i64>,
    /// Settings that are not the default.
    pub configs: Vec<ConfigEntry>,
}

/// What is said of a broker among others.
const BROKER: [Column; 6] = [
    numbers("BROKER", "id"),
    words("ADDRESS", "address"),
    words("RACK", "rack").hides(),
    numbers("LEADS", "leads"),
    numbers("REPLICAS", "replicas"),
    words("ROLE", "role").hides(),
];

/// Where in it the bytes of its replicas stand, when they were asked for.
const SIZE_AT: usize = 5;

fn row(broker: &Broker, topics: &[TopicDescription], is_controller: bool) -> Vec<Cell> {
    vec![
        Cell::number(broker.id),
        Cell::text(format!("{}:{}", broker.host, broker.port)),
        Cell::text(broker.rack.clone().unwrap_or_default()),
        Cell::number(leads(broker.id, topics)),
        Cell::number(replicas(broker.id, topics)),
        Cell::text(if is_controller { "controller" } else { "" }),
    ]
}

/// The cluster in a line and its brokers in a table.
pub fn cluster(printer: &mut Printer, cluster: &Cluster, topics: &[TopicDescription]) -> Result<()> {
    let mut table = Table::new(&BROKER);
    for broker in &cluster.brokers {
        table.row(row(broker, topics, cluster.controller == Some(broker.id)));
    }
    let own = topics.iter().filter(|topic| !topic.is_internal).count() as i64;
    let partitions = partitions(topics).count() as i64;
    let ill = partitions_that(topics, |partition| {
        partition.in_sync.len() < partition.replicas.len()
    });
    let leaderless = partitions_that(topics, |partition| partition.leader.is_none());
    match printer.format() {
        Format::Table => {
            let mut parts = vec![format!(
                "cluster {}",
                cluster.id.as_deref().unwrap_or("without id")
            )];
            parts.push(count(cluster.brokers.len() as i64, "broker"));
            parts.push(format!(
                "{}, {}",
                count(own, "topic"),
                count(partitions, "partition")
            ));
            if ill > 0 {
                parts.push(format!("{ill} UNDER-REPLICATED"));
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
                "brokers": cluster.brokers.iter().map(|broker| json!({
                    "id": broker.id,
                    "host": broker.host,
                    "port": broker.port,
                    "rack": broker.rack,
                    "leads": leads(broker.id, topics),
                    "replicas": replicas(broker.id, topics),
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

/// Brokers in a table, and under it the settings of those that were asked for by id.
pub fn brokers(
    printer: &mut Printer,
    brokers: &[DescribedBroker],
    topics: &[TopicDescription],
) -> Result<()> {
    let (columns, role) = BROKER.split_at(SIZE_AT);
    let mut table = Table::new(&[columns, &[numbers("SIZE", "size")], role].concat());
    for described in brokers {
        let mut cells = row(&described.broker, topics, described.is_controller);
        cells.insert(SIZE_AT, Cell::or_unknown(described.size.map(Cell::bytes)));
        table.row(cells);
    }
    match printer.format() {
        Format::Json | Format::Jsonl => {
            let objects = table
                .objects()
                .into_iter()
                .zip(brokers)
                .map(|(mut object, described)| {
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
                printer.line(format_args!("set on broker {}", described.broker.id))?;
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

fn leads(broker: BrokerId, topics: &[TopicDescription]) -> i64 {
    partitions_that(topics, |partition| partition.leader == Some(broker))
}

fn replicas(broker: BrokerId, topics: &[TopicDescription]) -> i64 {
    partitions_that(topics, |partition| partition.replicas.contains(&broker))
}
