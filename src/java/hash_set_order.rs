//! The order in which Java's `HashSet` and `HashMap` iterate; several of Kafka's tools print in it, and it is the same
//! on every run.
//!
//! Elements are in buckets by their hash, within a bucket by age: `hash_order` has the table, and the order of maps of
//! strings that hold each key once.

use super::hash_order::{DEFAULT_CAPACITY, hash_code, in_order_of_hashes, topic_partition_code};

/// `String.hashCode()`.
pub fn hash_of_string(text: &str) -> i32 {
    hash_code(text).cast_signed()
}

/// `TopicPartition.hashCode()` of Kafka's clients.
pub fn hash_of_topic_partition(topic: &str, partition: i32) -> i32 {
    topic_partition_code(topic, partition).cast_signed()
}

/// The items, without duplicates, in the order of a `HashSet` to which they were added one after the other.
pub fn in_hash_order<T: PartialEq>(items: impl IntoIterator<Item = T>, hash: impl Fn(&T) -> i32) -> Vec<T> {
    let mut distinct: Vec<(i32, T)> = Vec::new();
    for item in items {
        let code = hash(&item);
        if !distinct
            .iter()
            .any(|(known, other)| *known == code && *other == item)
        {
            distinct.push((code, item));
        }
    }
    in_order_of_hashes(DEFAULT_CAPACITY, distinct, |(code, _)| code.cast_unsigned())
        .into_iter()
        .map(|(_, item)| item)
        .collect()
}

/// Distinct items in the order of a `new HashMap(items.size())` to which they were added one after the other.
pub fn in_presized_hash_order<T>(items: Vec<T>, hash: impl Fn(&T) -> i32) -> Vec<T> {
    in_order_of_hashes(items.len().next_power_of_two(), items, |item| {
        hash(item).cast_unsigned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_javas() {
        assert_eq!(hash_of_string(""), 0);
        assert_eq!(hash_of_string("foo"), 101_574);
        assert_eq!(hash_of_string("polygenelubricants"), i32::MIN);
    }

    #[test]
    fn small_numbers_come_in_order_and_large_ones_by_bucket() {
        let numbers = |items: &[i32]| in_hash_order(items.iter().copied(), |number| *number);
        assert_eq!(numbers(&[3, 1, 2, 1]), [1, 2, 3]);
        assert_eq!(numbers(&[17, 2, 1]), [17, 1, 2]);
        assert_eq!(numbers(&[1, 17, 2]), [1, 17, 2]);
        assert_eq!(
            numbers(&[100, 1, 17, 33, 5, 65536, 65537]),
            [65537, 1, 17, 33, 65536, 100, 5]
        );
        // Thirteen need 32 buckets, and 17 has one of its own.
        let many: Vec<i32> = (0..12).chain([17]).collect();
        assert_eq!(numbers(&many), many);
    }

    #[test]
    fn names_come_as_java_21_printed_them() {
        let names = (0..30).map(|number| format!("topic-{number}"));
        let numbers: Vec<_> = in_hash_order(names, |name| hash_of_string(name))
            .iter()
            .map(|name| name.trim_start_matches("topic-").to_owned())
            .collect();
        assert_eq!(
            numbers.join(" "),
            "6 7 8 9 0 1 2 3 10 4 11 5 12 24 25 26 27 28 29 20 21 22 23 13 14 15 16 17 18 19"
        );
        let names = ["orders", "payments", "a", "b", "zebra-1", "é", "foo.bar"];
        assert_eq!(
            in_hash_order(names, |name| hash_of_string(name)),
            ["a", "zebra-1", "b", "foo.bar", "payments", "é", "orders"]
        );
    }
}
