//! The steps of `kafka-log-dirs`, and its JSON in the order of Java's maps.

use serde_json::{Value, json};

use super::super::admin_tool::{Failure, refusal_message};
use crate::client::admin::log_dirs::{LogDir, ReplicaOnDisk};
use crate::commands::context::Context;
use crate::error::Error;
use crate::java::hash_order::hash_order;
use crate::java::hash_set_order::{hash_of_topic_partition, in_hash_order};
use crate::topic_partition::BrokerId;

const CALL: &str = "describeLogDirs";

/// `wanted` is converted after the cluster has listed its brokers, as in Java.
pub(super) fn run(
    topics: &[String],
    wanted: impl FnOnce() -> Result<Vec<BrokerId>, Failure>,
    context: &mut Context,
) -> Result<(), Failure> {
    let asking = |error: &Error| Failure::executing(error, "listNodes");
    let admin = context.client.admin().map_err(|error| asking(&error))?;
    let brokers = admin.brokers().map_err(|error| asking(&error))?;
    let up: Vec<BrokerId> = brokers.iter().map(|broker| broker.id).collect();
    let wanted = wanted()?;
    let (known, unknown): (Vec<BrokerId>, Vec<BrokerId>) =
        wanted.into_iter().partition(|broker| up.contains(broker));
    if !unknown.is_empty() {
        return Err(Failure::of(format!(
            "ERROR: The given brokers do not exist from --broker-list: {}. Current existent brokers: {}",
            listed(unknown),
            listed(up)
        )));
    }
    let asked = in_java_order(if known.is_empty() { up } else { known });
    let printing = |error: Error| Failure::printing(&error);
    let printer = &mut context.printer;
    printer
        .line("Querying brokers for log directories information")
        .map_err(printing)?;
    printer.flush().map_err(printing)?;
    let admin = context.client.admin().map_err(|error| asking(&error))?;
    let mut answers = admin
        .describe_log_dirs(&asked)
        .map_err(|error| Failure::executing(&error, CALL))?;
    if let Some(why) = admin.take_absent().into_values().next() {
        // Java prints nothing if one broker does not answer.
        let message = format!("Timed out waiting to send the call. Call: {CALL}");
        return Err(Failure {
            why: Some(why),
            ..Failure::of(format!(
                "org.apache.kafka.common.errors.TimeoutException: {message}"
            ))
        });
    }
    let mut shown = Vec::new();
    for broker in &asked {
        let dirs = answers.remove(broker).unwrap_or_else(|| Ok(Vec::new()));
        let dirs = dirs.map_err(|error| Failure::executing(&error, CALL))?;
        shown.push(json!({"broker": broker, "logDirs": log_dirs(dirs, topics)}));
    }
    let printer = &mut context.printer;
    printer
        .line(format_args!(
            "Received log directory information from brokers {}",
            listed(asked)
        ))
        .map_err(printing)?;
    printer
        .line(json!({"brokers": shown, "version": 1}))
        .map_err(printing)?;
    printer.flush().map_err(printing)
}

fn in_java_order(brokers: Vec<BrokerId>) -> Vec<BrokerId> {
    in_hash_order(brokers, |broker| *broker)
}

fn listed(brokers: Vec<BrokerId>) -> String {
    let words: Vec<String> = in_java_order(brokers).iter().map(ToString::to_string).collect();
    words.join(",")
}

fn log_dirs(dirs: Vec<LogDir>, topics: &[String]) -> Vec<Value> {
    let dirs = hash_order(dirs, |dir| &dir.path);
    let shown = dirs.into_iter().map(|dir| {
        // The class without its message.
        let error = dir.error.as_ref().map(refusal_message);
        let error = error.map(|error| error.split(':').next().unwrap_or_default().to_owned());
        json!({"partitions": replicas(dir.replicas, topics), "error": error, "logDir": dir.path})
    });
    shown.collect()
}

fn replicas(replicas: Vec<ReplicaOnDisk>, topics: &[String]) -> Vec<Value> {
    let hash = |replica: &ReplicaOnDisk| {
        hash_of_topic_partition(&replica.partition.topic, replica.partition.partition)
    };
    // Java keeps the replicas in one map, and prints them from another.
    let all = in_hash_order(replicas, hash);
    let is_chosen = |replica: &ReplicaOnDisk| topics.is_empty() || topics.contains(&replica.partition.topic);
    let chosen = in_hash_order(all.into_iter().filter(is_chosen), hash);
    let shown = chosen.into_iter().map(|replica| {
        json!({
            "partition": replica.partition.to_string(),
            "size": replica.size,
            "offsetLag": replica.offset_lag,
            "isFuture": replica.is_future,
        })
    });
    shown.collect()
}
