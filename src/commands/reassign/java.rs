//! The steps of kafka-reassign-partitions in Apache Kafka's order: what is asked, printed and refused when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::throttles::{self, Rates};
use crate::client::admin::{AdminClient, ApiError};
use crate::commands::Context;
use crate::error::Error;
use crate::output::java_reassignment as words;
use crate::reassignment::Assignment;
use crate::reassignment::active::ActiveReassignments;
use crate::reassignment::plan::{PartitionReplica, Plan, duplicates};
use crate::reassignment::plan_json::{plan_of, read_plan, read_topics, write_compact};
use crate::reassignment::progress::{self, LogDirState, PartitionProgress};
use crate::reassignment::random::Random;
use crate::reassignment::striped_placement::place;
use crate::reassignment::throttle;
use crate::topic_partition::{BrokerId, TopicPartition};

/// The pause between two attempts to start moves between log directories.
const LOG_DIR_RETRY: Duration = Duration::from_millis(100);
/// The broker does not have the replica yet.
const REPLICA_NOT_AVAILABLE: i16 = 9;
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;

/// What the tool was asked for; `text` is the content of the file named.
#[derive(Debug)]
pub enum JavaAction {
    Generate {
        text: String,
        /// `--broker-list` as it was given.
        brokers: String,
        rack_aware: bool,
    },
    Execute(JavaExecute),
    Verify {
        text: String,
        preserve_throttles: bool,
    },
    Cancel {
        text: String,
        preserve_throttles: bool,
        timeout: Duration,
    },
    List,
}

/// `--execute` with its options; negative rates are no throttle.
#[derive(Debug)]
pub struct JavaExecute {
    pub text: String,
    pub additional: bool,
    pub throttle: i64,
    pub log_dir_throttle: i64,
    /// How long to wait for moves between log directories to begin.
    pub timeout: Duration,
    pub allow_factor_change: bool,
}

/// How the tool fails, always with exit 1.
#[derive(Debug)]
pub enum JavaFailure {
    /// The message alone.
    Terse(String),
    /// The message after `Error: `.
    Told(String),
    /// A refusal by a broker; told with its Java class.
    Refused(ApiError),
    /// Anything else: no connection, or nobody to print to.
    Other(Error),
}

type JavaResult<T = ()> = Result<T, JavaFailure>;

impl From<Error> for JavaFailure {
    fn from(error: Error) -> Self {
        match error.cause::<ApiError>() {
            Some(refusal) => JavaFailure::Refused(refusal.clone()),
            None => JavaFailure::Other(error),
        }
    }
}

fn told(message: impl Into<String>) -> JavaFailure {
    JavaFailure::Told(message.into())
}

/// Runs the tool.
pub fn run(action: JavaAction, context: &mut Context) -> JavaResult {
    match action {
        JavaAction::Generate {
            text,
            brokers,
            rack_aware,
        } => generate(&text, &brokers, rack_aware, context),
        JavaAction::Execute(execute) => self::execute(&execute, context),
        JavaAction::Verify {
            text,
            preserve_throttles,
        } => verify(&text, preserve_throttles, context),
        JavaAction::Cancel {
            text,
            preserve_throttles,
            timeout,
        } => cancel(&text, preserve_throttles, timeout, context),
        JavaAction::List => {
            let active = context.client.admin()?.active_reassignments()?;
            Ok(context.printer.line(words::active(&active))?)
        }
    }
}

fn plan_from(text: &str) -> JavaResult<Plan> {
    read_plan(text).map_err(|error| told(words::plan_error(&error)))
}

// ---- generate

fn generate(text: &str, brokers: &str, rack_aware: bool, context: &mut Context) -> JavaResult {
    let chosen = broker_list(brokers)?;
    let topics = read_topics(text).map_err(|error| told(words::topics_error(&error)))?;
    let admin = context.client.admin()?;
    let current = topic_assignment(admin, &topics)?;
    let log_dirs = log_dirs_of(admin, &current)?;
    let brokers = placeable_brokers(admin, &chosen, rack_aware)?;
    let proposed = proposal(&current, &brokers)?;
    let printer = &mut context.printer;
    printer.line("Current partition replica assignment")?;
    printer.line(current_json(&current, &log_dirs))?;
    printer.line("")?;
    printer.line("Proposed partition reassignment configuration")?;
    printer.line(write_compact(&plan_of(&proposed, |_, _| None)))?;
    Ok(())
}

