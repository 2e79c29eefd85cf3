//! Unsigned varints and tagged fields (KIP-482), as every message of a flexible version holds them.
//!
//! Works on slices; reserves no memory. <https://kafka.apache.org/protocol#protocol_types>

use bytes::{Buf, BufMut};

/// Takes an unsigned varint off the front: at most five bytes, seven bits each, the lowest first. `None` when the
/// bytes end before it does, or when its fifth byte has the continuation bit.
pub fn take_unsigned_varint(bytes: &mut &[u8]) -> Option<u32> {
    let mut value = 0_u32;
    for shift in (0..35).step_by(7) {
        let byte = bytes.try_get_u8().ok()?;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Appends an unsigned varint.
pub fn put_unsigned_varint(out: &mut impl BufMut, mut value: u32) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

/// Skips a section of tagged fields and returns how many there were; `None` when the bytes end before it does.
pub fn skip_tagged_fields(bytes: &mut &[u8]) -> Option<usize> {
    let count = usize::try_from(take_unsigned_varint(bytes)?).ok()?;
    for _ in 0..count {
        take_unsigned_varint(bytes)?;
        let size = usize::try_from(take_unsigned_varint(bytes)?).ok()?;
        *bytes = bytes.get(size..)?;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_varint_of_six_bytes_is_refused() {
        assert_eq!(
            take_unsigned_varint(&mut &[0xff, 0xff, 0xff, 0xff, 0x0f][..]),
            Some(u32::MAX)
        );
        assert_eq!(
            take_unsigned_varint(&mut &[0x80, 0x80, 0x80, 0x80, 0x80, 0][..]),
            None
        );
    }

    #[test]
    fn tagged_fields_are_skipped_whole() {
        let mut bytes = &[2, 0, 1, 9, 7, 0, 42][..];
        assert_eq!(skip_tagged_fields(&mut bytes), Some(2));
        assert_eq!(bytes, [42]);
        assert_eq!(skip_tagged_fields(&mut &[1, 0, 5, 1][..]), None);
    }

    proptest! {
        #[test]
        fn a_written_varint_is_read_back(value: u32, tail: Vec<u8>) {
            let mut bytes = Vec::new();
            put_unsigned_varint(&mut bytes, value);
            bytes.extend(&tail);
            let mut rest = &bytes[..];
            prop_assert_eq!(take_unsigned_varint(&mut rest), Some(value));
            prop_assert_eq!(rest, &tail[..]);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            skip_tagged_fields(&mut &bytes[..]);
        }
    }
}
