//! Decodes messages from an untrusted peer, with memory bounded by the bytes that were received.
//!
//! kafka-protocol reserves room for as many array elements as the peer claims, and a claim of 2³¹ would end the
//! process. Here a count is compared with the bytes that are left before memory is reserved:
//!
//! - Counts and lengths of flexible versions are varints. The only other varints are tag numbers, which are small. A
//!   larger varint that exceeds the bytes that are left is an error.
//! - Counts of older versions are plain 32-bit integers, like time-outs and ids. In a first pass, one that exceeds
//!   the bytes left is read as the number of bytes left plus one: a count would then fail, since each element takes a
//!   byte at least. If this pass succeeds, the integer was no count, and a second pass decodes the bytes as they are.

use bytes::{Buf, Bytes, TryGetError};
use kafka_protocol::protocol::Decodable;
use kafka_protocol::protocol::buf::{ByteBuf, NotEnoughBytesError};

/// The largest varint that is not compared with the bytes left, for the numbers of tagged fields.
const LARGEST_TAG: u64 = u16::MAX as u64;

/// Decodes `message` in `version` and takes its bytes off the front.
///
/// Both passes read through [`Checked`]: for each type of bytes, the decoders of all messages are compiled once more.
pub fn decode<M: Decodable>(message: &mut Bytes, version: i16) -> anyhow::Result<M> {
    let mut bytes = Checked::new(message.clone(), true);
    let mut decoded = M::decode(&mut bytes, version)?;
    if bytes.held_back {
        bytes = Checked::new(message.clone(), false);
        decoded = M::decode(&mut bytes, version)?;
    }
    *message = bytes.bytes;
    Ok(decoded)
}

/// The bytes of a message, with every count compared with the bytes left.
struct Checked {
    bytes: Bytes,
    /// Whether counts are compared; otherwise the bytes are read as they are.
    doubts: bool,
    /// The last bytes that may belong to the varint being read.
    varint: VarintBytes,
    /// Whether a 32-bit integer was read as a smaller one.
    held_back: bool,
}

impl Checked {
    fn new(bytes: Bytes, doubts: bool) -> Self {
        Self {
            bytes,
            doubts,
            varint: VarintBytes::default(),
            held_back: false,
        }
    }

    fn not_a_varint(&mut self) {
        self.varint = VarintBytes::default();
    }
}

/// The bytes of a varint of up to [`VarintBytes::MOST`] bytes, which were read one after the other.
///
/// A boolean before a varint cannot be told from its first byte, so every byte that has the continuation bit may be
/// where it begins. Of all the values that this allows, the longest is the largest, and that is the one that counts. A
/// peer that sends booleans other than 0 and 1 is refused at worst.
#[derive(Debug, Default)]
struct VarintBytes {
    /// The seven bits of each byte, the last byte in the highest place.
    bits: u64,
    count: u32,
}

impl VarintBytes {
    const MOST: u32 = 5;

    /// Adds a byte. Returns the largest value that ends with it, if one does.
    fn push(&mut self, byte: u8) -> Option<u64> {
        if self.count == Self::MOST {
            self.bits >>= 7;
            self.count -= 1;
        }
        self.bits |= u64::from(byte & 0x7f) << (7 * self.count);
        self.count += 1;
        let is_last = byte & 0x80 == 0;
        let claimed = (is_last || self.count == Self::MOST).then_some(self.bits);
        if is_last {
            *self = Self::default();
        }
        claimed
    }
}

