//! The steps of list, create, alter and delete topics; `topics describe` is `describe topic`.

use std::collections::BTreeMap;

use super::command::{Command, Needs};
use super::context::Context;
use super::describe;
use super::topic_selection::{self, Selection};
use super::unwell_topics;
use crate::client::admin::configs::{ConfigChange, ConfigResource};
use crate::client::admin::topics::{NewPartitions, NewTopic, TopicDescription};
use crate::client::admin::volumes::leaders;
use crate::client::admin::{ApiError, topics::TopicOutcomes};
use crate::error::{Error, Result};
use crate::output::health::HealthFilter;
use crate::output::{Format, confirm, topic as output};
use crate::spelling::closest;
use crate::topic_config::{self, TOPIC_CONFIGS};

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    /// All that match; with a filter only topics that have partitions with a problem.
    List(Selection, HealthFilter),
    Create(Creation),
    Alter(Alteration),
    Delete(Deletion),
    Describe(Selection, HealthFilter),
}

/// Topics to create, all alike.
#[derive(Debug)]
pub struct Creation {
    pub topics: Vec<NewTopic>,
    pub if_not_exists: bool,
    pub is_dry_run: bool,
}

/// What to change of topics.
#[derive(Debug)]
pub struct Alteration {
    pub selection: Selection,
    pub partitions: Option<i32>,
    pub configs: Vec<ConfigChange>,
    pub if_exists: bool,
    pub is_dry_run: bool,
}

/// Topics to delete.
#[derive(Debug)]
pub struct Deletion {
    pub selection: Selection,
    pub if_exists: bool,
    /// Whether the user has said yes in advance (`--yes`).
    pub is_sure: bool,
    pub is_dry_run: bool,
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
        Action::List(selection, health) => list(&selection, health, context),
        Action::Create(creation) => create(&creation, context),
        Action::Alter(alteration) => alter(&alteration, context),
        Action::Delete(deletion) => delete(&deletion, context),
        Action::Describe(selection, health) => {
            describe::run(describe::Action::Topic(selection, health), context)
        }
    }
}

fn list(selection: &Selection, health: HealthFilter, context: &mut Context) -> Result<()> {
    let mut topics = topic_selection::find(selection, context)?;
    let only_names = context.printer.format() == Format::Name;
    if only_names && !health.is_any() {
        return output::names(&mut context.printer, &topics);
    }
    let admin = context.client.admin()?;
    let active = admin.reassignments_of(&topics)?;
    if health.is_any() {
        unwell_topics::retain_whole(&mut topics, health, &active, admin)?;
    }
    if only_names {
        return output::names(&mut context.printer, &topics);
    }
    let volumes = admin.volumes(&topics)?;
    output::list(&mut context.printer, &topics, &output::Facts { volumes, active })
}

fn create(creation: &Creation, context: &mut Context) -> Result<()> {
    let outcomes = context
        .client
        .admin()?
        .create_topics(&creation.topics, creation.is_dry_run)?;
    let mut tally = Tally::default();
    for (name, outcome) in outcomes {
        match outcome {
            Ok(()) if creation.is_dry_run => tally.done(name, "would be created"),
            Ok(()) => tally.done(name, "created"),
            Err(refusal) if creation.if_not_exists && refusal.name() == "TOPIC_ALREADY_EXISTS" => {
                context.printer.note(format_args!("{name} exists already"));
                tally.done_quietly(name, "exists");
            }
            Err(refusal) => {
                let topic = creation.topics.iter().find(|topic| topic.name == name);
                let error = Error::from(refusal.clone()).context(format_args!("cannot create topic {name}"));
                tally.failed(match topic.and_then(|topic| hint_for(topic, &refusal)) {
                    Some(hint) => error.hint(hint),
                    None => error,
                });
            }
        }
    }
    let done = if creation.is_dry_run {
        "would create"
    } else {
        "created"
    };
    tally.report(done, context)
}

/// The advice after the broker has refused a topic.
fn hint_for(topic: &NewTopic, refusal: &ApiError) -> Option<String> {
    match refusal.name() {
        "TOPIC_ALREADY_EXISTS" => Some("--if-not-exists makes that no failure".to_owned()),
        "INVALID_CONFIG" => {
            let unknown = topic
                .configs
                .iter()
                .find(|(name, _)| !topic_config::is_known(name));
            let names = TOPIC_CONFIGS.iter().map(|config| config.name);
            unknown
                .and_then(|(name, _)| closest(name, names))
                .map(|meant| format!("did you mean {meant}?"))
        }
        _ => None,
    }
}

fn alter(alteration: &Alteration, context: &mut Context) -> Result<()> {
    let topics = chosen(&alteration.selection, alteration.if_exists, context)?;
    if topics.is_empty() {
        return nothing_matches(&alteration.selection, alteration.if_exists);
    }
    let admin = context.client.admin()?;
    let mut outcomes: TopicOutcomes = topics.iter().map(|topic| (topic.name.clone(), Ok(()))).collect();
    if let Some(partitions) = alteration.partitions {
        let grown = topics.iter().map(|topic| NewPartitions {
            topic: topic.name.clone(),
            count: partitions,
            assignment: None,
        });
        let grown: Vec<NewPartitions> = grown.collect();
        merge(
            &mut outcomes,
            admin.create_partitions(&grown, alteration.is_dry_run)?,
        );
    }
    if !alteration.configs.is_empty() {
        let changes: Vec<(ConfigResource, Vec<ConfigChange>)> = topics
            .iter()
            .map(|topic| {
                (
                    ConfigResource::Topic(topic.name.clone()),
                    alteration.configs.clone(),
                )
            })
            .collect();
        let altered = admin.alter_configs(&changes, alteration.is_dry_run)?;
        let names = topics.iter().map(|topic| topic.name.clone());
        merge(&mut outcomes, names.zip(altered).collect());
    }
    let mut tally = Tally::default();
    for (name, outcome) in outcomes {
        match outcome {
            Ok(()) if alteration.is_dry_run => tally.done(name, "would be altered"),
            Ok(()) => tally.done(name, "altered"),
            Err(refusal) => {
                tally.failed(Error::from(refusal).context(format_args!("cannot alter topic {name}")));
            }
        }
    }
    let done = if alteration.is_dry_run {
        "would alter"
    } else {
        "altered"
    };
    tally.report(done, context)
}

