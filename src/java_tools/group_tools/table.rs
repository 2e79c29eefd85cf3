//! Columns in the output of the tools for groups, which are as wide as their widest cell.

use std::fmt::Display;

use crate::error::Result;
use crate::output::Printer;
use crate::topic_partition::{Offset, TopicPartition};

/// The cell for an unknown value.
pub const MISSING: &str = "-";
/// The narrowest column.
pub const NARROW: usize = 15;

/// The width of a column, in UTF-16 units as Java counts them.
pub fn widest<'a>(texts: impl Iterator<Item = &'a str>, least: usize) -> usize {
    let widths = texts.map(|text| text.encode_utf16().count());
    widths.max().unwrap_or(0).max(least)
}

pub fn known(value: Option<impl Display>) -> String {
    value.map_or_else(|| MISSING.to_owned(), |value| value.to_string())
}

/// `orders:0,1;users:2`; `None` without partitions.
pub fn assignment(partitions: &[TopicPartition]) -> Option<String> {
    let mut sorted = partitions.to_vec();
    sorted.sort();
    let topics: Vec<String> = sorted
        .chunk_by(|a, b| a.topic == b.topic)
        .map(|partitions| {
            let topic = partitions.first().map_or("", |first| first.topic.as_str());
            let numbers: Vec<String> = partitions
                .iter()
                .map(|partition| partition.partition.to_string())
                .collect();
            format!("{topic}:{}", numbers.join(","))
        })
        .collect();
    (!topics.is_empty()).then(|| topics.join(";"))
}

/// Prints the new offsets of groups.
pub fn new_offsets(printer: &mut Printer, groups: &[(String, Vec<(TopicPartition, Offset)>)]) -> Result<()> {
    use std::io::Write;
    let name_width = widest(groups.iter().map(|(group, _)| group.as_str()), NARROW);
    let rows = groups.iter().flat_map(|(_, rows)| rows);
    let topic_width = widest(rows.map(|(partition, _)| partition.topic.as_str()), NARROW);
    let mut line = |group: &str, topic: &str, partition: &dyn Display, offset: &dyn Display| {
        let partition = partition.to_string();
        write!(
            printer.out(),
            "\n{group:name_width$} {topic:topic_width$} {partition:10} {offset}"
        )
    };
    if !groups.is_empty() {
        line("GROUP", "TOPIC", &"PARTITION", &"NEW-OFFSET")?;
    }
    for (group, rows) in groups {
        for (partition, offset) in rows {
            line(group, &partition.topic, &partition.partition, offset)?;
        }
    }
    printer.line("")
}
