//! The JSON of reassignment files and of lists of topics: read as strictly as Apache Kafka's tool reads them,
//! written for users to read and edit.
//!
//! Integers must be JSON integers, unknown fields are skipped, text after the first value is skipped, and
//! a file without `partitions` (or `topics`) has none.

use serde_json::{Map, Value};

use super::Assignment;
use super::plan::{Plan, PlanError, PlannedPartition, Wanted, duplicates};
use crate::plain_words;
use crate::topic_partition::{BrokerId, TopicPartition};

/// The only version there is of either file.
const VERSION: i32 = 1;

/// The value for a log directory that the broker may choose.
pub const ANY_LOG_DIR: &str = "any";

/// Reads a reassignment file. Does not run [`Plan::check`].
pub fn read_plan(text: &str) -> Result<Plan, PlanError> {
    let root = read_versioned(text)?;
    let mut partitions = Vec::new();
    for record in records(&root, "partitions")? {
        partitions.push(read_partition(object(record)?)?);
    }
    Ok(Plan { partitions })
}

/// Reads a list of topics (`{"topics":[{"topic":"orders"}]}`), in its order; no topic twice.
pub fn read_topics(text: &str) -> Result<Vec<String>, PlanError> {
    let root = read_versioned(text)?;
    let mut topics = Vec::new();
    for record in records(&root, "topics")? {
        topics.push(string(field(object(record)?, "topic")?)?.to_owned());
    }
    let twice = duplicates(topics.iter().cloned());
    if twice.is_empty() {
        Ok(topics)
    } else {
        Err(PlanError::DuplicateTopics(twice))
    }
}

fn read_versioned(text: &str) -> Result<Map<String, Value>, PlanError> {
    let root = first_value(text)?;
    let Value::Object(root) = root else {
        return Err(wrong_type(Wanted::Object, &root));
    };
    let version = root.get("version").map_or(Ok(VERSION), integer)?;
    if version == VERSION {
        Ok(root)
    } else {
        Err(PlanError::UnsupportedVersion(version))
    }
}

/// The first JSON value of the text; the rest is ignored.
fn first_value(text: &str) -> Result<Value, PlanError> {
    if text.is_empty() {
        return Err(PlanError::EmptyInput);
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    match values.next() {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(PlanError::NotJson(plain_words::of_json(&error))),
        // Only blanks: no value where an object should be.
        None => Err(PlanError::WrongType {
            wanted: Wanted::Object,
            received: String::new(),
        }),
    }
}

/// Reads one partition of a plan.
pub(super) fn read_partition(record: &Map<String, Value>) -> Result<PlannedPartition, PlanError> {
    let topic = string(field(record, "topic")?)?;
    let topic_partition = TopicPartition::new(topic, integer(field(record, "partition")?)?);
    let replicas: Vec<BrokerId> = list(field(record, "replicas")?, integer)?;
    let log_dirs = match record.get("log_dirs") {
        Some(log_dirs) => list(log_dirs, |value| string(value).map(str::to_owned))?,
        None => vec![ANY_LOG_DIR.to_owned(); replicas.len()],
    };
    if log_dirs.len() != replicas.len() {
        return Err(PlanError::LogDirsLength {
            topic_partition,
            replicas,
            log_dirs,
        });
    }
    let named = |log_dir: String| (log_dir != ANY_LOG_DIR).then_some(log_dir);
    Ok(PlannedPartition {
        topic_partition,
        replicas,
        log_dirs: log_dirs.into_iter().map(named).collect(),
        was: record.get("was").and_then(|was| list(was, integer).ok()),
    })
}

fn records<'a>(root: &'a Map<String, Value>, name: &str) -> Result<&'a [Value], PlanError> {
    match root.get(name) {
        None => Ok(&[]),
        Some(Value::Array(records)) => Ok(records),
        Some(other) => Err(wrong_type(Wanted::Records, other)),
    }
}

