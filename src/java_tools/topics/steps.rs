//! The steps of `kafka-topics`, in the order of Apache Kafka's own tool.
//!
//! Requests and their order differ from the native steps, and so does what a failure leaves behind.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::super::errors::{java_message, what_is_missing};
use super::super::topic_filter::TopicFilter;
use super::words::{self, DescribedTopic, Report};
use crate::client::admin::configs::{ConfigEntry, ConfigResource};
use crate::client::admin::topics::{NewPartitions, NewTopic, PARTITIONS_PER_ANSWER, TopicDescription};
use crate::client::admin::{AdminClient, ApiError};
use crate::commands::context::Context;
use crate::error::{Error, Kind};
use crate::java;
use crate::java::hash_order::{hash_order, hash_order_presized};
use crate::topic_partition::{BrokerId, is_internal_topic};
use crate::wire::WireError;

/// The action in the options.
#[derive(Debug)]
pub enum Action {
    Create(Creation),
    List(Selection),
    Alter(Alteration),
    Describe(Description),
    Delete { selection: Selection, if_exists: bool },
}

/// `--create`.
#[derive(Debug)]
pub struct Creation {
    pub name: String,
    pub partitions: Option<i32>,
    pub replication_factor: Option<i32>,
    pub assignment: Option<Vec<Vec<BrokerId>>>,
    pub configs: Vec<(String, String)>,
    pub if_not_exists: bool,
}

/// `--alter`.
#[derive(Debug)]
pub struct Alteration {
    pub selection: Selection,
    pub if_exists: bool,
    pub partitions: i32,
    /// The replicas of every partition, the existing ones first.
    pub assignment: Option<Vec<Vec<BrokerId>>>,
}

/// `--describe`.
#[derive(Debug)]
pub struct Description {
    pub selection: Selection,
    pub topic_id: Option<String>,
    pub if_exists: bool,
    pub report: Report,
    pub partitions_per_answer: std::result::Result<Option<i32>, String>,
}

/// Which topics.
#[derive(Debug, Default)]
pub struct Selection {
    /// A regular expression, in which a comma means "or".
    pub topic: Option<String>,
    pub exclude_internal: bool,
}

/// Why the tool ends with "Error while executing topic command", with Java's message, or why it cannot begin.
#[derive(Debug)]
pub enum Failure {
    Executing(String),
    /// The same where the connection is refused, with what is missing in our own words.
    Refused {
        message: String,
        why: String,
    },
    /// The client cannot be built.
    NoClient(String),
    /// Everything was printed except the part of a broker that does not answer; Java waits for it and fails.
    Partly(String),
    /// The reader of stdout has gone.
    ClosedPipe,
}

type Result<T, E = Failure> = std::result::Result<T, E>;

/// Runs the action; all output is flushed when this returns.
pub fn run(action: &Action, context: &mut Context) -> Result<()> {
    let outcome = match action {
        Action::Create(creation) => create(creation, context),
        Action::List(selection) => list(selection, context),
        Action::Alter(alteration) => alter(alteration, context),
        Action::Describe(description) => describe(description, context),
        Action::Delete { selection, if_exists } => delete(selection, *if_exists, context),
    };
    context.print_notes();
    let outcome = outcome.and_then(|()| {
        let absent = context.check_absent();
        absent.map_err(|error| Failure::Partly(error.to_string()))
    });
    outcome.and(context.printer.flush().map_err(|error| printing(&error)))
}

