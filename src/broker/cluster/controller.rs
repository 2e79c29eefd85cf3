//! Decides whether topics may be created, extended or deleted: the checks of Apache Kafka's controller, in its order
//! and with its messages.
//!
//! Pure: reads a [`ClusterImage`] and changes nothing. Owns no check of a disk, and no field of a request.

use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use uuid::Uuid;

use super::config_changes::check_topic_configs;
use super::image::{BrokerImage, ClusterImage, TopicImage};
use crate::broker::config::effective_config::Configs;
use crate::broker::topic_name;
use crate::reassignment::random::Random;
use crate::reassignment::striped_placement;
use crate::storage::file_name::METADATA_TOPIC;

/// The most partitions that one request may add to a topic.
const MAX_PARTITIONS: i32 = 10_000;

/// An error with Kafka's message for it; an empty message is null on the wire.
pub(in crate::broker) type Refused = (ResponseError, String);

/// The values for a topic whose request has -1.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct TopicDefaults {
    pub(in crate::broker) partitions: i32,
    pub(in crate::broker) replication_factor: i64,
}

/// A topic as a request describes it.
#[derive(Clone, Debug)]
pub(in crate::broker) struct RequestedTopic {
    pub(in crate::broker) name: String,
    /// -1 for the default.
    pub(in crate::broker) partitions: i32,
    /// -1 for the default.
    pub(in crate::broker) replication_factor: i16,
    /// A manual assignment: partitions with their broker ids. Empty if there is none.
    pub(in crate::broker) assignments: Vec<(i32, Vec<i32>)>,
    pub(in crate::broker) configs: Vec<(String, Option<String>)>,
}

/// A topic that may be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct PlannedTopic {
    /// The brokers of each partition, from partition 0 on; the first of them is the preferred leader.
    pub(in crate::broker) assignments: Vec<Vec<i32>>,
    pub(in crate::broker) configs: Configs,
}

impl PlannedTopic {
    /// A topic with one replica per partition.
    pub(in crate::broker) fn new(cluster: &ClusterImage, partitions: i32, configs: Configs) -> Self {
        Self {
            assignments: place_topic(cluster, partitions, 1),
            configs,
        }
    }

    /// A topic with this many replicas per partition, at most the number of brokers.
    pub(in crate::broker) fn of_some(
        cluster: &ClusterImage,
        partitions: i32,
        replicas: i64,
        configs: Configs,
    ) -> Self {
        let most = cluster.brokers().len();
        let replicas = usize::try_from(replicas).unwrap_or(1).clamp(1, most.max(1));
        Self {
            assignments: place_topic(cluster, partitions, replicas),
            configs,
        }
    }

    pub(in crate::broker) fn partition_count(&self) -> i32 {
        i32::try_from(self.assignments.len()).unwrap_or(i32::MAX)
    }

    /// The number of replicas per partition.
    pub(in crate::broker) fn replication_factor(&self) -> i16 {
        let replicas = self.assignments.first().map_or(0, Vec::len);
        i16::try_from(replicas).unwrap_or(i16::MAX)
    }
}

/// The names that occur more than once in a request.
pub(in crate::broker) fn named_twice<T: Eq + Hash + Clone>(names: impl Iterator<Item = T>) -> HashSet<T> {
    let mut seen = HashSet::new();
    names.filter(|name| !seen.insert(name.clone())).collect()
}

/// The error for a topic name that occurs more than once.
pub(in crate::broker) fn duplicate_topic_name() -> Refused {
    (ResponseError::InvalidRequest, "Duplicate topic name.".to_owned())
}

/// Whether a topic may be created: its name, whether it exists, its configs, then its partitions and replicas.
pub(in crate::broker) fn create_topic(
    cluster: &ClusterImage,
    defaults: TopicDefaults,
    topic: &RequestedTopic,
) -> Result<PlannedTopic, Refused> {
    if topic.name == METADATA_TOPIC {
        let message = format!("Creation of internal topic {} is prohibited.", topic.name);
        return Err((ResponseError::InvalidRequest, message));
    }
    check_new_name(cluster, &topic.name)?;
    let mut configs = Configs::new();
    for (name, value) in &topic.configs {
        let Some(value) = value else {
            let message = format!("Null value not supported for topic configs: {name}");
            return Err((ResponseError::InvalidConfig, message));
        };
        configs.insert(name.clone(), value.clone());
    }
    check_topic_configs(&configs).map_err(|message| (ResponseError::InvalidConfig, message))?;
    let assignments = if topic.assignments.is_empty() {
        let (partitions, replicas) = partitions_and_replicas(cluster, defaults, topic)?;
        place_topic(cluster, partitions, replicas)
    } else {
        check_not_both(topic)?;
        check_assignments(cluster, &topic.assignments)?
    };
    Ok(PlannedTopic { assignments, configs })
}

