//! Frames: a length of four bytes, big endian, then that many bytes. Works on slices; reads no socket.
//!
//! The length comes from an untrusted peer, so it is checked against a limit before memory is reserved for
//! it.

use std::fmt;

use bytes::{BufMut, BytesMut};

/// Bytes of the length in front of a frame.
pub const PREFIX_LEN: usize = 4;

/// A length that no Kafka peer would send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameError {
    /// The length as it was read; negative lengths are possible.
    pub length: i32,
    /// The limit that it exceeds, in bytes.
    pub limit: usize,
}

impl FrameError {
    /// The protocol that the peer seems to speak instead, when the four bytes look like the start of a
    /// well-known one.
    pub fn speaks(&self) -> Option<&'static str> {
        match self.length.to_be_bytes() {
            // A TLS record: type 20 to 23, version 3.x.
            [0x14..=0x17, 0x03, 0..=4, _] => Some("TLS"),
            [b'H', b'T', b'T', b'P']
            | [b'G', b'E', b'T', b' ']
            | [b'P', b'O', b'S', b'T']
            | [b'P', b'U', b'T', b' ']
            | [b'H', b'E', b'A', b'D'] => Some("HTTP"),
            [b'S', b'S', b'H', b'-'] => Some("SSH"),
            _ => None,
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.speaks() {
            Some(protocol) => write!(f, "the peer speaks {protocol}, not Kafka's plain protocol"),
            None => write!(
                f,
                "a frame of {} bytes where at most {} are taken",
                self.length, self.limit
            ),
        }
    }
}

impl std::error::Error for FrameError {}

/// The length of the frame after these four bytes, at most `limit`.
pub fn length(prefix: [u8; PREFIX_LEN], limit: usize) -> Result<usize, FrameError> {
    let length = i32::from_be_bytes(prefix);
    match usize::try_from(length) {
        Ok(bytes) if bytes <= limit => Ok(bytes),
        _ => Err(FrameError { length, limit }),
    }
}

/// A frame without its length, and the bytes that follow it.
pub type Split<'a> = (&'a [u8], &'a [u8]);

/// The first frame of `bytes` without its length, and what follows it; `None` while it is not whole yet.
pub fn split(bytes: &[u8], limit: usize) -> Result<Option<Split<'_>>, FrameError> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX_LEN>() else {
        return Ok(None);
    };
    let length = length(*prefix, limit)?;
    Ok(rest.split_at_checked(length))
}

/// Leaves room for a length at the end of `buffer`; give the answer to [`finish`] once the frame is written.
pub fn begin(buffer: &mut BytesMut) -> usize {
    let start = buffer.len();
    buffer.put_i32(0);
    start
}

/// Writes the length of the frame that began at `start`.
pub fn finish(buffer: &mut BytesMut, start: usize) -> Result<(), FrameError> {
    finish_with(buffer, start, 0)
}

/// [`finish`] for a frame whose last `more` bytes are not in `buffer`.
pub fn finish_with(buffer: &mut BytesMut, start: usize, more: usize) -> Result<(), FrameError> {
    let length = buffer.len() - start - PREFIX_LEN + more;
    let Ok(prefix) = i32::try_from(length) else {
        return Err(FrameError {
            length: -1,
            limit: i32::MAX as usize,
        });
    };
    if let Some(place) = buffer.get_mut(start..start + PREFIX_LEN) {
        place.copy_from_slice(&prefix.to_be_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_peer_of_another_protocol_is_recognised() {
        for (bytes, name) in [
            (*b"HTTP", "HTTP"),
            ([0x15, 3, 3, 0], "TLS"),
            ([0x16, 3, 1, 2], "TLS"),
            (*b"SSH-", "SSH"),
        ] {
            let refusal = length(bytes, 1 << 20).unwrap_err();
            assert_eq!(refusal.speaks(), Some(name));
        }
        let refusal = length((-1_i32).to_be_bytes(), 1 << 20).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "a frame of -1 bytes where at most 1048576 are taken"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_frame_a_part_of_one_or_refused(bytes: Vec<u8>, limit in 0_usize..300) {
            if let Ok(Some((frame, rest))) = split(&bytes, limit) {
                prop_assert!(frame.len() <= limit);
                prop_assert_eq!(PREFIX_LEN + frame.len() + rest.len(), bytes.len());
            }
        }

        #[test]
        fn a_written_frame_is_read_back(head: Vec<u8>, body: Vec<u8>, tail: Vec<u8>) {
            let mut buffer = BytesMut::from(&head[..]);
            let start = begin(&mut buffer);
            buffer.put_slice(&body);
            finish(&mut buffer, start).unwrap();
            buffer.put_slice(&tail);
            prop_assert_eq!(split(&buffer[start..], body.len()), Ok(Some((&body[..], &tail[..]))));
        }
    }
}
