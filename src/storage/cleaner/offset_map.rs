//! The last offset of every key in the part of a log that is cleaned, within a fixed amount of memory.
//!
//! Keys are kept as hashes of 128 bits, keyed with a secret of this map, so that nobody can choose keys
//! that collide.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::topic_partition::Offset;

/// Bytes that a hash table takes for each place: hash, offset, and the table's own byte.
const BYTES_PER_PLACE: u64 = 25;
const FEWEST_PLACES: u64 = 4;

/// Key → last offset.
#[derive(Debug)]
pub(super) struct OffsetMap {
    offsets: HashMap<[u64; 2], Offset>,
    hashers: [RandomState; 2],
    most_keys: usize,
}

impl OffsetMap {
    /// A map that takes no more than about `memory` bytes; it always has room for three keys.
    pub(super) fn with_memory(memory: u64) -> Self {
        // While the table grows, the old one, half as large, is in memory too.
        let places = memory / (BYTES_PER_PLACE + BYTES_PER_PLACE / 2);
        // The table has a power of two of places, of which seven in eight are filled.
        let places = FEWEST_PLACES.max(places.checked_ilog2().map_or(0, |log| 1 << log));
        Self {
            offsets: HashMap::new(),
            hashers: [RandomState::new(), RandomState::new()],
            most_keys: usize::try_from(places * 7 / 8).unwrap_or(usize::MAX),
        }
    }

    fn hash(&self, key: &[u8]) -> [u64; 2] {
        self.hashers.each_ref().map(|hasher| hasher.hash_one(key))
    }

    /// Notes that the record at `offset` has this key; `false` if there is no room for another key.
    pub(super) fn put(&mut self, key: &[u8], offset: Offset) -> bool {
        let hash = self.hash(key);
        if self.offsets.len() < self.most_keys {
            self.offsets.insert(hash, offset);
            return true;
        }
        match self.offsets.get_mut(&hash) {
            Some(last) => {
                *last = offset;
                true
            }
            None => false,
        }
    }

    /// The last offset that was noted for this key.
    pub(super) fn last_offset(&self, key: &[u8]) -> Option<Offset> {
        self.offsets.get(&self.hash(key)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_map_refuses_new_keys_and_still_updates_old_ones() {
        let mut map = OffsetMap::with_memory(0);
        let taken = (0..2000_i64)
            .take_while(|n| map.put(&n.to_be_bytes(), *n))
            .count();
        assert_eq!(taken, 3);
        assert!(map.put(&1_i64.to_be_bytes(), 9000));
        assert_eq!(map.last_offset(&1_i64.to_be_bytes()), Some(9000));
        assert_eq!(map.last_offset(&2_i64.to_be_bytes()), Some(2));
        assert_eq!(map.last_offset(&3_i64.to_be_bytes()), None);
        assert_eq!(OffsetMap::with_memory(128 << 20).most_keys, (1 << 21) * 7 / 8);
    }
}
