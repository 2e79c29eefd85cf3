//! Changes of the cluster as records of Apache Kafka's metadata log (KIP-631). A change of a new kind is a function
//! here, and a branch in `image`.

use uuid::Uuid;

use super::acls::Acl;
use super::client_quotas::Entity;
use super::delegation_tokens::DelegationToken;
use super::image::ClusterImage;
use super::partition_image::PartitionImage;
use super::scram_credentials::ScramCredential;
use crate::broker::config::BrokerConfig;
use crate::broker::config::effective_config::Configs;
use crate::broker::features::{FEATURES, METADATA_VERSION, SHARE_VERSION};
use crate::broker::internal_topics::SHARE_GROUP_STATE;
use crate::internal_records::cluster_metadata::{decode_record, encode_record, encode_record_with};
use crate::internal_records::value::Value;

/// Types of resources with configs.
pub(in crate::broker) const TOPIC: i64 = 2;
pub(in crate::broker) const BROKER: i64 = 4;
pub(in crate::broker) const CLIENT_METRICS: i64 = 16;
pub(in crate::broker) const GROUP: i64 = 32;
/// The records of one change, each encoded.
pub(in crate::broker) type Records = Vec<Vec<u8>>;

/// The feature levels. The metadata version comes first, as Kafka requires. The level of share groups comes with
/// their topic: without it, releases of Apache Kafka before share groups can open the data directory.
fn features(image: &ClusterImage) -> Records {
    let apart = [METADATA_VERSION, SHARE_VERSION];
    let others = FEATURES.iter().filter(|feature| !apart.contains(feature));
    let all = [&METADATA_VERSION].into_iter().chain(others);
    let in_force = all.map(|feature| (feature, image.feature_level(feature)));
    // The quorum keeps its own version. A feature at level 0 needs a record only if its default is another.
    in_force
        .filter(|(feature, level)| *level != feature.level || *level > 0)
        .flat_map(|(feature, level)| feature_level(feature.name, level))
        .collect()
}

/// Sets the level of a feature.
pub(in crate::broker) fn feature_level(name: &str, level: i16) -> Records {
    let fields = [
        ("name", text(name)),
        ("featureLevel", Value::Number(level.into())),
    ];
    encode_record("FeatureLevelRecord", 0, fields)
        .into_iter()
        .collect()
}

/// The configs of a new cluster: the cluster-wide `min.insync.replicas`, which Apache Kafka sets since 4.1, with the
/// first node's value. Elections use it as well.
pub(in crate::broker) fn first_configs(config: &BrokerConfig) -> Records {
    let name = "min.insync.replicas";
    let value = config.value(name).unwrap_or("1").trim();
    let defaults = Configs::from([(name.to_owned(), value.to_owned())]);
    config_changes(BROKER, "", &Configs::new(), &defaults)
}

/// Everything in an image that is kept on disk: feature levels, configs, quotas, credentials, ACLs, delegation
/// tokens, topics, producer ids.
pub(in crate::broker) fn snapshot(image: &ClusterImage) -> Records {
    let mut all = features(image);
    all.extend(given(image));
    for found in image.topics() {
        all.extend(topic(&found.name, found.id, &found.partitions, &found.configs));
    }
    let share_level = image.feature_level(&SHARE_VERSION);
    if share_level != SHARE_VERSION.level {
        all.extend(feature_level(SHARE_VERSION.name, share_level));
    }
    all.extend(producer_ids(image.next_producer_id));
    all
}

/// The feature levels that were set.
pub(in crate::broker) fn set_levels(image: &ClusterImage) -> Records {
    let levels = image.set_levels().iter();
    levels
        .flat_map(|(name, level)| feature_level(name, *level))
        .collect()
}

