//! Reads a plan that a user may have edited: errors name their place, and what Apache Kafka's tool silently ignores (an
//! unknown field, text after the end) is reported too.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::plan::{Plan, PlanError};
use super::plan_json::{read_partition, read_plan};

/// Fields of the file. The effect on each broker, which `plan --json` shows, is no part of it.
const FILE_FIELDS: [&str; 3] = ["version", "partitions", "summary"];
/// Fields of one partition.
const PARTITION_FIELDS: [&str; 5] = ["topic", "partition", "replicas", "log_dirs", "was"];

/// Reads a plan; returns it with one line for each thing that is ignored. The error is a message for the user. Does not
/// run [`Plan::check`].
pub fn read_edited_plan(text: &str) -> Result<(Plan, Vec<String>), String> {
    let plan = read_plan(text).map_err(|error| match place_of(&error, text) {
        Some(place) => format!("{place}: {error}"),
        None => error.to_string(),
    })?;
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let Some(Ok(root)) = values.next() else {
        return Ok((plan, Vec::new()));
    };
    let behind = text.get(values.byte_offset()..).unwrap_or_default().trim();
    if let Some(word) = behind.split_whitespace().next() {
        let word: String = word.chars().take(20).collect();
        return Err(format!("text behind the end of the plan: {word}"));
    }
    let passed_over = passed_over(&root);
    Ok((plan, passed_over))
}

fn entries(root: &Value) -> impl Iterator<Item = &Map<String, Value>> {
    let entries = root.get("partitions").and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(Value::as_object)
}

/// The place of an error that does not name its partition itself.
fn place_of(error: &PlanError, text: &str) -> Option<String> {
    if !matches!(error, PlanError::WrongType { .. } | PlanError::MissingField(_)) {
        return None;
    }
    let root = serde_json::Deserializer::from_str(text)
        .into_iter::<Value>()
        .next()?
        .ok()?;
    let number = entries(&root).position(|entry| read_partition(entry).is_err())? + 1;
    Some(format!("entry {number} of \"partitions\""))
}

fn passed_over(root: &Value) -> Vec<String> {
    let of_file = root.as_object().into_iter().flat_map(Map::keys);
    let of_file = of_file.filter(|name| !FILE_FIELDS.contains(&name.as_str()));
    let mut notes: Vec<String> = of_file
        .map(|name| format!("field \"{name}\" is not known and passed over"))
        .collect();
    let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries(root) {
        for name in entry
            .keys()
            .filter(|name| !PARTITION_FIELDS.contains(&name.as_str()))
        {
            *unknown.entry(name).or_default() += 1;
        }
    }
    notes.extend(unknown.into_iter().map(|(name, count)| {
        let noun = if count == 1 { "partition" } else { "partitions" };
        format!("field \"{name}\" of {count} {noun} is not known and passed over")
    }));
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mistake_is_told_with_its_place() {
        for (text, told) in [
            (
                r#"{"partitions":[{"topic":"a","partition":0,"replicas":[1]},{"topic":"a","partition":1,"replica":[1]}]}"#,
                r#"entry 2 of "partitions": a record has no field "replicas""#,
            ),
            (
                r#"{"partitions":[{"topic":"a","partition":"0","replicas":[1]}]}"#,
                r#"entry 1 of "partitions": expected an integer, found "0""#,
            ),
            (
                r#"{"version":1,"partitions":[]} {"version":1}"#,
                "text behind the end of the plan: {\"version\":1}",
            ),
            ("[]", "expected an object, found []"),
            ("{", "not JSON: it ends too early"),
        ] {
            assert_eq!(read_edited_plan(text).unwrap_err(), told);
        }
    }

    #[test]
    fn fields_nobody_knows_are_told() {
        let text = r#"{"partitions":[{"topic":"a","partition":0,"replicas":[1],"log_dir":["/x"],"was":[2]},
            {"topic":"a","partition":1,"replicas":[1],"log_dir":["/x"]}],"throttle":5,"version":1,"summary":{}}
            "#;
        let (plan, notes) = read_edited_plan(text).unwrap();
        assert_eq!(plan.partitions.len(), 2);
        assert_eq!(
            notes,
            [
                r#"field "throttle" is not known and passed over"#,
                r#"field "log_dir" of 2 partitions is not known and passed over"#
            ]
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"[{}\[\]",:a-z0-9 é]{0,60}"#) {
            let _ = read_edited_plan(&text);
        }
    }
}
