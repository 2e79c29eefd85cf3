//! The steps of describing a cluster, brokers, topics, groups, transactions, producers, configs and log dirs.

mod groups;
mod producers;
pub(super) mod transactions;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kafka_protocol::messages::DescribeTopicPartitionsRequest;

use super::command::{Command, Needs};
use super::context::Context;
use super::partition_selection::PartitionsOfTopic;
use super::topic_selection::{self, Selection};
use super::unwell_topics;
use crate::client::admin::configs::{ConfigEntry, ConfigResource};
use crate::client::admin::log_dirs::LogDir;
use crate::client::admin::topics::TopicDescription;
use crate::client::admin::{AdminClient, Cluster};
use crate::error::{Error, Result};
use crate::output::health::HealthFilter;
use crate::output::{cluster as output, config, log_dirs, topic};
use crate::topic_partition::BrokerId;

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    Cluster,
    /// These brokers; all if empty.
    Broker(Vec<BrokerId>),
    /// These topics, or all; with a filter only the partitions with a problem.
    Topic(Selection, HealthFilter),
    /// These groups, or a list of all; repeatedly, in intervals of this time.
    Group {
        names: Vec<String>,
        watch: Option<Duration>,
    },
    /// These transactional ids; a list of all if empty.
    Transaction(Vec<String>),
    Producers(Vec<PartitionsOfTopic>),
    Config {
        resource: ConfigResource,
        with_defaults: bool,
    },
    LogDirs {
        brokers: Vec<BrokerId>,
        with_replicas: bool,
    },
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::ANSWERS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        run(*self, context)
    }
}

pub fn run(action: Action, context: &mut Context) -> Result<()> {
    match action {
        Action::Cluster => cluster(context),
        Action::Broker(ids) => brokers(&ids, context),
        Action::Topic(selection, health) => topics(&selection, health, context),
        Action::Group { names, .. } if names.is_empty() => {
            super::groups::list(&super::groups::Listing::default(), context)
        }
        Action::Group { names, watch: None } => groups::describe(&names, context),
        Action::Group {
            names,
            watch: Some(step),
        } => {
            context.client.wait_for_each_answer();
            groups::watch(&names, step, context)
        }
        Action::Transaction(ids) => transactions::describe(&ids, context),
        Action::Producers(topics) => producers::describe(&topics, context),
        Action::Config {
            resource,
            with_defaults,
        } => configs(&resource, with_defaults, context),
        Action::LogDirs {
            brokers,
            with_replicas,
        } => directories(&brokers, with_replicas, context),
    }
}

fn cluster(context: &mut Context) -> Result<()> {
    let admin = context.client.admin()?;
    let topics = admin.all_topics()?;
    let active = admin.reassignments_of(&topics)?;
    let cluster = known_cluster(admin)?;
    let down = note_down(&topics, admin)?;
    output::cluster(&mut context.printer, &cluster, &down, &topics, &active)
}

/// The cluster as brokers describe it. With `KRaft` they name a random broker as the controller, which means nothing.
fn known_cluster(admin: &mut AdminClient) -> Result<Cluster> {
    let mut cluster = admin.cluster()?.clone();
    if admin.version_of::<DescribeTopicPartitionsRequest>().is_ok() && cluster.brokers.len() > 1 {
        cluster.controller = None;
    }
    Ok(cluster)
}

/// The brokers that have replicas and are not up; the cluster's metadata do not list them.
fn note_down(topics: &[TopicDescription], admin: &mut AdminClient) -> Result<Vec<BrokerId>> {
    let up: BTreeSet<BrokerId> = admin.brokers()?.iter().map(|broker| broker.id).collect();
    let partitions = topics.iter().flat_map(|topic| &topic.partitions);
    let replicas = partitions.flat_map(|partition| partition.replicas.iter().copied());
    let down: BTreeSet<BrokerId> = replicas.filter(|broker| !up.contains(broker)).collect();
    for broker in &down {
        admin.note_down(*broker);
    }
    Ok(down.into_iter().collect())
}

fn brokers(ids: &[BrokerId], context: &mut Context) -> Result<()> {
    let admin = context.client.admin()?;
    let topics = admin.all_topics()?;
    let wanted = chosen_brokers(ids, &topics, admin)?;
    let cluster = known_cluster(admin)?;
    let dirs = admin.describe_log_dirs(&wanted)?;
    let mut configs = if ids.is_empty() {
        BTreeMap::new()
    } else {
        admin.describe_broker_configs(&wanted)?
    };
    let mut described = Vec::new();
    for id in wanted {
        let mut own = configs.remove(&id).transpose()?.unwrap_or_default();
        own.retain(|config| !config.is_default());
        described.push(output::DescribedBroker {
            id,
            broker: cluster.brokers.iter().find(|broker| broker.id == id).cloned(),
            is_controller: cluster.controller == Some(id),
            is_absent: admin.is_absent(id),
            size: dirs.get(&id).and_then(|dirs| Some(size_of(dirs.as_ref().ok()?))),
            configs: own,
        });
    }
    output::brokers(&mut context.printer, &described, &topics)
}

