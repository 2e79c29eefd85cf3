//! The LZ4 frame header of message format 0, whose checksum byte Kafka's first clients computed over the wrong bytes
//! (KIP-57). Readers of that format do not check the byte; here it is corrected, so that any frame reader accepts
//! it.

/// Magic number, flags, block descriptor.
const DESCRIPTOR_AT: usize = 4;
const CONTENT_SIZE_FLAG: u8 = 0x08;
const DICTIONARY_FLAG: u8 = 0x01;

/// The frame's header with its checksum made right, and how many bytes it has; `None` if it is cut off.
pub(super) fn corrected(frame: &[u8]) -> Option<(Vec<u8>, usize)> {
    let flags = *frame.get(DESCRIPTOR_AT)?;
    let mut descriptor_len = 2;
    if flags & CONTENT_SIZE_FLAG != 0 {
        descriptor_len += 8;
    }
    if flags & DICTIONARY_FLAG != 0 {
        descriptor_len += 4;
    }
    let checksum_at = DESCRIPTOR_AT + descriptor_len;
    let mut header = frame.get(..=checksum_at)?.to_vec();
    let checksum = (xxh32(header.get(DESCRIPTOR_AT..checksum_at)?) >> 8) as u8;
    *header.last_mut()? = checksum;
    Some((header, checksum_at + 1))
}

/// xxHash-32 with seed 0 of fewer than 16 bytes, which is all that a frame descriptor has.
/// <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>
fn xxh32(input: &[u8]) -> u32 {
    const PRIME_1: u32 = 0x9E37_79B1;
    const PRIME_2: u32 = 0x85EB_CA77;
    const PRIME_3: u32 = 0xC2B2_AE3D;
    const PRIME_4: u32 = 0x27D4_EB2F;
    const PRIME_5: u32 = 0x1656_67B1;
    let mut hash = PRIME_5.wrapping_add(input.len() as u32);
    let (words, bytes) = input.as_chunks::<4>();
    for word in words {
        hash = hash.wrapping_add(u32::from_le_bytes(*word).wrapping_mul(PRIME_3));
        hash = hash.rotate_left(17).wrapping_mul(PRIME_4);
    }
    for &byte in bytes {
        hash = hash.wrapping_add(u32::from(byte).wrapping_mul(PRIME_5));
        hash = hash.rotate_left(11).wrapping_mul(PRIME_1);
    }
    hash = (hash ^ (hash >> 15)).wrapping_mul(PRIME_2);
    hash = (hash ^ (hash >> 13)).wrapping_mul(PRIME_3);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_header_stays_as_it_is() {
        for content_size in [None, Some(5)] {
            let info = lz4_flex::frame::FrameInfo::new().content_size(content_size);
            let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
            std::io::Write::write_all(&mut encoder, b"hello").unwrap();
            let frame = encoder.finish().unwrap();
            let (header, len) = corrected(&frame).unwrap();
            assert_eq!(header, frame[..len]);
        }
    }
}