/// Whether a new topic may have this name.
pub(in crate::broker) fn check_new_name(cluster: &ClusterImage, name: &str) -> Result<(), Refused> {
    topic_name::validate(name).map_err(|message| (ResponseError::InvalidTopicException, message))?;
    if cluster.topic(name).is_some() {
        let message = format!("Topic '{name}' already exists.");
        return Err((ResponseError::TopicAlreadyExists, message));
    }
    if let Some(other) = cluster.colliding_topic(name) {
        let message = format!("Topic '{name}' collides with existing topic: {other}");
        return Err((ResponseError::InvalidTopicException, message));
    }
    Ok(())
}

/// The number of partitions of a new topic, and of replicas per partition.
fn partitions_and_replicas(
    cluster: &ClusterImage,
    defaults: TopicDefaults,
    topic: &RequestedTopic,
) -> Result<(i32, usize), Refused> {
    if topic.replication_factor < -1 || topic.replication_factor == 0 {
        let message = "Replication factor must be larger than 0, or -1 to use the default value.";
        return Err((ResponseError::InvalidReplicationFactor, message.to_owned()));
    }
    if topic.partitions < -1 || topic.partitions == 0 {
        let message = "Number of partitions was set to an invalid non-positive value.";
        return Err((ResponseError::InvalidPartitions, message.to_owned()));
    }
    let partitions = match topic.partitions {
        -1 => defaults.partitions,
        given => given,
    };
    check_count(partitions)?;
    let replicas = match topic.replication_factor {
        -1 => defaults.replication_factor,
        given => i64::from(given),
    };
    let replicas = check_replication_factor(cluster, replicas)?;
    Ok((partitions, replicas))
}

/// Whether there are enough brokers for this many replicas per partition.
fn check_replication_factor(cluster: &ClusterImage, replicas: i64) -> Result<usize, Refused> {
    let brokers = cluster.brokers().len();
    match usize::try_from(replicas) {
        Ok(replicas) if replicas <= brokers => Ok(replicas),
        _ => {
            let message = format!(
                "Unable to replicate the partition {replicas} time(s): The target replication factor of {replicas} \
                 cannot be reached because only {brokers} broker(s) are registered or some brokers have all their log \
                 directories cordoned."
            );
            Err((ResponseError::InvalidReplicationFactor, message))
        }
    }
}

/// Assigns the replicas of a new topic. Each topic starts one broker after the topic before it, so that topics of one
/// partition are spread over all brokers. Apache Kafka starts at random; here the same steps give the same cluster.
/// Internal topics are not counted: they are created whenever a client first needs them.
fn place_topic(cluster: &ClusterImage, partitions: i32, replicas: usize) -> Vec<Vec<i32>> {
    let brokers = cluster.brokers().len();
    let first = if brokers < 2 {
        0
    } else {
        cluster.topics().filter(|topic| !topic.is_internal()).count() % brokers
    };
    place_replicas(cluster, i32::try_from(first).unwrap_or(0), partitions, replicas)
}

/// The position of the broker where the assignment of a topic started.
fn first_broker(cluster: &ClusterImage, topic: &TopicImage) -> i32 {
    let first = topic
        .partition(0)
        .and_then(|partition| partition.replicas.first());
    let place = cluster.brokers().keys().position(|id| Some(id) == first);
    place.map_or(0, |place| i32::try_from(place).unwrap_or(0))
}

