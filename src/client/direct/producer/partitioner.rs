//! Which partition a record goes to, as Java's producer decides: murmur2 of the key, and taking turns without one.
//!
//! Records without a key stay with a partition for a turn (KIP-480, KIP-794), so that batches fill. Turns are counted
//! in bytes and shorter than batches: a batch stays open while others have their turns. Java draws the next partition;
//! here each round gives every partition one turn, in any order, so that a short input is spread evenly, too.

use crate::client::backoff::random_u32;

/// Bytes to one partition before the next has its turn: Java's `batch.size`.
const TURN_BYTES: usize = 16 * 1024;

/// Java's seed of murmur2.
const SEED: u32 = 0x9747_b28c;
const MIX: u32 = 0x5bd1_e995;

/// The partition of a key among `count`, as Java's default partitioner has it; an empty key is a key.
pub(super) fn of_key(key: &[u8], count: usize) -> i32 {
    let hash = murmur2(key) & 0x7fff_ffff;
    (hash as usize % count.max(1)) as i32
}

/// Murmur2 as Java's client has it.
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

/// Whose turn it is among a topic's partitions.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Partitions that had a leader when the round began, in the order of their turns.
    round: Vec<i32>,
    position: usize,
    bytes: usize,
    /// False gives every record a turn of its own.
    is_sticky: bool,
}

impl Turns {
    pub(super) fn new(is_sticky: bool) -> Self {
        Self {
            is_sticky,
            ..Self::default()
        }
    }

    /// Whose turn it is; `None` when a round must begin with [`Turns::begin_round`].
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

    /// Counts a record of so many bytes for the partition that has its turn.
    #[inline]
    pub(super) fn count(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes >= TURN_BYTES || !self.is_sticky {
            self.end_turn();
        }
    }

    /// The next partition has its turn: what was gathered leaves, since input pauses.
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
        assert_eq!(of_key(b"", 1), 0);
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
