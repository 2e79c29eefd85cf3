//! Metadata versions and feature levels of Kafka's releases (KIP-584, KIP-1022), as of 4.3.1.

/// The lowest metadata version, and the names from it on.
const FIRST: i16 = 7;
const NAMES: [&str; 25] = [
    "3.3-IV3", "3.4-IV0", "3.5-IV0", "3.5-IV1", "3.5-IV2", "3.6-IV0", "3.6-IV1", "3.6-IV2", "3.7-IV0",
    "3.7-IV1", "3.7-IV2", "3.7-IV3", "3.7-IV4", "3.8-IV0", "3.9-IV0", "4.0-IV0", "4.0-IV1", "4.0-IV2",
    "4.0-IV3", "4.1-IV0", "4.1-IV1", "4.2-IV0", "4.2-IV1", "4.3-IV0", "4.4-IV0",
];

/// The latest version in production.
pub(super) const LATEST: i16 = 30;

/// A feature other than the metadata version: its level in a release, and the version from which it has that level.
#[derive(Debug)]
pub(super) struct Feature {
    pub name: &'static str,
    pub max: i16,
    since: i16,
}

/// In the order in which they are listed.
pub(super) const FEATURES: [Feature; 6] = [
    feature("kraft.version", 1, 21),
    feature("transaction.version", 2, 24),
    feature("group.version", 1, 22),
    feature("eligible.leader.replicas.version", 1, 26),
    feature("share.version", 1, 28),
    feature("streams.version", 1, 29),
];

const fn feature(name: &'static str, max: i16, since: i16) -> Feature {
    Feature { name, max, since }
}

impl Feature {
    /// Its level in a release with this metadata version.
    pub(super) fn level_at(&self, version: i16) -> i16 {
        if version >= self.since { self.max } else { 0 }
    }
}

/// The name of a metadata version; `None` if it does not exist.
pub(super) fn name_of(version: i16) -> Option<&'static str> {
    let place = usize::try_from(version.checked_sub(FIRST)?).ok()?;
    NAMES.get(place).copied()
}

/// The metadata version of a word, `4.0` or `4.0-IV3`. With `unstable` also those that are not in production.
pub(super) fn of_word(word: &str, unstable: bool) -> Result<i16, String> {
    let known: Vec<(i16, &str)> = (FIRST..)
        .zip(NAMES)
        .filter(|(version, _)| unstable || *version <= LATEST)
        .collect();
    // The short name means the last version of a release that is in production.
    let is_it = |(version, name): &&(i16, &str)| {
        let short = name.split_once('-').map_or(*name, |(short, _)| short);
        *name == word || (short == word && *version <= LATEST)
    };
    let found = known.iter().rev().find(is_it);
    found.map(|(version, _)| *version).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(_, name)| *name).collect();
        format!(
            "Unknown metadata.version '{word}'. Supported metadata.version are: {}",
            names.join(", ")
        )
    })
}

/// The lines of `feature-dependencies` for one `name=level`.
pub(super) fn dependencies(word: &str) -> Result<String, String> {
    let (name, level) = word.split_once('=').ok_or_else(|| {
        format!("Invalid feature format: {word}. Expected format: 'feature=version' (e.g. 'group.version=1')")
    })?;
    let number: i16 = level
        .parse()
        .map_err(|_| format!("Invalid version format: {level} for feature {name}"))?;
    if name == "metadata.version" {
        let version = name_of(number).ok_or_else(|| format!("Unknown metadata.version {number}"))?;
        return Ok(format!("{name}={number} ({version}) has no dependencies."));
    }
    let feature = FEATURES.iter().find(|feature| feature.name == name);
    let feature = feature.ok_or_else(|| format!("Unknown feature: {name}"))?;
    if !(0..=feature.max).contains(&number) {
        return Err(format!(
            "Feature level {number} is not supported for feature {name}"
        ));
    }
    Ok(if name == "eligible.leader.replicas.version" && number == 1 {
        format!("{name}={number} requires:\n    metadata.version=23 (4.0-IV1)")
    } else {
        format!("{name}={number} has no dependencies.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_have_versions_and_features() {
        for (word, version) in [
            ("3.3", 7),
            ("3.9", 21),
            ("4.0", 25),
            ("4.1-IV0", 26),
            ("4.2", 29),
            ("4.3", 30),
        ] {
            assert_eq!(of_word(word, true), Ok(version), "{word}");
        }
        assert!(of_word("4.4-IV0", false).is_err());
        assert!(of_word("4.4", true).is_err());
        let levels: Vec<i16> = FEATURES.iter().map(|feature| feature.level_at(25)).collect();
        assert_eq!(levels, [1, 2, 1, 0, 0, 0]);
    }
}
