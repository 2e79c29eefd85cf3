//! Partitions as users type them: `0,3,5-7`, and `orders:0,3` for those of a topic.

use crate::commands::partition_selection::PartitionsOfTopic;

/// A longer range is an error: no topic has as many partitions.
const LONGEST: i32 = 100_000;

/// `0,3,5-7`; `None` if it is invalid.
pub(super) fn partition_list(text: &str) -> Option<Vec<i32>> {
    let mut partitions = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: i32 = first.trim().parse().ok()?;
        let last: i32 = last.trim().parse().ok()?;
        if first < 0 || last < first || last - first > LONGEST {
            return None;
        }
        partitions.extend(first..=last);
    }
    Some(partitions)
}

/// `orders`, all of it, or `orders:0,3`.
pub(super) fn partitions_of_topic(text: &str) -> Result<PartitionsOfTopic, String> {
    // No topic's name contains a colon.
    let (topic, partitions) = match text.split_once(':') {
        Some((topic, list)) => (topic, Some(partition_list(list))),
        None => (text, None),
    };
    match (topic, partitions) {
        ("", _) => Err("a topic is missing".to_owned()),
        (_, Some(None)) => Err("partitions are numbers, as in orders:0,3,5-7".to_owned()),
        (topic, partitions) => Ok(PartitionsOfTopic {
            topic: topic.to_owned(),
            partitions: partitions.flatten(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_as_people_write_them() {
        assert_eq!(partition_list("0, 3,5-7"), Some(vec![0, 3, 5, 6, 7]));
        for text in ["", "a", "3-1", "-1", "0-2147483647", "1,,2"] {
            assert_eq!(partition_list(text), None, "{text}");
        }
        let found = partitions_of_topic("orders:0,2").unwrap();
        assert_eq!(
            (found.topic.as_str(), found.partitions),
            ("orders", Some(vec![0, 2]))
        );
        assert_eq!(partitions_of_topic("orders").unwrap().partitions, None);
        for text in ["", ":1", "orders:", "orders:x"] {
            assert!(partitions_of_topic(text).is_err(), "{text}");
        }
    }
}
