//! A member of a share group: what it said of itself, and what it has been given. Owns no rule.

use std::collections::BTreeSet;

use crate::broker::coordinator::group::assignor::TopicPartitions;

/// What a member said of itself. Each field is what its last heartbeat with that field said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareMemberMetadata {
    pub rack_id: Option<String>,
    pub client_id: String,
    /// As Kafka prints it: `/127.0.0.1`.
    pub client_host: String,
    /// The names it subscribes to, whether there are such topics or not.
    pub topics: BTreeSet<String>,
}

/// What a member has been given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareAssignment {
    /// The epoch it has come to; 0: it has just joined.
    pub epoch: i32,
    /// The epoch before: the answer that told the member of the present one may have been lost.
    pub previous_epoch: i32,
    pub assigned: TopicPartitions,
}

/// One member of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareMember {
    pub metadata: ShareMemberMetadata,
    pub current: ShareAssignment,
}
