//! Electing leaders: shown, confirmed, then done.

use std::collections::BTreeSet;

use super::command::{Command, Needs};
use super::context::Context;
use super::partition_selection::{self, PartitionsOfTopic};
use crate::client::admin::elections::{ElectionOutcomes, ElectionType};
use crate::client::admin::topics::{PartitionDescription, TopicDescription};
use crate::error::{Error, Result};
use crate::output::leader_election::{self as output, Prospect, Row};
use crate::output::{confirm, plural};
use crate::plain_words::few;
use crate::topic_partition::{BrokerId, TopicPartition};
use crate::wire::error_codes::ELECTION_NOT_NEEDED;

/// Leaders to elect.
#[derive(Debug)]
pub struct Election {
    /// `None` is every partition of the cluster.
    pub topics: Option<Vec<PartitionsOfTopic>>,
    pub election: ElectionType,
    /// Whether the user has said yes in advance (`--yes`).
    pub is_sure: bool,
    pub is_dry_run: bool,
}

impl Command for Election {
    fn needs(&self) -> Needs {
        Needs::ANSWERS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        elect(&self, context)
    }
}

fn elect(asked: &Election, context: &mut Context) -> Result<()> {
    let (rows, settled) = plan(asked, context)?;
    let wanted: BTreeSet<TopicPartition> = rows
        .iter()
        .filter(|row| matches!(row.prospect, Prospect::Elects(_)))
        .map(|row| row.partition.clone())
        .collect();
    let what = plural(wanted.len() as u64, "leader");
    if !asked.is_dry_run && !asked.is_sure && !confirm::can_ask() && !wanted.is_empty() {
        return Err(
            Error::usage(format!("would elect {what}; without a terminal say --yes"))
                .hint("--dry-run shows which"),
        );
    }
    output::list(&mut context.printer, &rows)?;
    if rows.is_empty() {
        context.printer.note(match asked.election {
            ElectionType::Preferred => {
                format!(
                    "{}: all have their preferred leader",
                    plural(settled, "partition")
                )
            }
            ElectionType::Unclean => format!("{}: all have a leader", plural(settled, "partition")),
        });
        return Ok(());
    }
    if asked.is_dry_run {
        context.printer.note(format_args!("would elect {what}"));
        for (partitions, why) in staying(&rows) {
            context
                .printer
                .note(format_args!("{partitions} would get no other: {why}"));
        }
        return Ok(());
    }
    let mut failures: Vec<Error> = staying(&rows)
        .into_iter()
        .map(|(partitions, why)| Error::failed(format!("no leader elected for {partitions}: {why}")))
        .collect();
    if !wanted.is_empty() {
        if !asked.is_sure {
            context.consent("", &question(asked.election, &what), "nothing elected")?;
        }
        let outcomes = context
            .client
            .admin()?
            .elect_leaders(asked.election, Some(&wanted))?;
        failures.extend(tell(outcomes, context));
    }
    context.outcome_of(failures)
}

fn question(election: ElectionType, what: &str) -> String {
    match election {
        ElectionType::Preferred => format!("Elect {what}?"),
        ElectionType::Unclean => format!("Elect {what}, and lose the records that they lack?"),
    }
}

/// The partitions that need another leader, and how many need none.
fn plan(asked: &Election, context: &mut Context) -> Result<(Vec<Row>, u64)> {
    let topics = context.client.admin()?.all_topics()?;
    let wanted = match &asked.topics {
        Some(selection) => Some(partition_selection::find(selection, &topics, context)?),
        None => None,
    };
    let mut rows = Vec::new();
    let mut settled = 0;
    for topic in &topics {
        for partition in &topic.partitions {
            let name = TopicPartition::new(topic.name.as_str(), partition.partition);
            if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&name)) {
                continue;
            }
            match prospect(asked.election, partition) {
                Some(prospect) => rows.push(row(topic, partition, prospect)),
                None => settled += 1,
            }
        }
    }
    Ok((rows, settled))
}

fn row(topic: &TopicDescription, partition: &PartitionDescription, prospect: Prospect) -> Row {
    Row {
        partition: TopicPartition::new(topic.name.as_str(), partition.partition),
        leader: partition.leader,
        replicas: partition.replicas.clone(),
        in_sync: partition.in_sync.clone(),
        prospect,
    }
}

