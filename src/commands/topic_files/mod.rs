//! Topics as specified in a file: `export` writes it, `apply` makes the changes. What the file does not specify is
//! shown, and changed only with `--prune`.

mod drift;
mod file;
mod reading;

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::command::{Command, Needs};
use super::context::Context;
use super::topic_selection::{self, Selection};
use crate::client::admin::configs::{ConfigChange, ConfigResource};
use crate::client::admin::parts::CHANGED_AT_ONCE;
use crate::client::admin::topic_specs::TopicSpec;
use crate::client::admin::topics::{NewPartitions, NewTopic, TopicDescription, TopicOutcomes};
use crate::client::admin::{AdminClient, ApiError};
use crate::error::{Error, Result};
use crate::output::progress::Changes;
use crate::output::topic_drift::{self as output, Change, DriftRow};
use crate::output::{Format, confirm, counted, plural};
pub(super) use drift::{Drift, drift};

/// Writes the specifications of topics.
#[derive(Debug)]
pub struct Export {
    pub selection: Selection,
}

impl Command for Export {
    fn needs(&self) -> Needs {
        Needs::ANSWERS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        let topics = topic_selection::find(&self.selection, context)?;
        let specs = context.client.admin()?.topic_specs(&topics)?;
        output::export(&mut context.printer, &specs)
    }
}

/// Changes topics to what a file specifies.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Apply {
    /// `-` is stdin.
    pub file: PathBuf,
    /// Whether topics that are not in the file are deleted.
    pub prunes_topics: bool,
    /// Whether configs that the file does not specify for its topics are unset.
    pub prunes_configs: bool,
    pub is_dry_run: bool,
    /// Whether the user has said yes in advance (`--yes`).
    pub is_sure: bool,
}

impl Command for Apply {
    /// The duration depends on the file, so that the time-out applies to each answer.
    fn needs(&self) -> Needs {
        Needs {
            lasts: true,
            ..Needs::ANSWERS
        }
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        let wanted = read(&self.file)?;
        let mut topics = context.client.admin()?.all_topics()?;
        topics.retain(|topic| !topic.is_internal);
        let are = specs_about(&topics, &wanted, context)?;
        let mut drifts = drift(&are, &wanted);
        if !self.prunes_topics {
            leave_unlisted(&mut drifts, self.is_dry_run, context);
        }
        let rows = rows(&drifts, |drift| self.change(drift));
        if !rows.is_empty() || context.printer.format() != Format::Table {
            output::list(&mut context.printer, &rows, ("IS", "SHALL BE"))?;
        }
        if rows.is_empty() {
            context.printer.note("nothing differs");
            return Ok(());
        }
        if self.is_dry_run {
            return Ok(());
        }
        self.ask(&drifts, context)?;
        self.bring_about(&drifts, &wanted, context)
    }
}

