//! The state of the cluster as plain data: topics with their partitions, brokers, dynamic configs, quotas,
//! credentials, delegation tokens and producer ids.
//!
//! It changes only by records of the metadata log ([`ClusterImage::apply`]) and by registrations. A topic is shared:
//! an image costs little to clone, and a reader keeps the topic that it has looked up.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use uuid::Uuid;

use super::acls::{Acl, Acls};
use super::client_quotas::{ClientQuotas, Entity, Limit};
use super::delegation_tokens::{DelegationToken, DelegationTokens};
use super::partition_image::{NO_LEADER, PartitionImage, Partitions};
use super::records::{BROKER, CLIENT_METRICS, GROUP, TOPIC};
use super::scram_credentials::{ScramCredential, ScramCredentials};
use crate::broker::config::effective_config::Configs;
use crate::broker::features::{self, Feature};
use crate::internal_records::cluster_metadata::decode_record;
use crate::internal_records::value::{StructValue, Value};
use crate::topic_partition::is_internal_topic;

/// How many names of deleted topics are remembered.
const REMEMBERED: usize = 1_000;

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct TopicImage {
    pub(in crate::broker) name: String,
    pub(in crate::broker) id: Uuid,
    pub(in crate::broker) partitions: Partitions,
    /// The configs that were set on the topic.
    pub(in crate::broker) configs: Configs,
}

impl TopicImage {
    pub(in crate::broker) fn partition(&self, index: i32) -> Option<&PartitionImage> {
        let place = self.place(index).ok()?;
        self.partitions.get(place).map(|(_, partition)| partition)
    }

    fn partition_mut(&mut self, index: i32) -> Option<&mut PartitionImage> {
        let place = self.place(index).ok()?;
        self.partitions.get_mut(place).map(|(_, partition)| partition)
    }

    /// Adds or replaces a partition.
    fn put(&mut self, index: i32, partition: PartitionImage) {
        if let Some(known) = self.partition_mut(index) {
            *known = partition;
        } else {
            let (Ok(place) | Err(place)) = self.place(index);
            self.partitions.insert(place, (index, partition));
        }
    }

    /// The position of a partition in the list, or where it would be inserted.
    fn place(&self, index: i32) -> Result<usize, usize> {
        self.partitions
            .binary_search_by_key(&index, |(number, _)| *number)
    }

    pub(in crate::broker) fn partition_count(&self) -> i32 {
        i32::try_from(self.partitions.len()).unwrap_or(i32::MAX)
    }

    /// The number of replicas of its first partition, which Kafka takes for the topic's.
    pub(in crate::broker) fn replication_factor(&self) -> usize {
        self.partition(0).map_or(0, |partition| partition.replicas.len())
    }

    /// Whether it is one of Kafka's internal topics.
    pub(in crate::broker) fn is_internal(&self) -> bool {
        is_internal_topic(&self.name)
    }
}

/// A registered broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct BrokerImage {
    pub(in crate::broker) id: i32,
    pub(in crate::broker) rack: Option<String>,
    /// The id of its log dir; nil if it is not known, or if there are several.
    pub(in crate::broker) directory: Uuid,
    /// The number of its registration, counted over all brokers (the broker epoch).
    pub(in crate::broker) epoch: i64,
    /// Whether it is out of reach or stopped: it leads nothing and is in no ISR.
    pub(in crate::broker) is_fenced: bool,
    /// Its advertised addresses, by listener.
    pub(in crate::broker) endpoints: Vec<EndpointImage>,
}

impl BrokerImage {
    /// A broker that is not fenced and has no endpoints yet.
    pub(in crate::broker) fn new(id: i32, rack: Option<String>, directory: Uuid) -> Self {
        Self {
            id,
            rack,
            directory,
            epoch: 0,
            is_fenced: false,
            endpoints: Vec::new(),
        }
    }

    /// The address for clients of a listener of this name.
    pub(in crate::broker) fn endpoint(&self, listener: &str) -> Option<&EndpointImage> {
        self.endpoints
            .iter()
            .find(|endpoint| endpoint.listener == listener)
    }
}

/// An advertised address of a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct EndpointImage {
    pub(in crate::broker) listener: String,
    pub(in crate::broker) host: String,
    pub(in crate::broker) port: u16,
}

/// A controller, as a voter in the metadata quorum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::broker) struct Voter {
    /// The id of its log dir; nil in a quorum that is listed in the settings.
    pub(in crate::broker) directory: Uuid,
    /// Its listeners for controllers; empty if the settings have none.
    pub(in crate::broker) endpoints: Vec<EndpointImage>,
}