/// What an election would change; `None` where it is not needed.
fn prospect(election: ElectionType, partition: &PartitionDescription) -> Option<Prospect> {
    let is_up = |broker: &BrokerId| !partition.offline.contains(broker);
    match election {
        ElectionType::Preferred => {
            let preferred = *partition.replicas.first()?;
            if partition.leader == Some(preferred) {
                return None;
            }
            Some(if !is_up(&preferred) {
                Prospect::Stays(format!("broker {preferred} is down"))
            } else if !partition.in_sync.contains(&preferred) {
                Prospect::Stays(format!("replica {preferred} is not in sync"))
            } else {
                Prospect::Elects(vec![preferred])
            })
        }
        ElectionType::Unclean => {
            if partition.leader.is_some() {
                return None;
            }
            let candidates: Vec<BrokerId> = partition.replicas.iter().copied().filter(is_up).collect();
            Some(if candidates.is_empty() {
                Prospect::Stays("every replica's broker is down".to_owned())
            } else {
                Prospect::Elects(candidates)
            })
        }
    }
}

/// The partitions for which an election would change nothing, with the reason.
fn staying(rows: &[Row]) -> Vec<(String, &str)> {
    let mut by_reason: Vec<(&str, Vec<String>)> = Vec::new();
    for row in rows {
        let Prospect::Stays(why) = &row.prospect else {
            continue;
        };
        let name = row.partition.to_string();
        match by_reason.iter_mut().find(|(reason, _)| reason == why) {
            Some((_, names)) => names.push(name),
            None => by_reason.push((why, vec![name])),
        }
    }
    let named = |(why, names): (_, Vec<String>)| (few(&names), why);
    by_reason.into_iter().map(named).collect()
}

/// Reports how many leaders were elected, and returns the failures.
fn tell(outcomes: ElectionOutcomes, context: &mut Context) -> Vec<Error> {
    let mut failures = Vec::new();
    let mut elected = 0;
    for (partition, outcome) in outcomes {
        match outcome {
            Ok(()) => elected += 1,
            // The cluster elected it in the meantime.
            Err(refusal) if refusal.code == ELECTION_NOT_NEEDED => {}
            Err(refusal) => {
                let what = format!("no leader elected for {partition}");
                failures.push(Error::from(refusal).context(what));
            }
        }
    }
    let what = plural(elected, "leader");
    context.printer.note(format_args!("elected {what}"));
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(
        leader: Option<BrokerId>,
        in_sync: &[BrokerId],
        offline: &[BrokerId],
    ) -> PartitionDescription {
        PartitionDescription {
            partition: 0,
            leader,
            replicas: vec![1, 2, 3],
            in_sync: in_sync.to_vec(),
            offline: offline.to_vec(),
            eligible_leaders: None,
            last_known_eligible_leaders: None,
        }
    }

    #[test]
    fn a_preferred_leader_has_to_be_in_sync() {
        let of = |partition| prospect(ElectionType::Preferred, &partition);
        assert_eq!(of(partition(Some(1), &[1, 2], &[])), None);
        assert_eq!(
            of(partition(Some(2), &[1, 2], &[])),
            Some(Prospect::Elects(vec![1]))
        );
        assert_eq!(
            of(partition(Some(2), &[2], &[])),
            Some(Prospect::Stays("replica 1 is not in sync".to_owned()))
        );
        assert_eq!(
            of(partition(Some(2), &[2], &[1])),
            Some(Prospect::Stays("broker 1 is down".to_owned()))
        );
    }

    #[test]
    fn an_unclean_election_is_for_partitions_without_a_leader() {
        let of = |partition| prospect(ElectionType::Unclean, &partition);
        assert_eq!(of(partition(Some(2), &[2], &[1])), None);
        assert_eq!(
            of(partition(None, &[1], &[1])),
            Some(Prospect::Elects(vec![2, 3]))
        );
        assert_eq!(
            of(partition(None, &[1], &[1, 2, 3])),
            Some(Prospect::Stays("every replica's broker is down".to_owned()))
        );
    }
}