/// Assigns the replicas of `count` new partitions, starting at the broker in position `first`: to brokers in turn,
/// or, if brokers have racks, in Apache Kafka's way, so that the replicas of a partition are in different racks.
/// Fenced brokers are left out as long as there are enough others.
fn place_replicas(cluster: &ClusterImage, first: i32, count: i32, replicas: usize) -> Vec<Vec<i32>> {
    let all = || cluster.brokers().values();
    let alive = all().filter(|broker| !broker.is_fenced).count();
    let brokers: Vec<&BrokerImage> = all()
        .filter(|broker| alive < replicas || !broker.is_fenced)
        .collect();
    let replicas = replicas.min(brokers.len());
    if brokers.iter().any(|broker| broker.rack.is_some()) {
        let racks: Vec<_> = brokers
            .iter()
            .map(|broker| (broker.id, broker.rack.clone()))
            .collect();
        let mut random = Random::new(u64::try_from(first).unwrap_or(0));
        let count = usize::try_from(count).unwrap_or(0);
        let placed = striped_placement::place(count, replicas, &racks, &mut random).unwrap_or_default();
        return placed.into_iter().map(|ids| alive_first(cluster, ids)).collect();
    }
    let placed = (first..first.saturating_add(count)).map(|index| {
        let start = usize::try_from(index).unwrap_or(0).checked_rem(brokers.len());
        let in_turn = brokers.iter().cycle().skip(start.unwrap_or(0));
        alive_first(cluster, in_turn.take(replicas).map(|broker| broker.id).collect())
    });
    placed.collect()
}

/// Moves fenced brokers to the end: they could not lead.
fn alive_first(cluster: &ClusterImage, mut ids: Vec<i32>) -> Vec<i32> {
    ids.sort_by_key(|id| !cluster.is_active(*id));
    ids
}

fn check_count(partitions: i32) -> Result<(), Refused> {
    if partitions <= MAX_PARTITIONS {
        return Ok(());
    }
    let message = "Excessively large number of partitions per request.";
    Err((ResponseError::PolicyViolation, message.to_owned()))
}

fn check_not_both(topic: &RequestedTopic) -> Result<(), Refused> {
    let refused = |what| {
        let message = format!("A manual partition assignment was specified, but {what} was not set to -1.");
        Err((ResponseError::InvalidRequest, message))
    };
    if topic.replication_factor != -1 {
        return refused("replication factor");
    }
    if topic.partitions != -1 {
        return refused("numPartitions");
    }
    Ok(())
}

/// Checks a manual assignment and returns the brokers of each partition, from partition 0 on.
fn check_assignments(
    cluster: &ClusterImage,
    assignments: &[(i32, Vec<i32>)],
) -> Result<Vec<Vec<i32>>, Refused> {
    let mut sorted = BTreeMap::new();
    let mut previous = None;
    for (index, replicas) in assignments {
        if sorted.insert(*index, replicas).is_some() {
            let message = format!("Found multiple manual partition assignments for partition {index}");
            return Err((ResponseError::InvalidReplicaAssignment, message));
        }
        check_replicas(cluster, replicas, previous)?;
        previous = Some(replicas.len());
    }
    if sorted.keys().zip(0..).any(|(index, expected)| *index != expected) {
        let message = "partitions should be a consecutive 0-based integer sequence";
        return Err((ResponseError::InvalidReplicaAssignment, message.to_owned()));
    }
    check_count(i32::try_from(sorted.len()).unwrap_or(i32::MAX))?;
    Ok(sorted.into_values().cloned().collect())
}

/// Checks the replicas of one partition; `previous` is the number of replicas of the partition before it.
pub(super) fn check_replicas(
    cluster: &ClusterImage,
    replicas: &[i32],
    previous: Option<usize>,
) -> Result<(), Refused> {
    let refused = |message: String| Err((ResponseError::InvalidReplicaAssignment, message));
    if replicas.is_empty() {
        return refused("The manual partition assignment includes an empty replica list.".to_owned());
    }
    let brokers = cluster.brokers();
    let mut sorted = replicas.to_vec();
    sorted.sort_unstable();
    let mut before = None;
    for replica in sorted {
        if replica < 0 {
            return refused(format!(
                "The manual partition assignment includes invalid broker id {replica}."
            ));
        }
        if !brokers.contains_key(&replica) {
            return refused(format!(
                "The manual partition assignment includes broker {replica}, but no such broker is registered."
            ));
        }
        if before == Some(replica) {
            return refused(format!(
                "The manual partition assignment includes the broker {replica} more than once."
            ));
        }
        before = Some(replica);
    }
    let count = replicas.len();
    match previous {
        Some(previous) if previous != count => refused(format!(
            "The manual partition assignment includes a partition with {count} replica(s), but this is not \
             consistent with previous partitions, which have {previous} replica(s)."
        )),
        _ => Ok(()),
    }
}

