//! The order in which Java's `HashSet` and `HashMap` hand out what is in them; several of Kafka's tools print
//! in it, and it is the same on every run.
//!
//! Elements lie in buckets by their hash, in one bucket by age. The number of buckets is the power of two that
//! keeps them at most three quarters full, and at least 16. `hash_order` next door does the same for maps of
//! strings that hold each key once.

use super::hash_order::hash_code;

/// `String.hashCode()`.
pub fn hash_of_string(text: &str) -> i32 {
    hash_code(text).cast_signed()
}

/// `TopicPartition.hashCode()` of Kafka's clients.
pub fn hash_of_topic_partition(topic: &str, partition: i32) -> i32 {
    31i32
        .wrapping_add(partition)
        .wrapping_mul(31)
        .wrapping_add(hash_of_string(topic))
}

/// The items, each once, in the order of a `HashSet` that they were put into one after the other.
pub fn in_hash_order<T: PartialEq>(items: impl IntoIterator<Item = T>, hash: impl Fn(&T) -> i32) -> Vec<T> {
    let mut distinct: Vec<(u32, T)> = Vec::new();
    for item in items {
        let spread = spread(hash(&item));
        if !distinct
            .iter()
            .any(|(known, other)| *known == spread && *other == item)
        {
            distinct.push((spread, item));
        }
    }
    let mask = buckets(16, distinct.len()) - 1;
    distinct.sort_by_key(|(spread, _)| spread & mask);
    distinct.into_iter().map(|(_, item)| item).collect()
}

/// Distinct items in the order of a `new HashMap(items.size())` that they were put into one after the other.
pub fn in_presized_hash_order<T>(mut items: Vec<T>, hash: impl Fn(&T) -> i32) -> Vec<T> {
    let first = u32::try_from(items.len()).unwrap_or(1 << 30).next_power_of_two();
    let mask = buckets(first, items.len()) - 1;
    items.sort_by_key(|item| spread(hash(item)) & mask);
    items
}

/// The upper half of a hash takes part in choosing the bucket.
fn spread(hash: i32) -> u32 {
    let hash = hash.cast_unsigned();
    hash ^ (hash >> 16)
}

/// A table of `first` buckets doubles when it holds more than three quarters of them, rounded down.
fn buckets(first: u32, items: usize) -> u32 {
    let mut buckets = first;
    while items > buckets as usize / 4 * 3 + buckets as usize % 4 * 3 / 4 && buckets < 1 << 30 {
        buckets *= 2;
    }
    buckets
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