/// `1,2,3` as Java splits and reads it: empty words at the end do not count.
fn broker_list(text: &str) -> JavaResult<Vec<BrokerId>> {
    let mut words: Vec<&str> = text.split(',').collect();
    while words.len() > 1 && words.last() == Some(&"") {
        words.pop();
    }
    let number = |word: &&str| {
        let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = is_number.then(|| word.parse::<BrokerId>().ok()).flatten();
        parsed.ok_or_else(|| told(format!("For input string: \"{word}\"")))
    };
    let brokers = words.iter().map(number).collect::<JavaResult<Vec<_>>>()?;
    let twice = duplicates(brokers.iter().copied());
    if twice.is_empty() {
        Ok(brokers)
    } else {
        Err(told(words::duplicate_brokers(&twice)))
    }
}

fn topic_assignment(admin: &mut AdminClient, topics: &[String]) -> JavaResult<Assignment> {
    let mut assignment = Assignment::new();
    if topics.is_empty() {
        return Ok(assignment);
    }
    let mut answers = admin.topic_replicas(Some(topics.iter().map(String::as_str)))?;
    for topic in words::topics_in_hash_order(topics) {
        match answers.remove(topic) {
            Some(Ok(partitions)) => {
                let named = partitions
                    .into_iter()
                    .map(|(partition, replicas)| (TopicPartition::new(topic, partition), replicas));
                assignment.extend(named);
            }
            Some(Err(error)) if error.code != UNKNOWN_TOPIC_OR_PARTITION => {
                return Err(JavaFailure::Refused(error));
            }
            _ => return Err(unknown(format!("Topic {topic} not found."))),
        }
    }
    Ok(assignment)
}

fn unknown(message: String) -> JavaFailure {
    JavaFailure::Refused(ApiError {
        code: UNKNOWN_TOPIC_OR_PARTITION,
        message: Some(message),
    })
}

/// The brokers of the list that are alive, with their racks if those count.
fn placeable_brokers(
    admin: &mut AdminClient,
    chosen: &[BrokerId],
    rack_aware: bool,
) -> JavaResult<Vec<(BrokerId, Option<String>)>> {
    let brokers: Vec<_> = admin
        .brokers()?
        .iter()
        .filter(|broker| chosen.contains(&broker.id))
        .map(|broker| (broker.id, broker.rack.clone().filter(|_| rack_aware)))
        .collect();
    let without = brokers.iter().filter(|(_, rack)| rack.is_none()).count();
    if rack_aware && without != 0 && without != brokers.len() {
        return Err(told(words::NOT_ALL_RACKS));
    }
    Ok(brokers)
}

fn proposal(current: &Assignment, brokers: &[(BrokerId, Option<String>)]) -> JavaResult<Assignment> {
    let mut by_topic: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (name, replicas) in current {
        by_topic.entry(&name.topic).or_insert((0, replicas.len())).0 += 1;
    }
    let mut random = Random::new(super::seed()?);
    let mut proposed = Assignment::new();
    for (topic, (partitions, replicas)) in by_topic {
        let placed = place(partitions, replicas, brokers, &mut random)
            .map_err(|error| told(words::placement_error(error)))?;
        for (partition, replicas) in (0..).zip(placed) {
            proposed.insert(TopicPartition::new(topic, partition), replicas);
        }
    }
    Ok(proposed)
}

