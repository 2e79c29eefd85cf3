//! The output of `kafka-topics`, to the letter.

use std::collections::BTreeSet;
use std::io::Write;

use uuid::Uuid;

use crate::client::admin::configs::ConfigEntry;
use crate::client::admin::topics::{PartitionDescription, TopicDescription};
use crate::error::Result;
use crate::output::{Printer, health};
use crate::reassignment::active::{ActiveReassignment, ActiveReassignments};
use crate::topic_partition::{BrokerId, TopicPartition};

/// Which lines `--describe` prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the tool, and they add up"
)]
pub struct Report {
    pub under_replicated: bool,
    pub unavailable: bool,
    pub under_min_isr: bool,
    pub at_min_isr: bool,
    /// Only topics with a config of their own, and only their first line.
    pub overrides: bool,
}

/// A topic with all data for its lines.
#[derive(Debug)]
pub struct DescribedTopic<'a> {
    pub topic: &'a TopicDescription,
    /// In the order in which they are printed.
    pub configs: Vec<ConfigEntry>,
    pub reassignments: &'a ActiveReassignments,
    /// The brokers that are up.
    pub live: &'a BTreeSet<BrokerId>,
}

/// The warning before a topic is created whose name collides with another's in metrics.
pub fn collision_warning(printer: &mut Printer) -> Result<()> {
    printer.line(
        "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could \
         collide. To avoid issues it is best to use either, but not both.",
    )
}

pub fn created(printer: &mut Printer, topic: &str) -> Result<()> {
    printer.line(format_args!("Created topic {topic}."))
}

/// One name a line; an empty line if there are none.
pub fn names(printer: &mut Printer, names: &[&str]) -> Result<()> {
    printer.line(names.join("\n"))
}

pub fn failure(printer: &mut Printer, message: &str) -> Result<()> {
    printer.line(format_args!("Error while executing topic command : {message}"))
}

/// The lines of one topic.
pub fn description(printer: &mut Printer, topic: &DescribedTopic<'_>, report: Report) -> Result<()> {
    let is_whole =
        !(report.under_replicated || report.unavailable || report.under_min_isr || report.at_min_isr);
    let has_overrides = topic.configs.iter().any(|config| !config.is_default());
    if is_whole && (has_overrides || !report.overrides) {
        topic_line(printer, topic)?;
    }
    if report.overrides {
        return Ok(());
    }
    for partition in &topic.topic.partitions {
        if is_whole || topic.is_reported(partition, report) {
            partition_line(printer, topic, partition)?;
        }
    }
    Ok(())
}

impl DescribedTopic<'_> {
    fn reassignment(&self, partition: i32) -> Option<&ActiveReassignment> {
        let name = TopicPartition::new(self.topic.name.as_str(), partition);
        self.reassignments.get(&name)
    }

    /// The replication factor; for a partition being moved, that of the replicas it had before.
    fn replication_factor(&self, partition: &PartitionDescription) -> usize {
        health::replication_factor(partition, self.reassignment(partition.partition))
    }

    fn min_in_sync(&self) -> usize {
        let config = self
            .configs
            .iter()
            .find(|config| config.name == "min.insync.replicas");
        let value = config.and_then(|config| config.value.as_deref()?.parse().ok());
        value.unwrap_or(1)
    }

    fn is_reported(&self, partition: &PartitionDescription, report: Report) -> bool {
        let in_sync = partition.in_sync.len();
        let is_led = partition.leader.is_some();
        (report.under_replicated && in_sync < self.replication_factor(partition))
            || (report.unavailable && partition.leader.is_none_or(|leader| !self.live.contains(&leader)))
            || (report.under_min_isr && (!is_led || in_sync < self.min_in_sync()))
            || (report.at_min_isr && in_sync == self.min_in_sync())
    }
}

fn topic_line(printer: &mut Printer, described: &DescribedTopic<'_>) -> Result<()> {
    let topic = described.topic;
    let configs: Vec<String> = described
        .configs
        .iter()
        .filter(|config| !config.is_default())
        .map(|config| format!("{}={}", config.name, config.value.as_deref().unwrap_or("null")))
        .collect();
    let out = printer.out();
    write!(out, "Topic: {}", topic.name)?;
    if topic.id != Uuid::nil() {
        write!(out, "\tTopicId: {}", topic.id_text())?;
    }
    let replication_factor = topic
        .partitions
        .first()
        .map_or(0, |first| described.replication_factor(first));
    writeln!(
        out,
        "\tPartitionCount: {}\tReplicationFactor: {replication_factor}\tConfigs: {}",
        topic.partitions.len(),
        configs.join(",")
    )?;
    Ok(())
}

fn partition_line(
    printer: &mut Printer,
    described: &DescribedTopic<'_>,
    partition: &PartitionDescription,
) -> Result<()> {
    let out = printer.out();
    write!(
        out,
        "\tTopic: {}\tPartition: {}",
        described.topic.name, partition.partition
    )?;
    match partition.leader {
        Some(leader) => write!(out, "\tLeader: {leader}")?,
        None => write!(out, "\tLeader: none")?,
    }
    let (replicas, in_sync) = (ids(&partition.replicas), ids(&partition.in_sync));
    write!(out, "\tReplicas: {replicas}\tIsr: {in_sync}")?;
    if let Some(active) = described.reassignment(partition.partition) {
        let (adding, removing) = (ids(&active.adding), ids(&active.removing));
        write!(out, "\tAdding Replicas: {adding}\tRemoving Replicas: {removing}")?;
    }
    let told = |list: &Option<Vec<BrokerId>>| list.as_deref().map_or_else(|| "N/A".to_owned(), ids);
    writeln!(
        out,
        "\tElr: {}\tLastKnownElr: {}",
        told(&partition.eligible_leaders),
        told(&partition.last_known_eligible_leaders)
    )?;
    Ok(())
}

fn ids(ids: &[BrokerId]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(",")
}
