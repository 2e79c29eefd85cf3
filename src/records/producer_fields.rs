//! The producer's fields of a finished batch of format 2: written when its place in the sequence is known.

use super::batch_builder::Producer;
use super::batch_header;
use super::checksum_change::change_header_before;
use super::fields::put;

const PRODUCER_ID_AT: usize = 43;
const PRODUCER_EPOCH_AT: usize = 51;
const BASE_SEQUENCE_AT: usize = 53;

/// Writes producer id, epoch and first sequence number, and computes the checksum.
pub fn stamp(batch: &mut [u8], producer: Producer) {
    write(batch, producer);
    batch_header::set_crc(batch);
}

/// [`stamp`] for a batch that has its checksum, which is updated without reading the records; the last `elsewhere`
/// bytes of the batch are not in `batch`.
pub fn stamp_sealed(batch: &mut [u8], elsewhere: usize, producer: Producer) {
    change_header_before(batch, elsewhere, |batch| write(batch, producer));
}

fn write(batch: &mut [u8], producer: Producer) {
    put(batch, PRODUCER_ID_AT, &producer.id.to_be_bytes());
    put(batch, PRODUCER_EPOCH_AT, &producer.epoch.to_be_bytes());
    put(batch, BASE_SEQUENCE_AT, &producer.base_sequence.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::batch_builder::one_record;
    use super::*;

    #[test]
    fn a_stamped_batch_is_what_the_builder_makes_for_that_producer() {
        let producer = Producer {
            id: 7,
            epoch: 3,
            base_sequence: 41,
        };
        let mut batch = one_record(None);
        let mut sealed = batch.clone();
        stamp(&mut batch, producer);
        assert_eq!(batch, one_record(Some(producer)));
        stamp_sealed(&mut sealed, 0, producer);
        assert_eq!(sealed, batch);
    }
}
