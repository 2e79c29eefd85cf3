//! Which metadata version the words of `kafka-storage` mean, and what the levels of features depend on.

use crate::java_tools::feature_levels::{FEATURES, FIRST, LATEST, METADATA_VERSION, NAMES, metadata_name};

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
    if name == METADATA_VERSION {
        let version = metadata_name(number).ok_or_else(|| format!("Unknown metadata.version {number}"))?;
        return Ok(format!("{name}={number} ({version}) has no dependencies."));
    }
    let feature = FEATURES.iter().find(|feature| feature.name == name);
    let feature = feature.ok_or_else(|| format!("Unknown feature: {name}"))?;
    if !(0..=feature.highest).contains(&number) {
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
    }
}
