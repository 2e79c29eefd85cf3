//! A topic with a `compression.type` of its own: batches that came in another codec are packed anew.
//!
//! Owns only the exchange of the codec. Offsets, timestamps, keys, values and headers stay: in format 2 the records
//! of a batch are the same bytes under every codec.

use kafka_protocol::ResponseError;

use super::batch_check::{Rejected, UNPACK_LIMIT};
use super::topic_settings::Packing;
use crate::records::batch_header::{self, BatchHeader, HEADER_LEN};
use crate::records::{Records, compression};

/// The batch under the topic's codec; `None` if it has that already. The batch has passed its other checks.
pub(super) fn recompress(
    batch: &[u8],
    header: &BatchHeader,
    packing: Packing,
    partition: &str,
    limit: usize,
) -> Result<Option<Vec<u8>>, Rejected> {
    let Some(codec) = header.codec().filter(|codec| *codec != packing.codec) else {
        return Ok(None);
    };
    let unreadable = |_| {
        let message = format!("Records cannot be read in topic partition {partition}.");
        Rejected::new(ResponseError::CorruptMessage, message)
    };
    let mut records = Vec::new();
    let body = batch.get(HEADER_LEN..).unwrap_or_default();
    compression::decompress_into(codec, body, &mut records, UNPACK_LIMIT).map_err(unreadable)?;
    // What nobody could read afterwards is refused now.
    for record in Records::new(header, &records) {
        record.map_err(|error| {
            Rejected::new(
                ResponseError::InvalidRecord,
                format!("{error} in topic partition {partition}"),
            )
        })?;
    }
    let mut packed = batch.get(..HEADER_LEN).unwrap_or_default().to_vec();
    compression::compress_at_level(packing.codec, packing.level, &records, &mut packed)
        .map_err(unreadable)?;
    batch_header::set_codec(&mut packed, packing.codec);
    if packed.len() > limit {
        let size = packed.len();
        return Err(Rejected::new(
            ResponseError::MessageTooLarge,
            format!(
                "Message batch size is {size} bytes in append to partition {partition} which exceeds the maximum \
                 configured size of {limit}."
            ),
        ));
    }
    Ok(Some(packed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Codec;
    use crate::records::batch_builder::{BatchBuilder, BatchOptions};

    const ALL: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

    fn batch(codec: Codec) -> Vec<u8> {
        let mut builder = BatchBuilder::new(BatchOptions {
            codec,
            ..BatchOptions::default()
        });
        for number in 0..50 {
            builder.append(1000 + number, Some(b"key"), Some(&[b'v'; 40]), &[]);
        }
        builder.finish().unwrap()
    }

    #[test]
    fn every_codec_is_exchanged_for_every_other_and_the_records_stay() {
        let plain = batch(Codec::None);
        for (from, to) in ALL.into_iter().flat_map(|from| ALL.map(|to| (from, to))) {
            let before = batch(from);
            let header = BatchHeader::parse(&before).unwrap();
            let packing = Packing {
                codec: to,
                level: None,
            };
            let Some(after) = recompress(&before, &header, packing, "t-0", 1 << 20).unwrap() else {
                assert_eq!(from, to);
                continue;
            };
            let new = BatchHeader::parse(&after).unwrap();
            assert_eq!((new.size_in_bytes(), new.codec()), (after.len(), Some(to)));
            assert!(batch_header::crc_is_valid(&after));
            let expected = BatchHeader {
                batch_length: new.batch_length,
                crc: new.crc,
                attributes: new.attributes,
                ..header
            };
            assert_eq!(new, expected);
            let mut body = Vec::new();
            compression::decompress_into(to, &after[HEADER_LEN..], &mut body, 1 << 20).unwrap();
            assert_eq!(body, plain[HEADER_LEN..]);
        }
    }

    #[test]
    fn what_cannot_be_unpacked_or_grows_too_large_is_refused() {
        let mut broken = batch(Codec::Gzip);
        let header = BatchHeader::parse(&broken).unwrap();
        let plain = Packing {
            codec: Codec::None,
            level: None,
        };
        let large = recompress(&broken, &header, plain, "t-0", 200).unwrap_err();
        assert_eq!(large.error, ResponseError::MessageTooLarge);
        broken.truncate(HEADER_LEN + 20);
        let cut = recompress(&broken, &header, plain, "t-0", 1 << 20).unwrap_err();
        assert_eq!(cut.error, ResponseError::CorruptMessage);
    }
}