fn object(value: &Value) -> Result<&Map<String, Value>, PlanError> {
    value.as_object().ok_or_else(|| wrong_type(Wanted::Object, value))
}

fn field<'a>(record: &'a Map<String, Value>, name: &'static str) -> Result<&'a Value, PlanError> {
    record.get(name).ok_or(PlanError::MissingField(name))
}

fn string(value: &Value) -> Result<&str, PlanError> {
    value.as_str().ok_or_else(|| wrong_type(Wanted::String, value))
}

fn integer(value: &Value) -> Result<i32, PlanError> {
    value
        .as_i64()
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| wrong_type(Wanted::Integer, value))
}

fn list<T>(value: &Value, item: impl Fn(&Value) -> Result<T, PlanError>) -> Result<Vec<T>, PlanError> {
    let items = value.as_array().ok_or_else(|| wrong_type(Wanted::List, value))?;
    items.iter().map(item).collect()
}

fn wrong_type(wanted: Wanted, received: &Value) -> PlanError {
    PlanError::WrongType {
        wanted,
        received: received.to_string(),
    }
}

/// One record as Apache Kafka's tool prints it: compact, `log_dirs` as long as `replicas`.
fn record_json(planned: &PlannedPartition) -> Map<String, Value> {
    let log_dir = |log_dir: &Option<String>| Value::from(log_dir.as_deref().unwrap_or(ANY_LOG_DIR));
    let mut record = Map::new();
    record.insert("topic".into(), planned.topic_partition.topic.clone().into());
    record.insert("partition".into(), planned.topic_partition.partition.into());
    record.insert("replicas".into(), planned.replicas.clone().into());
    record.insert("log_dirs".into(), planned.log_dirs.iter().map(log_dir).collect());
    record
}

/// The plan on one line, exactly as Apache Kafka's tool prints it; the order of `plan` is kept.
pub fn write_compact(plan: &Plan) -> String {
    let mut root = Map::new();
    root.insert("version".into(), VERSION.into());
    let records = plan
        .partitions
        .iter()
        .map(|planned| Value::Object(record_json(planned)));
    root.insert("partitions".into(), records.collect());
    Value::Object(root).to_string()
}

/// The plan for users to read, edit and keep: one partition a line, with its replicas when the plan was made.
pub fn write_readable(plan: &Plan) -> String {
    let mut text = format!("{{\"version\":{VERSION},\"partitions\":[");
    for (position, planned) in plan.partitions.iter().enumerate() {
        text.push_str(if position == 0 { "\n " } else { ",\n " });
        let mut record = record_json(planned);
        if let Some(was) = &planned.was {
            record.insert("was".into(), was.clone().into());
        }
        text.push_str(&Value::Object(record).to_string());
    }
    text.push_str("\n]}\n");
    text
}

