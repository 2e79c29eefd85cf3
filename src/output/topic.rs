//! Topics: the list, a topic with its partitions, the result of a change to several of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::health;
use super::table::{Cell, Column, Table, age, count, numbers, size, span, words};
use super::{Format, Printer};
use crate::client::admin::configs::{ConfigEntry, ConfigSource};
use crate::client::admin::topics::{PartitionDescription, TopicDescription};
use crate::client::admin::volumes::{Volume, Volumes};
use crate::error::Result;
use crate::reassignment::active::{ActiveReassignment, ActiveReassignments, of_partition};

/// What is known of topics in addition to their description.
#[derive(Debug, Default)]
pub struct Facts {
    pub volumes: Volumes,
    pub active: ActiveReassignments,
}

impl Facts {
    fn active(
        &self,
        topic: &TopicDescription,
        partition: &PartitionDescription,
    ) -> Option<&ActiveReassignment> {
        of_partition(&self.active, &topic.name, partition.partition)
    }
}

/// The list of topics, one a row.
pub fn list(printer: &mut Printer, topics: &[TopicDescription], facts: &Facts) -> Result<()> {
    printer.note_empty(topics.is_empty(), "topics");
    let mut table = Table::new(&[
        words("NAME", "name"),
        numbers("PARTITIONS", "partitions"),
        numbers("REPLICAS", "replicas"),
        numbers("OFFSETS", "offsets"),
        numbers("SIZE", "size"),
        words("STATUS", "status").hides(),
    ]);
    for topic in topics {
        let (offsets, bytes) = totals(topic, &facts.volumes);
        table.row(vec![
            Cell::text(&topic.name),
            Cell::number(partition_count(topic)),
            Cell::number(replica_count(topic, facts)),
            Cell::or_unknown(offsets.map(Cell::number)),
            Cell::or_unknown(bytes.map(Cell::bytes)),
            Cell::text(topic_status(topic, facts)),
        ]);
    }
    table.print(printer)
}

/// Names only.
pub fn names(printer: &mut Printer, topics: &[TopicDescription]) -> Result<()> {
    topics.iter().try_for_each(|topic| printer.line(&topic.name))
}

/// Topics with their partitions.
pub fn describe(
    printer: &mut Printer,
    topics: &[TopicDescription],
    facts: &Facts,
    configs: &[Vec<ConfigEntry>],
) -> Result<()> {
    match printer.format() {
        Format::Table => {
            for (place, (topic, configs)) in topics.iter().zip(configs).enumerate() {
                if place > 0 {
                    printer.line("")?;
                }
                block(printer, topic, facts, configs)?;
            }
            Ok(())
        }
        Format::Json => {
            let documents = topics.iter().zip(configs);
            let documents = documents.map(|(topic, configs)| document(topic, facts, configs));
            printer.json(&Value::Array(documents.collect()))
        }
        Format::Jsonl => topics
            .iter()
            .zip(configs)
            .try_for_each(|(topic, configs)| printer.line(document(topic, facts, configs))),
        Format::Tsv => {
            let mut all = partition_table();
            for topic in topics {
                partition_rows(&mut all, topic, facts);
            }
            all.print(printer)
        }
        Format::Name => names(printer, topics),
    }
}

/// The result for each topic: in a table format a line on stderr, for programs a row each.
pub fn outcomes(printer: &mut Printer, done: &str, topics: &[(String, &str)]) -> Result<()> {
    if topics.is_empty() {
        return Ok(());
    }
    if printer.format() == Format::Table {
        let names: Vec<&str> = topics.iter().map(|(name, _)| name.as_str()).collect();
        printer.note(format_args!("{done} {}", names.join(", ")));
        return Ok(());
    }
    let mut table = Table::new(&[words("NAME", "name"), words("RESULT", "result")]);
    for (name, result) in topics {
        table.row(vec![Cell::text(name), Cell::text(*result)]);
    }
    table.print(printer)
}

/// What is about to be deleted, shown before the question.
///
/// `ages` are milliseconds since the last record of each topic, where it is known.
pub fn doomed(
    topics: &[TopicDescription],
    volumes: &Volumes,
    ages: &BTreeMap<String, i64>,
) -> (String, String) {
    let mut table = Table::new(&[
        words("", "name"),
        numbers("", "partitions"),
        numbers("", "size"),
        words("", "offsets"),
        words("", "last").hides(),
    ]);
    let mut all = 0;
    for topic in topics {
        let (offsets, bytes) = totals(topic, volumes);
        all += bytes.unwrap_or_default();
        table.row(vec![
            Cell::text(&topic.name),
            Cell::text(count(partition_count(topic), "partition")),
            Cell::or_unknown(bytes.map(Cell::bytes)),
            Cell::text(match offsets {
                None => String::new(),
                Some(0) => "empty".to_owned(),
                Some(offsets) => count(offsets, "offset"),
            }),
            Cell::text(match ages.get(&topic.name) {
                Some(millis) => format!("last record {} ago", age(*millis)),
                None => String::new(),
            }),
        ]);
    }
    let lines = table.aligned();
    let lines = lines.split_once('\n').map_or("", |(_, rows)| rows);
    (lines.to_owned(), size(all))
}

/// The columns of a partition below the line of its topic.
const PARTITION: [Column; 8] = [
    numbers("PARTITION", "partition"),
    numbers("LEADER", "leader"),
    words("REPLICAS", "replicas"),
    words("ISR", "isr"),
    numbers("FIRST", "first"),
    numbers("NEXT", "next"),
    numbers("SIZE", "size"),
    words("STATUS", "status").hides(),
];

fn partition_table() -> Table {
    Table::new(&[&[words("TOPIC", "topic")][..], &PARTITION].concat())
}

