//! Zig-zag variable-length integers, as record batches of format 2 hold them.
//!
//! <https://protobuf.dev/programming-guides/encoding/#signed-ints>

/// The longest encoding of a 32-bit and of a 64-bit number.
const MAX_BYTES_32: usize = 5;
const MAX_BYTES_64: usize = 10;

/// Takes one 32-bit number off the front; `None` if it is cut off or too long. Of a number in five bytes the bits
/// beyond the 32nd are dropped, as in Kafka.
#[inline]
pub fn take_i32(bytes: &mut &[u8]) -> Option<i32> {
    let number = take(bytes, MAX_BYTES_32)? as u32;
    Some(((number >> 1) as i32) ^ -((number & 1) as i32))
}

/// Takes one 64-bit number off the front; `None` if it is cut off or too long.
#[inline]
pub fn take_i64(bytes: &mut &[u8]) -> Option<i64> {
    let number = take(bytes, MAX_BYTES_64)?;
    Some(((number >> 1) as i64) ^ -((number & 1) as i64))
}

/// Takes one unsigned number of at most `max_bytes` bytes off the front, seven bits each, the lowest first; `None` if it
/// is cut off or too long.
#[inline]
pub(super) fn take(bytes: &mut &[u8], max_bytes: usize) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        *bytes = rest;
        return Some(u64::from(first));
    }
    // Most of the others, such as the lengths of records, take two bytes.
    let (&second, rest) = rest.split_first()?;
    if second < 0x80 {
        *bytes = rest;
        return Some(u64::from(first & 0x7f) | u64::from(second) << 7);
    }
    take_long(bytes, max_bytes)
}

fn take_long(bytes: &mut &[u8], max_bytes: usize) -> Option<u64> {
    let mut number = 0u64;
    for (index, &byte) in bytes.iter().take(max_bytes).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            *bytes = bytes.get(index + 1..)?;
            return Some(number);
        }
    }
    None
}

/// How many bytes `number` takes.
#[inline]
pub fn size_of_i64(number: i64) -> usize {
    let zigzag = zigzag(number);
    // One byte for each started group of seven significant bits; zero takes one byte too.
    (70 - (zigzag | 1).leading_zeros() as usize) / 7
}

/// Appends `number`.
#[inline]
pub fn put_i64(out: &mut Vec<u8>, number: i64) {
    let mut rest = zigzag(number);
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[inline]
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_reads_back_as_written() {
        let mut numbers = vec![0, i64::MIN, i64::MAX, i64::from(i32::MIN), i64::from(i32::MAX)];
        for bit in 0..63 {
            for near in [-2, -1, 0, 1] {
                numbers.extend([(1i64 << bit) + near, -(1i64 << bit) + near]);
            }
        }
        for number in numbers {
            let mut bytes = Vec::new();
            put_i64(&mut bytes, number);
            assert_eq!(bytes.len(), size_of_i64(number), "{number}");
            assert_eq!(take_i64(&mut bytes.as_slice()), Some(number));
            if let Ok(number) = i32::try_from(number) {
                assert_eq!(take_i32(&mut bytes.as_slice()), Some(number));
            } else {
                let read = take_i32(&mut bytes.as_slice());
                assert_eq!(read.is_some(), bytes.len() <= MAX_BYTES_32, "{number}");
            }
            let cut = bytes.len() - 1;
            assert_eq!(take_i64(&mut bytes.get(..cut).unwrap()), None);
        }
    }

    #[test]
    fn an_endless_number_is_refused() {
        assert_eq!(take_i64(&mut [0xff; 32].as_slice()), None);
        assert_eq!(take_i32(&mut [0xff, 0xff, 0xff, 0xff, 0xff, 1].as_slice()), None);
    }
}
