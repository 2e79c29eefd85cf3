//! The partition of a record, as Java's producer chooses it: murmur2 of the key, and sticky turns without one; also the
//! hashes of librdkafka's and Sarama's partitioners, so that keys go to the same partitions as with other clients.
//!
//! Records without a key go to the same partition for a turn (KIP-480, KIP-794), so that batches fill. Turns are
//! counted in bytes and are shorter than batches: a batch stays open during the turns of other partitions. Java chooses
//! the next partition at random; here each round gives every partition one turn, in random order, so that a short input
//! is spread evenly too.

use crate::client::backoff::random_u32;
use crate::client::produce_settings::{KeyHash, Keyless, Partitioner};

/// Bytes of a turn: Java's `batch.size`.
const TURN_BYTES: usize = 16 * 1024;

/// Java's seed of murmur2.
const SEED: u32 = 0x9747_b28c;
const MIX: u32 = 0x5bd1_e995;

/// Whether a record with this key, or with none, is spread in turns.
#[inline]
pub(super) fn takes_turn(partitioner: Partitioner, key: Option<&[u8]>) -> bool {
    match key {
        _ if partitioner.hash == KeyHash::Ignored => true,
        Some(key) if !(partitioner.empty_is_none && key.is_empty()) => false,
        _ => partitioner.keyless != Keyless::AsEmptyKey,
    }
}

/// The partition of a key among `count`; no key is an empty one.
pub(crate) fn of_key(hash: KeyHash, key: Option<&[u8]>, count: usize) -> i32 {
    let key = key.unwrap_or_default();
    let hash = match hash {
        KeyHash::Murmur2 | KeyHash::Ignored => murmur2(key) & 0x7fff_ffff,
        KeyHash::Crc32 => crc32fast::hash(key),
        KeyHash::Fnv1a => fnv1a(key),
    };
    (hash as usize % count.max(1)) as i32
}

/// FNV-1a as in Sarama: the absolute value of the hash as a signed number.
fn fnv1a(data: &[u8]) -> u32 {
    let hash = data.iter().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    (hash as i32).unsigned_abs()
}

/// Murmur2 as in Java's client.
fn murmur2(data: &[u8]) -> u32 {
    let mut hash = SEED ^ data.len() as u32;
    let (words, rest) = data.as_chunks::<4>();
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(MIX);
        word ^= word >> 24;
        hash = hash.wrapping_mul(MIX) ^ word.wrapping_mul(MIX);
    }
    if !rest.is_empty() {
        for (place, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(MIX);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MIX);
    hash ^ (hash >> 15)
}

/// The turns of a topic's partitions.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Partitions that had a leader when the round began, in the order of their turns.
    round: Vec<i32>,
    position: usize,
    bytes: usize,
    /// False gives each record its own turn.
    is_sticky: bool,
}

impl Turns {
    pub(super) fn new(is_sticky: bool) -> Self {
        Self {
            is_sticky,
            ..Self::default()
        }
    }

    /// The partition whose turn it is; `None` if a round must begin with [`Turns::begin_round`].
    pub(super) fn partition(&self) -> Option<i32> {
        self.round.get(self.position).copied()
    }

    /// Begins a round among these partitions.
    pub(super) fn begin_round(&mut self, mut partitions: Vec<i32>) {
        for last in (1..partitions.len()).rev() {
            partitions.swap(last, random_u32() as usize % (last + 1));
        }
        self.round = partitions;
        self.position = 0;
        self.bytes = 0;
    }

    /// Counts a record of `bytes` bytes for the partition that has its turn.
    #[inline]
    pub(super) fn count(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes >= TURN_BYTES || !self.is_sticky {
            self.end_turn();
        }
    }

    /// Ends the turn early, since input pauses and open batches are sent.
    pub(super) fn end_turn(&mut self) {
        if self.bytes > 0 {
            self.bytes = 0;
            self.position += 1;
        }
    }

    /// Leaders have changed: the next record begins a new round.
    pub(super) fn forget(&mut self) {
        self.round.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur2_as_in_java() {
        // Utils.murmur2 of Apache Kafka 4.3.1, also in its own UtilsTest.
        for (key, hash) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
    }

    #[test]
    fn fnv1a_as_in_sarama() {
        // Go's hash/fnv, of which Sarama takes the absolute value; also in librdkafka's rdfnv1a.c.
        for (key, hash) in [
            ("kafka", 0x0d33_c4e1),
            ("giberish123456789", 0x77a5_8295),
            ("1234", 0x023b_dd03),
            ("", 0x7ee3_623b),
        ] {
            assert_eq!(fnv1a(key.as_bytes()), hash, "{key}");
        }
    }

    #[test]
    fn what_counts_as_a_key() {
        let takes = |hash, keyless, empty_is_none, key: Option<&[u8]>| {
            let partitioner = Partitioner {
                hash,
                keyless,
                empty_is_none,
            };
            takes_turn(partitioner, key)
        };
        let in_turns = Keyless::InTurns;
        assert!(takes(KeyHash::Murmur2, in_turns, false, None));
        assert!(!takes(KeyHash::Murmur2, in_turns, false, Some(b"")));
        assert!(takes(KeyHash::Crc32, in_turns, true, Some(b"")));
        assert!(!takes(KeyHash::Crc32, in_turns, true, Some(b"k")));
        assert!(!takes(KeyHash::Crc32, Keyless::AsEmptyKey, false, None));
        assert!(takes(KeyHash::Ignored, Keyless::Anywhere, false, Some(b"k")));
        assert_eq!(of_key(KeyHash::Murmur2, Some(b"21"), 100), 40);
        assert_eq!(of_key(KeyHash::Crc32, None, 100), 0);
        // The check value of CRC-32.
        assert_eq!(
            of_key(KeyHash::Crc32, Some(b"123456789"), 100),
            (0xcbf4_3926_u32 % 100) as i32
        );
    }

    #[test]
    fn a_short_input_is_spread_evenly() {
        let mut turns = Turns::new(true);
        let mut records = [0_u32; 4];
        for _ in 0..100_000 {
            let partition = turns.partition().unwrap_or_else(|| {
                turns.begin_round(vec![0, 1, 2, 3]);
                turns.partition().unwrap()
            });
            records[partition as usize] += 1;
            turns.count(13);
        }
        let (least, most) = (records.iter().min().unwrap(), records.iter().max().unwrap());
        assert!(most - least <= most / 5, "{records:?}");
    }

    #[test]
    fn a_pause_ends_a_turn_that_was_used() {
        let mut turns = Turns::new(true);
        turns.begin_round(vec![0, 1]);
        let first = turns.partition();
        turns.end_turn();
        assert_eq!(turns.partition(), first, "it had none");
        turns.count(1);
        turns.end_turn();
        assert_ne!(turns.partition(), first);
        turns.count(1);
        turns.end_turn();
        assert_eq!(turns.partition(), None);
    }
}
