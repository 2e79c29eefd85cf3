//! Decides whether a change of topics is allowed: the checks that Apache Kafka's controller makes, in its order and in
//! its words.
//!
//! Pure: what exists is read through [`ClusterView`], and nothing is changed here. Owns no check of a disk, and no
//! field of a request.

use std::collections::HashSet;
use std::hash::Hash;

use kafka_protocol::ResponseError;
use uuid::Uuid;

use crate::broker::config::effective_config::Configs;
use crate::broker::topic_name;
use crate::storage::file_name::METADATA_TOPIC;
use crate::topic_config;

/// The most partitions that one request may add to a topic.
const MAX_PARTITIONS: i32 = 10_000;

/// An error with Kafka's message for it; an empty message is null on the wire.
pub(in crate::broker) type Refused = (ResponseError, String);

/// A topic that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct ExistingTopic {
    pub(in crate::broker) name: String,
    pub(in crate::broker) id: Uuid,
    /// How many partitions it has.
    pub(in crate::broker) partitions: i32,
}

/// What the decisions depend on.
pub(in crate::broker) trait ClusterView {
    fn topic(&self, name: &str) -> Option<ExistingTopic>;
    fn topic_by_id(&self, id: Uuid) -> Option<ExistingTopic>;
    /// A topic whose name differs from `name` in `.` and `_` only.
    fn colliding_topic(&self, name: &str) -> Option<String>;
    /// The ids of the registered brokers.
    fn brokers(&self) -> Vec<i32>;
}

/// What a topic gets that is asked for with -1.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct TopicDefaults {
    pub(in crate::broker) partitions: i32,
    pub(in crate::broker) replication_factor: i64,
}

/// A topic as a request describes it.
#[derive(Clone, Debug)]
pub(in crate::broker) struct RequestedTopic {
    pub(in crate::broker) name: String,
    /// -1 is the default.
    pub(in crate::broker) partitions: i32,
    /// -1 is the default.
    pub(in crate::broker) replication_factor: i16,
    /// A manual assignment: partitions with the ids of their brokers. Empty if there is none.
    pub(in crate::broker) assignments: Vec<(i32, Vec<i32>)>,
    pub(in crate::broker) configs: Vec<(String, Option<String>)>,
}

/// A topic that may be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct PlannedTopic {
    pub(in crate::broker) partitions: i32,
    pub(in crate::broker) configs: Configs,
}

/// The names that a request has more than once.
pub(in crate::broker) fn named_twice<T: Eq + Hash + Clone>(names: impl Iterator<Item = T>) -> HashSet<T> {
    let mut seen = HashSet::new();
    names.filter(|name| !seen.insert(name.clone())).collect()
}

/// The error for each of those, where they are names of topics.
pub(in crate::broker) fn duplicate_topic_name() -> Refused {
    (ResponseError::InvalidRequest, "Duplicate topic name.".to_owned())
}

/// Whether a topic may be created: its name, whether it exists, its configs, then its partitions and replicas.
pub(in crate::broker) fn create_topic(
    cluster: &impl ClusterView,
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
    let pairs: Vec<(&str, &str)> = configs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    topic_config::validate(&pairs).map_err(|message| (ResponseError::InvalidConfig, message))?;
    let partitions = if topic.assignments.is_empty() {
        partitions_and_replicas(cluster, defaults, topic)?
    } else {
        check_not_both(topic)?;
        check_assignments(cluster, &topic.assignments)?
    };
    Ok(PlannedTopic { partitions, configs })
}