/// What was configured for brokers and clients: configs, quotas, credentials, ACLs, delegation tokens.
pub(in crate::broker) fn given(image: &ClusterImage) -> Records {
    let mut all = given_configs(image);
    for (entity, limits) in image.client_quotas() {
        let limits = limits.iter();
        all.extend(limits.flat_map(|(key, limit)| client_quota(entity, key, Some(limit.0))));
    }
    for ((user, mechanism), credential) in image.scram_credentials() {
        all.extend(scram_credential(user, *mechanism, Some(credential)));
    }
    all.extend(image.acls().iter().flat_map(|(id, entry)| acl(*id, entry)));
    let tokens = image.delegation_tokens().iter();
    all.extend(tokens.flat_map(|(id, token)| delegation_token(id, token)));
    all
}

/// The configs of brokers, groups and client metrics subscriptions.
fn given_configs(image: &ClusterImage) -> Records {
    let brokers = image.all_broker_configs().iter();
    let groups = image.all_group_configs().iter();
    let subscriptions = image.all_client_metrics_configs().iter();
    let given = brokers
        .map(|given| (BROKER, given))
        .chain(groups.map(|given| (GROUP, given)))
        .chain(subscriptions.map(|given| (CLIENT_METRICS, given)));
    given
        .flat_map(|(kind, (resource, configs))| config_changes(kind, resource, &Configs::new(), configs))
        .collect()
}

/// A new topic with its partitions and configs. The topic of share groups brings the level of their feature: Apache
/// Kafka before 4.2 does not start with that level, and a cluster without share groups does not need it.
pub(in crate::broker) fn topic(
    name: &str,
    id: Uuid,
    partitions: &[(i32, PartitionImage)],
    configs: &Configs,
) -> Records {
    let fields = [("name", text(name)), ("topicId", uuid(id))];
    let mut records = Records::new();
    if name == SHARE_GROUP_STATE.name {
        records.extend(feature_level(SHARE_VERSION.name, SHARE_VERSION.level));
    }
    records.extend(encode_record("TopicRecord", 0, fields));
    records.extend(self::partitions(id, partitions));
    records.extend(config_changes(TOPIC, name, &Configs::new(), configs));
    records
}

/// Adds partitions to a topic, or replaces existing ones.
pub(in crate::broker) fn partitions(topic: Uuid, partitions: &[(i32, PartitionImage)]) -> Records {
    let records = partitions
        .iter()
        .filter_map(|(index, partition)| partition.to_record(topic, *index));
    records.collect()
}

/// Removes a topic with its partitions and configs.
pub(in crate::broker) fn topic_removed(id: Uuid) -> Records {
    encode_record("RemoveTopicRecord", 0, [("topicId", uuid(id))])
        .into_iter()
        .collect()
}

/// Turns one set of configs of a resource into another.
pub(in crate::broker) fn config_changes(
    resource_type: i64,
    resource: &str,
    before: &Configs,
    after: &Configs,
) -> Records {
    let record = |name: &str, value| {
        let fields = [
            ("resourceType", Value::Number(resource_type)),
            ("resourceName", text(resource)),
            ("name", text(name)),
            ("value", value),
        ];
        encode_record("ConfigRecord", 0, fields)
    };
    let set = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(*value));
    let set = set.filter_map(|(name, value)| record(name, text(value)));
    let unset = before.keys().filter(|name| !after.contains_key(*name));
    let unset = unset.filter_map(|name| record(name, Value::Null));
    set.chain(unset).collect()
}

/// Sets a quota of an entity, or (`None`) removes it.
pub(in crate::broker) fn client_quota(entity: &Entity, key: &str, limit: Option<f64>) -> Records {
    let record = encode_record_with("ClientQuotaRecord", 0, |value| {
        let parts = entity.iter().filter_map(|(kind, name)| {
            let mut part = value.new_element("entity")?;
            part.set("entityType", text(kind));
            part.set("entityName", name.as_deref().map_or(Value::Null, text));
            Some(Value::Struct(part))
        });
        let parts = parts.collect();
        value.set("entity", Value::Array(parts));
        value.set("key", text(key));
        value.set("value", Value::Float(limit.unwrap_or_default()));
        value.set("remove", Value::Bool(limit.is_none()));
    });
    record.into_iter().collect()
}

