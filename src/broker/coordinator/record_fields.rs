//! Reading and writing the fields of a coordinator's records by Kafka's names. Owns neither the schemas
//! (`internal_records`) nor the meaning of a field.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::internal_records::coordinator::Topic;
use crate::internal_records::value::{StructValue, Value};

/// Encodes a key of type `id` with these fields.
pub fn key_of(topic: Topic, id: i16, fields: &[(&str, Value<'_>)]) -> Vec<u8> {
    topic
        .new_key(id)
        .map(|mut key| {
            for (name, field) in fields {
                key.set(name, field.clone());
            }
            topic.encode_key(id, &key)
        })
        .unwrap_or_default()
}

/// Encodes a value of type `id` in version 0.
pub fn value_of<'a>(topic: Topic, id: i16, fill: impl FnOnce(&mut StructValue<'a>)) -> Vec<u8> {
    topic
        .new_value(id, 0)
        .map(|mut value| {
            fill(&mut value);
            topic.encode_value(id, &value)
        })
        .unwrap_or_default()
}

pub fn set_all<'a>(into: &mut StructValue<'a>, fields: &[(&str, Value<'a>)]) {
    for (name, field) in fields {
        into.set(name, field.clone());
    }
}

pub fn text(text: &str) -> Value<'_> {
    Value::Text(text.into())
}

pub fn nullable(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Null, |text| Value::Text(text.into()))
}

pub fn number<'a>(number: impl Into<i64>) -> Value<'a> {
    Value::Number(number.into())
}

/// A 32-bit field.
pub fn int(value: &StructValue<'_>, name: &str) -> i32 {
    i32::try_from(value.number(name)).unwrap_or_default()
}

pub fn texts(value: &StructValue<'_>, name: &str) -> BTreeSet<String> {
    let elements = value.array(name).iter();
    elements.filter_map(Value::as_text).map(str::to_owned).collect()
}

pub fn structs<'s, 'a>(value: &'s StructValue<'a>, name: &str) -> impl Iterator<Item = &'s StructValue<'a>> {
    value.array(name).iter().filter_map(Value::as_struct)
}

pub fn numbers<'s>(value: &'s StructValue<'_>, name: &str) -> impl Iterator<Item = i32> + 's {
    let numbers = value.array(name).iter().filter_map(Value::as_number);
    numbers.filter_map(|number| i32::try_from(number).ok())
}

pub fn uuid<'a>(id: Uuid) -> Value<'a> {
    Value::Uuid(*id.as_bytes())
}

/// The field `topicId`.
pub fn topic_id(value: &StructValue<'_>) -> Uuid {
    match value.get("topicId") {
        Some(Value::Uuid(bytes)) => Uuid::from_bytes(*bytes),
        _ => Uuid::nil(),
    }
}

/// Sets a field that is an array of topics with their partitions.
pub fn set_topic_partitions(
    into: &mut StructValue<'_>,
    name: &str,
    partitions: &BTreeMap<Uuid, BTreeSet<i32>>,
) {
    let topics = partitions.iter().filter_map(|(topic, partitions)| {
        let mut element = into.new_element(name)?;
        let partitions = partitions.iter().map(|partition| number(*partition)).collect();
        set_all(
            &mut element,
            &[
                ("topicId", uuid(*topic)),
                ("partitions", Value::Array(partitions)),
            ],
        );
        Some(Value::Struct(element))
    });
    let topics = Value::Array(topics.collect());
    into.set(name, topics);
}

/// A field that is an array of topics with their partitions.
pub fn topic_partitions(value: &StructValue<'_>, name: &str) -> BTreeMap<Uuid, BTreeSet<i32>> {
    let topics = structs(value, name);
    topics
        .map(|topic| (topic_id(topic), numbers(topic, "partitions").collect()))
        .collect()
}
