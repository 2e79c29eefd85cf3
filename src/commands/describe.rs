//! The steps of describing a cluster, brokers, topics, groups, configs and log dirs.

mod groups;

use std::time::Duration;

use kafka_protocol::messages::DescribeTopicPartitionsRequest;

use super::Context;
use super::topic_selection::{self, Selection};
use crate::client::admin::configs::{ConfigEntry, ConfigResource};
use crate::client::admin::log_dirs::LogDir;
use crate::client::admin::{AdminClient, Cluster};
use crate::error::{Error, Result};
use crate::output::{cluster as output, config, group, log_dirs, topic};
use crate::topic_partition::BrokerId;

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    Cluster,
    /// These brokers, or all.
    Broker(Vec<BrokerId>),
    Topic(Selection),
    /// These groups, or a list of all; again and again in steps of this time.
    Group {
        names: Vec<String>,
        watch: Option<Duration>,
    },
    Config {
        resource: ConfigResource,
        with_defaults: bool,
    },
    LogDirs {
        brokers: Vec<BrokerId>,
        with_replicas: bool,
    },
}

pub fn run(action: Action, context: &mut Context) -> Result<()> {
    match action {
        Action::Cluster => cluster(context),
        Action::Broker(ids) => brokers(&ids, context),
        Action::Topic(selection) => topics(&selection, context),
        Action::Group { names, .. } if names.is_empty() => {
            let groups = context.client.admin()?.list_groups()?;
            group::list(&mut context.printer, &groups)
        }
        Action::Group { names, watch: None } => groups::describe(&names, context),
        Action::Group {
            names,
            watch: Some(step),
        } => groups::watch(&names, step, context),
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
    let cluster = known_cluster(admin)?;
    output::cluster(&mut context.printer, &cluster, &topics)
}

/// The cluster as its brokers tell it. Under `KRaft` they name any broker as the controller, which tells nothing.
fn known_cluster(admin: &mut AdminClient) -> Result<Cluster> {
    let mut cluster = admin.cluster()?.clone();
    if admin.version_of::<DescribeTopicPartitionsRequest>().is_ok() && cluster.brokers.len() > 1 {
        cluster.controller = None;
    }
    Ok(cluster)
}

fn brokers(ids: &[BrokerId], context: &mut Context) -> Result<()> {
    let admin = context.client.admin()?;
    let topics = admin.all_topics()?;
    let wanted = chosen_brokers(ids, context)?;
    let cluster = known_cluster(context.client.admin()?)?;
    let mut described = Vec::new();
    for broker in cluster
        .brokers
        .iter()
        .filter(|broker| wanted.contains(&broker.id))
    {
        described.push(output::DescribedBroker {
            broker: broker.clone(),
            is_controller: cluster.controller == Some(broker.id),
            size: size_on(broker.id, context),
            configs: if ids.is_empty() {
                Vec::new()
            } else {
                broker_configs(broker.id, context)?
            },
        });
    }
    output::brokers(&mut context.printer, &described, &topics)
}

/// What the broker's directories hold, when it tells.
fn size_on(broker: BrokerId, context: &mut Context) -> Option<i64> {
    let dirs = context
        .client
        .admin()
        .ok()?
        .describe_log_dirs(broker, None)
        .ok()?;
    Some(
        dirs.iter()
            .flat_map(|dir| &dir.replicas)
            .map(|replica| replica.size)
            .sum(),
    )
}

fn broker_configs(broker: BrokerId, context: &mut Context) -> Result<Vec<ConfigEntry>> {
    let mut configs = context.client.admin()?.describe_broker_configs(broker)?;
    configs.retain(|config| !config.is_default());
    Ok(configs)
}

fn topics(selection: &Selection, context: &mut Context) -> Result<()> {
    let topics = topic_selection::find(selection, context)?;
    if topics.is_empty() && !selection.words.is_empty() {
        return Err(Error::not_found(format!(
            "no topic matches {}",
            selection.words.join(" or ")
        )));
    }
    let admin = context.client.admin()?;
    let volumes = admin.volumes(&topics)?;
    let resources: Vec<ConfigResource> = topics
        .iter()
        .map(|topic| ConfigResource::Topic(topic.name.clone()))
        .collect();
    // Whoever may not see configs still sees the topic.
    let configs: Vec<Vec<ConfigEntry>> = admin
        .describe_configs(&resources)?
        .into_iter()
        .map(Result::unwrap_or_default)
        .collect();
    topic::describe(&mut context.printer, &topics, &volumes, &configs)
}

fn configs(resource: &ConfigResource, with_defaults: bool, context: &mut Context) -> Result<()> {
    let admin = context.client.admin()?;
    let found = match resource {
        ConfigResource::Broker(id) => Ok(admin.describe_broker_configs(*id)?),
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
    let mut dirs: Vec<LogDir> = Vec::new();
    for broker in chosen_brokers(ids, context)? {
        dirs.extend(context.client.admin()?.describe_log_dirs(broker, None)?);
    }
    if with_replicas {
        log_dirs::replicas(&mut context.printer, &dirs)
    } else {
        log_dirs::directories(&mut context.printer, &dirs)
    }
}

/// These brokers, or all that are up; one that is not up is an error.
fn chosen_brokers(ids: &[BrokerId], context: &mut Context) -> Result<Vec<BrokerId>> {
    let brokers = context.client.admin()?.brokers()?;
    let up: Vec<BrokerId> = brokers.iter().map(|broker| broker.id).collect();
    match ids.iter().find(|id| !up.contains(id)) {
        Some(id) => {
            let known: Vec<String> = up.iter().map(ToString::to_string).collect();
            Err(Error::not_found(format!("broker {id} is not up in this cluster"))
                .hint(format!("brokers that are up: {}", known.join(", "))))
        }
        None if ids.is_empty() => Ok(up),
        None => Ok(ids.to_vec()),
    }
}
