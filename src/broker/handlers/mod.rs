//! One file an API: request in, response out.
//!
//! A handler never fails for a Kafka reason: an error is a field of its response.

#![allow(
    clippy::needless_pass_by_value,
    reason = "the table hands every handler its request, whether it takes it apart or not"
)]

pub mod api_versions;
pub mod create_topics;
pub mod delete_groups;
pub mod describe_cluster;
pub mod describe_groups;
pub mod fetch;
pub mod find_coordinator;
mod group_words;
pub mod heartbeat;
pub mod join_group;
pub mod leave_group;
pub mod list_groups;
pub mod list_offsets;
pub mod metadata;
pub mod offset_commit;
pub mod offset_delete;
pub mod offset_fetch;
pub mod produce;
pub mod sync_group;

use kafka_protocol::messages::TopicName;
use kafka_protocol::protocol::StrBytes;

/// A string of a response.
fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

/// A topic name of a response.
fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}
