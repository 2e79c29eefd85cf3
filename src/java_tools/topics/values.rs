//! The values of `kafka-topics`' options: converted in Java's order, with Java's error messages.

use super::super::option_parser::{OptionError, Parsed};
use super::steps::{Action, Alteration, Creation, Description, Selection};
use super::words::Report;
use crate::java::hash_order::hash_order;
use crate::java::split::split;
use crate::topic_config;
use crate::topic_partition::BrokerId;

/// Converts the values that the action needs, in Java's order; the error is the message of Java's exception.
pub(super) fn action(parsed: &Parsed) -> Result<Action, String> {
    let text = |error: OptionError| error.to_string();
    if parsed.has("create") {
        return creation(parsed).map(Action::Create);
    }
    if parsed.has("alter") {
        let given = creation(parsed)?;
        return Ok(Action::Alter(Alteration {
            selection: selection(parsed).map_err(text)?,
            if_exists: parsed.has("if-exists"),
            partitions: given.partitions.unwrap_or_default(),
            assignment: given.assignment,
        }));
    }
    if parsed.has("list") {
        return Ok(Action::List(selection(parsed).map_err(text)?));
    }
    if parsed.has("delete") {
        return Ok(Action::Delete {
            selection: selection(parsed).map_err(text)?,
            if_exists: parsed.has("if-exists"),
        });
    }
    let topic_id = parsed.value("topic-id").map_err(text)?.map(str::to_owned);
    Ok(Action::Describe(Description {
        selection: selection(parsed).map_err(text)?,
        topic_id,
        if_exists: parsed.has("if-exists"),
        report: Report {
            under_replicated: parsed.has("under-replicated-partitions"),
            unavailable: parsed.has("unavailable-partitions"),
            under_min_isr: parsed.has("under-min-isr-partitions"),
            at_min_isr: parsed.has("at-min-isr-partitions"),
            overrides: parsed.has("topics-with-overrides"),
        },
        partitions_per_answer: parsed.integer("partition-size-limit-per-response").map_err(text),
    }))
}

fn selection(parsed: &Parsed) -> Result<Selection, OptionError> {
    Ok(Selection {
        topic: parsed.value("topic")?.map(str::to_owned),
        exclude_internal: parsed.has("exclude-internal"),
    })
}

fn creation(parsed: &Parsed) -> Result<Creation, String> {
    let text = |error: OptionError| error.to_string();
    Ok(Creation {
        name: parsed
            .value("topic")
            .map_err(text)?
            .unwrap_or_default()
            .to_owned(),
        partitions: parsed.integer("partitions").map_err(text)?,
        replication_factor: parsed.integer("replication-factor").map_err(text)?,
        assignment: match parsed.value("replica-assignment").map_err(text)? {
            Some(list) if !list.is_empty() => {
                Some(assignment(list)?).filter(|partitions| !partitions.is_empty())
            }
            _ => None,
        },
        configs: configs(parsed.values("config"))?,
        if_not_exists: parsed.has("if-not-exists"),
    })
}

/// `1:2,2:3`: the replicas of each partition. Only commas count as no value.
fn assignment(list: &str) -> Result<Vec<Vec<BrokerId>>, String> {
    let mut partitions: Vec<Vec<BrokerId>> = Vec::new();
    for (number, partition) in split(list, ',').into_iter().enumerate() {
        let mut replicas = Vec::new();
        for word in split(partition, ':') {
            let word = word.trim_matches(|character| character <= ' ');
            let broker = word
                .parse()
                .map_err(|_| format!("For input string: \"{word}\""))?;
            replicas.push(broker);
        }
        let duplicates = duplicates(&replicas);
        if !duplicates.is_empty() {
            return Err(format!(
                "Partition replica lists may not contain duplicate entries: {}",
                duplicates.join(",")
            ));
        }
        if partitions
            .first()
            .is_some_and(|first| first.len() != replicas.len())
        {
            return Err(format!(
                "Partition {number} has different replication factor: {replicas:?}"
            ));
        }
        partitions.push(replicas);
    }
    Ok(partitions)
}

fn duplicates(replicas: &[BrokerId]) -> Vec<String> {
    let mut sorted = replicas.to_vec();
    sorted.sort_unstable();
    let (_, mut repeated) = sorted
        .iter()
        .fold((None, Vec::new()), |(last, mut repeated), id| {
            if last == Some(id) {
                repeated.push(*id);
            }
            (Some(id), repeated)
        });
    repeated.dedup();
    repeated.iter().map(ToString::to_string).collect()
}

/// `--config` words as names and values, checked as Kafka's tool checks them before it asks a broker.
fn configs(words: &[String]) -> Result<Vec<(String, String)>, String> {
    let mut configs: Vec<(String, String)> = Vec::new();
    for word in words {
        let parts = split(word, '=');
        let [name, value] = parts.as_slice() else {
            return Err(
                "requirement failed: Invalid topic config: all configs to be added must be in the format \
                 \"key=val\"."
                    .to_owned(),
            );
        };
        let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
        match configs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => configs.push((name, value)),
        }
    }
    let configs = hash_order(configs, |(name, _)| name);
    let pairs: Vec<(&str, &str)> = configs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    topic_config::validate(&pairs)?;
    Ok(configs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_read_and_refused_as_in_java() {
        assert_eq!(assignment("1:2,2:3"), Ok(vec![vec![1, 2], vec![2, 3]]));
        assert_eq!(assignment("1, 2,"), Ok(vec![vec![1], vec![2]]));
        assert_eq!(assignment(","), Ok(Vec::new()));
        for (list, words) in [
            ("one", "For input string: \"one\""),
            ("1,,1", "For input string: \"\""),
            (
                "1:1",
                "Partition replica lists may not contain duplicate entries: 1",
            ),
            ("1,1:2", "Partition 1 has different replication factor: [1, 2]"),
            ("99999999999", "For input string: \"99999999999\""),
        ] {
            assert_eq!(assignment(list).unwrap_err(), words, "{list}");
        }
    }

    #[test]
    fn configs_are_two_words_around_an_equals_sign() {
        let read = |words: &[&str]| configs(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(
            read(&["retention.ms = 5"]),
            Ok(vec![("retention.ms".to_owned(), "5".to_owned())])
        );
        for word in ["retention.ms", "retention.ms=", "a=b=c", ""] {
            assert!(
                read(&[word]).unwrap_err().starts_with("requirement failed"),
                "{word}"
            );
        }
        assert_eq!(read(&["a=1"]).unwrap_err(), "Unknown topic config name: a");
    }
}
