//! Which metadata version the words of `kafka-features` mean.

use crate::java_tools::feature_levels::{FIRST, NAMES};

/// The level of a metadata version by its name, or by a release (`4.0`, `4.0.1`): then the latest version of it.
pub(super) fn metadata_level(text: &str) -> Result<i16, String> {
    // Only the first two numbers of a release matter.
    let segments: Vec<&str> = text.split('.').collect();
    let key = segments
        .get(..2)
        .map_or_else(|| text.to_owned(), |two| two.join("."));
    let found = NAMES.iter().rposition(|version| {
        *version == key || version.split_once('-').is_some_and(|(release, _)| release == key)
    });
    found
        .and_then(|place| i16::try_from(place).ok())
        .map(|place| FIRST + place)
        .ok_or_else(|| {
            let all = NAMES.join(", ");
            format!("Unknown metadata.version '{text}'. Supported metadata.version are: {all}")
        })
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
    }
}
