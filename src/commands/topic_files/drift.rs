//! How topics differ from their specification. Pure.

use crate::client::admin::topic_specs::TopicSpec;

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Drift {
    /// The topic is specified and does not exist.
    Missing,
    /// The topic exists and is not specified.
    Unlisted,
    Partitions {
        is: i32,
        wanted: i32,
    },
    ReplicationFactor {
        is: i16,
        wanted: i16,
    },
    /// A value that differs, or is not set.
    Config {
        name: String,
        is: Option<String>,
        wanted: String,
    },
    /// A config that is set for the topic, and not specified.
    UnlistedConfig {
        name: String,
        is: String,
    },
}

/// The differences, topic by topic, sorted by name; topics without a difference are left out.
pub(in crate::commands) fn drift<'a>(
    are: &'a [TopicSpec],
    wanted: &'a [TopicSpec],
) -> Vec<(&'a str, Vec<Drift>)> {
    let mut drifts: Vec<(&str, Vec<Drift>)> = Vec::new();
    for spec in wanted {
        let is = are.iter().find(|is| is.name == spec.name);
        let drift = is.map_or_else(|| vec![Drift::Missing], |is| of_topic(is, spec));
        drifts.push((&spec.name, drift));
    }
    let unlisted = are
        .iter()
        .filter(|is| !wanted.iter().any(|spec| spec.name == is.name));
    drifts.extend(unlisted.map(|is| (is.name.as_str(), vec![Drift::Unlisted])));
    drifts.retain(|(_, drift)| !drift.is_empty());
    drifts.sort_by_key(|(name, _)| *name);
    drifts
}

fn of_topic(is: &TopicSpec, wanted: &TopicSpec) -> Vec<Drift> {
    let mut drift = Vec::new();
    if let (Some(is), Some(wanted)) = (is.partitions, wanted.partitions)
        && is != wanted
    {
        drift.push(Drift::Partitions { is, wanted });
    }
    if let (Some(is), Some(wanted)) = (is.replication_factor, wanted.replication_factor)
        && is != wanted
    {
        drift.push(Drift::ReplicationFactor { is, wanted });
    }
    for (name, wanted) in &wanted.configs {
        let is = is.configs.get(name);
        if is != Some(wanted) {
            drift.push(Drift::Config {
                name: name.clone(),
                is: is.cloned(),
                wanted: wanted.clone(),
            });
        }
    }
    for (name, is) in &is.configs {
        if !wanted.configs.contains_key(name) {
            drift.push(Drift::UnlistedConfig {
                name: name.clone(),
                is: is.clone(),
            });
        }
    }
    drift
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str, partitions: i32, configs: &[(&str, &str)]) -> TopicSpec {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        TopicSpec {
            name: name.to_owned(),
            partitions: Some(partitions),
            replication_factor: None,
            configs: configs.iter().map(pair).collect(),
        }
    }

    #[test]
    fn what_differs_is_named_and_what_is_the_same_is_not() {
        let are = [
            spec("a", 1, &[("x", "1"), ("y", "2")]),
            spec("b", 2, &[]),
            spec("d", 1, &[]),
        ];
        let wanted = [
            spec("c", 1, &[]),
            spec("b", 2, &[]),
            spec("a", 3, &[("x", "9"), ("z", "3")]),
        ];
        let config = |name: &str, is: Option<&str>, wanted: &str| Drift::Config {
            name: name.to_owned(),
            is: is.map(ToOwned::to_owned),
            wanted: wanted.to_owned(),
        };
        let unlisted = Drift::UnlistedConfig {
            name: "y".to_owned(),
            is: "2".to_owned(),
        };
        let of_a = vec![
            Drift::Partitions { is: 1, wanted: 3 },
            config("x", Some("1"), "9"),
            config("z", None, "3"),
            unlisted,
        ];
        let expected = [
            ("a", of_a),
            ("c", vec![Drift::Missing]),
            ("d", vec![Drift::Unlisted]),
        ];
        assert_eq!(drift(&are, &wanted), expected);
        assert!(drift(&are, &are).is_empty());
    }

    #[test]
    fn what_nobody_says_is_no_drift() {
        let wanted = TopicSpec {
            name: "a".to_owned(),
            ..TopicSpec::default()
        };
        assert!(drift(&[spec("a", 7, &[])], &[wanted]).is_empty());
    }
}