impl Buf for Checked {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.not_a_varint();
        self.bytes.advance(count);
    }

    /// A boolean, or the next byte of a varint.
    fn try_get_u8(&mut self) -> Result<u8, TryGetError> {
        let byte = self.bytes.try_get_u8()?;
        let available = self.bytes.remaining();
        let most = LARGEST_TAG.max(available as u64 + 1);
        match self.varint.push(byte) {
            Some(claimed) if self.doubts && claimed > most => Err(TryGetError {
                requested: usize::MAX,
                available,
            }),
            _ => Ok(byte),
        }
    }

    fn try_get_i32(&mut self) -> Result<i32, TryGetError> {
        self.not_a_varint();
        let value = self.bytes.try_get_i32()?;
        let one_too_many = self.bytes.remaining() + 1;
        match usize::try_from(value) {
            Ok(count) if self.doubts && count > one_too_many => {
                self.held_back = true;
                Ok(i32::try_from(one_too_many).unwrap_or(i32::MAX))
            }
            _ => Ok(value),
        }
    }
}

impl ByteBuf for Checked {
    fn peek_bytes(&mut self, range: std::ops::Range<usize>) -> Bytes {
        self.bytes.slice(range)
    }

    fn get_bytes(&mut self, size: usize) -> Bytes {
        self.not_a_varint();
        self.bytes.split_to(size)
    }

    fn try_get_bytes(&mut self, size: usize) -> Result<Bytes, NotEnoughBytesError> {
        self.not_a_varint();
        self.bytes.try_get_bytes(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
    use kafka_protocol::messages::{FetchRequest, MetadataRequest, MetadataResponse};
    use kafka_protocol::protocol::Encodable;
    use proptest::prelude::*;

    #[test]
    fn a_count_of_two_thousand_million_is_refused_and_not_reserved() {
        for version in [1, 5] {
            let mut bytes = Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
            assert!(decode::<MetadataRequest>(&mut bytes, version).is_err());
        }
        let mut bytes = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0]);
        assert!(decode::<MetadataRequest>(&mut bytes, 12).is_err());
    }

    #[test]
    fn a_boolean_that_looks_like_the_start_of_a_count_hides_nothing() {
        let topic = [0, 0, 2, b't', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let is_internal = [0xff];
        let partitions = [0x80, 0x80, 0x80, 0x80, 0x07];
        for before in [&is_internal[..], &[0xff, 0x80], &[0]] {
            let mut bytes = vec![0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2];
            bytes.extend_from_slice(&topic);
            bytes.extend_from_slice(before);
            bytes.extend_from_slice(&partitions);
            bytes.extend_from_slice(&[0; 40]);
            assert!(decode::<MetadataResponse>(&mut Bytes::from(bytes), 12).is_err());
        }
    }

    #[test]
    fn the_longest_varint_that_may_end_at_a_byte_counts() {
        let claims = |bytes: &[u8]| {
            let mut varint = VarintBytes::default();
            bytes.iter().map(|byte| varint.push(*byte)).collect::<Vec<_>>()
        };
        assert_eq!(claims(&[1, 0x82, 1]), [Some(1), None, Some(0x82)]);
        let hidden = claims(&[0xff, 0x80, 0x80, 0x80, 0x80, 0x07]);
        assert_eq!(hidden.last(), Some(&Some(7 << 28)));
    }

    #[test]
    fn large_numbers_that_count_nothing_come_through() {
        let partition = FetchPartition::default().with_partition_max_bytes(1 << 30);
        let topic = FetchTopic::default().with_partitions(vec![partition]);
        let request = FetchRequest::default()
            .with_max_bytes(i32::MAX)
            .with_max_wait_ms(500_000)
            .with_topics(vec![topic]);
        for version in [4, 11] {
            let mut bytes = BytesMut::new();
            request.encode(&mut bytes, version).unwrap();
            let mut bytes = bytes.freeze();
            assert_eq!(decode::<FetchRequest>(&mut bytes, version).unwrap(), request);
            assert!(bytes.is_empty());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_reserve_much(bytes in prop::collection::vec(any::<u8>(), 0..200), version in 0_i16..14) {
            let bytes = Bytes::from(bytes);
            let _ = decode::<MetadataResponse>(&mut bytes.clone(), version);
            let _ = decode::<FetchRequest>(&mut bytes.clone(), version);
        }
    }
}