/// Sets a SCRAM credential of a user, or (`None`) removes it.
pub(in crate::broker) fn scram_credential(
    user: &str,
    mechanism: i8,
    credential: Option<&ScramCredential>,
) -> Records {
    let whose = [
        ("name", text(user)),
        ("mechanism", Value::Number(mechanism.into())),
    ];
    let record = match credential {
        None => encode_record("RemoveUserScramCredentialRecord", 0, whose),
        Some(credential) => {
            let keys = [
                ("salt", Value::Bytes(&credential.salt)),
                ("storedKey", Value::Bytes(&credential.stored_key)),
                ("serverKey", Value::Bytes(&credential.server_key)),
                ("iterations", Value::Number(credential.iterations.into())),
            ];
            encode_record("UserScramCredentialRecord", 0, whose.into_iter().chain(keys))
        }
    };
    record.into_iter().collect()
}

/// Adds an ACL.
pub(in crate::broker) fn acl(id: Uuid, acl: &Acl) -> Records {
    let code = |code: i8| Value::Number(code.into());
    let fields = [
        ("id", uuid(id)),
        ("resourceType", code(acl.resource_type)),
        ("resourceName", text(&acl.name)),
        ("patternType", code(acl.pattern_type)),
        ("principal", text(&acl.principal)),
        ("host", text(&acl.host)),
        ("operation", code(acl.operation)),
        ("permissionType", code(acl.permission)),
    ];
    encode_record("AccessControlEntryRecord", 0, fields)
        .into_iter()
        .collect()
}

/// Removes the ACL of this id.
pub(in crate::broker) fn acl_removed(id: Uuid) -> Records {
    encode_record("RemoveAccessControlEntryRecord", 0, [("id", uuid(id))])
        .into_iter()
        .collect()
}

/// Adds or replaces a delegation token.
pub(in crate::broker) fn delegation_token(id: &str, token: &DelegationToken) -> Records {
    let renewers = token.renewers.iter().map(|renewer| text(renewer));
    let fields = [
        ("owner", text(&token.owner)),
        ("requester", text(&token.requester)),
        ("renewers", Value::Array(renewers.collect())),
        ("issueTimestamp", Value::Number(token.issued_ms)),
        ("maxTimestamp", Value::Number(token.max_ms)),
        ("expirationTimestamp", Value::Number(token.expires_ms)),
        ("tokenId", text(id)),
    ];
    encode_record("DelegationTokenRecord", 0, fields)
        .into_iter()
        .collect()
}

/// Removes the delegation token of this id.
pub(in crate::broker) fn delegation_token_removed(id: &str) -> Records {
    encode_record("RemoveDelegationTokenRecord", 0, [("tokenId", text(id))])
        .into_iter()
        .collect()
}

/// States that every producer id below `next` is used. The broker that requested the last block does not matter: -1,
/// as in Apache Kafka's snapshots.
pub(in crate::broker) fn producer_ids(next: i64) -> Records {
    let fields = [
        ("brokerId", Value::Number(-1)),
        ("nextProducerId", Value::Number(next)),
    ];
    encode_record("ProducerIdsRecord", 0, fields)
        .into_iter()
        .collect()
}

/// The topic that a record of a topic or partition belongs to.
pub(super) fn topic_of(record: &[u8]) -> Option<Uuid> {
    let record = decode_record(record).ok()?;
    match record.value.get("topicId") {
        Some(Value::Uuid(id)) => Some(Uuid::from_bytes(*id)),
        _ => None,
    }
}

fn text(text: &str) -> Value<'_> {
    Value::Text(text.into())
}

fn uuid<'a>(id: Uuid) -> Value<'a> {
    Value::Uuid(*id.as_bytes())
}
