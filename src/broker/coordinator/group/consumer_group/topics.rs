//! The topics that groups subscribe to, as the coordinator sees them, and the hash by which it notices changes of
//! them.
//!
//! The hash is the one that Apache Kafka stores in the group's record: a group that moves between the two is not
//! assigned anew.

use std::collections::BTreeSet;
use std::fmt::Debug;

use twox_hash::XxHash3_64;
use uuid::Uuid;

/// The first byte of the input of a topic's hash: the version of the algorithm.
const RECIPE: u8 = 0;

/// What a group needs to know of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicShape {
    pub id: Uuid,
    /// The racks of each partition's replicas, those without a rack left out.
    pub partition_racks: Vec<Vec<String>>,
}

/// The coordinator's view of the broker's topics.
pub trait TopicCatalog: Debug + Send + Sync {
    /// Changes whenever topics have changed.
    fn version(&self) -> i64;

    fn topic(&self, name: &str) -> Option<TopicShape>;

    fn topic_name(&self, id: Uuid) -> Option<String>;

    /// The names of all topics.
    fn topic_names(&self) -> Vec<String>;
}

impl TopicShape {
    pub fn partition_count(&self) -> i32 {
        i32::try_from(self.partition_racks.len()).unwrap_or(i32::MAX)
    }

    fn hash(&self, name: &str) -> u64 {
        let mut bytes = vec![RECIPE];
        let (most, least) = self.id.as_u64_pair();
        bytes.extend(most.to_le_bytes());
        bytes.extend(least.to_le_bytes());
        put_text(&mut bytes, name);
        bytes.extend(self.partition_count().to_le_bytes());
        for (partition, racks) in (0_i32..).zip(&self.partition_racks) {
            bytes.extend(partition.to_le_bytes());
            let mut racks: Vec<&String> = racks.iter().collect();
            racks.sort_unstable();
            for rack in racks {
                bytes.extend(utf16_length(rack).to_le_bytes());
                put_text(&mut bytes, rack);
            }
        }
        XxHash3_64::oneshot(&bytes)
    }
}

/// The hash of the topics of these names that exist; 0 if none does.
pub fn metadata_hash(names: &BTreeSet<String>, catalog: &dyn TopicCatalog) -> i64 {
    let mut bytes = Vec::new();
    for name in names {
        if let Some(topic) = catalog.topic(name) {
            bytes.extend(topic.hash(name).to_le_bytes());
        }
    }
    if bytes.is_empty() {
        return 0;
    }
    i64::from_le_bytes(XxHash3_64::oneshot(&bytes).to_le_bytes())
}

/// Writes a text in Apache Kafka's form for hashing: its UTF-16 units, then their number.
fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    bytes.extend(utf16_length(text).to_le_bytes());
}

fn utf16_length(text: &str) -> i32 {
    i32::try_from(text.encode_utf16().count()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct OneTopic(&'static str, TopicShape);

    impl TopicCatalog for OneTopic {
        fn version(&self) -> i64 {
            0
        }

        fn topic(&self, name: &str) -> Option<TopicShape> {
            (name == self.0).then(|| self.1.clone())
        }

        fn topic_name(&self, _: Uuid) -> Option<String> {
            None
        }

        fn topic_names(&self) -> Vec<String> {
            Vec::new()
        }
    }

    /// Hashes that Apache Kafka 4.3.1 wrote for groups that subscribed to one topic.
    #[test]
    fn the_hash_is_apache_kafkas() {
        let shape = |id, racks: &[&str]| TopicShape {
            id: Uuid::from_u128(id),
            partition_racks: vec![racks.iter().map(ToString::to_string).collect(); 4],
        };
        let hash = |name: &'static str, shape| {
            metadata_hash(&BTreeSet::from([name.to_owned()]), &OneTopic(name, shape))
        };
        // efj9IR5LRT-eOADLjCrDLQ
        let id = 0x79f8_fd21_1e4b_453f_9e38_00cb_8c2a_c32d;
        assert_eq!(hash("t", shape(id, &["rack1"])), -9_106_742_873_909_456_324);
        // The value of Apache Kafka's library for a topic without racks.
        assert_eq!(hash("t", shape(id, &[])), 5_630_212_166_951_760_735);
        // bQRfGm1RSzC69qQPM9iPFw
        let with_racks = shape(0x6d04_5f1a_6d51_4b30_baf6_a40f_33d8_8f17, &["rack1"]);
        assert_eq!(hash("consumer-21184-t", with_racks), -5_485_302_429_769_622_171);
        let catalog = OneTopic("t", shape(1, &[]));
        assert_eq!(metadata_hash(&BTreeSet::from(["absent".to_owned()]), &catalog), 0);
    }
}
