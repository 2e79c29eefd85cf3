//! `max.request.size`: which records are too large to be sent at all, as Java's producer counts them.
//!
//! The engine's own limit is at least a thousand bytes and is for whole messages; this one has no minimum.

use crate::client::record_sink::RecordView;
use crate::client::settings::Settings;
use crate::records::varint::size_of_i64;

/// The header of a batch, and the most that the fields of a record take besides key, value and headers.
const OVERHEAD: usize = 61 + 21;

/// The limit in bytes, if it is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestLimit(pub(super) Option<usize>);

impl RequestLimit {
    pub(super) fn of(settings: &Settings) -> Self {
        Self(
            settings
                .get("max.request.size")
                .and_then(|bytes| bytes.trim().parse().ok()),
        )
    }

    /// Java's message if a record is too large to be sent.
    pub(super) fn refusal(self, record: &RecordView<'_>) -> Option<String> {
        let limit = self.0?;
        let size = size_at_most(record);
        (size > limit).then(|| {
            format!(
                "The message is {size} bytes when serialized which is larger than {limit}, which is the value of the \
                 max.request.size configuration."
            )
        })
    }
}

/// The most bytes of a batch with this one record, uncompressed.
fn size_at_most(record: &RecordView<'_>) -> usize {
    let headers: usize = record
        .headers
        .iter()
        .map(|header| with_length(Some(header.name.len())) + with_length(header.value.map(<[u8]>::len)))
        .sum();
    OVERHEAD
        + with_length(record.key.map(<[u8]>::len))
        + with_length(record.value.map(<[u8]>::len))
        + varint(record.headers.len())
        + headers
}

/// The bytes of a length and its field; null is the length -1.
fn with_length(len: Option<usize>) -> usize {
    len.map_or(1, |len| varint(len) + len)
}

/// The bytes of a length as a zig-zag varint.
fn varint(number: usize) -> usize {
    size_of_i64(i64::try_from(number).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::record_sink::HeaderView;

    /// The sizes are those in the error of Java's producer.
    #[test]
    fn a_record_counts_with_its_batch() {
        let long = [b'x'; 9000];
        let name = |name| HeaderView {
            name,
            value: Some(b"1".as_slice()),
        };
        let headers = [name("h"), name("i1")];
        let cases: [(Option<usize>, usize, &[HeaderView<'_>], usize); 6] = [
            (None, 1, &[], 86),
            (Some(1), 0, &[], 86),
            (Some(2), 63, &[], 150),
            (Some(2), 64, &[], 152),
            (Some(200), 9000, &[], 9288),
            (None, 1, &headers, 95),
        ];
        for (key, value, headers, size) in cases {
            let record = RecordView {
                topic: "t",
                partition: None,
                key: key.map(|len| &long[..len]),
                value: Some(&long[..value]),
                headers,
                timestamp: None,
            };
            assert_eq!(size_at_most(&record), size);
        }
    }
}