/// A plan that puts every partition where `assignment` has it, each replica in the log directory that
/// `log_dir_of` returns.
pub fn plan_of(
    assignment: &Assignment,
    log_dir_of: impl Fn(&TopicPartition, BrokerId) -> Option<String>,
) -> Plan {
    let planned = |(topic_partition, replicas): (&TopicPartition, &Vec<BrokerId>)| PlannedPartition {
        topic_partition: topic_partition.clone(),
        replicas: replicas.clone(),
        log_dirs: replicas
            .iter()
            .map(|broker| log_dir_of(topic_partition, *broker))
            .collect(),
        was: None,
    };
    Plan {
        partitions: assignment.iter().map(planned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refusal(text: &str) -> PlanError {
        read_plan(text).unwrap_err()
    }

    fn wrong(wanted: Wanted, received: &str) -> PlanError {
        PlanError::WrongType {
            wanted,
            received: received.to_owned(),
        }
    }

    #[test]
    fn reads_what_apache_kafka_documents() {
        let text = r#"{"partitions":[{"topic":"foo","partition":1,"replicas":[1,2,3],"log_dirs":["dir1","any","any"],"more":{}}],"version":1} tail"#;
        let plan = read_plan(text).unwrap();
        let planned = &plan.partitions[0];
        assert_eq!(planned.topic_partition, TopicPartition::new("foo", 1));
        assert_eq!(planned.replicas, [1, 2, 3]);
        assert_eq!(planned.log_dirs, [Some("dir1".to_owned()), None, None]);
        assert_eq!(read_plan("{}").unwrap(), Plan::default());
        assert_eq!(
            read_topics(r#"{"topics":[{"topic":"b"},{"topic":"a"}]}"#).unwrap(),
            ["b", "a"]
        );
    }

    #[test]
    fn types_are_strict() {
        let record = |fields: &str| refusal(&format!(r#"{{"partitions":[{{{fields}}}]}}"#));
        assert_eq!(record(r#""topic":7"#), wrong(Wanted::String, "7"));
        assert_eq!(
            record(r#""topic":"a","partition":"1""#),
            wrong(Wanted::Integer, "\"1\"")
        );
        assert_eq!(
            record(r#""topic":"a","partition":99999999999"#),
            wrong(Wanted::Integer, "99999999999")
        );
        assert_eq!(
            record(r#""topic":"a","partition":0,"replicas":1"#),
            wrong(Wanted::List, "1")
        );
        assert_eq!(
            record(r#""topic":"a","partition":0"#),
            PlanError::MissingField("replicas")
        );
        assert_eq!(refusal("[1,2]"), wrong(Wanted::Object, "[1,2]"));
        assert_eq!(refusal(r#"{"partitions":{}}"#), wrong(Wanted::Records, "{}"));
        assert_eq!(
            refusal(r#"{"version":7,"partitions":[]}"#),
            PlanError::UnsupportedVersion(7)
        );
        assert_eq!(refusal(r#"{"version":"1"}"#), wrong(Wanted::Integer, "\"1\""));
        assert_eq!(refusal(""), PlanError::EmptyInput);
        assert_eq!(refusal(" \n"), wrong(Wanted::Object, ""));
        assert!(matches!(refusal("{\"partitions\":["), PlanError::NotJson(_)));
    }

    #[test]
    fn log_dirs_are_as_many_as_replicas() {
        let text = r#"{"partitions":[{"topic":"a","partition":0,"replicas":[1],"log_dirs":["any","any"]}]}"#;
        assert!(matches!(refusal(text), PlanError::LogDirsLength { .. }));
    }

    #[test]
    fn a_topic_twice_is_refused() {
        let text = r#"{"topics":[{"topic":"a"},{"topic":"b"},{"topic":"a"}]}"#;
        assert_eq!(
            read_topics(text),
            Err(PlanError::DuplicateTopics(vec!["a".to_owned()]))
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = read_plan(&text);
            let _ = read_topics(&text);
        }

        #[test]
        fn what_is_written_is_read_again(
            partitions in proptest::collection::vec(
                ("[a-z.\"\\\\é_-]{1,12}", 0i32..9, proptest::collection::vec((0i32..50, proptest::option::of("/[a-z ]{1,9}")), 0..5)),
                0..8,
            )
        ) {
            let partitions = partitions.into_iter().map(|(topic, partition, replicas)| PlannedPartition {
                topic_partition: TopicPartition::new(topic, partition),
                was: Some(vec![partition, 2]),
                log_dirs: replicas.iter().map(|(_, log_dir)| log_dir.clone()).collect(),
                replicas: replicas.into_iter().map(|(broker, _)| broker).collect(),
            }).collect();
            let plan = Plan { partitions };
            prop_assert_eq!(&read_plan(&write_readable(&plan)).unwrap(), &plan);
            let mut without_was = plan.clone();
            for planned in &mut without_was.partitions {
                planned.was = None;
            }
            prop_assert_eq!(read_plan(&write_compact(&plan)).unwrap(), without_was);
        }
    }
}
