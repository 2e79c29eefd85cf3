//! Metadata versions by name and level, and the levels of features that belong to each (KIP-584, KIP-1022), as of Apache
//! Kafka 4.3.1: what `kafka-features` and `kafka-storage` know without a cluster.

/// The feature for the format of the metadata log's records.
pub(super) const METADATA_VERSION: &str = "metadata.version";

/// The level of the first of [`NAMES`].
pub(super) const FIRST: i16 = 7;

/// Every metadata version from level 7 on, including the one in development.
pub(super) const NAMES: [&str; 25] = [
    "3.3-IV3", "3.4-IV0", "3.5-IV0", "3.5-IV1", "3.5-IV2", "3.6-IV0", "3.6-IV1", "3.6-IV2", "3.7-IV0",
    "3.7-IV1", "3.7-IV2", "3.7-IV3", "3.7-IV4", "3.8-IV0", "3.9-IV0", "4.0-IV0", "4.0-IV1", "4.0-IV2",
    "4.0-IV3", "4.1-IV0", "4.1-IV1", "4.2-IV0", "4.2-IV1", "4.3-IV0", "4.4-IV0",
];

/// The latest version in production.
pub(super) const LATEST: i16 = 30;

/// A feature other than the metadata version: its highest level, and the lowest metadata version with which a new cluster
/// gets that level.
#[derive(Debug)]
pub(super) struct Feature {
    pub(super) name: &'static str,
    pub(super) highest: i16,
    begins_with: i16,
}

/// In the order in which Java prints them.
pub(super) const FEATURES: &[Feature] = &[
    feature("kraft.version", 1, 21),
    feature("transaction.version", 2, 24),
    feature("group.version", 1, 22),
    feature("eligible.leader.replicas.version", 1, 26),
    feature("share.version", 1, 28),
    feature("streams.version", 1, 29),
];

const fn feature(name: &'static str, highest: i16, begins_with: i16) -> Feature {
    Feature {
        name,
        highest,
        begins_with,
    }
}

impl Feature {
    /// The level of the feature in a new cluster with this metadata version.
    pub(super) fn level_with(&self, metadata_version: i16) -> i16 {
        if metadata_version >= self.begins_with {
            self.highest
        } else {
            0
        }
    }
}

/// The name of a metadata version; `None` if it does not exist.
pub(super) fn metadata_name(level: i16) -> Option<&'static str> {
    let place = usize::try_from(level.checked_sub(FIRST)?).ok()?;
    NAMES.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_names_and_levels_of_features() {
        assert_eq!(
            (metadata_name(25), metadata_name(LATEST)),
            (Some("4.0-IV3"), Some("4.3-IV0"))
        );
        assert_eq!(
            (metadata_name(6), metadata_name(99), metadata_name(i16::MIN)),
            (None, None, None)
        );
        let levels: Vec<i16> = FEATURES.iter().map(|feature| feature.level_with(25)).collect();
        assert_eq!(levels, [1, 2, 1, 0, 0, 0]);
    }
}
