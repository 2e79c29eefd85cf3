//! Offsets as comma separated values: `topic,partition,offset`, after the group's name if there are several groups.
//!
//! The dialect is that of the library of Apache Kafka's tools (Jackson): values are quoted if they have more than 24
//! characters, or a comma or a character below it in the character set; a missing value is 0 or null.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::str::FromStr;

use super::failure::{Failure, Result};
use crate::java::split::split;
use crate::topic_partition::{Offset, TopicPartition};

/// The longest text that is written without quotes.
const LONGEST_BARE: usize = 24;

/// The offsets in a file, by group.
pub type Plan = BTreeMap<String, BTreeMap<TopicPartition, Offset>>;

/// One line of the file.
struct Row {
    group: String,
    partition: TopicPartition,
    offset: Offset,
}

/// Reads a file. If there is one group, lines without a group belong to it.
pub fn read(file: &str, groups: &[String]) -> Result<Plan> {
    let bytes = std::fs::read(file)
        .map_err(|_| Failure::executing(format!("java.io.IOException: Unable to read file {file}")))?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = split(&text, '\n');
    let is_of_one_group = lines.first().is_some_and(|line| row(line, Some("")).is_ok());
    let only_group = match groups {
        [group] if is_of_one_group => Some(group.as_str()),
        _ => None,
    };
    let mut plan = Plan::new();
    for line in lines {
        let row = row(line, only_group).map_err(Failure::executing)?;
        let partitions = plan.entry(row.group).or_default();
        partitions.insert(row.partition, row.offset);
    }
    Ok(plan)
}

/// A value of a line, and its first column, from 1.
struct Value {
    text: String,
    column: usize,
}

/// One line; the error is the message of Java's exception.
fn row(line: &str, group: Option<&str>) -> Result<Row, String> {
    if line.trim_end_matches('\r').is_empty() {
        return Err(
            "com.fasterxml.jackson.databind.exc.MismatchedInputException: No content to map due to end-of-input\n \
             at [Source: (StringReader); line: UNKNOWN, column: UNKNOWN]"
                .to_owned(),
        );
    }
    let columns = if group.is_some() { 3 } else { 4 };
    let values = values(line);
    let surplus = values.get(columns..).unwrap_or_default();
    // One comma after the last value is allowed.
    match surplus {
        [] => {}
        [only] if only.text.is_empty() => {}
        [first, ..] => return Err(too_many(first, columns)),
    }
    let mut values = values.into_iter();
    let group = match group {
        Some(group) => group.to_owned(),
        None => values.next().map(|value| value.text).unwrap_or_default(),
    };
    let topic = values.next().map(|value| value.text).unwrap_or_default();
    let class = if columns == 3 {
        "CsvRecordNoGroup"
    } else {
        "CsvRecordWithGroup"
    };
    let partition = number(values.next(), ("int", class, "partition"))?;
    let offset = number(values.next(), ("long", class, "offset"))?;
    Ok(Row {
        group,
        partition: TopicPartition::new(topic, partition),
        offset,
    })
}

fn too_many(value: &Value, columns: usize) -> String {
    let Value { text, column } = value;
    let length = text.encode_utf16().count();
    format!(
        "com.fasterxml.jackson.dataformat.csv.CsvReadException: Too many entries: expected at most {columns} (value \
         #{columns} ({length} chars) \"{text}\")\n at [Source: (StringReader); line: 1, column: {column}]"
    )
}

/// A number; `wanted` is its type in Java, the class of the line and the name of the column there.
fn number<N: FromStr + Default>(value: Option<Value>, wanted: (&str, &str, &str)) -> Result<N, String> {
    let (kind, class, name) = wanted;
    let Some(Value { text, column }) = value else {
        return Ok(N::default());
    };
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(N::default());
    }
    trimmed.parse().map_err(|_| {
        format!(
            "com.fasterxml.jackson.databind.exc.InvalidFormatException: Cannot deserialize value of type `{kind}` from \
             String \"{text}\": not a valid `{kind}` value\n at [Source: (StringReader); line: 1, column: {column}] \
             (through reference chain: org.apache.kafka.tools.consumer.group.CsvUtils${class}[\"{name}\"])"
        )
    })
}

/// The values of a line; two quotes within quotes are a quote.
fn values(line: &str) -> Vec<Value> {
    let mut values = Vec::new();
    let (mut text, mut begins) = (String::new(), 1);
    let mut is_quoted = false;
    let letters = line.strip_suffix('\r').unwrap_or(line);
    let mut letters = (1..).zip(letters.chars()).peekable();
    while let Some((column, letter)) = letters.next() {
        match letter {
            '"' if is_quoted && letters.next_if(|(_, next)| *next == '"').is_some() => text.push('"'),
            '"' if is_quoted => is_quoted = false,
            '"' if text.is_empty() => is_quoted = true,
            ',' if !is_quoted => {
                let value = std::mem::take(&mut text);
                values.push(Value {
                    text: value,
                    column: begins,
                });
                begins = column + 1;
            }
            letter => text.push(letter),
        }
    }
    values.push(Value { text, column: begins });
    values
}

/// One line of an export, without its end.
pub fn line(group: Option<&str>, partition: &TopicPartition, offset: Offset) -> String {
    let mut line = String::new();
    if let Some(group) = group {
        line.push_str(&quoted(group));
        line.push(',');
    }
    let _ = write!(
        line,
        "{},{},{offset}",
        quoted(&partition.topic),
        partition.partition
    );
    line
}

fn quoted(text: &str) -> String {
    let is_bare = text.encode_utf16().count() <= LONGEST_BARE && !text.contains(|letter| letter <= ',');
    if is_bare {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        values(line).into_iter().map(|value| value.text).collect()
    }

    #[test]
    fn values_may_be_quoted() {
        assert_eq!(texts("a,1,2"), ["a", "1", "2"]);
        assert_eq!(texts("\"a,\"\"b\"\"\",1"), ["a,\"b\"", "1"]);
        assert_eq!(texts(""), [""]);
        assert_eq!(texts("a,\r"), ["a", ""]);
    }

    #[test]
    fn long_and_strange_texts_are_written_in_quotes() {
        let partition = TopicPartition::new("a-topic", 3);
        assert_eq!(line(None, &partition, 7), "a-topic,3,7");
        assert_eq!(line(Some("a group"), &partition, 7), "\"a group\",a-topic,3,7");
        let long = TopicPartition::new("t".repeat(25), 0);
        assert_eq!(line(None, &long, 7), format!("\"{}\",0,7", "t".repeat(25)));
    }
}