/// Adds later outcomes; a topic that was refused once stays refused.
fn merge(outcomes: &mut TopicOutcomes, later: TopicOutcomes) {
    let mut later: BTreeMap<String, Result<(), ApiError>> = later.into_iter().collect();
    for (name, known) in outcomes.iter_mut().filter(|(_, known)| known.is_ok()) {
        if let Some(outcome) = later.remove(name) {
            *known = outcome;
        }
    }
}

fn delete(deletion: &Deletion, context: &mut Context) -> Result<()> {
    let topics = chosen(&deletion.selection, deletion.if_exists, context)?;
    if topics.is_empty() {
        return nothing_matches(&deletion.selection, deletion.if_exists);
    }
    let names: Vec<String> = topics.iter().map(|topic| topic.name.clone()).collect();
    if deletion.is_dry_run {
        let would = names
            .into_iter()
            .map(|name| (name, "would be deleted"))
            .collect::<Vec<_>>();
        return output::outcomes(&mut context.printer, "would delete", &would);
    }
    if !deletion.is_sure {
        ask(&topics, context)?;
    }
    let mut tally = Tally::default();
    for (name, outcome) in context.client.admin()?.delete_topics(&names)? {
        match outcome {
            Ok(()) => tally.done(name, "deleted"),
            Err(refusal) if deletion.if_exists && refusal.name() == "UNKNOWN_TOPIC_OR_PARTITION" => {}
            Err(refusal) => {
                tally.failed(Error::from(refusal).context(format_args!("cannot delete topic {name}")));
            }
        }
    }
    tally.report("deleted", context)
}

/// Shows the topics to delete, and returns only if the user agrees.
fn ask(topics: &[TopicDescription], context: &mut Context) -> Result<()> {
    let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    let several = if topics.len() == 1 { "topic" } else { "topics" };
    if !confirm::can_ask() {
        return Err(Error::usage(format!(
            "would delete {} {several} ({}); without a terminal say --yes",
            topics.len(),
            names.join(", ")
        )));
    }
    let volumes = context.client.admin()?.volumes(topics).unwrap_or_default();
    let ages = ages(topics, context);
    // Brokers that did not answer do not matter for the question.
    context.client.admin()?.take_absent();
    let (lines, size) = output::doomed(topics, &volumes, &ages);
    let this = if topics.len() == 1 { "this" } else { "these" };
    let number = if topics.len() == 1 {
        String::new()
    } else {
        format!("{} ", topics.len())
    };
    let question = format!("Delete {this} {number}{several} and {size}?");
    context.consent(&lines, &question, "nothing deleted")
}

/// Milliseconds since the newest record of each topic; failures are ignored, since the question does not need the age.
fn ages(topics: &[TopicDescription], context: &mut Context) -> BTreeMap<String, i64> {
    let admin = context.client.admin();
    let newest = admin.and_then(|admin| admin.newest_timestamps(&leaders(topics)));
    let now = jiff::Timestamp::now().as_millisecond();
    let mut ages = BTreeMap::new();
    for (partition, timestamp) in newest.unwrap_or_default() {
        let age = now.saturating_sub(timestamp);
        let youngest = ages.entry(partition.topic).or_insert(age);
        *youngest = age.min(*youngest);
    }
    ages
}

fn chosen(selection: &Selection, if_exists: bool, context: &mut Context) -> Result<Vec<TopicDescription>> {
    if if_exists {
        Ok(topic_selection::find_some(selection, context)?.0)
    } else {
        topic_selection::find(selection, context)
    }
}

fn nothing_matches(selection: &Selection, if_exists: bool) -> Result<()> {
    if if_exists {
        return Ok(());
    }
    Err(selection.nothing_matches())
}

/// The outcomes of several topics, until they are printed.
#[derive(Default)]
struct Tally {
    done: Vec<(String, &'static str)>,
    quiet: Vec<(String, &'static str)>,
    failures: Vec<Error>,
}

impl Tally {
    fn done(&mut self, name: String, result: &'static str) {
        self.done.push((name, result));
    }

    /// Counts as done, but is printed in machine-readable formats only.
    fn done_quietly(&mut self, name: String, result: &'static str) {
        self.quiet.push((name, result));
    }

    fn failed(&mut self, error: Error) {
        self.failures.push(error);
    }

    /// Prints what was done; of several failures all but the last are printed at once.
    fn report(mut self, done: &str, context: &mut Context) -> Result<()> {
        if context.printer.format() != Format::Table {
            self.done.append(&mut self.quiet);
        }
        output::outcomes(&mut context.printer, done, &self.done)?;
        context.outcome_of(self.failures)
    }
}
