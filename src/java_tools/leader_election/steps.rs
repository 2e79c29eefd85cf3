//! The steps of `kafka-leader-election`: its file, the election, and a line for each kind of outcome.

use serde_json::Value;

use super::super::admin_tool::{Failure, refusal_message};
use crate::client::admin::ApiError;
use crate::client::admin::elections::ElectionType;
use crate::commands::context::Context;
use crate::error::{Error, Kind};
use crate::java::hash_set_order::{hash_of_topic_partition, in_hash_order};
use crate::topic_partition::TopicPartition;
use crate::wire::error_codes::ELECTION_NOT_NEEDED;

const CALL: &str = "electLeaders";

/// The partitions of a file; errors are the messages of Java's exceptions.
pub(super) fn partitions_of_file(file: &str) -> Result<Vec<TopicPartition>, Failure> {
    let bytes = std::fs::read(file).map_err(|_| Failure::of(format!("Unable to read file {file}")))?;
    let text = String::from_utf8_lossy(&bytes);
    let value: Value =
        serde_json::from_str(&text).map_err(|_| Failure::of("Replica election data is empty"))?;
    let object = value
        .as_object()
        .ok_or_else(|| Failure::of(format!("Expected JSON object, received {value}")))?;
    let partitions = object
        .get("partitions")
        .ok_or_else(|| Failure::of("Replica election data is missing \"partitions\" field"))?;
    let partitions = partitions
        .as_array()
        .ok_or_else(|| Failure::of(format!("Expected JSON array, received {partitions}")))?;
    let rows = partitions.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    let is_repeated = |name: &&TopicPartition| rows.iter().filter(|other| other == name).count() > 1;
    let repeated: Vec<TopicPartition> = rows.iter().filter(is_repeated).cloned().collect();
    if !repeated.is_empty() {
        return Err(Failure::of(format!(
            "Replica election data contains duplicate partitions: [{}]",
            joined(&in_java_order(repeated))
        )));
    }
    Ok(rows)
}

fn row(value: &Value) -> Result<TopicPartition, Failure> {
    let field = |name: &str| {
        value
            .get(name)
            .ok_or_else(|| Failure::of(format!("No such field exists: `{name}`")))
    };
    let wrong = |kind: &str, value: &Value| Failure::of(format!("Expected `{kind}` value, received {value}"));
    let topic = field("topic")?;
    let name = topic.as_str().ok_or_else(|| wrong("String", topic))?;
    let partition = field("partition")?;
    let number = partition.as_i64().and_then(|number| i32::try_from(number).ok());
    let number = number.ok_or_else(|| wrong("Integer", partition))?;
    Ok(TopicPartition::new(name, number))
}

/// `None` for every partition that needs such an election.
pub(super) fn run(
    election: ElectionType,
    partitions: Option<Vec<TopicPartition>>,
    context: &mut Context,
) -> Result<(), Failure> {
    let outcomes = ask(election, partitions, context).or_else(|error| not_asked(&error, context))?;
    let (mut succeeded, mut no_need, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for (name, outcome) in outcomes {
        match outcome {
            Ok(()) => succeeded.push(name),
            Err(refusal) if refusal.code == ELECTION_NOT_NEEDED => no_need.push(name),
            Err(refusal) => failed.push((name, refusal)),
        }
    }
    let election = match election {
        ElectionType::Preferred => "PREFERRED",
        ElectionType::Unclean => "UNCLEAN",
    };
    let mut lines = Vec::new();
    if !succeeded.is_empty() {
        let names = joined(&in_java_order(succeeded));
        lines.push(format!(
            "Successfully completed leader election ({election}) for partitions {names}"
        ));
    }
    if !no_need.is_empty() {
        let names = joined(&in_java_order(no_need));
        lines.push(format!("Valid replica already elected for partitions {names}"));
    }
    let count = failed.len();
    for (name, refusal) in in_hash_order(failed, |(name, _): &(TopicPartition, ApiError)| hash(name)) {
        let why = refusal_message(&refusal);
        lines.push(format!(
            "Error completing leader election ({election}) for partition: {name}: {why}"
        ));
    }
    for line in lines {
        say(&line, context)?;
    }
    context
        .printer
        .flush()
        .map_err(|error| Failure::printing(&error))?;
    if count > 0 {
        return Err(Failure::of(format!("{count} replica(s) could not be elected")));
    }
    Ok(())
}

type Outcomes = Vec<(TopicPartition, Result<(), ApiError>)>;

fn ask(
    election: ElectionType,
    partitions: Option<Vec<TopicPartition>>,
    context: &mut Context,
) -> Result<Outcomes, Error> {
    let partitions = partitions.map(|partitions| partitions.into_iter().collect());
    let admin = context.client.admin()?;
    let outcomes = admin.elect_leaders(election, partitions.as_ref())?;
    Ok(outcomes.into_iter().collect())
}

/// Two kinds of failure are printed on stdout as well.
fn not_asked(error: &Error, context: &mut Context) -> Result<Outcomes, Failure> {
    let failure = Failure::executing(error, CALL);
    let is_refused = error
        .cause::<ApiError>()
        .is_some_and(|refusal| refusal.name() == "CLUSTER_AUTHORIZATION_FAILED");
    let message = if error.kind() == Kind::Unreachable {
        "Timeout waiting for election results"
    } else if is_refused {
        "Not authorized to perform leader election"
    } else {
        return Err(Failure {
            message: format!("java.util.concurrent.ExecutionException: {}", failure.message),
            ..failure
        });
    };
    say(message, context)?;
    context
        .printer
        .flush()
        .map_err(|error| Failure::printing(&error))?;
    Err(Failure {
        message: message.to_owned(),
        why: Some(failure.why.unwrap_or(failure.message)),
        is_closed_pipe: false,
    })
}

fn say(line: &str, context: &mut Context) -> Result<(), Failure> {
    let said = context.printer.line(line);
    said.map_err(|error| Failure::printing(&error))
}

fn hash(name: &TopicPartition) -> i32 {
    hash_of_topic_partition(&name.topic, name.partition)
}

fn in_java_order(names: Vec<TopicPartition>) -> Vec<TopicPartition> {
    in_hash_order(names, hash)
}

fn joined(names: &[TopicPartition]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.join(", ")
}
