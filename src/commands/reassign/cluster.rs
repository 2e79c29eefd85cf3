//! Requests to a cluster for the facts that plans and progress need.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use crate::client::admin::AdminClient;
use crate::client::admin::replica_log_dirs::{BrokerReplicas, ReplicaFiles};
use crate::commands::context::Context;
use crate::error::{Error, Result};
use crate::output::plural;
use crate::output::reassignment::are;
use crate::reassignment::Assignment;
use crate::reassignment::active::{ActiveReassignment, ActiveReassignments};
use crate::reassignment::cluster_view::{ClusterView, LiveBroker, PartitionFacts};
use crate::topic_partition::{BrokerId, TopicPartition};
use crate::wire::error_codes::UNKNOWN_TOPIC_OR_PARTITION;

/// The pause between two looks that must agree.
const PAUSE: Duration = Duration::from_millis(250);
/// The most looks, even if moves end between any two.
const LOOKS: u32 = 20;

/// The bytes of replicas, by broker.
#[derive(Debug, Default)]
pub(super) struct Sizes(BTreeMap<BrokerId, BrokerReplicas>);

impl Sizes {
    pub(super) fn on(&self, broker: BrokerId, partition: &TopicPartition) -> Option<u64> {
        Some(self.0.get(&broker)?.get(partition)?.bytes)
    }

    /// Sets the bytes that a broker has.
    pub(super) fn set(&mut self, broker: BrokerId, partition: TopicPartition, files: ReplicaFiles) {
        self.0.entry(broker).or_default().insert(partition, files);
    }

    /// The largest replica's bytes.
    pub(super) fn largest(&self, partition: &TopicPartition, replicas: &[BrokerId]) -> u64 {
        let sizes = replicas.iter().filter_map(|broker| self.on(*broker, partition));
        sizes.max().unwrap_or(0)
    }
}

/// The brokers that are up.
pub(super) fn live_brokers(admin: &mut AdminClient) -> Result<Vec<LiveBroker>> {
    let brokers = admin.brokers()?.iter();
    Ok(brokers
        .map(|broker| LiveBroker {
            id: broker.id,
            rack: broker.rack.clone(),
        })
        .collect())
}

/// The sizes of replicas on some brokers, of some partitions or of all. A broker that does not report them is left out,
/// with a note.
pub(super) fn sizes(
    brokers: impl IntoIterator<Item = BrokerId>,
    partitions: Option<&BTreeSet<TopicPartition>>,
    context: &mut Context,
) -> Result<Sizes> {
    let (sizes, silent) = sizes_and_silent(brokers, partitions, context.client.admin()?)?;
    if let Some((broker, error)) = silent.first() {
        let others = match silent.len() {
            1 => String::new(),
            count => format!(" (and {} others)", count - 1),
        };
        context.printer.warning(format_args!(
            "broker {broker}{others} does not tell sizes: {error}"
        ));
    }
    Ok(sizes)
}

/// The same without a note: sizes, and the brokers that do not report them.
pub(super) fn sizes_and_silent(
    brokers: impl IntoIterator<Item = BrokerId>,
    partitions: Option<&BTreeSet<TopicPartition>>,
    admin: &mut AdminClient,
) -> Result<(Sizes, Vec<(BrokerId, Error)>)> {
    let mut sizes = Sizes::default();
    let mut silent: Vec<(BrokerId, Error)> = Vec::new();
    let brokers: Vec<BrokerId> = brokers.into_iter().collect();
    let answers = admin.replica_files_of_each(&brokers, partitions);
    for (broker, answer) in answers? {
        match answer {
            Ok(replicas) => drop(sizes.0.insert(broker, replicas)),
            Err(error) => silent.push((broker, error)),
        }
    }
    // Absent brokers are reported at the end of a command that shows something; a command that waits reports them here.
    if admin.forgets_absent() {
        let absent = admin.take_absent().into_iter();
        silent.extend(absent.map(|(broker, why)| (broker, Error::unreachable(why))));
    }
    Ok((sizes, silent))
}