/// The state of a cluster beside its partitions' logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::broker) struct ClusterImage {
    topics: BTreeMap<String, Arc<TopicImage>>,
    names: HashMap<Uuid, String>,
    /// Topic names by their form in metrics, in which two of them may be equal.
    metric_names: HashMap<String, BTreeSet<String>>,
    /// Names of topics that were deleted since the start and not created again; at most [`REMEMBERED`].
    deleted: BTreeSet<String>,
    brokers: BTreeMap<i32, BrokerImage>,
    /// Controllers by node id. Like registrations of brokers they are not kept on disk.
    voters: BTreeMap<i32, Voter>,
    /// The epoch of the last registration.
    broker_epoch: i64,
    /// The cluster's defaults under "", those of one broker under its id.
    broker_configs: BTreeMap<String, Configs>,
    /// Configs of groups, by group id.
    group_configs: BTreeMap<String, Configs>,
    /// Client metrics subscriptions, by name.
    client_metrics_configs: BTreeMap<String, Configs>,
    /// Feature levels that were set; any other feature has the level of a new cluster.
    features: BTreeMap<String, i16>,
    /// The number of times that a feature level was set.
    features_epoch: i64,
    client_quotas: ClientQuotas,
    scram_credentials: ScramCredentials,
    delegation_tokens: DelegationTokens,
    acls: Arc<Acls>,
    /// Grows whenever a topic is created, changed or deleted.
    topics_version: i64,
    /// Every producer id in use is smaller.
    pub(in crate::broker) next_producer_id: i64,
}

impl ClusterImage {
    pub(in crate::broker) fn topic(&self, name: &str) -> Option<&Arc<TopicImage>> {
        self.topics.get(name)
    }

    pub(in crate::broker) fn topic_by_id(&self, id: Uuid) -> Option<&Arc<TopicImage>> {
        self.topics.get(self.names.get(&id)?)
    }

    /// Every topic, ordered by name.
    pub(in crate::broker) fn topics(&self) -> impl ExactSizeIterator<Item = &Arc<TopicImage>> {
        self.topics.values()
    }

    pub(in crate::broker) fn partition(&self, topic: &str, index: i32) -> Option<&PartitionImage> {
        self.topic(topic)?.partition(index)
    }

    /// A topic whose name differs from `name` only in `.` and `_`: the names would be equal in metrics.
    pub(in crate::broker) fn colliding_topic(&self, name: &str) -> Option<&str> {
        let alike = self.metric_names.get(&metric_name(name))?;
        alike.first().map(String::as_str)
    }

    /// Whether a topic of this name was deleted since the start and not created again.
    pub(in crate::broker) fn was_deleted(&self, name: &str) -> bool {
        self.deleted.contains(name)
    }

    /// Registered brokers, by id.
    pub(in crate::broker) fn brokers(&self) -> &BTreeMap<i32, BrokerImage> {
        &self.brokers
    }

