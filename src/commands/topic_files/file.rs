//! The file of topics that `topics apply` reads: TOML, or JSON with the same keys.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::client::admin::topic_specs::TopicSpec;
use crate::error::{Error, Result};
use crate::plain_words;
use crate::spelling::closest;
use crate::topic_config::{self, TOPIC_CONFIGS};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    topics: Vec<Topic>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Topic {
    name: String,
    partitions: Option<i32>,
    #[serde(alias = "replication_factor")]
    replication_factor: Option<i16>,
    /// `retention.ms = 1` is a table in a table to TOML.
    #[serde(default)]
    configs: BTreeMap<String, Value>,
}

/// Reads the text of a file called `name`.
///
/// # Errors
///
/// The text makes no sense, a topic stands in it twice, or a config has no such name or value.
pub(super) fn parse(name: &str, text: &str) -> Result<Vec<TopicSpec>> {
    let is_json = text.trim_start().starts_with('{');
    let file: File = if is_json {
        serde_json::from_str(text).map_err(|error| {
            let why = plain_words::of_json(&error);
            Error::bad_data(format!("{name}: {why}: {error}"))
        })?
    } else {
        toml_edit::de::from_str(text).map_err(|error| {
            let line = error
                .span()
                .and_then(|span| text.get(..span.start))
                .map_or(1, |before| before.matches('\n').count() + 1);
            Error::bad_data(format!("{name} line {line}: {}", error.message().trim()))
        })?
    };
    let mut specs: Vec<TopicSpec> = Vec::with_capacity(file.topics.len());
    for topic in file.topics {
        let spec = spec(name, topic)?;
        if specs.iter().any(|known| known.name == spec.name) {
            return Err(Error::bad_data(format!(
                "{name}: topic {} is there twice",
                spec.name
            )));
        }
        specs.push(spec);
    }
    Ok(specs)
}

fn spec(file: &str, topic: Topic) -> Result<TopicSpec> {
    let name = topic.name;
    let wrong = |why: String| Error::bad_data(format!("{file}: topic {name}: {why}"));
    if topic.partitions.is_some_and(|partitions| partitions < 1) {
        return Err(wrong("partitions must be at least 1".to_owned()));
    }
    if topic.replication_factor.is_some_and(|replicas| replicas < 1) {
        return Err(wrong("replication-factor must be at least 1".to_owned()));
    }
    let mut configs = BTreeMap::new();
    for (key, value) in topic.configs {
        flatten(key, value, &mut configs).map_err(wrong)?;
    }
    for config in configs.keys() {
        if !topic_config::is_known(config) {
            let names = TOPIC_CONFIGS.iter().map(|config| config.name);
            let meant = closest(config, names);
            let meant = meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"));
            return Err(wrong(format!("no topic has a config \"{config}\"{meant}")));
        }
    }
    let pairs: Vec<(&str, &str)> = configs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    topic_config::validate(&pairs).map_err(wrong)?;
    Ok(TopicSpec {
        partitions: topic.partitions,
        replication_factor: topic.replication_factor,
        configs,
        name,
    })
}

/// A value as Kafka takes it, or a table whose keys go on behind a dot.
fn flatten(key: String, value: Value, into: &mut BTreeMap<String, String>) -> Result<(), String> {
    let text = match value {
        Value::Object(table) => {
            for (inner, value) in table {
                flatten(format!("{key}.{inner}"), value, into)?;
            }
            return Ok(());
        }
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Array(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            texts
                .ok_or_else(|| format!("{key}: a list has texts in it"))?
                .join(",")
        }
        Value::Null => return Err(format!("{key} has no value")),
    };
    into.insert(key, text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_and_json_say_the_same() {
        let toml = "[[topics]]\nname = \"orders\"\npartitions = 6\nreplication-factor = 3\n\
                    [topics.configs]\nretention.ms = 1000\nretention.bytes = \"7\"\n\"cleanup.policy\" = [\"compact\", \"delete\"]\n\
                    unclean.leader.election.enable = true\n[[topics]]\nname = \"a.b\"\n";
        let json = r#"{"topics":[{"name":"orders","partitions":6,"replication-factor":3,"configs":
            {"retention.ms":1000,"retention.bytes":"7","cleanup.policy":"compact,delete","unclean.leader.election.enable":true}},
            {"name":"a.b"}]}"#;
        let found = parse("f", toml).unwrap();
        assert_eq!(found, parse("f", json).unwrap());
        assert_eq!(found[0].configs["retention.ms"], "1000");
        assert_eq!(found[0].configs["cleanup.policy"], "compact,delete");
        assert_eq!((found[1].name.as_str(), found[1].partitions), ("a.b", None));
        assert!(parse("f", "").unwrap().is_empty());
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        for (text, told) in [
            ("[[topics]]\nnam = \"a\"", "f line 2: unknown field `nam`"),
            (
                "[[topics]]\nname = \"a\"\n[[topics]]\nname = \"a\"",
                "f: topic a is there twice",
            ),
            (
                "[[topics]]\nname = \"a\"\npartitions = 0",
                "f: topic a: partitions must be at least 1",
            ),
            (
                "[[topics]]\nname = \"a\"\n[topics.configs]\nretention.m = 1",
                "no topic has a config \"retention.m\"; did you mean retention.ms?",
            ),
            (
                "[[topics]]\nname = \"a\"\n[topics.configs]\nretention.ms = \"x\"",
                "f: topic a: ",
            ),
            ("{", "f: it ends too early"),
        ] {
            let refusal = parse("f", text).unwrap_err().to_string();
            assert!(refusal.contains(told), "{refusal}");
        }
    }
}
