//! The steps and the output of `kafka-metadata-quorum`.

use std::time::{SystemTime, UNIX_EPOCH};

use super::super::admin_tool::{Failure, refusal_message};
use super::controller::Controller;
use crate::client::admin::AdminClient;
use crate::client::admin::quorum::{Endpoint, Quorum, QuorumReplica};
use crate::client::admin::topics::topic_id_text;
use crate::commands::context::Context;
use crate::error::Error;
use crate::java;
use crate::topic_partition::BrokerId;

fn quorum(context: &mut Context) -> Result<Quorum, Failure> {
    let answer = context.client.admin().and_then(AdminClient::describe_quorum);
    let answer = answer.map_err(|error| Failure::executing(&error, "describeMetadataQuorum"))?;
    answer.map_err(|refusal| Failure::of(refusal_message(&refusal)))
}

/// The leader among the voters; Java fails without one, too.
fn leader(quorum: &Quorum) -> Result<&QuorumReplica, Failure> {
    let mut voters = quorum.voters.iter();
    let found = voters.find(|voter| voter.id == quorum.leader);
    found.ok_or_else(|| Failure::of("No value present"))
}

/// `describe --status`.
pub(super) fn status(asks_controllers: bool, context: &mut Context) -> Result<(), Failure> {
    let cluster_id = context
        .client
        .admin()
        .and_then(|admin| admin.cluster_id_of(asks_controllers));
    let cluster_id = cluster_id.map_err(|error| Failure::executing(&error, "listNodes"))?;
    let quorum = quorum(context)?;
    let leader = leader(&quorum)?;
    let mut voters = quorum.voters.iter();
    let last = voters.clone().map(|voter| voter.log_end_offset).min();
    // The first of those with the largest lag.
    let furthest = voters.find(|voter| Some(voter.log_end_offset) == last);
    let furthest = furthest.unwrap_or(leader);
    let lag_ms = match (leader.last_caught_up_ms, furthest.last_caught_up_ms) {
        _ if leader.id == furthest.id => 0,
        (Some(leader_ms), Some(furthest_ms)) => leader_ms - furthest_ms,
        _ => -1,
    };
    let rows = [
        ("ClusterId", cluster_id),
        ("LeaderId", quorum.leader.to_string()),
        ("LeaderEpoch", quorum.leader_epoch.to_string()),
        ("HighWatermark", quorum.high_watermark.to_string()),
        (
            "MaxFollowerLag",
            (leader.log_end_offset - furthest.log_end_offset).to_string(),
        ),
        ("MaxFollowerLagTimeMs", lag_ms.to_string()),
        ("CurrentVoters", replicas(&quorum.voters, &quorum)),
        ("CurrentObservers", replicas(&quorum.observers, &quorum)),
    ];
    for (name, value) in rows {
        say(&format!("{:24}{value}", format!("{name}:")), context)?;
    }
    context.printer.flush().map_err(|error| printing(&error))
}

/// `[{"id": 1, "endpoints": ["CONTROLLER://h:9093"]}]`.
fn replicas(replicas: &[QuorumReplica], quorum: &Quorum) -> String {
    let shown: Vec<String> = replicas
        .iter()
        .map(|replica| {
            let mut fields = vec![format!("\"id\": {}", replica.id)];
            if !replica.directory.is_nil() {
                let id = topic_id_text(replica.directory);
                fields.push(format!("\"directoryId\": \"{id}\""));
            }
            let endpoints = quorum.endpoints.get(&replica.id);
            let endpoints: Vec<String> = endpoints
                .into_iter()
                .flatten()
                .map(|endpoint| format!("\"{}\"", place(endpoint)))
                .collect();
            if !endpoints.is_empty() {
                fields.push(format!("\"endpoints\": [{}]", endpoints.join(", ")));
            }
            format!("{{{}}}", fields.join(", "))
        })
        .collect();
    format!("[{}]", shown.join(", "))
}

fn place(endpoint: &Endpoint) -> String {
    let Endpoint { listener, host, port } = endpoint;
    if host.contains(':') {
        format!("{listener}://[{host}]:{port}")
    } else {
        format!("{listener}://{host}:{port}")
    }
}

