//! Updates a batch's checksum after a change of its header, from the checksum that it had: its records are not read
//! again, and a damaged batch keeps a wrong checksum.
//!
//! A CRC is linear over GF(2): how it changes with some bytes depends on these bytes and on the number of bytes after
//! them alone. The latter are a multiplication by a power of x modulo the polynomial of CRC-32C (RFC 3720, appendix
//! B.4).

use super::batch_header::{ATTRIBUTES_AT, CRC_AT, HEADER_LEN};
use super::fields::{put, u32_at};

/// The polynomial of CRC-32C with its bits reversed, as the checksum has them.
const POLYNOMIAL: u32 = 0x82f6_3b78;
/// 1 and x, the bits reversed.
const ONE: u32 = 1 << 31;
const X: u32 = 1 << 30;
/// x to the power of 2ⁿ: enough of them for the number of bits in any batch.
const POWERS: [u32; 36] = powers();

/// Lets `change` write header fields of a batch of format 2 that the checksum covers, and updates the checksum.
pub(super) fn change_header(bytes: &mut [u8], change: impl FnOnce(&mut [u8])) {
    change_header_before(bytes, 0, change);
}

/// [`change_header`] for a batch whose last `elsewhere` bytes are not in `bytes`.
pub(super) fn change_header_before(bytes: &mut [u8], elsewhere: usize, change: impl FnOnce(&mut [u8])) {
    let covered = ATTRIBUTES_AT..HEADER_LEN;
    let before = bytes.get(covered.clone());
    let Some(Ok(mut difference)) = before.map(<[u8; HEADER_LEN - ATTRIBUTES_AT]>::try_from) else {
        return change(bytes);
    };
    change(bytes);
    let after = bytes.get(covered).unwrap_or_default();
    for (difference, after) in difference.iter_mut().zip(after) {
        *difference ^= after;
    }
    let behind = bytes.len().saturating_sub(HEADER_LEN) + elsewhere;
    let crc = u32_at(bytes, CRC_AT) ^ times_x(remainder(&difference), behind);
    put(bytes, CRC_AT, &crc.to_be_bytes());
}

/// What is left of `bytes` modulo the polynomial: a checksum without the inversions at both ends.
fn remainder(bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(u32::MAX, bytes)
}

/// `value` followed by `bytes` zero bytes.
fn times_x(mut value: u32, mut bytes: usize) -> u32 {
    // A byte is 2³ bits.
    for power in POWERS.iter().skip(3) {
        if bytes == 0 {
            break;
        }
        if bytes & 1 == 1 {
            value = product(*power, value);
        }
        bytes >>= 1;
    }
    value
}

/// The product of two polynomials modulo that of the checksum.
const fn product(one: u32, mut other: u32) -> u32 {
    let mut sum = 0;
    let mut bit = ONE;
    while bit != 0 {
        if one & bit != 0 {
            sum ^= other;
        }
        other = (other >> 1) ^ if other & 1 == 1 { POLYNOMIAL } else { 0 };
        bit >>= 1;
    }
    sum
}

const fn powers() -> [u32; 36] {
    let mut powers = [X; 36];
    let mut power = X;
    let mut rest: &mut [u32] = &mut powers;
    while let Some((place, after)) = rest.split_first_mut() {
        *place = power;
        power = product(power, power);
        rest = after;
    }
    powers
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::batch_header::{crc_is_valid, set_crc};
    use super::*;

    fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
        put(&mut bytes, super::super::batch_header::MAGIC_AT, &[2]);
        set_crc(&mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn a_changed_header_has_the_checksum_that_is_computed_anew(
            bytes in prop::collection::vec(any::<u8>(), HEADER_LEN..5000),
            field in prop::collection::vec(any::<u8>(), 1..20),
            at in ATTRIBUTES_AT..HEADER_LEN - 20,
        ) {
            let mut changed = sealed(bytes);
            change_header(&mut changed, |bytes| put(bytes, at, &field));
            prop_assert_eq!(&changed, &sealed(changed.clone()));
        }

        #[test]
        fn a_header_that_stands_apart_gets_the_same_checksum(
            bytes in prop::collection::vec(any::<u8>(), HEADER_LEN..5000),
            field in prop::collection::vec(any::<u8>(), 1..20),
            at in ATTRIBUTES_AT..HEADER_LEN - 20,
            cut in any::<prop::sample::Index>(),
        ) {
            let mut whole = sealed(bytes);
            let mut head = whole.clone();
            let body = head.split_off(HEADER_LEN + cut.index(whole.len() - HEADER_LEN + 1));
            change_header_before(&mut head, body.len(), |bytes| put(bytes, at, &field));
            change_header(&mut whole, |bytes| put(bytes, at, &field));
            prop_assert_eq!([head, body].concat(), whole);
        }

        #[test]
        fn damage_among_the_records_is_not_covered_up(
            bytes in prop::collection::vec(any::<u8>(), HEADER_LEN + 1..500),
            place in any::<prop::sample::Index>(),
            bit in 0_u32..8,
        ) {
            let mut damaged = sealed(bytes);
            let place = HEADER_LEN + place.index(damaged.len() - HEADER_LEN);
            damaged[place] ^= 1 << bit;
            change_header(&mut damaged, |bytes| put(bytes, ATTRIBUTES_AT, &[0, 4]));
            prop_assert!(!crc_is_valid(&damaged));
        }
    }

    #[test]
    fn a_batch_of_any_length_is_multiplied_by_the_right_power() {
        // The crate's own way of joining two checksums shifts the first one by the length of the second.
        for length in [0, 1, 2, 61, 4096, 1 << 20, (1 << 31) - 1] {
            let joined = crc32c::crc32c_combine(0x1234_5678, 0, length);
            assert_eq!(times_x(0x1234_5678, length), joined, "{length}");
        }
    }
}
