//! The features of the cluster (KIP-584): which levels this broker supports, and which one is in force.
//!
//! Clients learn of them by ApiVersions. Owns nothing of what a feature does.

/// A feature by Kafka's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    pub name: &'static str,
    /// The lowest level that is supported.
    pub min: i16,
    /// The highest level that is supported.
    pub max: i16,
    /// The level of a new cluster.
    pub level: i16,
}

/// The protocols of groups: from level 1 on the coordinator assigns (KIP-848).
pub const GROUP_VERSION: Feature = Feature {
    name: "group.version",
    min: 0,
    max: 1,
    level: 1,
};

/// How transactions end: from level 2 on each end raises the producer's epoch (KIP-890).
pub const TRANSACTION_VERSION: Feature = Feature {
    name: "transaction.version",
    min: 0,
    max: 2,
    level: 2,
};

/// Groups whose members share partitions: from level 1 on there are some (KIP-932).
pub const SHARE_VERSION: Feature = Feature {
    name: "share.version",
    min: 0,
    max: 1,
    level: 1,
};

/// Every feature, by name.
pub const FEATURES: &[Feature] = &[GROUP_VERSION, SHARE_VERSION, TRANSACTION_VERSION];