fn read(file: &Path) -> Result<Vec<TopicSpec>> {
    let is_stdin = file.as_os_str() == "-";
    let name = if is_stdin {
        "stdin".to_owned()
    } else {
        file.display().to_string()
    };
    let mut text = String::new();
    let read = if is_stdin {
        std::io::stdin().lock().read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map_err(|error| Error::from(error).context(&name))?;
    file::parse(&name, &text)
}

/// One difference a row.
pub(super) fn rows(drifts: &[(&str, Vec<Drift>)], change: impl Fn(&Drift) -> Change) -> Vec<DriftRow> {
    let of_topic = |(topic, drifts): &(&str, Vec<Drift>)| -> Vec<DriftRow> {
        let row = |drift: &Drift| {
            let (what, is, wanted) = match drift {
                Drift::Missing => ("topic".to_owned(), None, Some("there".to_owned())),
                Drift::Unlisted => ("topic".to_owned(), Some("there".to_owned()), None),
                Drift::Partitions { is, wanted } => (
                    "partitions".to_owned(),
                    Some(is.to_string()),
                    Some(wanted.to_string()),
                ),
                Drift::ReplicationFactor { is, wanted } => (
                    "replication factor".to_owned(),
                    Some(is.to_string()),
                    Some(wanted.to_string()),
                ),
                Drift::Config { name, is, wanted } => (name.clone(), is.clone(), Some(wanted.clone())),
                Drift::UnlistedConfig { name, is } => (name.clone(), Some(is.clone()), None),
            };
            DriftRow {
                topic: (*topic).to_owned(),
                what,
                is,
                wanted,
                change: change(drift),
            }
        };
        drifts.iter().map(row).collect()
    };
    drifts.iter().flat_map(of_topic).collect()
}

impl Apply {
    /// The change for a difference.
    fn change(&self, drift: &Drift) -> Change {
        match drift {
            Drift::Missing => Change::Create,
            Drift::Config { .. } => Change::Set,
            Drift::Partitions { is, wanted } if wanted > is => Change::Set,
            Drift::Partitions { .. } => Change::Never("partitions are never taken away"),
            Drift::ReplicationFactor { .. } => Change::Never("kafkit reassign plan moves replicas"),
            Drift::Unlisted if self.prunes_topics => Change::Delete,
            Drift::UnlistedConfig { .. } if self.prunes_configs => Change::Unset,
            Drift::Unlisted | Drift::UnlistedConfig { .. } => Change::Leave,
        }
    }

    /// Asks before topics are deleted.
    fn ask(&self, drifts: &[(&str, Vec<Drift>)], context: &mut Context) -> Result<()> {
        let doomed = self.doomed(drifts);
        if doomed.is_empty() || self.is_sure {
            return Ok(());
        }
        let what = plural(doomed.len() as u64, "topic");
        if !confirm::can_ask() {
            return Err(Error::usage(format!(
                "would delete {what} ({}); without a terminal say --yes",
                doomed.join(", ")
            )));
        }
        let lines = doomed.join("\n");
        context.consent(&lines, &format!("Delete {what}?"), "nothing was changed")
    }

    fn doomed(&self, drifts: &[(&str, Vec<Drift>)]) -> Vec<String> {
        let is_doomed = |(_, drifts): &&(&str, Vec<Drift>)| {
            drifts.iter().any(|drift| self.change(drift) == Change::Delete)
        };
        let doomed = drifts.iter().filter(is_doomed);
        doomed.map(|(name, _)| (*name).to_owned()).collect()
    }

    fn bring_about(
        &self,
        drifts: &[(&str, Vec<Drift>)],
        wanted: &[TopicSpec],
        context: &mut Context,
    ) -> Result<()> {
        let missing = drifts.iter().filter(|(_, drift)| drift.contains(&Drift::Missing));
        let missing: HashSet<&str> = missing.map(|(name, _)| *name).collect();
        let new = wanted.iter().filter(|spec| missing.contains(spec.name.as_str()));
        let new: Vec<NewTopic> = new.map(TopicSpec::to_new_topic).collect();
        let (grown, changes, doomed) = (grown(drifts), self.config_changes(drifts), self.doomed(drifts));
        let total = new.len() + grown.len() + changes.len() + doomed.len();
        let is_quiet = context.printer.is_quiet();
        let mut making = Making {
            admin: context.client.admin()?,
            progress: Changes::new(total, CHANGED_AT_ONCE, is_quiet),
            failures: Vec::new(),
        };
        let outcome = making
            .each("create", &new, |admin, part| admin.create_topics(part, false))
            .and_then(|()| {
                making.each("give more partitions to", &grown, |admin, part| {
                    admin.create_partitions(part, false)
                })
            })
            .and_then(|()| making.each("alter", &changes, alter))
            .and_then(|()| making.each("delete", &doomed, AdminClient::delete_topics));
        let mut failures = making.end();
        failures.extend(outcome.err());
        context.outcome_of(failures)
    }

    fn config_changes(&self, drifts: &[(&str, Vec<Drift>)]) -> Vec<(ConfigResource, Vec<ConfigChange>)> {
        let of_topic = |(topic, drifts): &(&str, Vec<Drift>)| {
            let change = |drift: &Drift| match drift {
                Drift::Config { name, wanted, .. } => Some(ConfigChange {
                    name: name.clone(),
                    value: Some(wanted.clone()),
                }),
                Drift::UnlistedConfig { name, .. } if self.prunes_configs => Some(ConfigChange {
                    name: name.clone(),
                    value: None,
                }),
                _ => None,
            };
            let changes: Vec<ConfigChange> = drifts.iter().filter_map(change).collect();
            (!changes.is_empty()).then(|| (ConfigResource::Topic((*topic).to_owned()), changes))
        };
        drifts.iter().filter_map(of_topic).collect()
    }
}

/// Changes in progress, a part at a time.
struct Making<'a> {
    admin: &'a mut AdminClient,
    progress: Changes,
    /// What the cluster has refused.
    failures: Vec<Error>,
}