    /// The brokers that are not fenced, with their addresses for clients of a listener of this name.
    pub(in crate::broker) fn reachable_by<'a>(
        &'a self,
        listener: &'a str,
    ) -> impl Iterator<Item = (&'a BrokerImage, &'a EndpointImage)> {
        let alive = self.brokers.values().filter(|broker| !broker.is_fenced);
        alive.filter_map(move |broker| Some((broker, broker.endpoint(listener)?)))
    }

    /// The broker that clients take for the controller. Any broker will do, as each can carry out what a controller
    /// is asked.
    pub(in crate::broker) fn controller(&self) -> i32 {
        let alive = self.brokers.values().find(|broker| !broker.is_fenced);
        alive.map_or(-1, |broker| broker.id)
    }

    /// The dynamic configs of one broker, or the cluster's defaults (""); `None` if none was ever set.
    pub(in crate::broker) fn broker_configs(&self, resource: &str) -> Option<&Configs> {
        self.broker_configs.get(resource)
    }

    /// The configs of a group; `None` if none is set.
    pub(in crate::broker) fn group_configs(&self, group: &str) -> Option<&Configs> {
        self.group_configs.get(group)
    }

    /// The configs of all groups that have some.
    pub(in crate::broker) fn all_group_configs(&self) -> &BTreeMap<String, Configs> {
        &self.group_configs
    }

    /// The client metrics subscriptions with their configs.
    pub(in crate::broker) fn all_client_metrics_configs(&self) -> &BTreeMap<String, Configs> {
        &self.client_metrics_configs
    }

    /// The level in force of a feature.
    pub(in crate::broker) fn feature_level(&self, feature: &Feature) -> i16 {
        self.features.get(feature.name).copied().unwrap_or(feature.level)
    }

    /// The feature levels that were set, by name.
    pub(in crate::broker) fn set_levels(&self) -> &BTreeMap<String, i16> {
        &self.features
    }

    /// Grows whenever a feature level changes.
    pub(in crate::broker) fn features_epoch(&self) -> i64 {
        self.features_epoch
    }

    /// Every client quota.
    pub(in crate::broker) fn client_quotas(&self) -> &ClientQuotas {
        &self.client_quotas
    }

    /// Every SCRAM credential.
    pub(in crate::broker) fn scram_credentials(&self) -> &ScramCredentials {
        &self.scram_credentials
    }

    /// Every delegation token.
    pub(in crate::broker) fn delegation_tokens(&self) -> &DelegationTokens {
        &self.delegation_tokens
    }

    pub(in crate::broker) fn acls(&self) -> &Acls {
        &self.acls
    }

    /// Changes whenever a topic was created, changed or deleted.
    pub(in crate::broker) fn topics_version(&self) -> i64 {
        self.topics_version
    }

    /// All dynamic configs of brokers, by resource name.
    pub(in crate::broker) fn all_broker_configs(&self) -> &BTreeMap<String, Configs> {
        &self.broker_configs
    }

    /// A new partition on these brokers. Those that are not fenced are in sync, and the first of them leads.
    pub(in crate::broker) fn new_partition(&self, replicas: &[i32]) -> PartitionImage {
        let directories = replicas.iter().map(|id| self.directory(*id)).collect();
        let mut partition = PartitionImage::new(replicas.to_vec(), directories);
        let alive = replicas.iter().copied().filter(|id| self.is_active(*id));
        partition.isr = alive.collect();
        partition.leader = partition.isr.first().copied().unwrap_or(NO_LEADER);
        partition
    }

    /// Whether a broker is registered and not fenced.
    pub(in crate::broker) fn is_active(&self, id: i32) -> bool {
        self.brokers.get(&id).is_some_and(|broker| !broker.is_fenced)
    }

    /// The epoch of a broker's last registration; -1 if it has not registered.
    pub(in crate::broker) fn broker_epoch(&self, id: i32) -> i64 {
        self.brokers.get(&id).map_or(-1, |broker| broker.epoch)
    }

    /// The id of a broker's log dir; nil if it is not known.
    pub(in crate::broker) fn directory(&self, id: i32) -> Uuid {
        let broker = self.brokers.get(&id);
        broker.map_or(Uuid::nil(), |broker| broker.directory)
    }

    /// Adds or replaces a broker. Registrations are not kept on disk: every broker registers when it starts.
    pub(in crate::broker) fn register(&mut self, mut broker: BrokerImage) {
        self.broker_epoch += 1;
        broker.epoch = self.broker_epoch;
        self.brokers.insert(broker.id, broker);
    }

    /// Replaces the addresses of a registered broker.
    pub(in crate::broker) fn set_endpoints(&mut self, id: i32, endpoints: Vec<EndpointImage>) {
        if let Some(broker) = self.brokers.get_mut(&id) {
            broker.endpoints = endpoints;
        }
    }

    /// Adds a controller, or (`None`) removes it.
    pub(in crate::broker) fn enlist(&mut self, id: i32, voter: Option<Voter>) {
        match voter {
            Some(voter) => self.voters.insert(id, voter),
            None => self.voters.remove(&id),
        };
    }

    /// The controllers, by node id.
    pub(in crate::broker) fn voters(&self) -> &BTreeMap<i32, Voter> {
        &self.voters
    }

    /// Fences or unfences a broker. Returns whether that is a change.
    pub(in crate::broker) fn set_fenced(&mut self, id: i32, is_fenced: bool) -> bool {
        let broker = self.brokers.get_mut(&id);
        broker.is_some_and(|broker| std::mem::replace(&mut broker.is_fenced, is_fenced) != is_fenced)
    }

    /// Forgets a broker. Returns whether it was registered.
    pub(in crate::broker) fn unregister(&mut self, id: i32) -> bool {
        self.brokers.remove(&id).is_some()
    }

    /// `min.insync.replicas` of a topic.
    pub(in crate::broker) fn min_insync_replicas(&self, topic: &TopicImage) -> usize {
        let value = self.topic_config(topic, "min.insync.replicas");
        value.and_then(|value| value.trim().parse().ok()).unwrap_or(1)
    }

    /// `unclean.leader.election.enable` of a topic.
    pub(in crate::broker) fn allows_unclean_election(&self, topic: &TopicImage) -> bool {
        let value = self.topic_config(topic, "unclean.leader.election.enable");
        value.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// A config of a topic, or the cluster's default for it; `None` if neither was set.
    fn topic_config<'a>(&'a self, topic: &'a TopicImage, name: &str) -> Option<&'a str> {
        let default = || self.broker_configs("")?.get(name);
        topic.configs.get(name).or_else(default).map(String::as_str)
    }

    /// Forgets the deleted topics: those of an earlier run do not count.
    pub(in crate::broker) fn forget_deleted(&mut self) {
        self.deleted.clear();
    }

    /// Applies the records of one change.
    pub(in crate::broker) fn apply_all(&mut self, change: &[Vec<u8>]) {
        for record in change {
            self.apply(record);
        }
    }

    /// Applies one record of a metadata log. Returns `false`, and changes nothing, for a record of an unknown type or
    /// one that cannot be decoded.
    pub(in crate::broker) fn apply(&mut self, record: &[u8]) -> bool {
        let Ok(record) = decode_record(record) else {
            return false;
        };
        let value = &record.value;
        match value.schema.name {
            "TopicRecord" => self.add_topic(value),
            "PartitionRecord" => self.add_partition(value),
            "PartitionChangeRecord" => self.change_partition(value),
            "RemoveTopicRecord" => self.remove_topic(topic_id(value)),
            "ConfigRecord" => return self.set_config(value),
            "FeatureLevelRecord" => return self.set_feature_level(value),
            "ClientQuotaRecord" => self.set_client_quota(value),
            "UserScramCredentialRecord" => self.set_scram_credential(value),
            "RemoveUserScramCredentialRecord" => {
                self.scram_credentials.remove(&whose_credential(value));
            }
            "DelegationTokenRecord" => {
                let id = value.text("tokenId").unwrap_or_default().to_owned();
                self.delegation_tokens
                    .insert(id, DelegationToken::from_record(value));
            }
            "RemoveDelegationTokenRecord" => {
                self.delegation_tokens
                    .remove(value.text("tokenId").unwrap_or_default());
            }
            "AccessControlEntryRecord" => {
                Arc::make_mut(&mut self.acls).add(record_id(value), Acl::from_record(value));
            }
            "RemoveAccessControlEntryRecord" => Arc::make_mut(&mut self.acls).remove(record_id(value)),
            "ProducerIdsRecord" => self.next_producer_id = value.number("nextProducerId"),
            _ => return false,
        }
        true
    }

    fn add_topic(&mut self, value: &StructValue<'_>) {
        let id = topic_id(value);
        let name = value.text("name").unwrap_or_default().to_owned();
        if let Some(before) = self.topics.get(&name).map(|topic| topic.id) {
            self.remove_topic(before);
        }
        self.topics_version += 1;
        self.deleted.remove(&name);
        self.names.insert(id, name.clone());
        let alike = self.metric_names.entry(metric_name(&name)).or_default();
        alike.insert(name.clone());
        let topic = TopicImage {
            name: name.clone(),
            id,
            partitions: Partitions::new(),
            configs: Configs::new(),
        };
        self.topics.insert(name, Arc::new(topic));
    }

    /// The topic of this id, for a change; readers that hold it keep the old one.
    fn topic_mut(&mut self, id: Uuid) -> Option<&mut TopicImage> {
        self.topics_version += 1;
        self.topics.get_mut(self.names.get(&id)?).map(Arc::make_mut)
    }

    fn add_partition(&mut self, value: &StructValue<'_>) {
        if let Some(topic) = self.topic_mut(topic_id(value)) {
            let partition = PartitionImage::from_record(value);
            topic.put(partition_id(value), partition);
        }
    }

    fn change_partition(&mut self, value: &StructValue<'_>) {
        if let Some(topic) = self.topic_mut(topic_id(value))
            && let Some(partition) = topic.partition_mut(partition_id(value))
        {
            partition.change(value);
        }
    }

    fn remove_topic(&mut self, id: Uuid) {
        let Some(name) = self.names.remove(&id) else {
            return;
        };
        self.topics_version += 1;
        self.topics.remove(&name);
        let metric_name = metric_name(&name);
        if let Some(alike) = self.metric_names.get_mut(&metric_name) {
            alike.remove(&name);
            if alike.is_empty() {
                self.metric_names.remove(&metric_name);
            }
        }
        if self.deleted.len() < REMEMBERED {
            self.deleted.insert(name);
        }
    }

    /// The level of an unknown feature is kept as it is.
    fn set_feature_level(&mut self, value: &StructValue<'_>) -> bool {
        let name = value.text("name").unwrap_or_default();
        if features::find(name).is_none() {
            return false;
        }
        let level = i16::try_from(value.number("featureLevel")).unwrap_or(0);
        self.features_epoch += 1;
        self.features.insert(name.to_owned(), level);
        true
    }

    fn set_client_quota(&mut self, value: &StructValue<'_>) {
        let Some(Value::Array(parts)) = value.get("entity") else {
            return;
        };
        let parts = parts.iter().filter_map(|part| match part {
            Value::Struct(part) => {
                let name = part.text("entityName").map(str::to_owned);
                Some((part.text("entityType")?.to_owned(), name))
            }
            _ => None,
        });
        let entity: Entity = parts.collect();
        let key = value.text("key").unwrap_or_default();
        let limits = self.client_quotas.entry(entity.clone()).or_default();
        match (value.get("remove"), value.get("value")) {
            (Some(Value::Bool(true)), _) => limits.remove(key),
            (_, Some(Value::Float(limit))) => limits.insert(key.to_owned(), Limit(*limit)),
            _ => None,
        };
        if limits.is_empty() {
            self.client_quotas.remove(&entity);
        }
    }

    fn set_scram_credential(&mut self, value: &StructValue<'_>) {
        let bytes = |name: &str| match value.get(name) {
            Some(Value::Bytes(bytes)) => bytes.to_vec(),
            _ => Vec::new(),
        };
        let credential = ScramCredential {
            salt: bytes("salt"),
            stored_key: bytes("storedKey"),
            server_key: bytes("serverKey"),
            iterations: i32::try_from(value.number("iterations")).unwrap_or(0),
        };
        self.scram_credentials.insert(whose_credential(value), credential);
    }

    fn set_config(&mut self, value: &StructValue<'_>) -> bool {
        let resource = value.text("resourceName").unwrap_or_default();
        let resource_type = value.number("resourceType");
        let configs = match resource_type {
            TOPIC => match self.topics.get_mut(resource) {
                Some(topic) => &mut Arc::make_mut(topic).configs,
                None => return true,
            },
            BROKER => self.broker_configs.entry(resource.to_owned()).or_default(),
            GROUP => self.group_configs.entry(resource.to_owned()).or_default(),
            CLIENT_METRICS => {
                let subscriptions = &mut self.client_metrics_configs;
                subscriptions.entry(resource.to_owned()).or_default()
            }
            _ => return false,
        };
        let name = value.text("name").unwrap_or_default();
        match value.text("value") {
            Some(value) => configs.insert(name.to_owned(), value.to_owned()),
            None => configs.remove(name),
        };
        if configs.is_empty() {
            match resource_type {
                GROUP => self.group_configs.remove(resource),
                CLIENT_METRICS => self.client_metrics_configs.remove(resource),
                _ => None,
            };
        }
        true
    }
}

