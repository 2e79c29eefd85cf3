//! Metadata versions by name and number, and the levels of features that belong to each (KIP-1022).

/// The feature for the format of the metadata log's records.
pub(super) const METADATA_VERSION: &str = "metadata.version";

/// Every metadata version from level 7 on, including the one in development.
const VERSIONS: [&str; 25] = [
    "3.3-IV3", "3.4-IV0", "3.5-IV0", "3.5-IV1", "3.5-IV2", "3.6-IV0", "3.6-IV1", "3.6-IV2", "3.7-IV0",
    "3.7-IV1", "3.7-IV2", "3.7-IV3", "3.7-IV4", "3.8-IV0", "3.9-IV0", "4.0-IV0", "4.0-IV1", "4.0-IV2",
    "4.0-IV3", "4.1-IV0", "4.1-IV1", "4.2-IV0", "4.2-IV1", "4.3-IV0", "4.4-IV0",
];

/// The level of the first of [`VERSIONS`].
const FIRST_LEVEL: i16 = 7;

/// The latest version in production.
pub(super) const LATEST: &str = "4.3-IV0";

/// A feature: its highest level, and the lowest metadata version with which a new cluster gets that level.
pub(super) struct Feature {
    pub name: &'static str,
    pub highest: i16,
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

/// The level of a metadata version by its name, or by a release (`4.0`, `4.0.1`): then the latest version of it.
pub(super) fn metadata_level(text: &str) -> Result<i16, String> {
    // Only the first two numbers of a release matter.
    let segments: Vec<&str> = text.split('.').collect();
    let key = segments
        .get(..2)
        .map_or_else(|| text.to_owned(), |two| two.join("."));
    let found = VERSIONS.iter().rposition(|version| {
        *version == key || version.split_once('-').is_some_and(|(release, _)| release == key)
    });
    found
        .and_then(|place| i16::try_from(place).ok())
        .map(|place| FIRST_LEVEL + place)
        .ok_or_else(|| {
            let all = VERSIONS.join(", ");
            format!("Unknown metadata.version '{text}'. Supported metadata.version are: {all}")
        })
}

/// The name of a metadata version.
pub(super) fn metadata_name(level: i16) -> Option<&'static str> {
    let place = usize::try_from(level.checked_sub(FIRST_LEVEL)?).ok()?;
    VERSIONS.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_mean_their_newest_metadata_version() {
        for (text, level) in [
            ("3.3-IV3", 7),
            ("3.3", 7),
            ("4.0", 25),
            ("4.0.1", 25),
            ("4.3-IV0.1", 30),
            ("4.4-IV0", 31),
        ] {
            assert_eq!(metadata_level(text), Ok(level), "{text}");
        }
        for text in ["", "3", "2.0", "4.0-IV9"] {
            assert!(metadata_level(text).is_err(), "{text}");
        }
        assert_eq!(metadata_name(25), Some("4.0-IV3"));
        assert_eq!(
            (metadata_name(6), metadata_name(99), metadata_name(i16::MIN)),
            (None, None, None)
        );
    }
}