/// Whether a topic may grow to `count` partitions, and the brokers of the new ones; `assignments` is a manual
/// assignment of those.
pub(in crate::broker) fn create_partitions(
    cluster: &ClusterImage,
    name: &str,
    count: i32,
    assignments: Option<Vec<Vec<i32>>>,
) -> Result<Vec<Vec<i32>>, Refused> {
    // Kafka has no message for this error.
    let missing = || (ResponseError::UnknownTopicOrPartition, String::new());
    let topic = cluster.topic(name).ok_or_else(missing)?;
    let now = topic.partition_count();
    let invalid = |message| Err((ResponseError::InvalidPartitions, message));
    if count == now {
        return invalid(format!("Topic already has {now} partition(s)."));
    }
    if count < now {
        return invalid(format!(
            "The topic {name} currently has {now} partition(s); {count} would not be an increase."
        ));
    }
    let more = count - now;
    check_count(more)?;
    let replicas = topic.replication_factor();
    let Some(assignments) = assignments else {
        check_replication_factor(cluster, i64::try_from(replicas).unwrap_or(i64::MAX))?;
        return Ok(place_replicas(
            cluster,
            first_broker(cluster, topic) + now,
            more,
            replicas,
        ));
    };
    if assignments.len() as i64 != i64::from(more) {
        let message = format!(
            "Attempted to add {more} additional partition(s), but only {} assignment(s) were specified.",
            assignments.len()
        );
        return Err((ResponseError::InvalidReplicaAssignment, message));
    }
    for assigned in &assignments {
        check_replicas(cluster, assigned, Some(replicas))?;
    }
    Ok(assignments)
}

/// A topic in a request, by name or by id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::broker) struct TopicSelection {
    pub(in crate::broker) name: Option<String>,
    pub(in crate::broker) id: Uuid,
}

/// The topics that occur more than once in a DeleteTopics request: none of them is deleted.
#[derive(Debug)]
pub(in crate::broker) struct Repeated {
    selections: HashSet<TopicSelection>,
    /// Ids that the request also has by name; these are answered under the name.
    ids_of_names: HashSet<Uuid>,
}

impl Repeated {
    pub(in crate::broker) fn among(cluster: &ClusterImage, wanted: &[TopicSelection]) -> Self {
        let seen: HashSet<&TopicSelection> = wanted.iter().collect();
        let by_id = |id| TopicSelection { name: None, id };
        let ids = seen
            .iter()
            .filter_map(|wanted| wanted.name.as_ref().filter(|_| wanted.id.is_nil()))
            .filter_map(|name| cluster.topic(name))
            .map(|topic| topic.id)
            .filter(|id| seen.contains(&by_id(*id)));
        Self {
            ids_of_names: ids.collect(),
            selections: named_twice(wanted.iter().cloned()),
        }
    }

    /// Whether this is answered under the topic's name.
    pub(in crate::broker) fn is_answered_by_name(&self, wanted: &TopicSelection) -> bool {
        self.ids_of_names.contains(&wanted.id)
    }

    /// The id of a topic that the request has both by this name and by id.
    pub(in crate::broker) fn answered_id(
        &self,
        cluster: &ClusterImage,
        wanted: &TopicSelection,
    ) -> Option<Uuid> {
        let topic = cluster.topic(wanted.name.as_ref()?)?;
        self.ids_of_names.contains(&topic.id).then_some(topic.id)
    }
}

