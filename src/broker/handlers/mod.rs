//! One file an API: request in, response out.
//!
//! A Kafka error is a field of the response: a handler never fails because of one. Below are only helpers that most
//! handlers need.

#![allow(
    clippy::needless_pass_by_value,
    reason = "the table hands every handler its request, whether it takes it apart or not"
)]

pub mod acls;
pub mod add_offsets_to_txn;
pub mod add_partitions_to_txn;
pub mod alter_client_quotas;
pub mod alter_configs;
pub mod alter_partition_reassignments;
pub mod alter_replica_log_dirs;
pub mod alter_user_scram_credentials;
pub mod api_versions;
mod commits;
mod config_resource;
pub mod consumer_group_describe;
pub mod consumer_group_heartbeat;
pub mod create_partitions;
pub mod create_topics;
pub mod delegation_tokens;
pub mod delete_groups;
pub mod delete_records;
pub mod delete_topics;
pub mod describe_client_quotas;
pub mod describe_cluster;
pub mod describe_configs;
pub mod describe_groups;
pub mod describe_log_dirs;
pub mod describe_producers;
pub mod describe_quorum;
pub mod describe_topic_partitions;
pub mod describe_transactions;
pub mod describe_user_scram_credentials;
pub mod elect_leaders;
pub mod end_txn;
pub mod fetch;
pub mod find_coordinator;
mod group_words;
pub mod heartbeat;
pub mod incremental_alter_configs;
pub mod init_producer_id;
pub mod join_group;
pub mod leave_group;
pub mod list_config_resources;
pub mod list_groups;
pub mod list_offsets;
pub mod list_partition_reassignments;
pub mod list_transactions;
pub mod metadata;
pub mod offset_commit;
pub mod offset_delete;
pub mod offset_fetch;
pub mod offset_for_leader_epoch;
mod partition_errors;
pub mod produce;
mod produce_replication;
mod produce_transactions;
pub mod raft_voters;
pub mod sasl_authenticate;
pub mod sasl_handshake;
pub mod share_acknowledge;
pub mod share_fetch;
pub mod share_group_describe;
pub mod share_group_heartbeat;
pub mod share_group_offsets;
pub mod share_group_state;
mod share_words;
pub mod sync_group;
mod topic_ids;
mod transaction_words;
pub mod txn_offset_commit;
pub mod unregister_broker;
pub mod update_features;
pub mod write_txn_markers;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{BrokerId, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::call::RequestContext;
use super::cluster::controller::Refused;
use super::features::SHARE_VERSION;
use super::node::Node;
use super::timers::steady_ms;
use crate::wire::error_codes;

/// A string of a response.
fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

/// Kafka's default message for an error.
fn words_of(error: ResponseError) -> &'static str {
    error_codes::find(error.code()).map_or("", |row| row.text)
}

/// The ids of brokers in a response.
fn broker_ids(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().map(|id| BrokerId(*id)).collect()
}

/// A topic name of a response.
fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}

/// The error of share group APIs while the level of `share.version` disables them.
fn check_share_groups(node: &Node) -> Result<(), ResponseError> {
    match node.cluster.image().feature_level(&SHARE_VERSION) {
        0 => Err(ResponseError::UnsupportedVersion),
        _ => Ok(()),
    }
}

/// Counts partitions that a request creates or deletes. A client over its quota is slowed down; with `is_strict`,
/// which says that the request's version has the error for it, the request is refused (KIP-599).
fn count_mutations(
    node: &Node,
    context: &RequestContext,
    is_strict: bool,
    partitions: usize,
) -> Result<(), Refused> {
    let image = node.cluster.image();
    let counted = (partitions, steady_ms());
    let verdict = node
        .quotas
        .record_mutations(&image, context.sender(), is_strict, counted);
    context.throttle.raise_ms(verdict.throttle_ms);
    if verdict.is_allowed {
        return Ok(());
    }
    let message = "The throttling quota has been exceeded.";
    Err((ResponseError::ThrottlingQuotaExceeded, message.to_owned()))
}
