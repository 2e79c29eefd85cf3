//! The topics that brokers keep for themselves: their names, and the settings they are created with.
//!
//! Their records belong to the coordinators; the schemas of those are in `internal_records`.

/// A topic in which one kind of coordinator keeps its state.
#[derive(Debug)]
pub struct InternalTopic {
    pub name: &'static str,
    /// The broker setting with the number of its partitions.
    pub partitions_setting: &'static str,
    /// The broker setting with the number of its replicas.
    pub replication_factor_setting: &'static str,
    /// The broker setting with its `segment.bytes`.
    pub segment_bytes_setting: &'static str,
    /// Its `compression.type`.
    pub compression_type: &'static str,
    /// Its `cleanup.policy`. Only its coordinator deletes records of a topic that is not compacted.
    pub cleanup_policy: &'static str,
}

/// `__consumer_offsets`: consumer groups and the offsets they commit.
pub const CONSUMER_OFFSETS: InternalTopic = InternalTopic {
    name: "__consumer_offsets",
    partitions_setting: "offsets.topic.num.partitions",
    replication_factor_setting: "offsets.topic.replication.factor",
    segment_bytes_setting: "offsets.topic.segment.bytes",
    compression_type: "producer",
    cleanup_policy: "compact",
};

/// `__transaction_state`: transactional ids and the state of their transactions.
pub const TRANSACTION_STATE: InternalTopic = InternalTopic {
    name: "__transaction_state",
    partitions_setting: "transaction.state.log.num.partitions",
    replication_factor_setting: "transaction.state.log.replication.factor",
    segment_bytes_setting: "transaction.state.log.segment.bytes",
    compression_type: "uncompressed",
    cleanup_policy: "compact",
};

/// `__share_group_state`: which records share groups have processed.
pub const SHARE_GROUP_STATE: InternalTopic = InternalTopic {
    name: "__share_group_state",
    partitions_setting: "share.coordinator.state.topic.num.partitions",
    replication_factor_setting: "share.coordinator.state.topic.replication.factor",
    segment_bytes_setting: "share.coordinator.state.topic.segment.bytes",
    compression_type: "producer",
    cleanup_policy: "delete",
};

/// Every topic that a coordinator of this broker keeps.
pub const INTERNAL_TOPICS: [&InternalTopic; 3] = [&CONSUMER_OFFSETS, &TRANSACTION_STATE, &SHARE_GROUP_STATE];
