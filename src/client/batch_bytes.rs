//! The bytes of a finished batch: header and records in one buffer, or the records in the memory of the answer that had
//! them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::records::batch_builder::Producer;
use crate::records::producer_fields;
use crate::wire::{Piece, SharedSlice};

/// A finished batch of format 2. A clone shares its memory.
#[derive(Clone, Debug)]
pub struct BatchBytes {
    /// The header, and the records unless they are in `records`.
    head: Arc<Vec<u8>>,
    /// The records, in the memory of the answer that had them.
    records: Option<SharedSlice>,
}

impl BatchBytes {
    /// A batch whose records stay where they are; `header` is all bytes before them.
    pub fn over(header: Vec<u8>, records: SharedSlice) -> Self {
        Self {
            head: Arc::new(header),
            records: Some(records),
        }
    }

    #[allow(clippy::len_without_is_empty, reason = "a batch has a header at least")]
    pub fn len(&self) -> usize {
        self.head.len() + self.elsewhere()
    }

    fn elsewhere(&self) -> usize {
        self.records.as_ref().map_or(0, |records| records.len())
    }

    /// Sets its producer; with `is_sealed` it has its checksum, which is updated and not computed. Only a batch in one
    /// buffer can lack its checksum.
    pub(super) fn stamp(&mut self, producer: Producer, is_sealed: bool) {
        let elsewhere = self.elsewhere();
        let bytes: &mut Vec<u8> = Arc::make_mut(&mut self.head);
        if is_sealed || elsewhere > 0 {
            producer_fields::stamp_sealed(bytes, elsewhere, producer);
        } else {
            producer_fields::stamp(bytes, producer);
        }
    }

    /// The pieces of a request.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece> {
        let head = Piece::Shared(Arc::clone(&self.head));
        std::iter::once(head).chain(self.records.clone().map(Piece::Part))
    }

    /// All its bytes in one buffer.
    pub(super) fn whole(&self) -> Cow<'_, [u8]> {
        match &self.records {
            None => Cow::Borrowed(&self.head),
            Some(records) => Cow::Owned([self.head.as_slice(), records].concat()),
        }
    }

    /// Its memory for another batch; `None` if it is shared, or only that of a header.
    pub(super) fn into_spare(self) -> Option<Vec<u8>> {
        let head = self.head;
        self.records.is_none().then(|| Arc::try_unwrap(head).ok())?
    }
}

impl From<Vec<u8>> for BatchBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            head: Arc::new(bytes),
            records: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::batch_builder::one_record;
    use crate::records::batch_header::HEADER_LEN;

    #[test]
    fn a_batch_in_two_places_is_the_same_on_the_wire_as_in_one() {
        let producer = Producer {
            id: 7,
            epoch: 3,
            base_sequence: 41,
        };
        let frame = SharedSlice::from([b"before".as_slice(), &one_record(None), b"behind"].concat());
        let records = frame.part(6 + HEADER_LEN..frame.len() - 6).unwrap();
        let mut apart = BatchBytes::over(one_record(None)[..HEADER_LEN].to_vec(), records);
        let mut whole = BatchBytes::from(one_record(None));
        assert_eq!(apart.len(), whole.len());
        for batch in [&mut apart, &mut whole] {
            batch.stamp(producer, true);
            let sent: Vec<u8> = batch.pieces().flat_map(|piece| piece.to_vec()).collect();
            assert_eq!(sent, one_record(Some(producer)));
            assert_eq!(&*batch.whole(), one_record(Some(producer)));
        }
        assert_eq!(
            &frame[6..frame.len() - 6],
            one_record(None),
            "what came stays as it came"
        );
        assert!(apart.into_spare().is_none() && whole.into_spare().is_some());
    }
}