fn partition_rows(table: &mut Table, topic: &TopicDescription, facts: &Facts) {
    for partition in &topic.partitions {
        table.row(partition_row(topic, partition, facts));
    }
}

fn partition_row(topic: &TopicDescription, partition: &PartitionDescription, facts: &Facts) -> Vec<Cell> {
    let volume = facts.volumes.get(&topic.name, partition.partition);
    vec![
        Cell::text(&topic.name),
        Cell::number(partition.partition),
        match partition.leader {
            Some(leader) => Cell::number(leader),
            None => Cell::both("none", Value::Null),
        },
        Cell::list(&partition.replicas),
        Cell::list(&partition.in_sync),
        Cell::or_unknown(volume.first.map(Cell::number)),
        Cell::or_unknown(volume.next.map(Cell::number)),
        Cell::or_unknown(volume.size.map(Cell::bytes)),
        Cell::text(health::status(partition, facts.active(topic, partition))),
    ]
}

fn block(
    printer: &mut Printer,
    topic: &TopicDescription,
    facts: &Facts,
    configs: &[ConfigEntry],
) -> Result<()> {
    let (offsets, bytes) = totals(topic, &facts.volumes);
    let mut sums = vec![
        count(partition_count(topic), "partition"),
        count(replica_count(topic, facts), "replica"),
    ];
    sums.extend(offsets.map(|offsets| count(offsets, "offset")));
    sums.extend(bytes.map(size));
    let mut parts = vec![topic.name.clone(), sums.join(", ")];
    if !topic.id.is_nil() {
        parts.push(format!("id {}", topic.id_text()));
    }
    parts.extend(policy(configs));
    if topic.is_internal {
        parts.push("internal".to_owned());
    }
    printer.block(&parts.join("   "))?;
    let own: Vec<String> = own_configs(configs)
        .map(|config| format!("{}={}", config.name, config.value.as_deref().unwrap_or_default()))
        .collect();
    if !own.is_empty() {
        printer.block(&format!("set on it: {}", own.join(", ")))?;
    }
    printer.line("")?;
    let mut rows = Table::new(&PARTITION);
    for partition in &topic.partitions {
        rows.row(partition_row(topic, partition, facts).split_off(1));
    }
    printer.block(&rows.aligned())
}

fn document(topic: &TopicDescription, facts: &Facts, configs: &[ConfigEntry]) -> Value {
    let (offsets, bytes) = totals(topic, &facts.volumes);
    let partitions: Vec<Value> = topic
        .partitions
        .iter()
        .map(|partition| {
            let volume = facts.volumes.get(&topic.name, partition.partition);
            json!({
                "partition": partition.partition,
                "leader": partition.leader,
                "replicas": partition.replicas,
                "isr": partition.in_sync,
                "offline": partition.offline,
                "first": volume.first,
                "next": volume.next,
                "size": volume.size,
                "status": health::status(partition, facts.active(topic, partition)),
            })
        })
        .collect();
    let own: serde_json::Map<String, Value> = own_configs(configs)
        .map(|config| (config.name.clone(), Value::from(config.value.clone())))
        .collect();
    json!({
        "name": topic.name,
        "id": (!topic.id.is_nil()).then(|| topic.id_text()),
        "internal": topic.is_internal,
        "offsets": offsets,
        "size": bytes,
        "configs": own,
        "partitions": partitions,
    })
}

/// `cleanup delete, retention 7 d`.
fn policy(configs: &[ConfigEntry]) -> Option<String> {
    let value = |name: &str| {
        let config = configs.iter().find(|config| config.name == name);
        config.and_then(|config| config.value.as_deref())
    };
    let cleanup = value("cleanup.policy")?;
    let mut text = format!("cleanup {cleanup}");
    if cleanup.contains("delete") {
        match value("retention.ms").and_then(|value| value.parse().ok()) {
            Some(-1) => text.push_str(", kept for ever"),
            Some(millis) => text = format!("{text}, retention {}", span(millis)),
            None => {}
        }
        if let Some(bytes) = value("retention.bytes").and_then(|value| value.parse().ok())
            && bytes >= 0
        {
            text = format!("{text} or {} a partition", size(bytes));
        }
    }
    Some(text)
}

fn own_configs(configs: &[ConfigEntry]) -> impl Iterator<Item = &ConfigEntry> {
    configs
        .iter()
        .filter(|config| config.source == ConfigSource::Topic)
}

fn partition_count(topic: &TopicDescription) -> i64 {
    topic.partitions.len() as i64
}

fn replica_count(topic: &TopicDescription, facts: &Facts) -> i64 {
    let most = topic
        .partitions
        .iter()
        .map(|partition| health::replication_factor(partition, facts.active(topic, partition)))
        .max();
    most.unwrap_or(0) as i64
}

/// Offsets and bytes of all partitions, where all are known.
fn totals(topic: &TopicDescription, volumes: &Volumes) -> (Option<i64>, Option<i64>) {
    let of_each = || {
        topic
            .partitions
            .iter()
            .map(|partition| volumes.get(&topic.name, partition.partition))
    };
    (
        of_each().map(Volume::offsets).sum(),
        of_each().map(|volume| volume.size).sum(),
    )
}

/// The worst problem, and how many partitions have it.
fn topic_status(topic: &TopicDescription, facts: &Facts) -> String {
    for word in [health::NO_LEADER, health::UNDER_REPLICATED, health::MOVING] {
        let ill = topic
            .partitions
            .iter()
            .filter(|partition| health::status(partition, facts.active(topic, partition)).contains(word));
        let ill = ill.count();
        if ill > 0 {
            return format!("{word} {ill}/{}", topic.partitions.len());
        }
    }
    String::new()
}
