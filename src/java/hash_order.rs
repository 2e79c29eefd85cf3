//! The order in which a Java `HashMap` of strings iterates over its keys, which Kafka's tools show.
//!
//! Owns `String.hashCode` and the table's size; treeified buckets are not modelled (they need eight keys in one).

/// The capacity of a table that is made without one.
pub(super) const DEFAULT_CAPACITY: usize = 16;

/// `items` in the order of a `new HashMap()` into which they were put in the given order.
pub fn hash_order<T>(items: Vec<T>, key: impl Fn(&T) -> &str) -> Vec<T> {
    in_order_of(DEFAULT_CAPACITY, items, key)
}

/// `items` in the order of a `new HashMap(items.size())` into which they were put in the given order.
pub fn hash_order_presized<T>(items: Vec<T>, key: impl Fn(&T) -> &str) -> Vec<T> {
    in_order_of(items.len().next_power_of_two(), items, key)
}

/// `items` in the order of a `new HashMap()` whose keys are partitions of topics.
pub fn partition_order<T>(items: Vec<T>, key: impl Fn(&T) -> (&str, i32)) -> Vec<T> {
    in_order_of_hashes(DEFAULT_CAPACITY, items, |item| {
        let (topic, partition) = key(item);
        topic_partition_code(topic, partition)
    })
}

fn in_order_of<T>(initial: usize, items: Vec<T>, key: impl Fn(&T) -> &str) -> Vec<T> {
    in_order_of_hashes(initial, items, |item| hash_code(key(item)))
}

/// `items` in the order of a table of `initial` buckets, a power of two, into which they were put in the given order.
pub(super) fn in_order_of_hashes<T>(initial: usize, items: Vec<T>, hash: impl Fn(&T) -> u32) -> Vec<T> {
    let hashes: Vec<u32> = items.iter().map(hash).collect();
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order(initial, &hashes)
        .into_iter()
        .filter_map(|place| items.get_mut(place)?.take())
        .collect()
}

/// The order of the hashes in the table, as indexes. Without the items, so that it is compiled once for all their
/// types.
fn order(initial: usize, hashes: &[u32]) -> Vec<usize> {
    let mut capacity = initial.max(1);
    // The table doubles when it holds more than three quarters, rounded down.
    while hashes.len() > capacity / 4 * 3 + capacity % 4 * 3 / 4 {
        capacity *= 2;
    }
    let buckets = hashes.iter().map(|hash| bucket(*hash, capacity));
    // A bucket keeps the order of insertion.
    let mut places: Vec<(usize, usize)> = buckets.zip(0..).collect();
    places.sort_unstable();
    places.into_iter().map(|(_, place)| place).collect()
}

/// The bucket of a hash; its upper half is mixed into the lower one.
fn bucket(hash: u32, capacity: usize) -> usize {
    (hash ^ (hash >> 16)) as usize & (capacity - 1)
}

/// `TopicPartition.hashCode` of Kafka's clients.
pub(super) fn topic_partition_code(topic: &str, partition: i32) -> u32 {
    let number = 31_u32.wrapping_add_signed(partition);
    number.wrapping_mul(31).wrapping_add(hash_code(topic))
}

/// `String.hashCode`: over UTF-16 units.
pub(super) fn hash_code(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| {
        hash.wrapping_mul(31).wrapping_add(u32::from(unit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 12] = [
        "orders", "payments", "users", "alpha", "beta", "gamma", "delta-1", "delta-2", "delta-3", "x.y",
        "große", "🦀",
    ];

    /// What Java 17 printed for the keys of `new HashMap<>(n)` and `new HashMap<>()`.
    #[test]
    fn the_order_is_javas() {
        for (count, presized, plain) in [
            (1, "orders", "orders"),
            (2, "orders, payments", "payments, orders"),
            (3, "orders, users, payments", "payments, orders, users"),
            (
                4,
                "orders, users, payments, alpha",
                "payments, alpha, orders, users",
            ),
            (
                6,
                "orders, users, beta, gamma, payments, alpha",
                "payments, alpha, orders, users, beta, gamma",
            ),
            (
                12,
                "x.y, payments, alpha, 🦀, orders, große, delta-1, delta-2, users, beta, gamma, delta-3",
                "x.y, payments, alpha, 🦀, orders, große, delta-1, delta-2, users, beta, gamma, delta-3",
            ),
        ] {
            let words = WORDS[..count].to_vec();
            let ordered = hash_order_presized(words.clone(), |word| word).join(", ");
            assert_eq!(ordered, presized, "{count}, with its size");
            assert_eq!(hash_order(words, |word| word).join(", "), plain, "{count}");
        }
    }

    #[test]
    fn a_table_that_grew_is_in_javas_order_too() {
        let names: Vec<String> = (0..300).map(|number| format!("topic-{number}")).collect();
        for ordered in [
            hash_order(names.clone(), |name| name),
            hash_order_presized(names, |name| name),
        ] {
            assert_eq!(hash_code(&ordered.join(",")) as i32, 468_403_972);
        }
    }
}