/// `describe --replication`.
pub(super) fn replication(is_human: bool, context: &mut Context) -> Result<(), Failure> {
    let quorum = quorum(context)?;
    let leader = leader(&quorum)?;
    let followers = quorum.voters.iter().filter(|voter| voter.id != quorum.leader);
    let mut rows = vec![row(leader, leader, "Leader", is_human)?];
    for follower in followers {
        rows.push(row(follower, leader, "Follower", is_human)?);
    }
    for observer in &quorum.observers {
        rows.push(row(observer, leader, "Observer", is_human)?);
    }
    let headings = [
        "NodeId",
        "DirectoryId",
        "LogEndOffset",
        "Lag",
        "LastFetchTimestamp",
        "LastCaughtUpTimestamp",
        "Status",
    ];
    for line in table(&headings, &rows) {
        say(&line, context)?;
    }
    context.printer.flush().map_err(|error| printing(&error))
}

fn row(
    replica: &QuorumReplica,
    leader: &QuorumReplica,
    status: &str,
    is_human: bool,
) -> Result<Vec<String>, Failure> {
    let time = |at_ms: Option<i64>, what: &str| -> Result<String, Failure> {
        Ok(match at_ms {
            None => "-1".to_owned(),
            Some(at_ms) if is_human => format!("{} ms ago", age_ms(at_ms, what)?),
            Some(at_ms) => at_ms.to_string(),
        })
    };
    Ok(vec![
        replica.id.to_string(),
        topic_id_text(replica.directory),
        replica.log_end_offset.to_string(),
        (leader.log_end_offset - replica.log_end_offset).to_string(),
        time(replica.last_fetch_ms, "last fetch")?,
        time(replica.last_caught_up_ms, "last caught up")?,
        status.to_owned(),
    ])
}

fn age_ms(then_ms: i64, what: &str) -> Result<i64, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_ms = now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
    if then_ms <= 0 || then_ms > now_ms {
        return Err(Failure::of(format!(
            "Error while computing relative time, possible drift in system clock.\nCurrent timestamp is {now_ms}, {what} \
             timestamp is {then_ms}"
        )));
    }
    Ok(now_ms - then_ms)
}

/// Columns as wide as their longest cell, each with a tab after it.
fn table(headings: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let headings: Vec<String> = headings.iter().map(ToString::to_string).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&headings).chain(rows).collect();
    let width = |place: usize| all.iter().filter_map(|row| row.get(place)).map(String::len).max();
    let line = |row: &&Vec<String>| {
        let cells = row.iter().enumerate();
        let cells = cells.map(|(place, cell)| format!("{cell:0$}\t", width(place).unwrap_or(0)));
        cells.collect::<String>()
    };
    all.iter().map(line).collect()
}

/// `add-controller`; returns the line to print.
pub(super) fn add(
    controller: &Controller,
    is_dry_run: bool,
    context: &mut Context,
) -> Result<String, Failure> {
    let Controller {
        id,
        directory,
        endpoints,
    } = controller;
    if !is_dry_run {
        let admin = context.client.admin();
        let answer = admin.and_then(|admin| admin.add_voter(*id, *directory, endpoints));
        let answer = answer.map_err(|error| Failure::executing(&error, "addRaftVoter"))?;
        answer.map_err(|refusal| Failure::of(refusal_message(&refusal)))?;
    }
    let done = if is_dry_run { "DRY RUN of adding" } else { "Added" };
    let places: Vec<String> = endpoints.iter().map(place).collect();
    Ok(format!(
        "{done} controller {id} with directory id {} and endpoints: {}",
        topic_id_text(*directory),
        places.join(", ")
    ))
}

/// `remove-controller`; returns the line to print.
pub(super) fn remove(
    id: BrokerId,
    directory: &str,
    is_dry_run: bool,
    context: &mut Context,
) -> Result<String, Failure> {
    if id < 0 {
        return Err(Failure::of(format!("Invalid negative --controller-id: {id}")));
    }
    let directory = java::uuid::parse(directory)
        .map_err(|why| Failure::of(format!("Failed to parse --controller-directory-id: {why}")))?;
    if !is_dry_run {
        let admin = context.client.admin();
        let answer = admin.and_then(|admin| admin.remove_voter(id, directory));
        let answer = answer.map_err(|error| Failure::executing(&error, "removeRaftVoter"))?;
        answer.map_err(|refusal| Failure::of(refusal_message(&refusal)))?;
    }
    // Java's text has two blanks in one of them.
    let done = if is_dry_run {
        "DRY RUN of removing "
    } else {
        "Removed "
    };
    Ok(format!(
        "{done} KRaft controller {id} with directory id {}",
        topic_id_text(directory)
    ))
}

fn say(line: &str, context: &mut Context) -> Result<(), Failure> {
    context.printer.line(line).map_err(|error| printing(&error))
}

fn printing(error: &Error) -> Failure {
    Failure::printing(error)
}