/// Where each replica on a live broker has its files.
fn log_dirs_of(
    admin: &mut AdminClient,
    assignment: &Assignment,
) -> JavaResult<BTreeMap<PartitionReplica, String>> {
    let alive = live_brokers(admin)?;
    let replicas = assignment.iter().flat_map(|(name, replicas)| {
        let on = |broker: &BrokerId| PartitionReplica {
            broker: *broker,
            topic_partition: name.clone(),
        };
        replicas.iter().map(on).collect::<Vec<_>>()
    });
    let replicas: Vec<_> = replicas
        .filter(|replica| alive.contains(&replica.broker))
        .collect();
    let dirs = admin.replica_dirs(replicas)?;
    Ok(dirs
        .into_iter()
        .filter_map(|(replica, dirs)| Some((replica, dirs.current?)))
        .collect())
}

fn live_brokers(admin: &mut AdminClient) -> JavaResult<Vec<BrokerId>> {
    Ok(admin.brokers()?.iter().map(|broker| broker.id).collect())
}

fn current_json(current: &Assignment, log_dirs: &BTreeMap<PartitionReplica, String>) -> String {
    let log_dir = |name: &TopicPartition, broker: BrokerId| {
        let replica = PartitionReplica {
            broker,
            topic_partition: name.clone(),
        };
        log_dirs.get(&replica).cloned()
    };
    write_compact(&plan_of(current, log_dir))
}

// ---- execute

fn execute(execute: &JavaExecute, context: &mut Context) -> JavaResult {
    let plan = plan_from(&execute.text)?;
    plan.check().map_err(|error| told(words::plan_error(&error)))?;
    let proposed = plan.assignment();
    let admin = context.client.admin()?;
    let active = admin.active_reassignments()?;
    if !execute.additional && !active.is_empty() {
        return Err(JavaFailure::Terse(words::EXISTING_REASSIGNMENT.to_owned()));
    }
    let named = plan
        .partitions
        .iter()
        .flat_map(|planned| planned.replicas.iter().copied());
    if let Some(message) = words::unknown_broker(named, &live_brokers(admin)?) {
        return Err(told(message));
    }
    let current = partition_assignment(admin, &plan, &proposed)?;
    let log_dirs = log_dirs_of(admin, &current)?;
    let printer = &mut context.printer;
    printer.line("Current partition replica assignment")?;
    printer.line(format_args!("\n{}\n", current_json(&current, &log_dirs)))?;
    printer.line(words::SAVE_THIS)?;
    set_throttles(execute, &plan, &active, &current, context)?;
    start(&proposed, execute.allow_factor_change, context)?;
    start_log_dir_moves(plan.log_dir_moves(), execute.timeout, context)
}

/// Where the plan's partitions are now; all of them must exist.
fn partition_assignment(
    admin: &mut AdminClient,
    plan: &Plan,
    proposed: &Assignment,
) -> JavaResult<Assignment> {
    let topics: Vec<String> = plan.topics().into_iter().collect();
    let mut current = topic_assignment(admin, &topics)?;
    current.retain(|name, _| proposed.contains_key(name));
    let missing: Vec<_> = proposed
        .keys()
        .filter(|name| !current.contains_key(*name))
        .cloned()
        .collect();
    if missing.is_empty() {
        Ok(current)
    } else {
        Err(unknown(words::missing_partitions(&missing)))
    }
}

fn set_throttles(
    execute: &JavaExecute,
    plan: &Plan,
    active: &ActiveReassignments,
    current: &Assignment,
    context: &mut Context,
) -> JavaResult {
    let (rate, log_dir_rate) = (execute.throttle, execute.log_dir_throttle);
    if rate < 0 && log_dir_rate < 0 {
        return Ok(());
    }
    context.printer.line(words::RUN_VERIFY)?;
    let admin = context.client.admin()?;
    if rate >= 0 {
        let moves = throttle::moves(active, &plan.assignment(), current);
        first_refusal(admin.alter_throttles(&throttles::on_topics(&moves))?)?;
        let brokers = throttle::brokers(&moves);
        first_refusal(admin.alter_throttles(&throttles::on_brokers(&brokers, Rates::replication(rate)))?)?;
        let line = format!("The inter-broker throttle limit was set to {rate} B/s");
        context.printer.line(line)?;
    }
    if log_dir_rate >= 0 {
        let brokers: BTreeSet<_> = plan
            .log_dir_moves()
            .keys()
            .map(|replica| replica.broker)
            .collect();
        let changes = throttles::on_brokers(&brokers, Rates::log_dirs(log_dir_rate));
        first_refusal(context.client.admin()?.alter_throttles(&changes)?)?;
        let line = format!("The replica-alter-dir throttle limit was set to {log_dir_rate} B/s");
        context.printer.line(line)?;
    }
    Ok(())
}

