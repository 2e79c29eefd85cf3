//! The shape of a request, and a walk over its bytes before anything is decoded. The table in `apis` has the shapes.
//!
//! The message structs reserve memory for as many array elements as the peer claims. This walk refuses a
//! request whose lengths reach past its end, or that holds more elements than [`MAX_ELEMENTS`], so that no peer
//! can make the broker reserve memory that it did not send. Owns no meaning of any field.
//!
//! One letter a field, from the protocol's message definitions: `1` `2` `4` `8` that many bytes; `s` a string
//! and `b` bytes with their old length prefixes, `S` and `B` with compact ones; `[…]` and `<…>` an array, old and
//! compact; `(…)` a struct that may be absent; `t` tagged fields.
//! <https://kafka.apache.org/protocol#protocol_types>

use crate::wire::primitives::take_unsigned_varint;

/// The most array elements and tagged fields in one request, together. An element takes up to about 150 bytes once
/// decoded.
const MAX_ELEMENTS: usize = 400_000;

/// Whether `body` begins with a request of this shape. Bytes after it are ignored, as Kafka does.
pub(super) fn is_well_formed(shape: &str, body: &[u8]) -> bool {
    let mut walk = Walk {
        rest: body,
        elements: MAX_ELEMENTS,
    };
    walk.fields(shape.as_bytes()).is_some()
}

struct Walk<'a> {
    rest: &'a [u8],
    elements: usize,
}

impl Walk<'_> {
    /// Walks over the fields of one struct; `None` if the bytes end before they do.
    fn fields(&mut self, mut shape: &[u8]) -> Option<()> {
        while let Some((field, after)) = shape.split_first() {
            shape = after;
            match field {
                b'1' | b'2' | b'4' | b'8' => self.skip(usize::from(field - b'0'))?,
                b's' => {
                    let length = i16::from_be_bytes(self.take()?);
                    self.skip(usize::try_from(length.max(0)).ok()?)?;
                }
                b'b' => {
                    let length = i32::from_be_bytes(self.take()?);
                    self.skip(usize::try_from(length.max(0)).ok()?)?;
                }
                b'S' | b'B' => {
                    let length = self.unsigned_varint()?;
                    self.skip(usize::try_from(length).ok()?.saturating_sub(1))?;
                }
                b't' => self.tagged_fields()?,
                b'[' | b'<' | b'(' => {
                    let (element, after) = split_group(shape)?;
                    shape = after;
                    for _ in 0..self.group_length(*field)? {
                        self.fields(element)?;
                    }
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// The number of elements; each takes at least a byte, so it is at most the number of bytes left.
    fn group_length(&mut self, opening: u8) -> Option<usize> {
        let length = match opening {
            b'[' => usize::try_from(i32::from_be_bytes(self.take()?).max(0)).ok()?,
            b'<' => usize::try_from(self.unsigned_varint()?).ok()?.saturating_sub(1),
            _ => usize::from(self.take::<1>()? == [1]),
        };
        if length > self.rest.len() {
            return None;
        }
        self.elements = self.elements.checked_sub(length)?;
        Some(length)
    }

    fn tagged_fields(&mut self) -> Option<()> {
        let count = usize::try_from(self.unsigned_varint()?).ok()?;
        if count > self.rest.len() {
            return None;
        }
        self.elements = self.elements.checked_sub(count)?;
        for _ in 0..count {
            self.unsigned_varint()?;
            let size = self.unsigned_varint()?;
            self.skip(usize::try_from(size).ok()?)?;
        }
        Some(())
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.rest = self.rest.get(length..)?;
        Some(())
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    fn unsigned_varint(&mut self) -> Option<u32> {
        take_unsigned_varint(&mut self.rest)
    }
}

/// What is inside a group whose opening bracket has been read, and what follows its closing one.
pub(super) fn split_group(shape: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut depth = 1_usize;
    for (position, letter) in shape.iter().enumerate() {
        match letter {
            b'[' | b'<' | b'(' => depth += 1,
            b']' | b'>' | b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((shape.get(..position)?, shape.get(position + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::apis::APIS;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_shapes_of_an_api_begin_at_its_first_version_and_ascend() {
        for api in APIS {
            let firsts: Vec<i16> = api.shape_versions().collect();
            assert_eq!(firsts.first(), Some(&api.min), "{:?}", api.key);
            assert!(firsts.is_sorted_by(|a, b| a < b), "{:?}", api.key);
            assert!(firsts.iter().all(|first| *first <= api.max), "{:?}", api.key);
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        // An array of two strings is claimed, and neither is there; then one that is.
        assert!(!is_well_formed("[s]", &[0, 0, 0, 2]));
        assert!(!is_well_formed("[s]", &[0x7f, 0xff, 0xff, 0xff, 0, 0]));
        assert!(is_well_formed("[s]", &[0, 0, 0, 1, 0, 1, b't']));
        assert!(is_well_formed("[s]", &[0xff, 0xff, 0xff, 0xff]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_walk_panic(api in 0_usize..APIS.len(), body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let api = &APIS[api];
            for version in api.decoded() {
                is_well_formed(api.shape(version), &body);
            }
        }
    }
}