/// The facts for a plan about the `chosen` topics (all if empty): brokers, partitions, sizes.
///
/// A partition that is being moved counts at its target: during the move it has more replicas than at its end.
pub(super) fn view(chosen: &BTreeSet<String>, context: &mut Context) -> Result<ClusterView> {
    let admin = context.client.admin()?;
    let brokers = live_brokers(admin)?;
    let (topics, active) = settled(admin, |admin| admin.topic_replicas(None::<[&str; 0]>))?;
    let sizes = sizes(brokers.iter().map(|live| live.id), None, context)?;
    let unseen = unseen(chosen, &sizes, |topic| topics.contains_key(topic));
    complain_of(&unseen, context.client.admin()?)?;
    let mut partitions = BTreeMap::new();
    for (topic, replicas) in topics {
        for (partition, replicas) in replicas.map_err(|error| Error::from(error).context(&topic))? {
            let name = TopicPartition::new(topic.clone(), partition);
            let bytes = sizes.largest(&name, &replicas);
            let replicas = active.get(&name).map_or(replicas, ActiveReassignment::target);
            partitions.insert(name, PartitionFacts { replicas, bytes });
        }
    }
    if !active.is_empty() {
        let (moving, verb) = (plural(active.len() as u64, "partition"), are(active.len()));
        context.printer.note(format_args!(
            "{moving} {verb} moving: the plan takes them to be where they go"
        ));
    }
    Ok(ClusterView { brokers, partitions })
}

/// Topics that were chosen, or that brokers have replicas of, and that are missing in the list of all topics.
fn unseen<'a>(
    chosen: &'a BTreeSet<String>,
    sizes: &'a Sizes,
    is_listed: impl Fn(&str) -> bool,
) -> BTreeSet<&'a str> {
    let held = sizes
        .0
        .values()
        .flat_map(BTreeMap::keys)
        .map(|name| name.topic.as_str());
    let held = held.filter(|_| chosen.is_empty());
    let unseen = chosen.iter().map(String::as_str).chain(held);
    unseen.filter(|topic| !is_listed(topic)).collect()
}

/// The list of all topics silently leaves out what the user may not see, and a plan would do so, too. In a request by
/// name, brokers distinguish such a topic from one that does not exist.
fn complain_of(unseen: &BTreeSet<&str>, admin: &mut AdminClient) -> Result<()> {
    if unseen.is_empty() {
        return Ok(());
    }
    for (topic, answer) in admin.topic_replicas(Some(unseen.iter().copied()))? {
        match answer {
            Err(error) if error.code != UNKNOWN_TOPIC_OR_PARTITION => {
                return Err(Error::from(error).context(format!("topic \"{topic}\"")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where partitions are, according to the brokers (`look`), and where they move, according to the controller.
///
/// A move may end between the two answers, and a broker learns of it later than the controller: until then it reports
/// the replicas of both sides as permanent. So while anything moves, two looks in a row must agree.
pub(super) fn settled<T: PartialEq>(
    admin: &mut AdminClient,
    look: impl Fn(&mut AdminClient) -> Result<T>,
) -> Result<(T, ActiveReassignments)> {
    let mut active = admin.active_reassignments()?;
    let mut seen = look(admin)?;
    for _ in 0..LOOKS {
        let active_now = admin.active_reassignments()?;
        if active.is_empty() && active_now.is_empty() {
            break;
        }
        thread::sleep(PAUSE);
        let seen_now = look(admin)?;
        let is_settled = active == active_now && seen == seen_now;
        (active, seen) = (active_now, seen_now);
        if is_settled {
            break;
        }
    }
    Ok((seen, active))
}

/// Where the partitions of some topics are; topics that do not exist have none.
pub(super) fn assignment<'a>(
    admin: &mut AdminClient,
    topics: impl IntoIterator<Item = &'a str>,
) -> Result<Assignment> {
    let topics: BTreeSet<&str> = topics.into_iter().collect();
    let mut assignment = Assignment::new();
    if topics.is_empty() {
        return Ok(assignment);
    }
    for (topic, replicas) in admin.topic_replicas(Some(topics))? {
        match replicas {
            Ok(partitions) => assignment.extend(
                partitions
                    .into_iter()
                    .map(|(partition, replicas)| (TopicPartition::new(topic.clone(), partition), replicas)),
            ),
            Err(error) if error.code == UNKNOWN_TOPIC_OR_PARTITION => {}
            Err(error) => return Err(Error::from(error).context(format!("topic \"{topic}\""))),
        }
    }
    Ok(assignment)
}