/// Whether a topic may be deleted, and its image.
pub(in crate::broker) fn delete_topic(
    cluster: &ClusterImage,
    wanted: &TopicSelection,
    repeated: &Repeated,
    is_enabled: bool,
) -> Result<Arc<TopicImage>, Refused> {
    let invalid = |message: &str| Err((ResponseError::InvalidRequest, message.to_owned()));
    match &wanted.name {
        Some(_) if !wanted.id.is_nil() => {
            return invalid("You may not specify both topic name and topic id.");
        }
        None if wanted.id.is_nil() => return invalid("Neither topic name nor id were specified."),
        _ => {}
    }
    if repeated.selections.contains(wanted) {
        return match wanted.name {
            Some(_) => Err(duplicate_topic_name()),
            None => invalid("Duplicate topic id."),
        };
    }
    if repeated.answered_id(cluster, wanted).is_some() {
        return invalid("The provided topic name maps to an ID that was already supplied.");
    }
    if !is_enabled {
        let message = "Topic deletion is disabled.";
        return Err((ResponseError::TopicDeletionDisabled, message.to_owned()));
    }
    let (found, error, message) = match &wanted.name {
        Some(name) => (
            cluster.topic(name),
            ResponseError::UnknownTopicOrPartition,
            "This server does not host this topic-partition.",
        ),
        None => (
            cluster.topic_by_id(wanted.id),
            ResponseError::UnknownTopicId,
            "This server does not host this topic ID.",
        ),
    };
    found.cloned().ok_or_else(|| (error, message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::cluster::records;

    const DEFAULTS: TopicDefaults = TopicDefaults {
        partitions: 4,
        replication_factor: 1,
    };

    /// Two topics on three brokers.
    fn cluster() -> ClusterImage {
        let mut cluster = ClusterImage::default();
        for id in 1..=3 {
            cluster.register(BrokerImage::new(id, None, Uuid::nil()));
        }
        for (name, id, partitions) in [("a.b", 1, 1), ("c", 2, 3)] {
            let partition = |index| (index, cluster.new_partition(&[1]));
            let partitions: Vec<_> = (0..partitions).map(partition).collect();
            let created = records::topic(name, Uuid::from_u128(id), &partitions, &Configs::new());
            cluster.apply_all(&created);
        }
        cluster
    }

    fn requested(name: &str) -> RequestedTopic {
        RequestedTopic {
            name: name.to_owned(),
            partitions: -1,
            replication_factor: -1,
            assignments: Vec::new(),
            configs: Vec::new(),
        }
    }

    fn selection(name: Option<&str>, id: u128) -> TopicSelection {
        TopicSelection {
            name: name.map(str::to_owned),
            id: Uuid::from_u128(id),
        }
    }

    #[test]
    fn a_name_is_looked_at_before_configs_and_these_before_partitions() {
        let mut topic = requested("a_b");
        topic.partitions = 0;
        topic.configs = vec![("retention.ms".to_owned(), Some("x".to_owned()))];
        let refused = create_topic(&cluster(), DEFAULTS, &topic).unwrap_err();
        assert_eq!(refused.1, "Topic 'a_b' collides with existing topic: a.b");
        topic.name = "d".to_owned();
        let refused = create_topic(&cluster(), DEFAULTS, &topic).unwrap_err();
        assert_eq!(refused.0, ResponseError::InvalidConfig);
        topic.configs.clear();
        let refused = create_topic(&cluster(), DEFAULTS, &topic).unwrap_err();
        assert_eq!(refused.0, ResponseError::InvalidPartitions);
        let planned = create_topic(&cluster(), DEFAULTS, &requested("d")).unwrap();
        assert_eq!(planned.assignments, [[3], [1], [2], [3]], "it is the third topic");
    }

    #[test]
    fn topics_of_one_partition_are_led_by_all_brokers() {
        let mut cluster = ClusterImage::default();
        for id in 1..=3 {
            cluster.register(BrokerImage::new(id, None, Uuid::nil()));
        }
        let mut topic = requested("__consumer_offsets");
        topic.partitions = 1;
        for (name, leader) in [("__consumer_offsets", 1), ("a", 1), ("b", 2), ("c", 3), ("d", 1)] {
            topic.name = name.to_owned();
            let planned = create_topic(&cluster, DEFAULTS, &topic).unwrap();
            assert_eq!(planned.assignments, [[leader]], "{name}");
            let partition = (0, cluster.new_partition(&planned.assignments[0]));
            let id = Uuid::from_u128(cluster.topics().len() as u128 + 1);
            cluster.apply_all(&records::topic(name, id, &[partition], &Configs::new()));
        }
        let grown = create_partitions(&cluster, "b", 3, None).unwrap();
        assert_eq!(grown, [[3], [1]], "it goes on where it ended");
    }

    #[test]
    fn as_many_replicas_as_there_are_brokers() {
        let mut topic = requested("d");
        topic.replication_factor = 3;
        let planned = create_topic(&cluster(), DEFAULTS, &topic).unwrap();
        assert_eq!((planned.partition_count(), planned.replication_factor()), (4, 3));
        assert_eq!(planned.assignments[1], [1, 2, 3]);
        topic.replication_factor = 4;
        let refused = create_topic(&cluster(), DEFAULTS, &topic).unwrap_err();
        assert_eq!(refused.0, ResponseError::InvalidReplicationFactor);
        let mut topic = requested("d");
        topic.assignments = vec![(0, vec![1, 2]), (1, vec![3, 1])];
        let planned = create_topic(&cluster(), DEFAULTS, &topic).unwrap();
        assert_eq!(planned.assignments, [[1, 2], [3, 1]]);
        topic.assignments[1].1 = vec![9, 1];
        let refused = create_topic(&cluster(), DEFAULTS, &topic).unwrap_err();
        assert!(
            refused.1.contains("includes broker 9, but no such broker"),
            "{}",
            refused.1
        );
    }

    #[test]
    fn racks_are_taken_in_turn_and_brokers_that_are_away_last() {
        let mut cluster = ClusterImage::default();
        for id in 1..=4 {
            let rack = if id <= 2 { "a" } else { "b" };
            cluster.register(BrokerImage::new(id, Some(rack.to_owned()), Uuid::nil()));
        }
        for replicas in place_replicas(&cluster, 0, 8, 2) {
            assert_ne!(replicas[0] <= 2, replicas[1] <= 2, "{replicas:?}");
        }
        cluster.set_fenced(3, true);
        assert!(
            place_replicas(&cluster, 0, 8, 3)
                .iter()
                .all(|ids| !ids.contains(&3))
        );
        assert!(place_replicas(&cluster, 0, 8, 4).iter().all(|ids| ids[3] == 3));
    }

    #[test]
    fn a_topic_by_name_and_by_id_is_not_deleted() {
        let cluster = cluster();
        let wanted = [selection(Some("c"), 0), selection(None, 2), selection(None, 1)];
        let repeated = Repeated::among(&cluster, &wanted);
        assert!(repeated.is_answered_by_name(&wanted[1]));
        assert!(delete_topic(&cluster, &wanted[0], &repeated, true).is_err());
        assert_eq!(
            delete_topic(&cluster, &wanted[2], &repeated, true).unwrap().name,
            "a.b"
        );
        let refused = delete_topic(&cluster, &wanted[2], &repeated, false).unwrap_err();
        assert_eq!(refused.0, ResponseError::TopicDeletionDisabled);
    }

    #[test]
    fn replicas_are_on_brokers_that_exist_once_each() {
        let cluster = cluster();
        assert_eq!(check_replicas(&cluster, &[1, 2], None), Ok(()));
        for replicas in [&[][..], &[4], &[-1], &[1, 4], &[1, 1]] {
            let refused = check_replicas(&cluster, replicas, None).unwrap_err();
            assert_eq!(refused.0, ResponseError::InvalidReplicaAssignment);
        }
    }

    #[test]
    fn a_topic_only_grows() {
        for (count, error) in [
            (3, ResponseError::InvalidPartitions),
            (2, ResponseError::InvalidPartitions),
            (20_000, ResponseError::PolicyViolation),
        ] {
            assert_eq!(
                create_partitions(&cluster(), "c", count, None).unwrap_err().0,
                error
            );
        }
        let assigned = |replicas: &[&[i32]]| {
            let replicas = replicas.iter().map(|replicas| replicas.to_vec()).collect();
            create_partitions(&cluster(), "c", 5, Some(replicas))
        };
        assert_eq!(assigned(&[&[2], &[3]]).unwrap(), [[2], [3]]);
        assert!(assigned(&[&[2]]).is_err());
        let refused = assigned(&[&[2], &[3, 1]]).unwrap_err();
        assert!(refused.1.contains("1 replica(s)"), "{}", refused.1);
        let placed = create_partitions(&cluster(), "c", 5, None).unwrap();
        assert_eq!(placed, [[1], [2]]);
    }
}