/// The user and the mechanism in a record of a credential.
fn whose_credential(value: &StructValue<'_>) -> (String, i8) {
    let mechanism = i8::try_from(value.number("mechanism")).unwrap_or(0);
    (value.text("name").unwrap_or_default().to_owned(), mechanism)
}

/// The id in a record of an ACL.
fn record_id(value: &StructValue<'_>) -> Uuid {
    match value.get("id") {
        Some(Value::Uuid(bytes)) => Uuid::from_bytes(*bytes),
        _ => Uuid::nil(),
    }
}

/// A topic's name in metrics, where `.` and `_` are the same.
fn metric_name(topic: &str) -> String {
    topic.replace('.', "_")
}

fn topic_id(value: &StructValue<'_>) -> Uuid {
    match value.get("topicId") {
        Some(Value::Uuid(id)) => Uuid::from_bytes(*id),
        _ => Uuid::nil(),
    }
}

fn partition_id(value: &StructValue<'_>) -> i32 {
    i32::try_from(value.number("partitionId")).unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::cluster::records;

    fn configs(pairs: &[(&str, &str)]) -> Configs {
        let owned = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        owned.collect()
    }

    fn apply(image: &mut ClusterImage, records: Vec<Vec<u8>>) {
        for record in records {
            assert!(image.apply(&record));
        }
    }

    fn partitions(image: &ClusterImage, indices: std::ops::Range<i32>) -> Partitions {
        let partition = PartitionImage::new(vec![1], vec![image.directory(1)]);
        indices.map(|index| (index, partition.clone())).collect()
    }

    #[test]
    fn records_create_change_and_remove_a_topic() {
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut image = ClusterImage::default();
        let old = configs(&[("retention.ms", "1"), ("segment.ms", "2")]);
        let created = records::topic("t", first, &partitions(&image, 0..3), &old);
        apply(&mut image, created);
        let seen = Arc::clone(image.topic("t").unwrap());
        let more = records::partitions(first, &partitions(&image, 3..5));
        apply(&mut image, more);
        let new = configs(&[("retention.ms", "9")]);
        apply(&mut image, records::config_changes(TOPIC, "t", &old, &new));
        let topic = image.topic("t").unwrap();
        assert_eq!((topic.partition_count(), &topic.configs), (5, &new));
        assert_eq!((seen.partition_count(), &seen.configs), (3, &old));
        apply(&mut image, records::topic_removed(first));
        assert_eq!(image.topics().len(), 0);
        assert!(image.was_deleted("t"));
        let created = records::topic("t", second, &partitions(&image, 0..1), &Configs::new());
        apply(&mut image, created);
        assert!(!image.was_deleted("t"));
        // Applying a removal again must not remove the second topic of that name.
        apply(&mut image, records::topic_removed(first));
        assert_eq!(image.topic("t").unwrap().id, second);
        assert_eq!(image.topic_by_id(second).unwrap().name, "t");
    }

    #[test]
    fn a_record_that_is_repeated_makes_no_second_topic() {
        let id = Uuid::from_u128(1);
        let mut image = ClusterImage::default();
        let created = records::topic("a.b", id, &partitions(&image, 0..1), &Configs::new());
        apply(&mut image, created.clone());
        apply(&mut image, created);
        assert_eq!(image.colliding_topic("a_b"), Some("a.b"));
        apply(&mut image, records::topic_removed(id));
        assert_eq!(image.colliding_topic("a_b"), None);
        assert_eq!(image.topic_by_id(id), None);
    }

    #[test]
    fn quotas_credentials_and_tokens_come_and_go_and_a_snapshot_has_them() {
        let entity = Entity::from([
            ("user".to_owned(), Some("a".to_owned())),
            ("client-id".to_owned(), None),
        ]);
        let credential = ScramCredential {
            salt: b"salt".to_vec(),
            stored_key: vec![1; 32],
            server_key: vec![2; 32],
            iterations: 4096,
        };
        let mut image = ClusterImage::default();
        apply(
            &mut image,
            records::client_quota(&entity, "producer_byte_rate", Some(1.5)),
        );
        apply(&mut image, records::scram_credential("u", 1, Some(&credential)));
        let token = DelegationToken {
            owner: "User:a".to_owned(),
            requester: "User:b".to_owned(),
            renewers: vec!["User:c".to_owned(), "User:d".to_owned()],
            issued_ms: 1,
            expires_ms: 2,
            max_ms: 3,
        };
        apply(&mut image, records::delegation_token("id", &token));
        assert_eq!(image.delegation_tokens().get("id"), Some(&token));
        let limits = BTreeMap::from([("producer_byte_rate".to_owned(), Limit(1.5))]);
        assert_eq!(image.client_quotas().get(&entity), Some(&limits));
        assert_eq!(
            image.scram_credentials().get(&("u".to_owned(), 1)),
            Some(&credential)
        );
        let mut copy = ClusterImage::default();
        apply(&mut copy, records::given(&image));
        assert_eq!(copy, image);
        apply(
            &mut copy,
            records::client_quota(&entity, "producer_byte_rate", None),
        );
        apply(&mut copy, records::scram_credential("u", 1, None));
        apply(&mut copy, records::delegation_token_removed("id"));
        assert_eq!(copy, ClusterImage::default());
    }

    #[test]
    fn bytes_that_are_no_record_change_nothing() {
        let mut image = ClusterImage::default();
        for bytes in [&b""[..], b"x", &[1, 2, 0], &[1, 255, 255, 3, 0]] {
            assert!(!image.apply(bytes));
        }
        assert_eq!(image, ClusterImage::default());
    }
}