fn first_refusal<K>(refused: BTreeMap<K, ApiError>) -> JavaResult {
    match refused.into_values().next() {
        Some(error) => Err(JavaFailure::Refused(error)),
        None => Ok(()),
    }
}

fn start(proposed: &Assignment, allow_factor_change: bool, context: &mut Context) -> JavaResult {
    let wanted = proposed
        .iter()
        .map(|(name, replicas)| (name.clone(), Some(replicas.clone())))
        .collect();
    let refused = context
        .client
        .admin()?
        .alter_reassignments(&wanted, allow_factor_change)?;
    if !refused.is_empty() {
        return Err(JavaFailure::Terse(words::not_started(&messages(&refused))));
    }
    let started: Vec<_> = proposed.keys().cloned().collect();
    Ok(context.printer.line(words::started(&started))?)
}

fn messages(refused: &BTreeMap<TopicPartition, ApiError>) -> BTreeMap<TopicPartition, String> {
    refused
        .iter()
        .map(|(name, error)| (name.clone(), error.java_message().to_owned()))
        .collect()
}

/// Asks until every broker has begun: a replica that is new to its broker can only be placed once it is there.
fn start_log_dir_moves(
    mut pending: BTreeMap<PartitionReplica, String>,
    timeout: Duration,
    context: &mut Context,
) -> JavaResult {
    let start = Instant::now();
    while !pending.is_empty() {
        let answers = context.client.admin()?.alter_replica_log_dirs(&pending)?;
        let mut begun = Vec::new();
        for (replica, answer) in answers {
            match answer {
                Ok(()) => begun.push(replica),
                Err(error) if error.code == REPLICA_NOT_AVAILABLE => {}
                Err(_) => return Err(told(format!("Failed to alter dir for {replica}"))),
            }
        }
        for replica in begun {
            if let Some(log_dir) = pending.remove(&replica) {
                context
                    .printer
                    .line(words::log_dir_move_started(&replica, &log_dir))?;
            }
        }
        context.printer.flush()?;
        if !pending.is_empty() && start.elapsed() >= timeout {
            return Err(JavaFailure::Terse(words::log_dir_moves_timed_out(pending.keys())));
        }
        if !pending.is_empty() {
            std::thread::sleep(LOG_DIR_RETRY);
        }
    }
    Ok(())
}

// ---- verify and cancel

fn verify(text: &str, preserve_throttles: bool, context: &mut Context) -> JavaResult {
    let plan = plan_from(text)?;
    let admin = context.client.admin()?;
    let active = admin.active_reassignments()?;
    let states = partition_states(admin, &plan, &active)?;
    context.printer.line(words::partition_states(&states))?;
    let moves = log_dir_states(context.client.admin()?, &plan)?;
    context.printer.line(words::log_dir_states(&moves))?;
    let is_moving = |state: &LogDirState| matches!(state, LogDirState::Moving | LogDirState::MovingTo(_));
    let moving = moves.values().any(|(_, state)| is_moving(state));
    if active.is_empty() && !moving && !preserve_throttles {
        clear_all_throttles(&plan, context)?;
    }
    Ok(())
}

