//! The `KAFKA_…` variables of Kafka's container images, as broker settings.
//!
//! The part of a name after `KAFKA_` is a setting: `_` is a dot, `__` an underscore, `___` a dash.
//! `KAFKA_CREATE_TOPICS`, `KAFKA_ADVERTISED_HOST_NAME` and `KAFKA_ADVERTISED_PORT` have meanings of their own.

use super::configuration::WantedTopic;
use crate::broker::config::effective_config::Configs;
use crate::broker::topic_name;
use crate::error::{Error, Result};
use crate::storage::file_name::METADATA_TOPIC;
use crate::wire::host_port::host_port;

/// Variables that images use for their own scripts, and for the JVM.
const NOT_SETTINGS: &[&str] = &[
    "ADVERTISED_HOST_NAME",
    "ADVERTISED_PORT",
    "BOOTSTRAP_SERVERS",
    "CREATE_TOPICS",
    "CREATE_TOPICS_SEPARATOR",
    "DEBUG",
    "HEAP_OPTS",
    "HOME",
    "HOST_NAME",
    "KRAFT_CLUSTER_ID",
    "OPTS",
    "PORT",
    "VERSION",
];
const NOT_SETTINGS_PREFIXES: &[&str] = &["GC_", "JMX_", "JVM_", "LOG4J_", "ZOOKEEPER_"];

/// The settings and topics of the environment.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) settings: Vec<(String, String)>,
    pub(super) topics: Vec<WantedTopic>,
    pub(super) notes: Vec<String>,
}

/// Reads the variables; those without `KAFKA_` are ignored.
pub(super) fn read(variables: impl Iterator<Item = (String, String)>) -> Result<Found> {
    let mut variables: Vec<(String, String)> = variables
        .filter_map(|(name, value)| Some((name.strip_prefix("KAFKA_")?.to_owned(), value)))
        .collect();
    variables.sort();
    let mut found = Found::default();
    let value = |wanted: &str| {
        let mut named = variables.iter().filter(|(name, _)| name == wanted);
        named
            .next()
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    };
    for (name, value) in &variables {
        if is_setting(name) && !value.is_empty() {
            found.settings.push((setting_name(name), value.clone()));
        }
    }
    if let Some(host) = value("ADVERTISED_HOST_NAME") {
        let port = value("ADVERTISED_PORT").or_else(|| value("PORT")).unwrap_or("0");
        let advertised = format!("PLAINTEXT://{}", host_port(host, port));
        found
            .settings
            .push(("advertised.listeners".to_owned(), advertised));
    }
    if let Some(topics) = value("CREATE_TOPICS") {
        let words = topics.split(|character: char| character == ',' || character.is_whitespace());
        for word in words.filter(|word| !word.is_empty()) {
            found.topics.push(wanted_topic(word, &mut found.notes)?);
        }
    }
    if variables.iter().any(|(name, _)| name.starts_with("ZOOKEEPER_")) {
        let note = "KAFKA_ZOOKEEPER_… variables are ignored: the mini broker needs no ZooKeeper";
        found.notes.push(note.to_owned());
    }
    Ok(found)
}

fn is_setting(name: &str) -> bool {
    !NOT_SETTINGS.contains(&name)
        && !NOT_SETTINGS_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

fn setting_name(variable: &str) -> String {
    // Bitnami's images put `CFG_` in front.
    let name = variable.strip_prefix("CFG_").unwrap_or(variable);
    let name = name.to_ascii_lowercase().replace("___", "-");
    // Two characters that occur in no name stand for what is replaced last.
    name.replace("__", "\u{1}")
        .replace('_', ".")
        .replace('\u{1}', "_")
}

/// `name:partitions:replicas[:cleanup policy]`.
fn wanted_topic(word: &str, notes: &mut Vec<String>) -> Result<WantedTopic> {
    let wrong = |why: &str| {
        Error::bad_data(format!("KAFKA_CREATE_TOPICS: \"{word}\" {why}"))
            .hint("write NAME:PARTITIONS:REPLICAS[:CLEANUP-POLICY]")
    };
    let mut parts = word.split(':');
    let name = parts.next().unwrap_or_default();
    topic_name::validate(name).map_err(|why| wrong(&format!("is no topic: {why}")))?;
    if name == METADATA_TOPIC {
        return Err(wrong(
            "is no topic: Apache Kafka keeps its metadata under that name",
        ));
    }
    let number = |part: Option<&str>| match part {
        None | Some("") => Ok(1),
        Some(part) => part.parse::<i32>().ok().filter(|number| *number > 0).ok_or(()),
    };
    let partitions = number(parts.next()).map_err(|()| wrong("has no number of partitions"))?;
    let replicas = number(parts.next()).map_err(|()| wrong("has no number of replicas"))?;
    if replicas > 1 {
        notes.push(format!(
            "topic {name} gets 1 replica instead of {replicas}: there is one node"
        ));
    }
    let mut configs = Configs::new();
    if let Some(policy) = parts.next().filter(|policy| !policy.is_empty()) {
        crate::topic_config::validate(&[("cleanup.policy", policy)]).map_err(|why| wrong(&why))?;
        configs.insert("cleanup.policy".to_owned(), policy.to_owned());
    }
    Ok(WantedTopic {
        name: name.to_owned(),
        partitions,
        configs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Found {
        let owned = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        read(owned).unwrap()
    }

    #[test]
    fn names_become_settings() {
        let found = found(&[
            ("KAFKA_NUM_PARTITIONS", "3"),
            ("KAFKA_CFG_LOG_RETENTION_HOURS", "1"),
            ("KAFKA_HEAP_OPTS", "-Xmx1g"),
            ("PATH", "/bin"),
        ]);
        let settings: Vec<_> = found
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(settings, [("log.retention.hours", "1"), ("num.partitions", "3")]);
        assert_eq!(setting_name("A___B__C_D"), "a-b_c.d");
    }

    #[test]
    fn the_old_images_words_count() {
        let found = found(&[
            ("KAFKA_ADVERTISED_HOST_NAME", "127.0.0.1"),
            ("KAFKA_CREATE_TOPICS", "test:2:1,log:1:3:compact"),
            ("KAFKA_ZOOKEEPER_CONNECT", "zookeeper:2181"),
        ]);
        assert_eq!(
            found.settings,
            [(
                "advertised.listeners".to_owned(),
                "PLAINTEXT://127.0.0.1:0".to_owned()
            )]
        );
        assert_eq!(found.topics.len(), 2);
        assert_eq!(found.topics[0].partitions, 2);
        assert_eq!(found.topics[1].configs["cleanup.policy"], "compact");
        assert_eq!(found.notes.len(), 2);
    }

    #[test]
    fn a_topic_that_makes_no_sense_is_named() {
        for (topic, why) in [
            ("test:x:1", "has no number of partitions"),
            (
                "__cluster_metadata:1:1",
                "is no topic: Apache Kafka keeps its metadata under that name",
            ),
        ] {
            let variable = ("KAFKA_CREATE_TOPICS".to_owned(), topic.to_owned());
            let error = read(std::iter::once(variable)).unwrap_err();
            assert_eq!(error.message(), format!("KAFKA_CREATE_TOPICS: \"{topic}\" {why}"));
        }
    }
}
