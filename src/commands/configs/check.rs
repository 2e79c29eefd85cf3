//! Names and values checked against what is known of them, before a broker is asked to change anything.
//!
//! Topic configs are all in the table of `topic_config`; of other resources the brokers report names, types and what is
//! read-only.

use super::unknown;
use crate::client::admin::config_details::ConfigDetail;
use crate::client::admin::configs::{ConfigChange, ConfigResource};
use crate::error::{Error, Result};
use crate::spelling::closest;
use crate::topic_config::{self, TOPIC_CONFIGS};

/// Broker configs without a default, which brokers report only where they are set.
const UNLISTED_OF_BROKERS: [&str; 3] = [
    "leader.replication.throttled.rate",
    "follower.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
];

/// Refuses the first change that no broker would accept.
pub(super) fn all(
    resource: &ConfigResource,
    details: &[ConfigDetail],
    changes: &[ConfigChange],
) -> Result<()> {
    if matches!(resource, ConfigResource::Topic(_)) {
        return of_topic(changes);
    }
    for change in changes {
        let found = details.iter().find(|detail| detail.entry.name == change.name);
        let Some(detail) = found else {
            if may_be_unlisted(resource, &change.name) {
                continue;
            }
            return Err(unknown(&change.name, resource, details));
        };
        if detail.entry.is_read_only {
            let error = Error::usage(format!("{} cannot be changed while the broker runs", change.name));
            return Err(error.hint("it is set in the broker's file"));
        }
        if let Some(value) = &change.value {
            of_type(detail.type_code, &change.name, value)?;
        }
    }
    Ok(())
}

fn may_be_unlisted(resource: &ConfigResource, name: &str) -> bool {
    match resource {
        ConfigResource::Broker(_) | ConfigResource::AllBrokers => {
            // Configs of plugins and listeners can have any name.
            UNLISTED_OF_BROKERS.contains(&name) || name.starts_with("listener.name.")
                // The cluster-wide default reports only what is set there.
                || matches!(resource, ConfigResource::AllBrokers)
        }
        ConfigResource::ClientMetrics(_) => ["interval.ms", "metrics", "match"].contains(&name),
        // Older brokers report only what is set.
        ConfigResource::Group(_) => true,
        ConfigResource::BrokerLoggers(_) | ConfigResource::Topic(_) => false,
    }
}

fn of_topic(changes: &[ConfigChange]) -> Result<()> {
    if let Some(change) = changes
        .iter()
        .find(|change| !topic_config::is_known(&change.name))
    {
        let error = Error::usage(format!("topics have no config {}", change.name));
        let names = TOPIC_CONFIGS.iter().map(|config| config.name);
        return Err(match closest(&change.name, names) {
            Some(meant) => error.hint(format!("did you mean {meant}?")),
            None => error,
        });
    }
    let set: Vec<(&str, &str)> = changes
        .iter()
        .filter_map(|change| Some((change.name.as_str(), change.value.as_deref()?)))
        .collect();
    topic_config::validate(&set).map_err(|refusal| Error::usage(in_lower_case(&refusal)))
}

fn in_lower_case(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Whether a text is of the type with this number in DescribeConfigs.
fn of_type(code: i8, name: &str, value: &str) -> Result<()> {
    let value = value.trim();
    let wanted = match code {
        1 if !["true", "false"].contains(&value.to_ascii_lowercase().as_str()) => "true or false",
        3 if value.parse::<i32>().is_err() => "a whole number of 32 bits",
        4 if value.parse::<i16>().is_err() => "a whole number of 16 bits",
        5 if value.parse::<i64>().is_err() => "a whole number of 64 bits",
        6 if value.parse::<f64>().is_err() => "a number",
        _ => return Ok(()),
    };
    Err(Error::usage(format!("{name} takes {wanted}, not \"{value}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str, value: &str) -> String {
        let change = ConfigChange {
            name: name.to_owned(),
            value: Some(value.to_owned()),
        };
        all(&ConfigResource::Topic("t".into()), &[], &[change])
            .map_err(|error| error.to_string())
            .unwrap_err()
    }

    #[test]
    fn topics_are_checked_by_the_table() {
        assert_eq!(
            refusal("retention.mss", "1"),
            "topics have no config retention.mss (did you mean retention.ms?)"
        );
        assert_eq!(
            refusal("retention.ms", "1d"),
            "invalid value 1d for configuration retention.ms: Not a number of type LONG"
        );
    }

    #[test]
    fn types_are_those_that_brokers_tell() {
        for (code, good, bad) in [
            (1, "TRUE", "yes"),
            (3, "-5", "4294967296"),
            (5, "4294967296", "1e3"),
            (6, ".5", "x"),
        ] {
            assert!(of_type(code, "n", good).is_ok(), "{code} {good}");
            assert!(of_type(code, "n", bad).is_err(), "{code} {bad}");
        }
    }
}