/// Whether a new topic may have this name.
pub(in crate::broker) fn check_new_name(cluster: &impl ClusterView, name: &str) -> Result<(), Refused> {
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

fn partitions_and_replicas(
    cluster: &impl ClusterView,
    defaults: TopicDefaults,
    topic: &RequestedTopic,
) -> Result<i32, Refused> {
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
    let brokers = cluster.brokers().len();
    if replicas > i64::try_from(brokers).unwrap_or(i64::MAX) {
        let message = format!(
            "Unable to replicate the partition {replicas} time(s): The target replication factor of {replicas} \
             cannot be reached because only {brokers} broker(s) are registered or some brokers have all their log \
             directories cordoned."
        );
        return Err((ResponseError::InvalidReplicationFactor, message));
    }
    Ok(partitions)
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

/// Checks a manual assignment and returns the number of its partitions.
fn check_assignments(cluster: &impl ClusterView, assignments: &[(i32, Vec<i32>)]) -> Result<i32, Refused> {
    let mut indexes = Vec::with_capacity(assignments.len());
    let mut previous = None;
    for (index, replicas) in assignments {
        if indexes.contains(index) {
            let message = format!("Found multiple manual partition assignments for partition {index}");
            return Err((ResponseError::InvalidReplicaAssignment, message));
        }
        indexes.push(*index);
        check_replicas(cluster, replicas, previous)?;
        previous = Some(replicas.len());
    }
    indexes.sort_unstable();
    if indexes
        .iter()
        .zip(0..)
        .any(|(index, expected)| *index != expected)
    {
        let message = "partitions should be a consecutive 0-based integer sequence";
        return Err((ResponseError::InvalidReplicaAssignment, message.to_owned()));
    }
    let count = i32::try_from(indexes.len()).unwrap_or(i32::MAX);
    check_count(count)?;
    Ok(count)
}

/// Checks the replicas of one partition; `previous` is how many the partitions before it have.
fn check_replicas(
    cluster: &impl ClusterView,
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
        if !brokers.contains(&replica) {
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

/// Whether a topic may grow to `count` partitions, with the replicas of the new ones if they are assigned by hand.
pub(in crate::broker) fn create_partitions(
    cluster: &impl ClusterView,
    name: &str,
    count: i32,
    assignments: Option<&[Vec<i32>]>,
) -> Result<(), Refused> {
    // Kafka has no message for this error.
    let missing = || (ResponseError::UnknownTopicOrPartition, String::new());
    let now = cluster.topic(name).ok_or_else(missing)?.partitions;
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
    let Some(assignments) = assignments else {
        return Ok(());
    };
    if assignments.len() as i64 != i64::from(more) {
        let message = format!(
            "Attempted to add {more} additional partition(s), but only {} assignment(s) were specified.",
            assignments.len()
        );
        return Err((ResponseError::InvalidReplicaAssignment, message));
    }
    // The partitions that exist have one replica each.
    assignments
        .iter()
        .try_for_each(|replicas| check_replicas(cluster, replicas, Some(1)))
}

/// How a request names a topic: by name, or by id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::broker) struct TopicSelection {
    pub(in crate::broker) name: Option<String>,
    pub(in crate::broker) id: Uuid,
}

/// What a request to delete topics names more than once: none of it is deleted.
#[derive(Debug)]
pub(in crate::broker) struct Repeated {
    selections: HashSet<TopicSelection>,
    /// Ids of topics that the request also has by name; answered under the name.
    ids_of_names: HashSet<Uuid>,
}

impl Repeated {
    pub(in crate::broker) fn among(cluster: &impl ClusterView, wanted: &[TopicSelection]) -> Self {
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

    /// Whether this is answered under its name.
    pub(in crate::broker) fn is_answered_by_name(&self, wanted: &TopicSelection) -> bool {
        self.ids_of_names.contains(&wanted.id)
    }

    /// The id of a topic that the request has by this name and by its id.
    pub(in crate::broker) fn answered_id(
        &self,
        cluster: &impl ClusterView,
        wanted: &TopicSelection,
    ) -> Option<Uuid> {
        let topic = cluster.topic(wanted.name.as_ref()?)?;
        self.ids_of_names.contains(&topic.id).then_some(topic.id)
    }
}

/// Whether a topic may be deleted, and which it is.
pub(in crate::broker) fn delete_topic(
    cluster: &impl ClusterView,
    wanted: &TopicSelection,
    repeated: &Repeated,
    is_enabled: bool,
) -> Result<ExistingTopic, Refused> {
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
    found.ok_or_else(|| (error, message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Topics by name, on these brokers.
    struct Cluster(Vec<ExistingTopic>, Vec<i32>);

    impl ClusterView for Cluster {
        fn topic(&self, name: &str) -> Option<ExistingTopic> {
            self.0.iter().find(|topic| topic.name == name).cloned()
        }

        fn topic_by_id(&self, id: Uuid) -> Option<ExistingTopic> {
            self.0.iter().find(|topic| topic.id == id).cloned()
        }

        fn colliding_topic(&self, name: &str) -> Option<String> {
            let metric = |name: &str| name.replace('.', "_");
            let mut topics = self.0.iter().map(|topic| &topic.name);
            topics.find(|topic| metric(topic) == metric(name)).cloned()
        }

        fn brokers(&self) -> Vec<i32> {
            self.1.clone()
        }
    }

    const DEFAULTS: TopicDefaults = TopicDefaults {
        partitions: 4,
        replication_factor: 1,
    };

    fn cluster() -> Cluster {
        let topic = |name: &str, id, partitions| ExistingTopic {
            name: name.to_owned(),
            id: Uuid::from_u128(id),
            partitions,
        };
        Cluster(vec![topic("a.b", 1, 1), topic("c", 2, 3)], vec![1, 2, 3])
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
        assert_eq!(planned.partitions, 4);
    }

    #[test]
    fn as_many_replicas_as_there_are_brokers() {
        let mut topic = requested("d");
        topic.replication_factor = 3;
        assert!(create_topic(&cluster(), DEFAULTS, &topic).is_ok());
        topic.replication_factor = 4;
        let refused = create_topic(&cluster(), DEFAULTS, &topic).unwrap_err();
        assert_eq!(refused.0, ResponseError::InvalidReplicationFactor);
        let mut topic = requested("d");
        topic.assignments = vec![(0, vec![1, 2]), (1, vec![3, 1])];
        assert_eq!(create_topic(&cluster(), DEFAULTS, &topic).unwrap().partitions, 2);
        topic.assignments[1].1 = vec![9, 1];
        let refused = create_topic(&cluster(), DEFAULTS, &topic).unwrap_err();
        assert!(
            refused.1.contains("includes broker 9, but no such broker"),
            "{}",
            refused.1
        );
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
        assert!(create_partitions(&cluster(), "c", 5, Some(&[vec![2], vec![3]])).is_ok());
        assert!(create_partitions(&cluster(), "c", 5, Some(&[vec![2]])).is_err());
    }
}
