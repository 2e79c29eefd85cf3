//! A member of a share group: the metadata it has sent, and its assignment. Owns no rule.

use std::collections::BTreeSet;

use crate::broker::coordinator::group::assignor::TopicPartitions;

/// The metadata of a member, each field from its last heartbeat with that field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareMemberMetadata {
    pub rack_id: Option<String>,
    pub client_id: String,
    /// In Kafka's form: `/127.0.0.1`.
    pub client_host: String,
    /// The names of the topics it subscribes to, whether they exist or not.
    pub topics: BTreeSet<String>,
}

/// The current assignment of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareAssignment {
    /// The epoch it has reached; 0 after it has joined.
    pub epoch: i32,
    /// The epoch before: the answer with the present one may have been lost.
    pub previous_epoch: i32,
    pub assigned: TopicPartitions,
}

/// One member of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareMember {
    pub metadata: ShareMemberMetadata,
    pub current: ShareAssignment,
}