fn create(creation: &Creation, context: &mut Context) -> Result<()> {
    if creation.name.contains(['.', '_']) {
        words::collision_warning(&mut context.printer).map_err(|error| printing(&error))?;
    }
    let replication_factor = match creation.replication_factor.map(i16::try_from) {
        Some(Ok(factor)) if factor >= 1 => Some(factor),
        None => None,
        Some(_) => {
            return Err(executing(
                "The replication factor must be between 1 and 32767 inclusive",
            ));
        }
    };
    if creation.partitions.is_some_and(|count| count < 1) {
        return Err(executing("The partitions must be greater than 0"));
    }
    if creation.name.is_empty() {
        return Err(executing(
            "The given topic name '' cannot be represented in a request.",
        ));
    }
    let topic = NewTopic {
        name: creation.name.clone(),
        partitions: creation.partitions,
        replication_factor,
        assignment: creation.assignment.clone(),
        configs: creation.configs.clone(),
    };
    let outcomes = admin(context, "createTopics")?.create_topics(&[topic], false);
    let outcomes = outcomes.map_err(|error| asking(&error, "createTopics"))?;
    match outcomes.into_iter().find_map(|(_, outcome)| outcome.err()) {
        None => words::created(&mut context.printer, &creation.name).map_err(|error| printing(&error)),
        Some(refusal) if refusal.name() == "TOPIC_ALREADY_EXISTS" && creation.if_not_exists => Ok(()),
        Some(refusal) => Err(refused(&refusal)),
    }
}

fn list(selection: &Selection, context: &mut Context) -> Result<()> {
    let topics = select(selection, context)?;
    let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    words::names(&mut context.printer, &names).map_err(|error| printing(&error))
}

fn alter(alteration: &Alteration, context: &mut Context) -> Result<()> {
    let topics = select(&alteration.selection, context)?;
    ensure_found(&topics, &alteration.selection, alteration.if_exists)?;
    if topics.is_empty() {
        return Ok(());
    }
    let grown: Vec<NewPartitions> = topics
        .iter()
        .map(|topic| NewPartitions {
            topic: topic.name.clone(),
            count: alteration.partitions,
            assignment: alteration
                .assignment
                .as_ref()
                .map(|all| all.iter().skip(topic.partitions.len()).cloned().collect()),
        })
        .collect();
    let outcomes = admin(context, "createPartitions")?.create_partitions(&grown, false);
    first_refusal(outcomes.map_err(|error| asking(&error, "createPartitions"))?)
}

fn delete(selection: &Selection, if_exists: bool, context: &mut Context) -> Result<()> {
    let topics = select(selection, context)?;
    ensure_found(&topics, selection, if_exists)?;
    if topics.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = topics.into_iter().map(|topic| topic.name).collect();
    let outcomes = admin(context, "deleteTopics")?.delete_topics(&names);
    first_refusal(outcomes.map_err(|error| asking(&error, "deleteTopics"))?)
}

fn describe(description: &Description, context: &mut Context) -> Result<()> {
    let id = match &description.topic_id {
        Some(text) => Some(java::uuid::parse(text).map_err(Failure::Executing)?).filter(|id| !id.is_nil()),
        None => None,
    };
    let topics = match id {
        Some(id) => find_by_id(id, description, context)?,
        None => find_by_name(description, context)?,
    };
    if topics.is_empty() {
        return Ok(());
    }
    let resources: Vec<ConfigResource> = topics
        .iter()
        .map(|topic| ConfigResource::Topic(topic.name.clone()))
        .collect();
    let admin = admin(context, "describeConfigs")?;
    let configs = admin
        .describe_configs(&resources)
        .map_err(|error| asking(&error, "describeConfigs"))?;
    let brokers = admin
        .brokers()
        .map_err(|error| asking(&error, "describeCluster"))?;
    let live: BTreeSet<BrokerId> = brokers.iter().map(|broker| broker.id).collect();
    let reassignments = admin.known_reassignments();
    let reassignments = reassignments.map_err(|error| asking(&error, "listPartitionReassignments"))?;
    for (topic, configs) in topics.iter().zip(configs) {
        let described = DescribedTopic {
            topic,
            configs: in_java_order(configs.map_err(|refusal| refused(&refusal))?),
            reassignments: &reassignments,
            live: &live,
        };
        words::description(&mut context.printer, &described, description.report)
            .map_err(|error| printing(&error))?;
    }
    Ok(())
}

