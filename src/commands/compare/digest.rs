//! A record in 64 bits: key, value, headers in their order, and its time if times are compared. Its offset is left out.

use twox_hash::XxHash3_64;

use crate::records::Record;

/// Makes digests; keeps the memory for the next one.
#[derive(Debug, Default)]
pub(in crate::commands) struct Digester {
    bytes: Vec<u8>,
}

impl Digester {
    /// The digest of a record. Records with the same digest are taken for equal.
    pub(in crate::commands) fn digest(&mut self, record: &Record<'_>, with_time: bool) -> u64 {
        self.bytes.clear();
        if with_time {
            self.bytes.extend_from_slice(&record.timestamp.to_be_bytes());
        }
        self.put(record.key);
        self.put(record.value);
        for header in record.headers {
            self.put(Some(header.key));
            self.put(header.value);
        }
        XxHash3_64::oneshot(&self.bytes)
    }

    /// Adds bytes after their length, so that fields cannot be confused; null has a length that no bytes have.
    fn put(&mut self, bytes: Option<&[u8]>) {
        let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(bytes.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::batch_builder::{BatchBuilder, BatchOptions};
    use crate::records::{Batch, Header};

    fn digest(key: Option<&[u8]>, value: Option<&[u8]>, headers: &[Header<'_>], time: i64) -> u64 {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        builder.append(time, key, value, headers);
        let bytes = builder.finish_uncompressed();
        let mut scratch = Vec::new();
        let batch = Batch::parse(&bytes).unwrap();
        let record = batch
            .records(&mut scratch, 1 << 20)
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        Digester::default().digest(&record, true)
    }

    #[test]
    fn whatever_differs_in_a_record_differs_in_its_digest() {
        let header = |key, value| Header { key, value };
        let none: &[Header<'_>] = &[];
        let digests = [
            digest(None, None, none, 1),
            digest(Some(b""), None, none, 1),
            digest(None, Some(b""), none, 1),
            digest(Some(b"a"), Some(b"b"), none, 1),
            digest(Some(b"ab"), Some(b""), none, 1),
            digest(Some(b"a"), Some(b"b"), none, 2),
            digest(Some(b"a"), Some(b"b"), &[header(b"h", None)], 1),
            digest(Some(b"a"), Some(b"b"), &[header(b"h", Some(b""))], 1),
            digest(
                Some(b"a"),
                Some(b"b"),
                &[header(b"h", None), header(b"i", None)],
                1,
            ),
            digest(
                Some(b"a"),
                Some(b"b"),
                &[header(b"i", None), header(b"h", None)],
                1,
            ),
        ];
        for (place, one) in digests.iter().enumerate() {
            assert!(
                !digests.iter().skip(place + 1).any(|other| other == one),
                "{place}"
            );
        }
    }
}