/// The bytes of all replicas in some directories.
fn size_of(dirs: &[LogDir]) -> i64 {
    let replicas = dirs.iter().flat_map(|dir| &dir.replicas);
    replicas.map(|replica| replica.size).sum()
}

fn topics(selection: &Selection, health: HealthFilter, context: &mut Context) -> Result<()> {
    let mut topics = topic_selection::find(selection, context)?;
    if topics.is_empty() && !selection.words.is_empty() {
        return Err(selection.nothing_matches());
    }
    let admin = context.client.admin()?;
    let active = admin.reassignments_of(&topics)?;
    if health.is_any() {
        unwell_topics::retain(&mut topics, health, &active, admin)?;
    }
    let volumes = admin.volumes(&topics)?;
    let resources: Vec<ConfigResource> = topics
        .iter()
        .map(|topic| ConfigResource::Topic(topic.name.clone()))
        .collect();
    // A user who may not see configs still sees the topic.
    let configs: Vec<Vec<ConfigEntry>> = admin
        .describe_configs(&resources)?
        .into_iter()
        .map(Result::unwrap_or_default)
        .collect();
    topic::describe(
        &mut context.printer,
        &topics,
        &topic::Facts { volumes, active },
        &configs,
    )
}

fn configs(resource: &ConfigResource, with_defaults: bool, context: &mut Context) -> Result<()> {
    let admin = context.client.admin()?;
    let found = match resource {
        ConfigResource::Broker(id) => {
            let found = admin.describe_broker_configs(&[*id])?.remove(id);
            Ok(found.transpose()?.unwrap_or_default())
        }
        other => admin
            .describe_configs(std::slice::from_ref(other))?
            .pop()
            .unwrap_or(Ok(Vec::new())),
    };
    let mut entries = match (found, resource) {
        (Ok(entries), _) => entries,
        (Err(refusal), ConfigResource::Topic(name)) if refusal.name() == "UNKNOWN_TOPIC_OR_PARTITION" => {
            return Err(topic_selection::not_found(name, context));
        }
        (Err(refusal), _) => return Err(refusal.into()),
    };
    entries.retain(|entry| with_defaults || !entry.is_default());
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    config::list(&mut context.printer, &entries)
}

fn directories(ids: &[BrokerId], with_replicas: bool, context: &mut Context) -> Result<()> {
    let admin = context.client.admin()?;
    let topics = admin.all_topics()?;
    let brokers = chosen_brokers(ids, &topics, admin)?;
    let mut found = admin.describe_log_dirs(&brokers)?;
    let mut dirs: Vec<(BrokerId, Option<Vec<LogDir>>)> = Vec::new();
    for broker in brokers {
        dirs.push((broker, found.remove(&broker).transpose()?));
    }
    if with_replicas {
        log_dirs::replicas(&mut context.printer, &dirs)
    } else {
        log_dirs::directories(&mut context.printer, &dirs)
    }
}

/// These brokers, or all; an id that is neither up nor has replicas is an error.
fn chosen_brokers(
    ids: &[BrokerId],
    topics: &[TopicDescription],
    admin: &mut AdminClient,
) -> Result<Vec<BrokerId>> {
    let up: Vec<BrokerId> = admin.brokers()?.iter().map(|broker| broker.id).collect();
    let is_down = note_down(topics, admin)?;
    if ids.is_empty() {
        let all: BTreeSet<BrokerId> = up.into_iter().chain(is_down).collect();
        return Ok(all.into_iter().collect());
    }
    // Brokers that are down matter only if they were asked for.
    is_down
        .iter()
        .filter(|broker| !ids.contains(broker))
        .for_each(|broker| admin.forget_absent(*broker));
    match ids.iter().find(|id| !up.contains(id) && !is_down.contains(id)) {
        Some(id) => {
            let known: Vec<String> = up.iter().map(ToString::to_string).collect();
            Err(Error::not_found(format!("broker {id} is not up in this cluster"))
                .hint(format!("brokers that are up: {}", known.join(", "))))
        }
        None => Ok(ids.to_vec()),
    }
}