fn partition_states(
    admin: &mut AdminClient,
    plan: &Plan,
    active: &ActiveReassignments,
) -> JavaResult<Vec<PartitionProgress>> {
    let at_rest: Vec<&TopicPartition> = plan
        .partitions
        .iter()
        .map(|planned| &planned.topic_partition)
        .filter(|name| !active.contains_key(*name))
        .collect();
    let topics: BTreeSet<&str> = at_rest.iter().map(|name| name.topic.as_str()).collect();
    let mut current = Assignment::new();
    if !topics.is_empty() {
        let answers = admin.topic_replicas(Some(topics))?;
        for name in at_rest {
            match answers.get(&name.topic) {
                Some(Ok(partitions)) => {
                    let count = partitions.len();
                    match partitions.get(&name.partition) {
                        Some(replicas) => drop(current.insert(name.clone(), replicas.clone())),
                        None if count < usize::try_from(name.partition).unwrap_or(usize::MAX)
                            && name.partition >= 0 => {}
                        None => {
                            let index = name.partition;
                            return Err(told(format!("Index {index} out of bounds for length {count}")));
                        }
                    }
                }
                Some(Err(error)) if error.code != UNKNOWN_TOPIC_OR_PARTITION => {
                    return Err(JavaFailure::Refused(error.clone()));
                }
                _ => {}
            }
        }
    }
    Ok(progress::partitions(plan, active, |name| {
        current.get(name).cloned()
    }))
}

fn log_dir_states(
    admin: &mut AdminClient,
    plan: &Plan,
) -> JavaResult<BTreeMap<PartitionReplica, (String, LogDirState)>> {
    let dirs = admin.replica_dirs(plan.log_dir_moves().into_keys())?;
    Ok(progress::log_dir_moves(plan, |replica| {
        dirs.get(replica).cloned().unwrap_or_default()
    }))
}

fn cancel(text: &str, preserve_throttles: bool, timeout: Duration, context: &mut Context) -> JavaResult {
    let plan = plan_from(text)?;
    let admin = context.client.admin()?;
    let active = admin.active_reassignments()?;
    let wanted = plan.assignment();
    let moving: Vec<_> = active
        .keys()
        .filter(|name| wanted.contains_key(*name))
        .cloned()
        .collect();
    if moving.is_empty() {
        context
            .printer
            .line("None of the specified partition reassignments are active.")?;
    } else {
        let nothing = moving.iter().map(|name| (name.clone(), None)).collect();
        let refused = admin.alter_reassignments(&nothing, true)?;
        if !refused.is_empty() {
            return Err(JavaFailure::Terse(words::not_cancelled(&messages(&refused))));
        }
        context.printer.line(words::cancelled(&moving))?;
    }
    let back = moves_to_undo(context.client.admin()?, &plan)?;
    if back.is_empty() {
        context
            .printer
            .text("None of the specified partition moves are active.")?;
    } else {
        start_log_dir_moves(back, timeout, context)?;
    }
    if preserve_throttles {
        Ok(())
    } else {
        clear_all_throttles(&plan, context)
    }
}

/// The replicas on their way to another log directory, and the one they are still in.
fn moves_to_undo(admin: &mut AdminClient, plan: &Plan) -> JavaResult<BTreeMap<PartitionReplica, String>> {
    let dirs = admin.replica_dirs(plan.log_dir_moves().into_keys())?;
    Ok(dirs
        .into_iter()
        .filter(|(_, dirs)| dirs.future.is_some())
        .filter_map(|(replica, dirs)| Some((replica, dirs.current?)))
        .collect())
}

/// Clears the plan's topics, its brokers and every live broker.
fn clear_all_throttles(plan: &Plan, context: &mut Context) -> JavaResult {
    let admin = context.client.admin()?;
    let named = plan
        .partitions
        .iter()
        .flat_map(|planned| planned.replicas.iter().copied());
    let brokers: Vec<BrokerId> = live_brokers(admin)?.into_iter().chain(named).collect();
    let topics: Vec<String> = plan
        .partitions
        .iter()
        .map(|planned| planned.topic_partition.topic.clone())
        .collect();
    context
        .printer
        .line(words::clearing_brokers(brokers.iter().copied()))?;
    context.printer.flush()?;
    let changes = throttles::cleared_brokers(brokers);
    first_refusal(context.client.admin()?.alter_throttles(&changes)?)?;
    context
        .printer
        .line(words::clearing_topics(topics.iter().cloned()))?;
    let changes = throttles::cleared_topics(topics);
    first_refusal(context.client.admin()?.alter_throttles(&changes)?)
}
