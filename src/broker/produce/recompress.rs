//! For topics with their own `compression.type`: batches in another codec are compressed again.
//!
//! Owns the new batch. As in Kafka every record is encoded again: offsets count from 0 in the batch, varints get
//! their shortest form, and header names that are not UTF-8 get replacement characters.

use std::borrow::Cow;

use kafka_protocol::ResponseError;

use super::batch_check::Rejected;
use crate::broker::config::topic_settings::Packing;
use crate::records::batch_builder::{BatchBuilder, BatchOptions, Producer};
use crate::records::batch_header::BatchHeader;
use crate::records::{Header, Records};

/// The batch in the topic's codec. `records` are its decompressed records, which have been checked.
pub(in crate::broker) fn recompress(
    records: &[u8],
    header: &BatchHeader,
    packing: Packing,
    limit: usize,
) -> Result<Vec<u8>, Rejected> {
    let mut builder = BatchBuilder::new(BatchOptions {
        codec: packing.codec,
        level: packing.level,
        transactional: header.is_transactional(),
        producer: Some(Producer {
            id: header.producer_id,
            epoch: header.producer_epoch,
            base_sequence: header.base_sequence,
        }),
        ..BatchOptions::default()
    });
    for record in Records::new(header, records) {
        let record = record.map_err(|_| Rejected::new(ResponseError::InvalidRecord, ""))?;
        let headers: Vec<(Cow<'_, str>, Option<&[u8]>)> = record
            .headers
            .map(|header| (String::from_utf8_lossy(header.key), header.value))
            .collect();
        let headers: Vec<_> = headers
            .iter()
            .map(|(key, value)| Header {
                key: key.as_bytes(),
                value: *value,
            })
            .collect();
        builder.append(record.timestamp, record.key, record.value, &headers);
    }
    let packed = builder
        .finish()
        .map_err(|_| Rejected::new(ResponseError::UnknownServerError, ""))?;
    if packed.len() > limit {
        return Err(Rejected::new(ResponseError::MessageTooLarge, ""));
    }
    Ok(packed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::batch_header::{self, HEADER_LEN};
    use crate::records::{Codec, compression};

    fn batch() -> Vec<u8> {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        let headers = [Header {
            key: b"name",
            value: None,
        }];
        for number in 0..50 {
            builder.append(1000 + number, Some(b"key"), Some(&[b'v'; 40]), &headers);
        }
        builder.finish().unwrap()
    }

    #[test]
    fn every_codec_holds_the_same_records() {
        let plain = batch();
        let header = BatchHeader::parse(&plain).unwrap();
        for codec in Codec::ALL {
            let packing = Packing { codec, level: None };
            let after = recompress(&plain[HEADER_LEN..], &header, packing, 1 << 20).unwrap();
            let new = BatchHeader::parse(&after).unwrap();
            assert_eq!((new.size_in_bytes(), new.codec()), (after.len(), Some(codec)));
            assert!(batch_header::crc_is_valid(&after));
            let expected = BatchHeader {
                batch_length: new.batch_length,
                crc: new.crc,
                attributes: new.attributes,
                ..header
            };
            assert_eq!(new, expected);
            let mut body = Vec::new();
            compression::decompress_into(codec, &after[HEADER_LEN..], &mut body, 1 << 20).unwrap();
            assert_eq!(body, plain[HEADER_LEN..]);
        }
    }

    #[test]
    fn what_grows_too_large_is_refused() {
        let plain = batch();
        let header = BatchHeader::parse(&plain).unwrap();
        let packing = Packing {
            codec: Codec::None,
            level: None,
        };
        let large = recompress(&plain[HEADER_LEN..], &header, packing, 200).unwrap_err();
        assert_eq!(large.error, ResponseError::MessageTooLarge);
    }
}