fn find_by_id(id: Uuid, description: &Description, context: &mut Context) -> Result<Vec<TopicDescription>> {
    let selection = Selection {
        topic: None,
        exclude_internal: description.selection.exclude_internal,
    };
    if !select(&selection, context)?.iter().any(|topic| topic.id == id) {
        if description.if_exists {
            return Ok(Vec::new());
        }
        let id = crate::client::admin::topics::topic_id_text(id);
        return Err(executing(format!("TopicId '{id}' does not exist as expected")));
    }
    let found = admin(context, "describeTopics")?.describe_topic_by_id(id);
    let found = found.map_err(|error| asking(&error, "describeTopics"))?;
    Ok(vec![found.map_err(|refusal| refused(&refusal))?])
}

fn find_by_name(description: &Description, context: &mut Context) -> Result<Vec<TopicDescription>> {
    let topics = select(&description.selection, context)?;
    ensure_found(&topics, &description.selection, description.if_exists)?;
    if topics.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = topics.into_iter().map(|topic| topic.name).collect();
    let limit = description.partitions_per_answer.clone().map_err(executing)?;
    let limit = limit.unwrap_or(PARTITIONS_PER_ANSWER);
    let found = admin(context, "describeTopicPartitions")?.describe_topics(&names, limit);
    let found = found.map_err(|error| asking(&error, "describeTopicPartitions"))?;
    let found = hash_order_presized(found, |(name, _)| name);
    found
        .into_iter()
        .map(|(_, topic)| topic.map_err(|refusal| refused(&refusal)))
        .collect()
}

/// The topics that match, by name.
fn select(selection: &Selection, context: &mut Context) -> Result<Vec<TopicDescription>> {
    let topics = admin(context, "listTopics")?.all_topics();
    let mut topics = topics.map_err(|error| asking(&error, "listTopics"))?;
    if selection.exclude_internal {
        // A broker of another vendor may call more topics internal than these names.
        topics.retain(|topic| !topic.is_internal && !is_internal_topic(&topic.name));
    }
    if let Some(text) = &selection.topic {
        let filter = TopicFilter::new(text).map_err(Failure::Executing)?;
        topics.retain(|topic| filter.matches(&topic.name));
    }
    Ok(topics)
}

fn ensure_found(topics: &[TopicDescription], selection: &Selection, if_exists: bool) -> Result<()> {
    match &selection.topic {
        Some(text) if !text.is_empty() && !if_exists && topics.is_empty() => {
            Err(executing(format!("Topic '{text}' does not exist as expected")))
        }
        _ => Ok(()),
    }
}

/// Java reports the first failure in the order of its `HashMap`.
fn first_refusal(outcomes: Vec<(String, Result<(), ApiError>)>) -> Result<()> {
    let mut outcomes = outcomes;
    outcomes.sort_by(|a, b| a.0.cmp(&b.0));
    let outcomes = hash_order_presized(outcomes, |(name, _)| name);
    let refusal = outcomes.into_iter().find_map(|(_, outcome)| outcome.err());
    refusal.map_or(Ok(()), |refusal| Err(refused(&refusal)))
}

/// The order in which `Config.entries()` iterates.
fn in_java_order(configs: Vec<ConfigEntry>) -> Vec<ConfigEntry> {
    hash_order(configs, |config| &config.name)
}

fn admin<'a>(context: &'a mut Context, call: &str) -> Result<&'a mut AdminClient> {
    context
        .client
        .admin()
        .map_err(|error| match error.cause::<WireError>() {
            Some(WireError::Unresolvable(_)) => Failure::NoClient(error.message()),
            _ => asking(&error, call),
        })
}

fn executing(message: impl Into<String>) -> Failure {
    Failure::Executing(message.into())
}

fn asking(error: &Error, call: &str) -> Failure {
    let message = java_message(error, call);
    match what_is_missing(error) {
        Some(why) => Failure::Refused { message, why },
        None => Failure::Executing(message),
    }
}

fn refused(refusal: &ApiError) -> Failure {
    Failure::Executing(refusal.java_message().to_owned())
}

fn printing(error: &Error) -> Failure {
    match error.kind() {
        Kind::ClosedPipe => Failure::ClosedPipe,
        _ => Failure::Executing(error.message()),
    }
}