impl Making<'_> {
    /// Makes changes of one kind; `what` names it before a topic.
    ///
    /// # Errors
    ///
    /// No answer; the error says how many changes had been made.
    fn each<T>(
        &mut self,
        what: &str,
        all: &[T],
        change: impl Fn(&mut AdminClient, &[T]) -> Result<TopicOutcomes>,
    ) -> Result<()> {
        for part in all.chunks(CHANGED_AT_ONCE) {
            let answered = change(self.admin, part).map_err(|error| match self.progress.begun() {
                Some(done) => error.context(format_args!("after {done}")),
                None => error,
            });
            let refused = |(name, outcome): (String, Result<(), ApiError>)| {
                let refusal = Error::from(outcome.err()?);
                Some(refusal.context(format_args!("cannot {what} topic {name}")))
            };
            self.failures.extend(answered?.into_iter().filter_map(refused));
            self.progress.advance(part.len());
        }
        Ok(())
    }

    /// Returns the refusals, and removes the bar.
    fn end(self) -> Vec<Error> {
        self.failures
    }
}

fn alter(admin: &mut AdminClient, changes: &[(ConfigResource, Vec<ConfigChange>)]) -> Result<TopicOutcomes> {
    let outcomes = admin.alter_configs(changes, false)?;
    let named = |(resource, _): &(ConfigResource, Vec<ConfigChange>)| match resource {
        ConfigResource::Topic(name) => name.clone(),
        _ => String::new(),
    };
    Ok(changes.iter().map(named).zip(outcomes).collect())
}

/// The specifications of the cluster's topics that the file names; of the others only the names matter.
fn specs_about(
    topics: &[TopicDescription],
    wanted: &[TopicSpec],
    context: &mut Context,
) -> Result<Vec<TopicSpec>> {
    let is_wanted = |topic: &TopicDescription| wanted.iter().any(|spec| spec.name == topic.name);
    let listed: Vec<TopicDescription> = topics.iter().filter(|topic| is_wanted(topic)).cloned().collect();
    let mut specs = context.client.admin()?.topic_specs(&listed)?;
    let others = topics.iter().filter(|topic| !is_wanted(topic));
    specs.extend(others.map(|topic| TopicSpec {
        name: topic.name.clone(),
        ..TopicSpec::default()
    }));
    Ok(specs)
}

/// Replaces the rows of topics that are not in the file by their number.
fn leave_unlisted(drifts: &mut Vec<(&str, Vec<Drift>)>, is_told: bool, context: &mut Context) {
    let before = drifts.len();
    drifts.retain(|(_, drifts)| !drifts.contains(&Drift::Unlisted));
    let left = (before - drifts.len()) as u64;
    if left > 0 && is_told {
        let what = counted(left, "topic is", "topics are");
        context.printer.note(format_args!(
            "{what} not in the file (--prune deletes such topics)"
        ));
    }
}

fn grown(drifts: &[(&str, Vec<Drift>)]) -> Vec<NewPartitions> {
    let of_topic = |(topic, drifts): &(&str, Vec<Drift>)| {
        drifts.iter().find_map(|drift| match drift {
            Drift::Partitions { is, wanted } if wanted > is => Some(NewPartitions {
                topic: (*topic).to_owned(),
                count: *wanted,
                assignment: None,
            }),
            _ => None,
        })
    };
    drifts.iter().filter_map(of_topic).collect()
}
