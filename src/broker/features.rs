//! The features of the cluster (KIP-584): which levels this broker supports, and which one is in force.
//!
//! Clients learn them from ApiVersions. The level in force is in the image of `cluster/`. What a feature does is
//! elsewhere: a feature is one constant here and a row of [`FEATURES`].

/// A feature by its name in Kafka.
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

/// The group protocols: from level 1 on the coordinator assigns (KIP-848).
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

/// Share groups: from level 1 on (KIP-932).
pub const SHARE_VERSION: Feature = Feature {
    name: "share.version",
    min: 0,
    max: 1,
    level: 1,
};

/// Eligible leader replicas (KIP-966): the controller remembers which replicas outside the ISR have every record.
pub const ELIGIBLE_LEADER_REPLICAS_VERSION: Feature = Feature {
    name: "eligible.leader.replicas.version",
    min: 0,
    max: 1,
    level: 1,
};

/// How the quorum of controllers works (KIP-853).
pub const KRAFT_VERSION: Feature = Feature {
    name: "kraft.version",
    min: 0,
    max: 1,
    level: 0,
};

/// The metadata version, from 3.3-IV3 to 4.3-IV0. A new cluster has 4.0-IV3: every Apache Kafka 4 supports it.
pub const METADATA_VERSION: Feature = Feature {
    name: "metadata.version",
    min: 7,
    max: 30,
    level: 25,
};

/// The first metadata version with delegation tokens (3.6-IV2, KIP-900).
pub const DELEGATION_TOKENS_LEVEL: i16 = 14;

/// Every feature, by name.
pub const FEATURES: &[Feature] = &[
    ELIGIBLE_LEADER_REPLICAS_VERSION,
    GROUP_VERSION,
    KRAFT_VERSION,
    METADATA_VERSION,
    SHARE_VERSION,
    TRANSACTION_VERSION,
];

/// The feature of this name.
pub fn find(name: &str) -> Option<&'static Feature> {
    FEATURES.iter().find(|feature| feature.name == name)
}
